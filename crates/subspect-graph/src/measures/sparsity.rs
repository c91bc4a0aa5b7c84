//! Size and density of a layer's graph: to be read beside every comparison, because a solver's density varies
//! by layer.

use subspect_linalg::{Measured, Status};

use crate::measures::MeasureInfo;

pub(super) static NNZ_PER_ROW: MeasureInfo = MeasureInfo {
    name: "nnz_per_row",
    summary: "coefficients per input",
    reference: "count",
    range: "0 to N - 1",
    parameters: &[],
    compute: |s| ratio(s.coefficients.nnz() as f64, s.graph.n_nodes() as f64),
};

pub(super) static DENSITY: MeasureInfo = MeasureInfo {
    name: "density",
    summary: "edges of the graph as a share of all pairs of inputs",
    reference: "2 edges / (N (N - 1))",
    range: "0 to 1",
    parameters: &[],
    compute: |s| {
        let n = s.graph.n_nodes() as f64;
        ratio(2.0 * s.graph.n_edges() as f64, n * (n - 1.0))
    },
};

pub(super) static MEAN_NEIGHBORS: MeasureInfo = MeasureInfo {
    name: "mean_neighbors",
    summary: "neighbours per input in the graph",
    reference: "count",
    range: "0 to N - 1",
    parameters: &[],
    compute: |s| ratio(2.0 * s.graph.n_edges() as f64, s.graph.n_nodes() as f64),
};

pub(super) static MAX_NEIGHBORS: MeasureInfo = MeasureInfo {
    name: "max_neighbors",
    summary: "neighbours of the best-connected input",
    reference: "count",
    range: "0 to N - 1",
    parameters: &[],
    compute: |s| largest((0..s.graph.n_nodes()).map(|i| s.graph.n_neighbors(i) as f64)),
};

pub(super) static MEAN_DEGREE: MeasureInfo = MeasureInfo {
    name: "mean_degree",
    summary: "affinity mass per input, k_i = sum_j A_ij, mean",
    reference: "weighted degree",
    range: "0 and up",
    parameters: &[],
    compute: |s| ratio(s.graph.total_mass(), s.graph.n_nodes() as f64),
};

pub(super) static MAX_DEGREE: MeasureInfo = MeasureInfo {
    name: "max_degree",
    summary: "affinity mass of the input that has most of it",
    reference: "weighted degree",
    range: "0 and up",
    parameters: &[],
    compute: |s| largest(s.graph.degrees().iter().copied()),
};

pub(super) static ISOLATED: MeasureInfo = MeasureInfo {
    name: "isolated_nodes",
    summary: "number of inputs without any edge",
    reference: "count",
    range: "0 to N",
    parameters: &[],
    compute: |s| Measured::finite(s.graph.n_isolated() as f64),
};

fn ratio(numerator: f64, denominator: f64) -> Measured {
    if denominator > 0.0 { Measured::finite(numerator / denominator) } else { Status::NTooSmall.into() }
}

fn largest(values: impl Iterator<Item = f64>) -> Measured {
    values.reduce(f64::max).map_or(Status::NTooSmall.into(), Measured::finite)
}
