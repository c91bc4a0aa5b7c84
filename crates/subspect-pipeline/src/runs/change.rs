//! How much an input's neighbourhood changes between two graphs over the same inputs.
//!
//! With the affinities of input i as shares, `p_j = A_ij / sum_k A_ik` and `q_j` likewise, the weighted Jaccard
//! distance is `1 - sum_j min(p_j, q_j) / sum_j max(p_j, q_j) = 2 d / (2 + d)` with `d = sum_j |p_j - q_j|`: 0 for the
//! same neighbours with the same shares, 1 for no common neighbour (Ruzicka 1958).

use subspect_graph::AffinityGraph;
use subspect_linalg::{Measured, Status};

/// The distance of input `i`; `empty_graph` when it has no neighbour in either graph, 1 when it has none in one.
pub(crate) fn neighbourhood_change(first: &AffinityGraph, second: &AffinityGraph, i: usize) -> Measured {
    let degrees = (first.degrees()[i], second.degrees()[i]);
    match (degrees.0 > 0.0, degrees.1 > 0.0) {
        (false, false) => Status::EmptyGraph.into(),
        (true, true) => {
            let d = difference(first.neighbors(i), degrees.0, second.neighbors(i), degrees.1);
            Measured::finite(2.0 * d / (2.0 + d))
        }
        _ => Measured::Value(1.0),
    }
}

/// The distance of every input.
pub(crate) fn neighbourhood_changes(first: &AffinityGraph, second: &AffinityGraph) -> Vec<Measured> {
    (0..first.n_nodes()).map(|i| neighbourhood_change(first, second, i)).collect()
}

/// Mean of the values that are defined, or the first reason why none is.
pub(crate) fn mean(values: impl IntoIterator<Item = Measured>) -> Measured {
    let (mut sum, mut n, mut why) = (0.0, 0_usize, None);
    for value in values {
        match value {
            Measured::Value(v) => {
                sum += v;
                n += 1;
            }
            Measured::Undefined(status) => why = why.or(Some(status)),
        }
    }
    match n {
        0 => why.unwrap_or(Status::NTooSmall).into(),
        _ => Measured::finite(sum / n as f64),
    }
}

/// `sum_j |p_j - q_j|` of two sorted sparse rows with the sums `k` and `l`.
fn difference(a: (&[u32], &[f32]), k: f64, b: (&[u32], &[f32]), l: f64) -> f64 {
    let (mut p, mut q, mut sum) = (0, 0, 0.0);
    while p < a.0.len() || q < b.0.len() {
        let column = |row: (&[u32], &[f32]), at: usize| row.0.get(at).map_or(u64::MAX, |&j| u64::from(j));
        let (i, j) = (column(a, p), column(b, q));
        let mut share = 0.0;
        if i <= j {
            share += f64::from(a.1[p]) / k;
            p += 1;
        }
        if j <= i {
            share -= f64::from(b.1[q]) / l;
            q += 1;
        }
        sum += share.abs();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::CsrBuilder;

    fn graph(edges: &[(usize, u32, f32)]) -> AffinityGraph {
        let mut b = CsrBuilder::new(5);
        for i in 0..5 {
            let mut row: Vec<(u32, f32)> = edges.iter().filter(|e| e.0 == i).map(|e| (e.1, e.2)).collect();
            b.push_row(&mut row);
        }
        AffinityGraph::from_coefficients(&b.finish()).unwrap()
    }

    #[test]
    fn shares_are_compared_not_weights() {
        let a = graph(&[(0, 1, 1.0), (0, 2, 3.0), (3, 1, 1.0)]);
        let b = graph(&[(0, 1, 0.5), (0, 2, 1.5)]);
        let c = graph(&[(0, 1, 1.0), (0, 3, 1.0)]);
        assert_eq!(neighbourhood_change(&a, &b, 0), Measured::Value(0.0));
        // Shares .25, .75 against .5 and .5: min .25, max 1.75.
        let expected = 1.0 - 0.25 / 1.75;
        assert!((neighbourhood_change(&a, &c, 0).value().unwrap() - expected).abs() < 1e-12);
        assert_eq!(neighbourhood_change(&a, &c, 2), Measured::Value(1.0));
        assert_eq!(neighbourhood_change(&a, &b, 4).status(), Some(Status::EmptyGraph));
        assert_eq!(
            mean([Measured::Value(1.0), Status::EmptyGraph.into(), Measured::Value(0.0)]),
            Measured::Value(0.5)
        );
        assert_eq!(mean([Status::EmptyGraph.into()]).status(), Some(Status::EmptyGraph));
    }
}
