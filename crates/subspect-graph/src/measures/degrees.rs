//! How the affinity mass is spread over the inputs: degrees `k_i = sum_j A_ij` and the hubs among them. Nearest
//! neighbours in many dimensions have hubs (Radovanovic, Nanopoulos & Ivanovic, JMLR 11, 2010), and a graph with hubs
//! can look connected where its classes are not.

use subspect_linalg::{Measured, Status};

use crate::AffinityGraph;
use crate::measures::MeasureInfo;

pub(super) static CV: MeasureInfo = MeasureInfo {
    name: "degree_cv",
    summary: "standard deviation of the degrees over their mean",
    reference: "coefficient of variation, divisor N",
    range: "0 (all alike) to sqrt(N - 1)",
    parameters: &[],
    compute: |s| {
        of_degrees(s.graph, |degrees| {
            let n = degrees.len() as f64;
            let mean = degrees.iter().sum::<f64>() / n;
            (degrees.iter().map(|k| (k - mean).powi(2)).sum::<f64>() / n).sqrt() / mean
        })
    },
};

pub(super) static GINI: MeasureInfo = MeasureInfo {
    name: "degree_gini",
    summary: "Gini coefficient of the degrees: how unevenly the affinity mass is spread over inputs",
    reference: "Gini (1912): sum_ij |k_i - k_j| / (2 N sum_i k_i)",
    range: "0 (all alike) to 1 - 1/N",
    parameters: &[],
    compute: |s| {
        of_degrees(s.graph, |ascending| {
            let n = ascending.len() as f64;
            // Over sorted values the double sum is a single one.
            let weighted: f64 =
                ascending.iter().enumerate().map(|(i, k)| (2.0 * (i as f64 + 1.0) - n - 1.0) * k).sum();
            weighted / (n * ascending.iter().sum::<f64>())
        })
    },
};

pub(super) static HUB_SHARE: MeasureInfo = MeasureInfo {
    name: "hub_share",
    summary: "share of all degrees that the 1 % of inputs with the largest have, at least one input",
    reference: "sum of the ceil(N / 100) largest k_i over sum_i k_i",
    range: "0.01 (all alike) to 1",
    parameters: &[],
    compute: |s| {
        of_degrees(s.graph, |ascending| {
            let n_hubs = ascending.len().div_ceil(100);
            ascending[ascending.len() - n_hubs..].iter().sum::<f64>() / ascending.iter().sum::<f64>()
        })
    },
};

/// `f` of the degrees in ascending order.
fn of_degrees(graph: &AffinityGraph, f: impl FnOnce(&[f64]) -> f64) -> Measured {
    if graph.n_nodes() == 0 {
        return Status::NTooSmall.into();
    }
    if graph.is_empty() {
        return Status::EmptyGraph.into();
    }
    let mut degrees = graph.degrees().to_vec();
    degrees.sort_unstable_by(f64::total_cmp);
    Measured::finite(f(&degrees))
}
