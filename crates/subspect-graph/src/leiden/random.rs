//! Draws from a running generator.

use rand::RngCore;

/// Uniform on [0, 1), from 53 bits.
pub(crate) fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
