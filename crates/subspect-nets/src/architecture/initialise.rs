//! Weights before training. Every tensor draws from a stream of its own, named after it, so adding a layer changes no
//! other layer's start.

use rand::Rng;
use subspect_linalg::Seed;

use super::{Architecture, Parameter, ParameterKind};
use crate::weights::{Tensor, Weights};

/// How weights begin. Biases and the shift of normalisations are 0, scales 1, running means 0 and variances 1, unless
/// noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Initialization {
    /// Normal with standard deviation `sqrt(2 / fan_in)` (He, Zhang, Ren, Sun, ICCV 2015).
    #[default]
    He,
    /// PyTorch's default: uniform within `1 / sqrt(fan_in)`, biases too.
    PyTorch,
}

impl Architecture {
    /// Weights to begin with, after He et al.
    #[must_use]
    pub fn initialise(&self, seed: Seed) -> Weights {
        self.initialise_by(Initialization::He, seed)
    }

    /// Weights to begin with.
    #[must_use]
    pub fn initialise_by(&self, how: Initialization, seed: Seed) -> Weights {
        let seed = seed.axis("weights");
        let mut weights = Weights::default();
        for parameter in self.parameters() {
            let values = begin(&parameter, how, seed);
            weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
        }
        weights
    }
}

fn begin(parameter: &Parameter, how: Initialization, seed: Seed) -> Vec<f32> {
    let n = parameter.len();
    let mut rng = seed.axis(&parameter.name).rng();
    let fan_in = parameter.fan_in.max(1) as f64;
    match (parameter.kind, how) {
        (ParameterKind::Weight, Initialization::He) => {
            let deviation = (2.0 / fan_in).sqrt();
            (0..n).map(|_| (deviation * normal(&mut rng)) as f32).collect()
        }
        (ParameterKind::Weight | ParameterKind::Bias, Initialization::PyTorch) => {
            let bound = 1.0 / fan_in.sqrt();
            (0..n).map(|_| (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32).collect()
        }
        (ParameterKind::Scale | ParameterKind::RunningVariance, _) => vec![1.0; n],
        (ParameterKind::Bias | ParameterKind::Shift | ParameterKind::RunningMean, _) => vec![0.0; n],
    }
}

/// A standard normal number (Box and Muller 1958), by the same functions on every platform.
fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - rng.random::<f64>())).sqrt();
    radius * libm::cos(std::f64::consts::TAU * rng.random::<f64>())
}
