//! Modularity under permuted labels: what the same graph and the same class sizes give by chance.
//!
//! Permutation `r` draws from the stream `seed.index(r)`, so neither the number of permutations nor the number of
//! threads changes any single draw. Sixteen permutations are evaluated in one pass over the upper triangle,
//! `O(edges)` each with contiguous memory, one vector lane per permutation.
//!
//! The exact mean under the null is `-(1 - P) sum_i k_i² / (2m)²` with `P` the chance that two inputs share a class;
//! at resolution 1 the drawn mean must agree with it (a test does so).

use rayon::prelude::*;
use subspect_linalg::{Seed, Status, vectorize};
use subspect_statistics::{Null, Tail};

use crate::lanes::{LANES, permuted_labels};
use crate::measures::modularity::{modularity, obstacle};
use crate::{AffinityGraph, Partition};

/// The null of [`modularity`] from `n_permutations` random permutations of the labels, in the current thread pool.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn modularity_null(
    graph: &AffinityGraph,
    partition: &Partition,
    resolution: f64,
    n_permutations: usize,
    seed: Seed,
) -> Null {
    let observed = modularity(graph, partition, resolution);
    let Some(observed) = observed.value() else {
        return Null::undefined(n_permutations, obstacle(graph, partition).unwrap_or(Status::NotFinite));
    };
    let upper = UpperTriangle::of(graph);
    let batches: Vec<[f64; LANES]> = (0..n_permutations.div_ceil(LANES))
        .into_par_iter()
        .map(|b| batch(&upper, graph, partition, resolution, seed, b * LANES))
        .collect();
    Null::of(observed, batches.into_iter().flatten().take(n_permutations).collect(), Tail::Upper)
}

/// Every edge once, row after row.
pub(crate) struct UpperTriangle {
    indptr: Vec<usize>,
    cols: Vec<u32>,
    weights: Vec<f32>,
}

impl UpperTriangle {
    pub(crate) fn of(graph: &AffinityGraph) -> Self {
        let n_edges = graph.n_edges();
        let mut upper =
            Self { indptr: vec![0], cols: Vec::with_capacity(n_edges), weights: Vec::with_capacity(n_edges) };
        for i in 0..graph.n_nodes() {
            let (cols, values) = graph.neighbors(i);
            let from = cols.partition_point(|&j| (j as usize) < i);
            upper.cols.extend_from_slice(&cols[from..]);
            upper.weights.extend_from_slice(&values[from..]);
            upper.indptr.push(upper.cols.len());
        }
        upper
    }
}

/// Modularity under permutations `first..first + LANES`.
fn batch(
    upper: &UpperTriangle,
    graph: &AffinityGraph,
    partition: &Partition,
    resolution: f64,
    seed: Seed,
    first: usize,
) -> [f64; LANES] {
    modularities(upper, graph, partition, resolution, &permuted_labels(partition, seed, first))
}

/// Modularity of the labels of every lane.
pub(crate) fn modularities(
    upper: &UpperTriangle,
    graph: &AffinityGraph,
    partition: &Partition,
    resolution: f64,
    lanes: &[[u32; LANES]],
) -> [f64; LANES] {
    let within = mass_within(upper, lanes);
    let mut volume = vec![[0.0_f64; LANES]; partition.n_classes()];
    for (lane, &k) in lanes.iter().zip(graph.degrees()) {
        for l in 0..LANES {
            volume[lane[l] as usize][l] += k;
        }
    }
    let total = graph.total_mass();
    let mut q = [0.0; LANES];
    for l in 0..LANES {
        let squares: f64 = volume.iter().map(|v| (v[l] / total).powi(2)).sum();
        q[l] = 2.0 * within[l] / total - resolution * squares;
    }
    q
}

vectorize! {
    /// Mass of the edges (once each) whose two ends share a class, for every lane.
    fn mass_within(upper: &UpperTriangle, lanes: &[[u32; LANES]]) -> [f64; LANES] {
        let mut sum = [0.0_f64; LANES];
        for (i, own) in lanes.iter().enumerate() {
            let edges = upper.indptr[i]..upper.indptr[i + 1];
            for (&j, &w) in upper.cols[edges.clone()].iter().zip(&upper.weights[edges]) {
                let other = &lanes[j as usize];
                let w = f64::from(w);
                for l in 0..LANES {
                    sum[l] += if own[l] == other[l] { w } else { 0.0 };
                }
            }
        }
        sum
    }
}
