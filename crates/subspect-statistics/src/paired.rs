//! Two values of the same inputs: is one larger?
//!
//! If neither is, every input's difference is as likely to have the other sign. The sign-flip test of the mean
//! difference (Fisher 1935, section 21) tries all signs where they are few and random ones otherwise; McNemar's exact test is the
//! same for right and wrong answers: a binomial test of the inputs on which the two disagree (McNemar, Psychometrika
//! 12, 153 (1947)).

use rand::RngCore;
use rayon::prelude::*;
use subspect_linalg::{Measured, Seed, Status};

use crate::{Tail, permutation_p};

/// Most differences of which all signs are tried: 2^14 sums.
const ALL_SIGNS: usize = 14;

/// A paired test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedTest {
    /// Mean difference, first minus second.
    pub difference: Measured,
    /// Two-sided p.
    pub p: Measured,
    /// Sign patterns or permutations behind p; 0 for a closed form.
    pub n_permutations: usize,
}

impl PairedTest {
    fn undefined(status: Status) -> Self {
        Self { difference: status.into(), p: status.into(), n_permutations: 0 }
    }
}

/// Two-sided sign-flip test that the mean of `differences` is 0.
///
/// Up to 14 differences other than 0, all signs are tried and p is their share that is at least as far from 0; above,
/// `n_permutations` random signs give `(1 + #) / (1 + n)`. Undefined without differences; p is 1 when all are 0.
pub fn sign_flip(differences: &[f64], n_permutations: usize, seed: Seed) -> PairedTest {
    if differences.is_empty() {
        return PairedTest::undefined(Status::NTooSmall);
    }
    if differences.iter().any(|d| !d.is_finite()) {
        return PairedTest::undefined(Status::NotFinite);
    }
    // The test does not depend on the scale, and ties are told relative to it.
    let size: f64 = differences.iter().map(|d| d.abs()).sum();
    let moving: Vec<f64> = differences.iter().filter(|&&d| d != 0.0).map(|d| d / size).collect();
    let sum: f64 = moving.iter().sum();
    let (p, n_permutations) = if moving.len() <= ALL_SIGNS {
        let n = 1_usize << moving.len();
        let reached = (0..n).filter(|&signs| flipped(&moving, signs).abs() >= sum.abs() - 1e-12).count();
        (Measured::finite(reached as f64 / n as f64), n)
    } else {
        let draws: Vec<f64> = (0..n_permutations)
            .into_par_iter()
            .map(|r| random_signs(&moving, seed.index(r as u64)).abs())
            .collect();
        (permutation_p(sum.abs(), &draws, Tail::Upper), n_permutations)
    };
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    PairedTest { difference: Measured::finite(mean), p, n_permutations }
}

fn flipped(values: &[f64], signs: usize) -> f64 {
    values.iter().enumerate().map(|(i, v)| if signs >> i & 1 == 1 { -v } else { *v }).sum()
}

fn random_signs(values: &[f64], seed: Seed) -> f64 {
    let mut rng = seed.rng();
    values.chunks(64).map(|chunk| flipped(chunk, rng.next_u64() as usize)).sum()
}

/// McNemar's exact two-sided test of two answers to the same inputs: `b` only the first was right, `c` only the
/// second: `min(1, 2 P(X <= min(b, c)))` with X binomial of `b + c` fair trials. p is 1 when they never disagree.
///
/// The difference is that of the two shares of right answers. Undefined without inputs.
///
/// # Panics
/// When there is not one answer of either for every input.
pub fn mcnemar(first: &[bool], second: &[bool]) -> PairedTest {
    assert_eq!(first.len(), second.len(), "answers to the same inputs");
    if first.is_empty() {
        return PairedTest::undefined(Status::NTooSmall);
    }
    let only = |x: &[bool], y: &[bool]| x.iter().zip(y).filter(|(x, y)| **x && !**y).count();
    let (b, c) = (only(first, second), only(second, first));
    let difference = (b as f64 - c as f64) / first.len() as f64;
    let p = Measured::finite((2.0 * fair_tail(b + c, b.min(c))).min(1.0));
    PairedTest { difference: Measured::finite(difference), p, n_permutations: 0 }
}

/// `P(X <= k)` of `n` fair trials.
fn fair_tail(n: usize, k: usize) -> f64 {
    let log_factorial = |n: usize| libm::lgamma(n as f64 + 1.0);
    let all = log_factorial(n) - n as f64 * std::f64::consts::LN_2;
    let log_chance = |i: usize| all - log_factorial(i) - log_factorial(n - i);
    (0..=k).map(|i| log_chance(i).exp()).sum()
}
