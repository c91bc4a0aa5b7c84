//! Optimisers as plain loops over the values, with PyTorch's formulas and defaults.
//!
//! - sgd: `g += wd w`, `b = momentum b + g`, `w -= rate b` (nesterov: `w -= rate (g + momentum b)`);
//! - adam: `g += wd w`, `m = 0.9 m + 0.1 g`, `v = 0.999 v + 0.001 g²`,
//!   `w -= rate m / (1 - 0.9^t) / (sqrt(v / (1 - 0.999^t)) + 1e-8)` (Kingma & Ba 2015);
//! - adamw: as adam, but `w *= 1 - rate wd` instead of the first step (Loshchilov & Hutter 2019).
//!
//! The networks are small beside their activations: this costs less than a hundredth of a step, needs no state that
//! belongs to a library, and is saved as two lists of tensors.

/// Which optimiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Gradient descent with momentum.
    Sgd {
        /// Share of the last direction that is kept.
        momentum: f64,
        /// Whether to look ahead.
        nesterov: bool,
    },
    /// Adam.
    Adam,
    /// Adam with decay apart from the gradient.
    AdamW,
}

const BETA: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;

/// What an optimiser remembers of one tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    /// Momentum, or the mean gradient; empty before the first step.
    pub(crate) first: Vec<f32>,
    /// Mean squared gradient; empty for sgd.
    pub(crate) second: Vec<f32>,
}

impl Optimizer {
    /// One step of one tensor; `step` counts from 1.
    pub(crate) fn step(
        &self,
        rate: f64,
        decay: f64,
        step: usize,
        w: &mut [f32],
        g: &[f32],
        memory: &mut Memory,
    ) {
        memory.first.resize(w.len(), 0.0);
        match *self {
            Optimizer::Sgd { momentum, nesterov } => {
                for ((w, &g), b) in w.iter_mut().zip(g).zip(&mut memory.first) {
                    let g = f64::from(g) + decay * f64::from(*w);
                    let kept = momentum * f64::from(*b) + g;
                    *b = kept as f32;
                    let direction = if nesterov { g + momentum * kept } else { kept };
                    *w = (f64::from(*w) - rate * direction) as f32;
                }
            }
            Optimizer::Adam | Optimizer::AdamW => {
                let apart = *self == Optimizer::AdamW;
                memory.second.resize(w.len(), 0.0);
                let t = i32::try_from(step).unwrap_or(i32::MAX);
                let (c1, c2) = (1.0 - BETA.0.powi(t), 1.0 - BETA.1.powi(t));
                let moments = memory.first.iter_mut().zip(&mut memory.second);
                for ((w, &g), (m, v)) in w.iter_mut().zip(g).zip(moments) {
                    let before = f64::from(*w) * if apart { 1.0 - rate * decay } else { 1.0 };
                    let g = f64::from(g) + if apart { 0.0 } else { decay * before };
                    let mean = BETA.0 * f64::from(*m) + (1.0 - BETA.0) * g;
                    let square = BETA.1 * f64::from(*v) + (1.0 - BETA.1) * g * g;
                    (*m, *v) = (mean as f32, square as f32);
                    *w = (before - rate * (mean / c1) / ((square / c2).sqrt() + EPSILON)) as f32;
                }
            }
        }
    }

    /// The spelling in records.
    pub(crate) fn describe(&self) -> String {
        match self {
            Optimizer::Sgd { momentum, nesterov } => {
                format!("sgd, momentum {momentum}{}", if *nesterov { ", nesterov" } else { "" })
            }
            Optimizer::Adam => "adam".to_owned(),
            Optimizer::AdamW => "adamw".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps with gradients 0.5 and -0.25 from 1, rate 0.1, decay 0.01.
    fn two_steps(optimizer: Optimizer) -> f64 {
        let (mut w, mut memory) = ([1.0_f32], Memory::default());
        optimizer.step(0.1, 0.01, 1, &mut w, &[0.5], &mut memory);
        optimizer.step(0.1, 0.01, 2, &mut w, &[-0.25], &mut memory);
        f64::from(w[0])
    }

    #[test]
    fn the_formulas_by_hand() {
        // sgd: b1 = 0.51, w1 = 0.949; b2 = 0.9 * 0.51 - 0.25 + 0.00949 = 0.21849, w2 = 0.927151.
        let sgd = two_steps(Optimizer::Sgd { momentum: 0.9, nesterov: false });
        assert!((sgd - 0.927_151).abs() < 1e-6, "{sgd}");
        // nesterov: w1 = 1 - 0.1 (0.51 + 0.459) = 0.9031; g2 = -0.240969, b2 = 0.218031, w2 = 0.9031 - 0.1 (-0.0447411).
        let ahead = two_steps(Optimizer::Sgd { momentum: 0.9, nesterov: true });
        assert!((ahead - 0.907_574).abs() < 1e-6, "{ahead}");
        // adam: w1 = 0.9; g2 = -0.241, m2 = 0.1 (0.9 * 0.51 - 0.241) = 0.0218, m2 / 0.19 = 0.114737,
        // v2 / 0.001999 = (0.999 * 0.2601 + 0.058081) / 1.999 = 0.159039, root 0.398797, w2 = 0.9 - 0.0287708.
        let adam = two_steps(Optimizer::Adam);
        assert!((adam - 0.871_229).abs() < 2e-6, "{adam}");
        // adamw: w1 = 0.999 - 0.1 = 0.899; m2 / 0.19 = (0.045 - 0.025) / 0.19 = 0.105263,
        // v2 / 0.001999 = (0.999 * 0.25 + 0.0625) / 1.999 = 0.156203, root 0.395225, w2 = 0.898101 - 0.0266337.
        let adamw = two_steps(Optimizer::AdamW);
        assert!((adamw - 0.871_467).abs() < 2e-6, "{adamw}");
    }
}
