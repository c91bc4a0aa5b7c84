//! Randomness comes only from here, and only from a seed that the caller passed.
//!
//! A seed is derived per axis: `Seed::new(7).axis("layer").axis("layer1.0")`. Adding a layer, a class or a
//! permutation test moves nobody else's random numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A point in the tree of random streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The root, from the user's `--seed`.
    pub fn new(seed: u64) -> Self {
        Seed(mix(seed ^ 0x5355_4253_5045_4354))
    }

    /// The stream named `label` below this one (FNV-1a of the label, mixed into the state).
    #[must_use]
    pub fn axis(self, label: &str) -> Self {
        let hash = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
        Seed(mix(self.0 ^ mix(hash)))
    }

    /// The `index`-th stream below this one.
    #[must_use]
    pub fn index(self, index: u64) -> Self {
        Seed(mix(self.0 ^ mix(index.wrapping_add(0x9e37_79b9_7f4a_7c15))))
    }

    /// A generator at the start of this stream: ChaCha8, the same on every platform.
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads every bit.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::RngCore;

    #[test]
    fn axes_are_independent_and_repeatable() {
        let root = Seed::new(7);
        assert_eq!(root.axis("a").index(3), root.axis("a").index(3));
        assert_ne!(root.axis("a"), root.axis("b"));
        assert_ne!(root.axis("a").index(0), root.axis("a").index(1));
        assert_ne!(root.axis("a").axis("b"), root.axis("b").axis("a"));
        assert_ne!(root.axis("a").rng().next_u64(), Seed::new(8).axis("a").rng().next_u64());
    }
}
