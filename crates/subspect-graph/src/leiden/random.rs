//! Draws from a running generator.

use rand::RngCore;

/// Uniform on [0, 1), from 53 bits.
pub(crate) fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Fisher and Yates' shuffle. The bias of scaling 32 random bits is below `n / 2^32`.
pub(super) fn shuffle(values: &mut [u32], rng: &mut impl RngCore) {
    for i in (1..values.len()).rev() {
        let j = ((u64::from(rng.next_u32()) * (i as u64 + 1)) >> 32) as usize;
        values.swap(i, j);
    }
}
