//! A class-balanced, seeded subset of a data set.
//!
//! Each of K classes gives floor(n / K) inputs, and the first n mod K classes (in label order) one more. A class
//! with fewer inputs than its share gives all of them, and the rest is spread over the other classes by the same
//! rule. Within a class, inputs are drawn without replacement from the random stream `subset` / class, so that a
//! smaller subset is contained in a larger one of the same seed (as long as shares only grow), and adding a class
//! moves no other class's draws. The result is in data-set order.

use rand::RngCore;
use subspect_linalg::Seed;

use crate::dataset::Dataset;
use crate::error::{DataError, Result};

/// Positions of `n` class-balanced inputs of a data set; without labels, `n` random inputs.
///
/// # Errors
/// [`DataError::TooFewInputs`] when the set is smaller than `n`; [`DataError::Argument`] when `n` is 0.
pub fn balanced_subset(dataset: &Dataset, n: usize, seed: Seed) -> Result<Vec<usize>> {
    let labels = if dataset.labels().is_empty() { vec![0; dataset.len()] } else { dataset.labels().to_vec() };
    balanced_positions(dataset.name(), &labels, n, seed)
}

/// The same for bare labels; `name` is for messages.
///
/// # Errors
/// [`DataError::TooFewInputs`] when there are fewer than `n` labels; [`DataError::Argument`] when `n` is 0.
pub fn balanced_positions(name: &str, labels: &[u32], n: usize, seed: Seed) -> Result<Vec<usize>> {
    if n == 0 {
        return Err(DataError::Argument(format!("asked for 0 inputs of {name}; ask for at least 1")));
    }
    if n > labels.len() {
        return Err(DataError::TooFewInputs { name: name.to_owned(), asked: n, available: labels.len() });
    }
    let n_classes = labels.iter().max().map_or(0, |&l| l as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_classes];
    for (i, &label) in labels.iter().enumerate() {
        members[label as usize].push(i);
    }
    let shares = shares(&members.iter().map(Vec::len).collect::<Vec<_>>(), n);
    let mut chosen = Vec::with_capacity(n);
    for (class, (members, &share)) in members.iter_mut().zip(&shares).enumerate() {
        let mut rng = seed.axis("subset").index(class as u64).rng();
        for k in 0..share {
            let other = k + below(&mut rng, (members.len() - k) as u64) as usize;
            members.swap(k, other);
        }
        chosen.extend_from_slice(&members[..share]);
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// How many inputs each class gives, `n` in all; `n` is at most the sum of `sizes`.
fn shares(sizes: &[usize], n: usize) -> Vec<usize> {
    let mut shares = vec![0; sizes.len()];
    let mut open: Vec<usize> = (0..sizes.len()).filter(|&c| sizes[c] > 0).collect();
    let mut left = n;
    while !open.is_empty() {
        let share = left / open.len();
        let (small, large): (Vec<_>, Vec<_>) = open.iter().partition(|&&c| sizes[c] <= share);
        if small.is_empty() {
            let extra = left % open.len();
            for (k, &c) in open.iter().enumerate() {
                shares[c] = share + usize::from(k < extra);
            }
            break;
        }
        for c in small {
            shares[c] = sizes[c];
            left -= sizes[c];
        }
        open = large;
    }
    shares
}

/// A uniform number below `n`, by rejection: written out so that subsets do not change with a library's version.
fn below(rng: &mut impl RngCore, n: u64) -> u64 {
    let limit = u64::MAX - (u64::MAX % n + 1) % n;
    loop {
        let x = rng.next_u64();
        if x <= limit {
            return x % n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_are_even_and_short_classes_give_all_they_have() {
        assert_eq!(shares(&[10, 10, 10], 7), [3, 2, 2]);
        assert_eq!(shares(&[10, 1, 10], 9), [4, 1, 4]);
        assert_eq!(shares(&[10, 1, 0, 10, 2], 9), [3, 1, 0, 3, 2]);
        assert_eq!(shares(&[1, 1, 1], 3), [1, 1, 1]);
        assert_eq!(shares(&[5], 2), [2]);
    }

    #[test]
    fn too_large_a_subset_names_both_numbers() {
        let err = balanced_positions("tiny", &[0, 1], 3, Seed::new(0)).unwrap_err().to_string();
        assert_eq!(err, "asked for 3 inputs, but tiny has 2; ask for at most 2");
        assert!(balanced_positions("tiny", &[0, 1], 0, Seed::new(0)).is_err());
    }

    #[test]
    fn the_draw_is_fixed_for_good() {
        let labels: Vec<u32> = (0..100).map(|i| i % 3).collect();
        let chosen = balanced_positions("x", &labels, 8, Seed::new(1)).unwrap();
        assert_eq!(chosen, [0, 9, 11, 25, 43, 48, 86, 94], "subsets of earlier runs would change");
    }

    proptest! {
        #[test]
        fn subsets_are_balanced_nested_and_sorted(
            labels in proptest::collection::vec(0_u32..5, 1..80), seed in any::<u64>(), k in 0.0_f64..1.0)
        {
            let n = 1 + (k * (labels.len() - 1) as f64) as usize;
            let chosen = balanced_positions("x", &labels, n, Seed::new(seed)).unwrap();
            prop_assert_eq!(chosen.len(), n);
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]) && chosen[n - 1] < labels.len());
            let count = |c: u32, of: &[usize]| of.iter().filter(|&&i| labels[i] == c).count();
            let all: Vec<usize> = (0..labels.len()).collect();
            let full: Vec<_> = (0..5).filter(|&c| count(c, &chosen) < count(c, &all)).map(|c| count(c, &chosen)).collect();
            if let (Some(lo), Some(hi)) = (full.iter().min(), full.iter().max()) {
                prop_assert!(hi - lo <= 1);
                prop_assert!((0..5).all(|c| count(c, &chosen) <= hi + 1));
            }
            if n > 1 {
                let fewer = balanced_positions("x", &labels, n - 1, Seed::new(seed)).unwrap();
                prop_assert!(fewer.iter().all(|i| chosen.binary_search(i).is_ok()));
            }
        }
    }
}
