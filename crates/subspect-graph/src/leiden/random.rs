//! Draws from a running generator.

use rand::RngCore;

/// Uniform on [0, 1), from 53 bits.
pub(crate) fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform on `0..n`. The bias of scaling 32 random bits is below `n / 2^32`.
pub(super) fn below(n: usize, rng: &mut impl RngCore) -> usize {
    ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize
}

/// Fisher and Yates' shuffle.
pub(super) fn shuffle(values: &mut [u32], rng: &mut impl RngCore) {
    for i in (1..values.len()).rev() {
        values.swap(i, below(i + 1, rng));
    }
}
