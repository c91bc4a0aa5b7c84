//! How fast a network passes pictures through and how fast it learns from them, for comparisons with other libraries.

use std::time::Instant;

use subspect_linalg::Seed;
use subspect_nets::{ArchitectureOptions, ArchitectureSpec, Normalize};

use crate::examples::Examples;
use crate::learner::{Batch, Learner};
use crate::resume::State;
use crate::{TrainError, TrainOptions};

/// What [`rates`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Trained values of the network.
    pub n_parameters: usize,
    /// Images per second of the pass forward alone, without gradients; the best repeat.
    pub forward: f64,
    /// Images per second of a whole step: forward, back, and the optimiser; the best repeat.
    pub step: f64,
}

/// Times the passes over one batch of made pictures, after one that warms up; reading and augmentation are not in it,
/// making network input of bytes is.
///
/// # Errors
/// An architecture that cannot be built.
pub fn rates(
    spec: &ArchitectureSpec,
    others: &ArchitectureOptions,
    batch: usize,
    repeats: usize,
) -> Result<Rates, TrainError> {
    let architecture = spec.build(others)?;
    let input = architecture.input;
    let tables = Normalize::None.tables(input.channels)?;
    let examples = Examples {
        pixels: (0..batch * input.channels * input.height * input.width)
            .map(|v| (v * v % 251) as u8)
            .collect(),
        labels: (0..batch as u32).map(|i| i % architecture.n_classes as u32).collect(),
        shape: [input.channels, input.height, input.width],
    };
    let mut state = State { weights: architecture.initialise(Seed::new(0)), ..State::default() };
    let trained = architecture.parameters().into_iter().filter(|p| p.kind.is_trained());
    let n_parameters = trained.map(|p| p.len()).sum();
    let learner = Learner::new(architecture, tables);
    let all: Vec<usize> = (0..batch).collect();
    let of = || Batch { examples: &examples, chosen: &all, augment: None };
    let options = TrainOptions::new(spec.clone(), "");
    let (mut forward, mut step) = (0.0_f64, 0.0_f64);
    for k in 0..=repeats {
        let start = Instant::now();
        learner.forward(of(), &state.weights);
        let passed = start.elapsed().as_secs_f64();
        learner.step(&options, k + 1, 1e-3, of(), &mut state);
        let stepped = start.elapsed().as_secs_f64() - passed;
        if k > 0 {
            forward = forward.max(batch as f64 / passed);
            step = step.max(batch as f64 / stepped);
        }
    }
    Ok(Rates { n_parameters, forward, step })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_longer_than_its_pass_forward() {
        let spec: ArchitectureSpec = "cnn:width=0.25".parse().unwrap();
        let found = rates(&spec, &ArchitectureOptions::default(), 16, 3).unwrap();
        assert!(found.n_parameters > 1000 && found.step > 0.0 && found.forward > found.step, "{found:?}");
    }
}
