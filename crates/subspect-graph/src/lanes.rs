//! Sixteen draws at once: one vector lane per permutation or resample of the inputs.

use subspect_linalg::Seed;
use subspect_statistics::{multiplicities, shuffle};

use crate::Partition;

/// Draws evaluated in one pass: one AVX-512 register of class indices.
pub(crate) const LANES: usize = 16;

/// The labels under permutations `first..first + LANES`, input by input.
pub(crate) fn permuted_labels(partition: &Partition, seed: Seed, first: usize) -> Vec<[u32; LANES]> {
    let mut lanes = vec![[0_u32; LANES]; partition.len()];
    let mut classes = vec![0_u32; partition.len()];
    for l in 0..LANES {
        classes.copy_from_slice(partition.classes());
        shuffle(&mut classes, seed.index((first + l) as u64));
        for (lane, &c) in lanes.iter_mut().zip(&classes) {
            lane[l] = c;
        }
    }
    lanes
}

/// How often every input is drawn in resamples `first..first + LANES`; float32 holds these counts exactly.
pub(crate) fn resampled_inputs(n: usize, seed: Seed, first: usize) -> Vec<[f32; LANES]> {
    let mut lanes = vec![[0.0_f32; LANES]; n];
    for l in 0..LANES {
        let counts = multiplicities(n, seed.index((first + l) as u64));
        for (lane, &w) in lanes.iter_mut().zip(&counts) {
            lane[l] = w as f32;
        }
    }
    lanes
}
