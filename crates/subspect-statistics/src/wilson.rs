//! Wilson's score interval of a share (E. B. Wilson, JASA 22, 209 (1927)).
//!
//! With `z = Φ⁻¹(1 - a)` and share `p = k / n`: `(p + z²/2n ± z sqrt(p (1 - p) / n + z² / 4n²)) / (1 + z² / n)`.
//! A bootstrap of a share draws from the binomial distribution of `(n, p)`, needs no draws, and has no width at 0 and 1,
//! where this one still has.

use subspect_linalg::Status;

use crate::{Interval, IntervalMethod, normal_quantile};

/// The interval of `n_true` among `n`. Undefined without inputs.
pub fn wilson(n_true: usize, n: usize, level: f64) -> Interval {
    let method = IntervalMethod::Wilson;
    if n == 0 {
        return Interval::undefined(Status::NTooSmall, level, method, 0);
    }
    let (share, n, z) = (n_true as f64 / n as f64, n as f64, normal_quantile(0.5 * (1.0 + level)));
    let centre = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Interval::new((centre - half) / scale, (centre + half) / scale, level, method, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.binomtest(k, n).proportion_ci(0.95, "wilson")`, SciPy 1.17.1.
    #[test]
    fn values_agree_with_scipy() {
        for (k, n, lo, hi) in [
            (0, 10, 0.0, 0.27753279986288926),
            (7, 20, 0.1811918241010821, 0.5671457233147637),
            (904, 1000, 0.8841648792420681, 0.9207430999016032),
            (50, 50, 0.9286524008666412, 1.0),
        ] {
            let interval = wilson(k, n, 0.95);
            assert!((interval.lo.value().unwrap_or(f64::NAN) - lo).abs() < 1e-12, "{k} of {n}");
            assert!((interval.hi.value().unwrap_or(f64::NAN) - hi).abs() < 1e-12, "{k} of {n}");
        }
        assert_eq!(wilson(0, 0, 0.95).status(), Some(Status::NTooSmall));
    }
}
