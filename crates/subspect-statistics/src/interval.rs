//! Intervals from the draws of a bootstrap.
//!
//! With draws `θ*` of the estimate `θ` and `q(a)` their quantile, at level `1 - 2a` (Efron & Tibshirani 1993; Davison &
//! Hinkley 1997, chapter 5):
//!
//! - percentile: `[q(a), q(1 - a)]`;
//! - basic: `[2θ - q(1 - a), 2θ - q(a)]`;
//! - BCa: `[q(a_1), q(a_2)]` with `a_k = Φ(z_0 + (z_0 + z_k) / (1 - g (z_0 + z_k)))`, bias `z_0 = Φ⁻¹(share of draws
//!   below θ)`, draws equal to it counted half, and acceleration
//!   `g = sum_i u_i³ / (6 (sum_i u_i²)^{3/2})`, `u_i = mean - θ without input i` (Efron, JASA 82, 171 (1987)).
//!
//! Draws without any spread say nothing about the estimate's: the interval is then undefined (`zero_variance`).

use serde::{Deserialize, Serialize};
use subspect_linalg::{Measured, Status};

use crate::null::TIE;
use crate::{normal_cdf, normal_quantile, quantile};

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Quantiles of the draws.
    Percentile,
    /// Quantiles of the draws, mirrored at the estimate.
    Basic,
    /// Quantiles of the draws, corrected for bias and acceleration.
    Bca,
    /// Wilson's score interval of a share.
    Wilson,
    /// Inputs of a graph resampled, spread scaled to the dyadic-robust variance.
    NodeBootstrap,
    /// Influences of the inputs resampled on Fisher's scale, spread scaled to the dyadic-robust variance.
    InfluenceBootstrap,
    /// Student's t around a mean.
    Student,
}

impl IntervalMethod {
    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            IntervalMethod::Percentile => "percentile",
            IntervalMethod::Basic => "basic",
            IntervalMethod::Bca => "bca",
            IntervalMethod::Wilson => "wilson",
            IntervalMethod::NodeBootstrap => "node_bootstrap",
            IntervalMethod::InfluenceBootstrap => "influence_bootstrap",
            IntervalMethod::Student => "student",
        }
    }
}

/// A range that would hold the value of other inputs of the same kind with chance `level`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, or why there is none.
    pub lo: Measured,
    /// Upper end, or why there is none.
    pub hi: Measured,
    /// The chance aimed at, such as 0.95.
    pub level: f64,
    /// How it was made.
    pub method: IntervalMethod,
    /// Resamples drawn; 0 for a closed form.
    pub n_resamples: usize,
}

impl Interval {
    /// No interval, and why.
    pub fn undefined(status: Status, level: f64, method: IntervalMethod, n_resamples: usize) -> Self {
        Self { lo: status.into(), hi: status.into(), level, method, n_resamples }
    }

    /// The two ends as given.
    pub fn new(lo: f64, hi: f64, level: f64, method: IntervalMethod, n_resamples: usize) -> Self {
        Self { lo: Measured::finite(lo), hi: Measured::finite(hi), level, method, n_resamples }
    }

    /// Why there is no interval, if there is none.
    pub fn status(&self) -> Option<Status> {
        self.lo.status().or(self.hi.status())
    }

    /// Whether `value` lies within; `None` when there is no interval.
    pub fn contains(&self, value: f64) -> Option<bool> {
        Some(self.lo.value()? <= value && value <= self.hi.value()?)
    }

    /// Quantiles of the draws.
    pub fn percentile(mut draws: Vec<f64>, level: f64) -> Self {
        let method = IntervalMethod::Percentile;
        match prepare(&mut draws, level) {
            Err(status) => Self::undefined(status, level, method, draws.len()),
            Ok(()) => {
                let tail = 0.5 * (1.0 - level);
                Self::between(&draws, tail, 1.0 - tail, level, method)
            }
        }
    }

    /// Quantiles of the draws mirrored at the estimate: right where the estimate's error has the same distribution
    /// everywhere, also when draws are biased.
    pub fn basic(estimate: f64, draws: Vec<f64>, level: f64) -> Self {
        let drawn = Self::percentile(draws, level);
        let mirror = |end: Measured| end.map(|v| 2.0 * estimate - v);
        Self { lo: mirror(drawn.hi), hi: mirror(drawn.lo), method: IntervalMethod::Basic, ..drawn }
    }

    /// Quantiles corrected for bias and acceleration; `without` holds the estimate without input i (the jackknife
    /// values), or any influences with the opposite sign.
    pub fn bca(estimate: f64, mut draws: Vec<f64>, without: &[f64], level: f64) -> Self {
        let method = IntervalMethod::Bca;
        let n = draws.len();
        if let Err(status) = prepare(&mut draws, level) {
            return Self::undefined(status, level, method, n);
        }
        let tie = TIE * estimate.abs().max(1.0);
        let below = draws.partition_point(|&v| v < estimate - tie);
        let equal = draws[below..].partition_point(|&v| v <= estimate + tie);
        let z0 = normal_quantile((below as f64 + 0.5 * equal as f64) / n as f64);
        let g = acceleration(without);
        if !(z0.is_finite() && g.is_finite()) {
            return Self::undefined(Status::ZeroVariance, level, method, n);
        }
        let at = |z: f64| normal_cdf(z0 + (z0 + z) / (1.0 - g * (z0 + z)));
        let tail = 0.5 * (1.0 - level);
        Self::between(&draws, at(normal_quantile(tail)), at(normal_quantile(1.0 - tail)), level, method)
    }

    fn between(sorted: &[f64], low: f64, high: f64, level: f64, method: IntervalMethod) -> Self {
        let at = |q| quantile(sorted, q).map_or(Status::NTooSmall.into(), Measured::finite);
        Self { lo: at(low), hi: at(high), level, method, n_resamples: sorted.len() }
    }
}

/// Sorts the draws, or says why no interval can be read from them.
fn prepare(draws: &mut [f64], level: f64) -> Result<(), Status> {
    if draws.len() < 2 {
        return Err(Status::NTooSmall);
    }
    if draws.iter().any(|v| !v.is_finite()) || !(0.0..1.0).contains(&level) {
        return Err(Status::NotFinite);
    }
    draws.sort_unstable_by(f64::total_cmp);
    if draws[0] == draws[draws.len() - 1] { Err(Status::ZeroVariance) } else { Ok(()) }
}

/// `sum u³ / (6 (sum u²)^{3/2})`; NaN where no input matters.
fn acceleration(without: &[f64]) -> f64 {
    let mean = without.iter().sum::<f64>() / without.len() as f64;
    let (squares, cubes) = without.iter().fold((0.0, 0.0), |(s, c), &v| {
        let u: f64 = mean - v;
        (s + u * u, c + u * u * u)
    });
    cubes / (6.0 * squares.powf(1.5))
}
