//! Intervals over inputs: what the class structure of other inputs of the same kind would be.
//!
//! Inputs are drawn with replacement; an input drawn `w_i` times gives every edge the weight `w_i w_j A_ij`, and copies
//! of one input get no edges among themselves, because there is nothing to draw them from (the vertex bootstrap of
//! Snijders & Borgatti, Connections 22, 161 (1999), which draws such edges from the whole graph and thereby adds
//! noise). Labels go along with their inputs.
//!
//! The draws' centre and width are mended before quantiles are taken. Centre: the modularity is no linear function,
//! and its draws lie below it by the sampling variance of the class shares, so deviations are taken from the draws'
//! mean. Width: a bootstrap of inputs counts the noise of single edges up to three times (Efron & Stein, Ann. Stat. 9,
//! 586 (1981)); deviations are scaled to the dyadic-robust variance of [`influence`](crate::influence).
//!
//! The graph is taken as it is: that fewer or other inputs would also have been expressed by others is not part of
//! the interval. Simulated coverage of the 95 % interval is checked in `tests/coverage.rs`.

use rayon::prelude::*;
use subspect_linalg::{Csr, Measured, Seed, Status, vectorize};
use subspect_statistics::{
    Interval, IntervalMethod, PairedTest, Tail, mcnemar, mean_interval, permutation_p, wilson,
};

use crate::influence::variance;
use crate::lanes::{LANES, resampled_inputs};
use crate::measures::modularity::{modularity, obstacle};
use crate::measures::preservation::row_errors;
use crate::partition::check_length;
use crate::{AffinityGraph, GraphError, Partition};

/// Fewest inputs with an interval.
const MIN_INPUTS: usize = 4;

/// How intervals are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntervalOptions {
    /// Resamples of the inputs.
    pub n_resamples: usize,
    /// The chance aimed at.
    pub level: f64,
    /// Stream of the resamples: the same seed draws the same inputs for every layer and network.
    pub seed: Seed,
}

impl IntervalOptions {
    /// 1,000 resamples at 95 %.
    pub fn new(seed: Seed) -> Self {
        Self { n_resamples: 1000, level: 0.95, seed }
    }
}

/// Two layers, epochs or networks on the same inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// First minus second.
    pub value: Measured,
    /// Interval of the difference over inputs.
    pub interval: Interval,
    /// Two-sided p that there is none.
    pub p: Measured,
}

/// The interval of [`modularity`] over inputs, in the current thread pool.
///
/// Undefined where the modularity is, for fewer than four inputs or two resamples, and when a resample holds no edge
/// at all.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn modularity_interval(
    graph: &AffinityGraph,
    partition: &Partition,
    resolution: f64,
    options: &IntervalOptions,
) -> Interval {
    match (modularity(graph, partition, resolution), deviations(&[graph], partition, resolution, options)) {
        (Measured::Value(value), Ok(deviations)) => around(value, &deviations, options),
        (Measured::Undefined(status), _) | (_, Err(status)) => undefined(status, options),
    }
}

/// How much larger the modularity of the first graph is on the same inputs and labels, with its interval from the
/// same resamples of both and a two-sided p: `(1 + #{deviations at least as far from 0}) / (1 + resamples)`.
///
/// Undefined where either interval is; two equal graphs differ by 0 without an interval.
///
/// # Errors
/// [`GraphError::Length`] when the labels do not fit both graphs.
pub fn modularity_difference(
    first: &AffinityGraph,
    second: &AffinityGraph,
    partition: &Partition,
    resolution: f64,
    options: &IntervalOptions,
) -> Result<Difference, GraphError> {
    partition.check(first)?;
    partition.check(second)?;
    let values = [first, second].map(|g| modularity(g, partition, resolution));
    let value = match values {
        [Measured::Value(a), Measured::Value(b)] => a - b,
        [Measured::Undefined(status), _] | [_, Measured::Undefined(status)] => {
            return Ok(Difference::undefined(status.into(), status, options));
        }
    };
    let measured = Measured::finite(value);
    Ok(match deviations(&[first, second], partition, resolution, options) {
        Err(status) => Difference::undefined(measured, status, options),
        Ok(deviations) => {
            let sizes: Vec<f64> = deviations.iter().map(|d| d.abs()).collect();
            let p = permutation_p(value.abs(), &sizes, Tail::Upper);
            Difference { value: measured, interval: around(value, &deviations, options), p }
        }
    })
}

impl Difference {
    fn undefined(value: Measured, status: Status, options: &IntervalOptions) -> Self {
        Self { value, interval: undefined(status, options), p: status.into() }
    }
}

/// Wilson's interval of the affinity vote's accuracy: the vote is right or wrong for every input. Needs no resamples;
/// undefined when nobody votes.
///
/// # Panics
/// When there is not one vote per input of the partition.
pub fn vote_interval(votes: &[Option<u32>], partition: &Partition, level: f64) -> Interval {
    assert_eq!(votes.len(), partition.len(), "one vote per input");
    if votes.iter().all(Option::is_none) {
        return Interval::undefined(Status::EmptyGraph, level, IntervalMethod::Wilson, 0);
    }
    let n_right = right(votes, partition).into_iter().filter(|&r| r).count();
    wilson(n_right, votes.len(), level)
}

/// McNemar's exact test of two layers' or networks' votes on the same inputs: is one more often right?
///
/// # Errors
/// [`GraphError::Length`] when there is not one vote of either per input.
pub fn vote_difference(
    first: &[Option<u32>],
    second: &[Option<u32>],
    partition: &Partition,
) -> Result<PairedTest, GraphError> {
    check_length("votes", partition.len(), first.len())?;
    check_length("votes", partition.len(), second.len())?;
    Ok(mcnemar(&right(first, partition), &right(second, partition)))
}

/// BCa interval of the subspace-preserving error over the rows with coefficients, of which it is the mean.
///
/// # Panics
/// When the partition is for another number of rows.
pub fn sre_interval(coefficients: &Csr, partition: &Partition, options: &IntervalOptions) -> Interval {
    if partition.n_present() < 2 {
        let (n, level) = (options.n_resamples, options.level);
        return Interval::undefined(Status::OneClass, level, IntervalMethod::Bca, n);
    }
    let errors = row_errors(coefficients, partition);
    mean_interval(&errors, options.n_resamples, options.level, options.seed)
}

fn right(votes: &[Option<u32>], partition: &Partition) -> Vec<bool> {
    votes.iter().zip(partition.classes()).map(|(v, c)| *v == Some(*c)).collect()
}

fn undefined(status: Status, options: &IntervalOptions) -> Interval {
    Interval::undefined(status, options.level, IntervalMethod::NodeBootstrap, options.n_resamples)
}

fn around(value: f64, deviations: &[f64], options: &IntervalOptions) -> Interval {
    let draws = deviations.iter().map(|d| value + d).collect();
    Interval { method: IntervalMethod::NodeBootstrap, ..Interval::percentile(draws, options.level) }
}

/// Deviations of the resampled modularity (of one graph, or first minus second) from its mean, scaled to the
/// dyadic-robust variance.
fn deviations(
    graphs: &[&AffinityGraph],
    partition: &Partition,
    resolution: f64,
    options: &IntervalOptions,
) -> Result<Vec<f64>, Status> {
    let n = options.n_resamples;
    if let Some(status) = graphs.iter().find_map(|g| obstacle(g, partition)) {
        return Err(status);
    }
    if partition.len() < MIN_INPUTS || n < 2 {
        return Err(Status::NTooSmall);
    }
    let batch = |b: usize| {
        let lanes = resampled_inputs(partition.len(), options.seed, b * LANES);
        let mut values = resampled(graphs[0], partition, resolution, &lanes);
        if let Some(other) = graphs.get(1) {
            let theirs = resampled(other, partition, resolution, &lanes);
            values.iter_mut().zip(theirs).for_each(|(v, t)| *v -= t);
        }
        values
    };
    let batches: Vec<[f64; LANES]> = (0..n.div_ceil(LANES)).into_par_iter().map(batch).collect();
    let mut draws: Vec<f64> = batches.into_iter().flatten().take(n).collect();
    if draws.iter().any(|q| !q.is_finite()) {
        return Err(Status::EmptyGraph);
    }
    let mean = draws.iter().sum::<f64>() / n as f64;
    draws.iter_mut().for_each(|q| *q -= mean);
    let drawn = draws.iter().map(|d| d * d).sum::<f64>() / (n as f64 - 1.0);
    let variance = variance(graphs[0], graphs.get(1).copied(), partition, resolution);
    if drawn <= 0.0 || variance <= 0.0 {
        return Err(Status::ZeroVariance);
    }
    let scale = (variance / drawn).sqrt();
    draws.iter_mut().for_each(|d| *d *= scale);
    Ok(draws)
}

vectorize! {
    /// Modularity of the resampled graph of every lane; not finite where it has no edge.
    fn resampled(
        graph: &AffinityGraph,
        partition: &Partition,
        resolution: f64,
        lanes: &[[f32; LANES]],
    ) -> [f64; LANES] {
        let classes = partition.classes();
        let mut within = [0.0_f64; LANES];
        let mut volume = vec![[0.0_f64; LANES]; partition.n_classes()];
        for (i, own) in lanes.iter().enumerate() {
            let mut same = [0.0_f64; LANES];
            let mut all = [0.0_f64; LANES];
            let (nodes, weights) = graph.neighbors(i);
            for (&j, &a) in nodes.iter().zip(weights) {
                let other = &lanes[j as usize];
                let a = f64::from(a);
                let inside = if classes[i] == classes[j as usize] { a } else { 0.0 };
                for l in 0..LANES {
                    let w = f64::from(other[l]);
                    all[l] = a.mul_add(w, all[l]);
                    same[l] = inside.mul_add(w, same[l]);
                }
            }
            let mass = &mut volume[classes[i] as usize];
            for l in 0..LANES {
                let w = f64::from(own[l]);
                mass[l] += w * all[l];
                within[l] += w * same[l];
            }
        }
        let mut q = [0.0; LANES];
        for l in 0..LANES {
            let total: f64 = volume.iter().map(|v| v[l]).sum();
            let squares: f64 = volume.iter().map(|v| (v[l] / total).powi(2)).sum();
            q[l] = within[l] / total - resolution * squares;
        }
        q
    }
}
