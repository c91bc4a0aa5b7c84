//! The learning rate at every step: plain functions of the step, so that a resumed training needs no state of them.

use std::f64::consts::PI;

/// How the learning rate changes. Shapes and constants are PyTorch's.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant,
    /// Times `factor` at the beginning of each of these epochs (counted from 1).
    MultiStep {
        /// Epochs after which it falls.
        milestones: Vec<usize>,
        /// What it is multiplied with.
        factor: f64,
    },
    /// Half a cosine from the rate to 0 over all steps.
    Cosine,
    /// Up from a 25th to the rate over the first 30 % of the steps, down to a 250,000th over the rest, both along a
    /// cosine (Smith & Topin 2018, as in `OneCycleLR`).
    OneCycle,
}

impl Schedule {
    /// The rate of step `step` of `steps`, with `per_epoch` steps in each epoch; `rate` is the largest.
    #[must_use]
    pub fn rate(&self, rate: f64, step: usize, steps: usize, per_epoch: usize) -> f64 {
        match self {
            Schedule::Constant => rate,
            Schedule::MultiStep { milestones, factor } => {
                let epoch = step / per_epoch.max(1);
                let passed = milestones.iter().filter(|&&m| epoch >= m).count();
                rate * factor.powi(passed as i32)
            }
            Schedule::Cosine => along(rate, 0.0, step as f64 / steps.max(1) as f64),
            Schedule::OneCycle => {
                let (start, end) = (rate / 25.0, rate / 25.0 / 1e4);
                let peak = (0.3 * steps as f64 - 1.0).max(0.0);
                let last = steps as f64 - 1.0;
                let step = step as f64;
                if step <= peak && peak > 0.0 {
                    along(start, rate, step / peak)
                } else {
                    along(rate, end, ((step - peak) / (last - peak).max(1.0)).min(1.0))
                }
            }
        }
    }
}

/// From `a` to `b` along half a cosine.
fn along(a: f64, b: f64, share: f64) -> f64 {
    b + (a - b) * 0.5 * (1.0 + (PI * share).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rates_are_pytorchs() {
        // torch.optim.lr_scheduler, PyTorch 1.13: OneCycleLR(max_lr=0.4, total_steps=10), lr before each step.
        let torch =
            [0.016, 0.208, 0.4, 0.380_194, 0.324_698, 0.244_505, 0.155_497, 0.075_303, 0.019_808, 2e-6];
        for (step, want) in torch.into_iter().enumerate() {
            let rate = Schedule::OneCycle.rate(0.4, step, 10, 5);
            assert!((rate - want).abs() < 2e-6, "step {step}: {rate} against {want}");
        }
        let steps = Schedule::MultiStep { milestones: vec![2, 3], factor: 0.2 };
        let rates: Vec<f64> = (0..8).map(|s| steps.rate(1.0, s, 8, 2)).collect();
        for (rate, want) in rates.iter().zip([1.0, 1.0, 1.0, 1.0, 0.2, 0.2, 0.04, 0.04]) {
            assert!((rate - want).abs() < 1e-12);
        }
        assert!((Schedule::Cosine.rate(1.0, 5, 10, 1) - 0.5).abs() < 1e-12);
        assert_eq!(Schedule::Constant.rate(0.3, 9, 10, 1), 0.3);
    }
}
