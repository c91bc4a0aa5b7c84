//! Every measure of class structure under the same permuted labels.
//!
//! Permutation `r` is that of [`modularity_null`](crate::modularity_null) with the same seed, so that the modularity's
//! null is the same here and there. Per pass over graph and coefficients, sixteen permutations are evaluated:
//!
//! - affinity vote: classes are permuted before neighbours vote, so chance includes that large classes win often;
//! - subspace-preserving error and one-class rows: a row keeps its support, and the labels on it change.
//!
//! `O(nnz + N K)` per permutation for K classes.

use rayon::prelude::*;
use subspect_linalg::{Csr, Measured, Seed, Status, vectorize};
use subspect_statistics::{Null, Tail};

use crate::lanes::{LANES, permuted_labels};
use crate::measures::modularity::{modularity, obstacle};
use crate::null::{UpperTriangle, modularities};
use crate::{
    AffinityGraph, GraphError, Subject, affinity_votes, one_class_rows, subspace_preserving_error,
    vote_accuracy,
};

/// What chance alone gives for the measures of class structure, with the same graph and class sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassNulls {
    /// Of the modularity: p counts draws at least as large.
    pub modularity: Null,
    /// Of the affinity vote's accuracy: p counts draws at least as large.
    pub vote_accuracy: Null,
    /// Of the subspace-preserving error: p counts draws at most as large.
    pub sre: Null,
    /// Of the share of one-class rows: p counts draws at least as large.
    pub one_class_rows: Null,
}

/// The nulls of one layer from `n_permutations` permutations of its labels, in the current thread pool.
///
/// # Errors
/// [`GraphError::Length`] when the parts of `subject` are for different numbers of inputs.
pub fn class_nulls(
    subject: &Subject<'_>,
    n_permutations: usize,
    seed: Seed,
) -> Result<ClassNulls, GraphError> {
    subject.check()?;
    let Some(partition) = subject.partition else {
        let none = Null::undefined(0, Status::NoLabels);
        return Ok(ClassNulls { modularity: none, vote_accuracy: none, sre: none, one_class_rows: none });
    };
    let graph = subject.graph;
    if let Some(status) = obstacle(graph, partition) {
        let none = Null::undefined(n_permutations, status);
        return Ok(ClassNulls { modularity: none, vote_accuracy: none, sre: none, one_class_rows: none });
    }
    let upper = UpperTriangle::of(graph);
    let batches: Vec<[[f64; LANES]; 4]> = (0..n_permutations.div_ceil(LANES))
        .into_par_iter()
        .map(|b| {
            let lanes = permuted_labels(partition, seed, b * LANES);
            let [sre, pure] = row_shares(subject.coefficients, &lanes);
            let modularity = modularities(&upper, graph, partition, subject.resolution, &lanes);
            [modularity, vote_accuracies(graph, partition.n_classes(), &lanes), sre, pure]
        })
        .collect();
    let null = |which: usize, observed: Measured, tail| match observed {
        Measured::Value(v) => {
            let draws = batches.iter().flat_map(|b| b[which]).take(n_permutations).collect();
            Null::of(v, draws, tail)
        }
        Measured::Undefined(status) => Null::undefined(n_permutations, status),
    };
    let votes = affinity_votes(graph, partition);
    let coefficients = subject.coefficients;
    Ok(ClassNulls {
        modularity: null(0, modularity(graph, partition, subject.resolution), Tail::Upper),
        vote_accuracy: null(1, vote_accuracy(&votes, partition), Tail::Upper),
        sre: null(2, subspace_preserving_error(coefficients, partition), Tail::Lower),
        one_class_rows: null(3, one_class_rows(coefficients, partition), Tail::Upper),
    })
}

vectorize! {
    /// Share of all nodes whose neighbours' heaviest class (the first among equals) is their own, for every lane.
    fn vote_accuracies(graph: &AffinityGraph, n_classes: usize, lanes: &[[u32; LANES]]) -> [f64; LANES] {
        let mut right = [0.0_f64; LANES];
        let mut affinity = vec![[0.0_f64; LANES]; n_classes];
        for (i, own) in lanes.iter().enumerate() {
            affinity.fill([0.0; LANES]);
            let (nodes, weights) = graph.neighbors(i);
            for (&j, &w) in nodes.iter().zip(weights) {
                let classes = &lanes[j as usize];
                let w = f64::from(w);
                for l in 0..LANES {
                    affinity[classes[l] as usize][l] += w;
                }
            }
            let mut top = [0.0_f64; LANES];
            let mut vote = [u32::MAX; LANES];
            for (c, mass) in affinity.iter().enumerate() {
                for l in 0..LANES {
                    let ahead = mass[l] > top[l];
                    top[l] = if ahead { mass[l] } else { top[l] };
                    vote[l] = if ahead { c as u32 } else { vote[l] };
                }
            }
            for l in 0..LANES {
                right[l] += if vote[l] == own[l] { 1.0 } else { 0.0 };
            }
        }
        right.map(|n| n / lanes.len() as f64)
    }

    /// Mean share of other classes in a row's l1 mass, and share of rows without any, over the rows with
    /// coefficients.
    fn row_shares(coefficients: &Csr, lanes: &[[u32; LANES]]) -> [[f64; LANES]; 2] {
        let mut error = [0.0_f64; LANES];
        let mut pure = [0.0_f64; LANES];
        let mut n_rows = 0.0;
        for (i, own) in lanes.iter().enumerate() {
            let (cols, values) = coefficients.row(i);
            if cols.is_empty() {
                continue;
            }
            n_rows += 1.0;
            let mut same = [0.0_f64; LANES];
            let mut other = [0.0_f64; LANES];
            for (&j, &v) in cols.iter().zip(values) {
                let classes = &lanes[j as usize];
                let v = f64::from(v.abs());
                for l in 0..LANES {
                    let equal = own[l] == classes[l];
                    same[l] += if equal { v } else { 0.0 };
                    other[l] += if equal { 0.0 } else { v };
                }
            }
            for l in 0..LANES {
                error[l] += other[l] / (same[l] + other[l]);
                pure[l] += if other[l] == 0.0 { 1.0 } else { 0.0 };
            }
        }
        [error.map(|v| v / n_rows), pure.map(|v| v / n_rows)]
    }
}
