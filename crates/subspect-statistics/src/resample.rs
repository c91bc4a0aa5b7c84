//! Random orders and resamples. One call reads one stream from its start: draw `r` of a test uses `seed.index(r)`.

use rand::RngCore;
use subspect_linalg::Seed;

/// Fisher and Yates' shuffle, spelled out so that no dependency's release changes a draw. The bias of scaling
/// 32 random bits is below `n / 2^32`.
pub fn shuffle<T>(values: &mut [T], seed: Seed) {
    shuffle_from(values, &mut seed.rng());
}

/// The same from a running generator.
pub fn shuffle_from<T>(values: &mut [T], rng: &mut impl RngCore) {
    for i in (1..values.len()).rev() {
        let j = below(rng, i + 1);
        values.swap(i, j);
    }
}

/// A random order of `0..n`.
pub fn permutation(n: usize, seed: Seed) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    shuffle(&mut order, seed);
    order
}

/// How often each of `n` inputs is drawn when `n` are drawn with replacement; they sum to `n`.
pub fn multiplicities(n: usize, seed: Seed) -> Vec<u32> {
    let mut rng = seed.rng();
    let mut counts = vec![0; n];
    for _ in 0..n {
        counts[below(&mut rng, n)] += 1;
    }
    counts
}

/// Uniform on `0..n`, from 32 random bits.
pub fn below(rng: &mut impl RngCore, n: usize) -> usize {
    ((u64::from(rng.next_u32()) * n as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_its_seed_and_nothing_else() {
        let seed = Seed::new(5);
        assert_eq!(permutation(50, seed.index(3)), permutation(50, seed.index(3)));
        assert_ne!(permutation(50, seed.index(3)), permutation(50, seed.index(4)));
        assert_eq!(multiplicities(50, seed.index(3)), multiplicities(50, seed.index(3)));
        assert!(permutation(0, seed).is_empty() && multiplicities(0, seed).is_empty());
    }

    #[test]
    fn every_order_and_every_resample_is_equally_likely() {
        // Six orders of three things, ten resamples by counts: within five standard errors of their chances.
        let n = 6000_u64;
        let (mut orders, mut alike) = ([0.0; 27], 0.0);
        for r in 0..n {
            let order = permutation(3, Seed::new(1).index(r));
            orders[order.iter().fold(0, |code, &i| code * 3 + i as usize)] += 1.0;
            let counts = multiplicities(3, Seed::new(2).index(r));
            assert_eq!(counts.iter().sum::<u32>(), 3);
            alike += f64::from(u8::from(counts == [1, 1, 1]));
        }
        let seen: Vec<f64> = orders.into_iter().filter(|&c| c > 0.0).collect();
        assert_eq!(seen.len(), 6);
        assert!(seen.iter().all(|c| (c - 1000.0).abs() < 5.0 * 28.9), "{seen:?}");
        let chance = 6.0 / 27.0;
        assert!((alike / n as f64 - chance).abs() < 5.0 * (chance * (1.0 - chance) / n as f64).sqrt());
    }
}
