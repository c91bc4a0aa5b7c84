//! The mean of one value per input, with the bootstrap's interval.

use rayon::prelude::*;
use subspect_linalg::{Seed, Status};

use crate::{Interval, IntervalMethod, multiplicities};

/// BCa interval of the mean of `values` from `n_resamples` resamples of the inputs, in the current thread pool.
///
/// Undefined for fewer than two values or resamples, and where all values are the same.
pub fn mean_interval(values: &[f64], n_resamples: usize, level: f64, seed: Seed) -> Interval {
    let n = values.len();
    if n < 2 {
        return Interval::undefined(Status::NTooSmall, level, IntervalMethod::Bca, n_resamples);
    }
    let sum: f64 = values.iter().sum();
    let draw = |r: usize| {
        let counts = multiplicities(n, seed.index(r as u64));
        let sum: f64 = counts.iter().zip(values).map(|(&w, v)| f64::from(w) * v).sum();
        sum / n as f64
    };
    let draws: Vec<f64> = (0..n_resamples).into_par_iter().map(draw).collect();
    let without: Vec<f64> = values.iter().map(|v| (sum - v) / (n as f64 - 1.0)).collect();
    Interval::bca(sum / n as f64, draws, &without, level)
}
