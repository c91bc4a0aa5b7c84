//! Student's t: the interval of a mean of few values, such as one per seed.
//!
//! With `t = √ν tan θ` the distribution function is `1/2 + ∫_0^θ cos^{ν-1} / (2 ∫_0^{π/2} cos^{ν-1})`, an integral of a smooth
//! function over a finite range, taken by Simpson's rule; the quantile follows by bisection of θ.

use std::f64::consts::FRAC_PI_2;

use subspect_linalg::Status;

use crate::{Interval, IntervalMethod};

/// Intervals of Simpson's rule; even. The error is below 1e-10 for every ν up to thousands.
const STEPS: usize = 2000;

/// The `p` quantile of Student's t with `freedom` degrees of freedom; NaN outside (0, 1) or without freedom.
pub fn student_quantile(p: f64, freedom: usize) -> f64 {
    if freedom == 0 || !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    let wanted = (2.0 * p - 1.0).abs() * area(FRAC_PI_2, freedom);
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..60 {
        let middle: f64 = 0.5 * (low + high);
        if area(middle, freedom) < wanted { low = middle } else { high = middle }
    }
    let t = (freedom as f64).sqrt() * (0.5 * (low + high)).tan();
    if p < 0.5 { -t } else { t }
}

/// `∫_0^end cos^{ν-1}`.
fn area(end: f64, freedom: usize) -> f64 {
    let height = |k: usize| (end * k as f64 / STEPS as f64).cos().powi(freedom as i32 - 1);
    let inner: f64 = (1..STEPS).map(|k| if k % 2 == 1 { 4.0 * height(k) } else { 2.0 * height(k) }).sum();
    (height(0) + inner + height(STEPS)) * end / (3.0 * STEPS as f64)
}

/// `mean ± t sd / √n`: exact for values of a normal distribution, however few; two at least.
pub fn student_interval(values: &[f64], level: f64) -> Interval {
    let (n, method) = (values.len(), IntervalMethod::Student);
    if n < 2 {
        return Interval::undefined(Status::NTooSmall, level, method, 0);
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    let half = student_quantile(0.5 + 0.5 * level, n - 1) * (variance / n as f64).sqrt();
    Interval::new(mean - half, mean + half, level, method, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.t.ppf` and `scipy.stats.t.interval`.
    #[test]
    fn quantiles_and_intervals_are_those_of_the_distribution() {
        for (p, freedom, t) in [
            (0.975, 1, 12.706_204_736_175),
            (0.975, 2, 4.302_652_729_749),
            (0.975, 4, 2.776_445_105_198),
            (0.025, 9, -2.262_157_162_798),
            (0.95, 30, 1.697_260_886_594),
            (0.5, 3, 0.0),
        ] {
            assert!((student_quantile(p, freedom) - t).abs() < 1e-8, "{p} {freedom}");
        }
        let interval = student_interval(&[1.0, 2.0, 4.0], 0.95);
        assert!((interval.lo.value().unwrap() + 1.461_249_70).abs() < 1e-6, "{interval:?}");
        assert!((interval.hi.value().unwrap() - 6.127_916_37).abs() < 1e-6, "{interval:?}");
        assert_eq!(student_interval(&[1.0], 0.95).status(), Some(Status::NTooSmall));
        assert!(student_quantile(1.0, 3).is_nan() && student_quantile(0.5, 0).is_nan());
    }
}
