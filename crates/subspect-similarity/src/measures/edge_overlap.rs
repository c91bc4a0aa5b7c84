//! Overlap of two affinity graphs: the Jaccard index of their edges, and with weights `sum min(A, B) / sum max(A, B)`
//! (Ruzicka). Loops count as edges of one input. `O(nnz)` per pair, nothing kept.

use rayon::prelude::*;
use subspect_linalg::{Csr, Measured, Status};

use crate::SimilarityError;
use crate::compare::Compute;
use crate::measures::info::{Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::sparse::check;

pub(super) static EDGE_JACCARD: MeasureInfo = MeasureInfo {
    name: "edge_jaccard",
    summary: "share of the edges of either affinity graph that both have",
    reference: "Jaccard 1912",
    kind: Kind::Similarity,
    range: "0 (no common edge) to 1",
    metric: true,
    symmetric: true,
    invariances: &[Invariance::JointPermutation, Invariance::IsotropicScaling],
    parameters: &[],
    compute: Compute::Graphs(|graphs, task| grid(graphs, task, |_| 1.0)),
};

pub(super) static WEIGHTED_JACCARD: MeasureInfo = MeasureInfo {
    name: "weighted_jaccard",
    summary: "common affinity of two graphs over their joint affinity, edge by edge",
    reference: "Ruzicka 1958",
    kind: Kind::Similarity,
    range: "0 (no common edge) to 1",
    metric: true,
    symmetric: true,
    invariances: &[Invariance::JointPermutation],
    parameters: &[],
    compute: Compute::Graphs(|graphs, task| grid(graphs, task, |v| f64::from(v.abs()))),
};

fn grid(graphs: &[&Csr], task: &Task<'_>, weight: fn(f32) -> f64) -> Result<Grid, SimilarityError> {
    check(graphs)?;
    Pairwise {
        n_layers: graphs.len(),
        symmetric: true,
        bytes: &|_| 0,
        prepare: &|l| if graphs[l].nnz() == 0 { Err(Status::EmptyGraph) } else { Ok(graphs[l]) },
        compare: &|a: &&Csr, b| overlap(a, b, weight),
    }
    .run(task)
}

fn overlap(a: &Csr, b: &Csr, weight: fn(f32) -> f64) -> Measured {
    let parts: Vec<(f64, f64)> =
        (0..a.n_rows()).into_par_iter().map(|i| row_overlap(a, b, i, weight)).collect();
    let (common, joint) = parts.iter().fold((0.0, 0.0), |(c, j), p| (c + p.0, j + p.1));
    if joint > 0.0 { Measured::finite(common / joint) } else { Status::EmptyGraph.into() }
}

/// Sums of minima and of maxima over row `i`: a merge of two sorted rows.
fn row_overlap(a: &Csr, b: &Csr, i: usize, weight: fn(f32) -> f64) -> (f64, f64) {
    let ((ours, values), (theirs, others)) = (a.row(i), b.row(i));
    let (mut p, mut q, mut common, mut joint) = (0, 0, 0.0, 0.0);
    while p < ours.len() || q < theirs.len() {
        let ours_first = q == theirs.len() || (p < ours.len() && ours[p] <= theirs[q]);
        let theirs_first = p == ours.len() || (q < theirs.len() && theirs[q] <= ours[p]);
        let v = if ours_first { weight(values[p]) } else { 0.0 };
        let w = if theirs_first { weight(others[q]) } else { 0.0 };
        common += v.min(w);
        joint += v.max(w);
        p += usize::from(ours_first);
        q += usize::from(theirs_first);
    }
    (common, joint)
}
