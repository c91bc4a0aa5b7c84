//! Modularity under permuted labels: what the same graph and the same class sizes give by chance.
//!
//! Permutation `r` draws from the stream `seed.index(r)`, so neither the number of permutations nor the number of
//! threads changes any single draw. Sixteen permutations are evaluated in one pass over the upper triangle,
//! `O(edges)` each with contiguous memory, one vector lane per permutation.
//!
//! The exact mean under the null is `-(1 - P) sum_i k_i² / (2m)²` with `P` the chance that two inputs share a class;
//! at resolution 1 the drawn mean must agree with it (a test does so).

use rand::RngCore;
use rayon::prelude::*;
use subspect_linalg::{Measured, Seed, Status, vectorize};

use crate::measures::modularity::{modularity, obstacle};
use crate::{AffinityGraph, Partition};

/// Permutations evaluated in one pass: one AVX-512 register of class indices.
const LANES: usize = 16;

/// Two modularities that differ by less are the same partition summed in another order.
const TIE: f64 = 1e-12;

/// Distribution of a measure under permuted labels, and where the observed value stands in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Null {
    /// Permutations drawn.
    pub n_permutations: usize,
    /// Mean.
    pub mean: Measured,
    /// Standard deviation (divisor n - 1).
    pub sd: Measured,
    /// 2.5 % quantile, linearly interpolated.
    pub lo: Measured,
    /// 97.5 % quantile, linearly interpolated.
    pub hi: Measured,
    /// (observed - mean) / sd.
    pub z: Measured,
    /// One-sided (1 + #{null >= observed}) / (1 + permutations).
    pub p: Measured,
}

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
    Null::of(observed, batches.into_iter().flatten().take(n_permutations).collect())
}

impl Null {
    fn undefined(n_permutations: usize, status: Status) -> Self {
        let m = Measured::from(status);
        Null { n_permutations, mean: m, sd: m, lo: m, hi: m, z: m, p: m }
    }

    fn of(observed: f64, mut values: Vec<f64>) -> Self {
        let n = values.len();
        if n == 0 {
            return Self::undefined(0, Status::NTooSmall);
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let sd: Measured = if n < 2 {
            Status::NTooSmall.into()
        } else {
            Measured::finite((squares / (n as f64 - 1.0)).sqrt())
        };
        let z = match sd {
            Measured::Value(sd) if sd > TIE => Measured::finite((observed - mean) / sd),
            Measured::Value(_) => Status::ZeroVariance.into(),
            undefined => undefined,
        };
        let n_reached = values.iter().filter(|&&v| v >= observed - TIE).count();
        values.sort_unstable_by(f64::total_cmp);
        Null {
            n_permutations: n,
            mean: Measured::finite(mean),
            sd,
            lo: Measured::finite(quantile(&values, 0.025)),
            hi: Measured::finite(quantile(&values, 0.975)),
            z,
            p: Measured::finite((1 + n_reached) as f64 / (1 + n) as f64),
        }
    }
}

/// The `q` quantile of sorted values, linearly interpolated between neighbours.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

/// Every edge once, row after row.
struct UpperTriangle {
    indptr: Vec<usize>,
    cols: Vec<u32>,
    weights: Vec<f32>,
}

impl UpperTriangle {
    fn of(graph: &AffinityGraph) -> Self {
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
    let mut lanes = vec![[0_u32; LANES]; partition.len()];
    let mut classes = vec![0_u32; partition.len()];
    for l in 0..LANES {
        classes.copy_from_slice(partition.classes());
        shuffle(&mut classes, seed.index((first + l) as u64));
        for (lane, &c) in lanes.iter_mut().zip(&classes) {
            lane[l] = c;
        }
    }
    let within = mass_within(upper, &lanes);
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

/// Fisher and Yates' shuffle, spelled out so that no dependency's release changes a draw. The bias of scaling
/// 32 random bits is below `n / 2^32`.
fn shuffle(values: &mut [u32], seed: Seed) {
    let mut rng = seed.rng();
    for i in (1..values.len()).rev() {
        let j = ((u64::from(rng.next_u32()) * (i as u64 + 1)) >> 32) as usize;
        values.swap(i, j);
    }
}
