//! A linear scale and the round ticks within it.

/// Maps `[lo, hi]` to `[a, b]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    lo: f64,
    hi: f64,
    a: f64,
    b: f64,
    step: f64,
}

impl Scale {
    /// A scale over `[lo, hi]` with about `n` steps between round ticks.
    pub(crate) fn new((lo, hi): (f64, f64), n: usize, (a, b): (f64, f64)) -> Self {
        let (lo, hi) = if hi - lo > 1e-12 { (lo, hi) } else { (lo - 0.05, hi + 0.05) };
        let raw = (hi - lo) / n.max(1) as f64;
        let power = 10f64.powf(raw.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|&s| s >= raw * 0.85).unwrap_or(raw);
        Scale { lo, hi, a, b, step }
    }

    pub(crate) fn at(&self, value: f64) -> f64 {
        self.a + (value - self.lo) / (self.hi - self.lo) * (self.b - self.a)
    }

    /// The multiples of the step within the scale.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let first = (self.lo / self.step - 1e-9).ceil() as i64;
        let last = (self.hi / self.step + 1e-9).floor() as i64;
        (first..=last).map(|k| k as f64 * self.step).collect()
    }

    /// Decimals that tell neighbouring ticks apart.
    pub(crate) fn digits(&self) -> usize {
        (-self.step.log10() - 1e-9).ceil().clamp(0.0, 8.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_scale() {
        let s = Scale::new((-0.012, 0.92), 5, (100.0, 0.0));
        let text: Vec<String> = s.ticks().iter().map(|t| crate::number::fixed(*t, s.digits())).collect();
        assert_eq!(text, ["0.0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(s.at(0.92), 0.0);
        let one = Scale::new((0.5, 0.5), 5, (0.0, 1.0));
        assert!((one.at(0.5) - 0.5).abs() < 1e-9);
    }
}
