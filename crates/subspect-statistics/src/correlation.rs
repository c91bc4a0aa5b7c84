//! Rank correlations with a permutation test: do two orders of the same things agree?
//!
//! - Spearman's rho: Pearson's correlation of the ranks, ties sharing their mean rank;
//! - Kendall's [`tau_b`].

use rayon::prelude::*;
use subspect_linalg::{Measured, Seed, Status};

use crate::{Tail, permutation, permutation_p, ranks, tau_b};

/// Most things of which all orders are tried: 8! = 40,320 of them.
const ALL_ORDERS: usize = 8;

/// A rank correlation and how seldom chance gives one as far from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankCorrelation {
    /// -1 to 1.
    pub value: Measured,
    /// Two-sided permutation p.
    pub p: Measured,
    /// Permutations behind p.
    pub n_permutations: usize,
    /// Whether these are all there are.
    pub exact: bool,
}

/// Spearman's rank correlation of two values of the same things, with the p of all orders up to 8 things, and of
/// `n_permutations` random ones above.
///
/// Undefined for fewer than three things, where all are equal in one of the two, and for what is not finite.
///
/// # Panics
/// When the two slices differ in length.
pub fn spearman(x: &[f64], y: &[f64], n_permutations: usize, seed: Seed) -> RankCorrelation {
    let (x, y) = match (checked(x, y), centred(&ranks(x)), centred(&ranks(y))) {
        (Some(status), _, _) => return undefined(status),
        (None, Some(x), Some(y)) => (x, y),
        _ => return undefined(Status::ZeroVariance),
    };
    let dot = |order: &[u32]| order.iter().zip(&x).map(|(&j, x)| x * y[j as usize]).sum::<f64>();
    with_permutations(x.len(), dot, n_permutations, seed)
}

/// Kendall's tau-b of two values of the same things, with the p as in [`spearman`].
///
/// Undefined as [`spearman`].
///
/// # Panics
/// As [`spearman`].
pub fn kendall(x: &[f64], y: &[f64], n_permutations: usize, seed: Seed) -> RankCorrelation {
    if let Some(status) = checked(x, y) {
        return undefined(status);
    }
    let observed = tau_b(x, y);
    if let Some(status) = observed.status() {
        return undefined(status);
    }
    let tau = |order: &[u32]| {
        let other: Vec<f64> = order.iter().map(|&j| y[j as usize]).collect();
        // Neither list is constant, in any order.
        tau_b(x, &other).value().unwrap_or(0.0)
    };
    with_permutations(x.len(), tau, n_permutations, seed)
}

fn with_permutations(
    n: usize,
    value: impl Fn(&[u32]) -> f64 + Sync,
    n_permutations: usize,
    seed: Seed,
) -> RankCorrelation {
    let mut order: Vec<u32> = (0..n as u32).collect();
    let observed = value(&order);
    if n <= ALL_ORDERS && n_permutations > 0 {
        let (mut reached, mut total) = (0_usize, 0_usize);
        every_order(&mut order, 0, &mut |order| {
            total += 1;
            reached += usize::from(value(order).abs() >= observed.abs() - 1e-12);
        });
        let p = Measured::finite(reached as f64 / total as f64);
        return RankCorrelation { value: Measured::finite(observed), p, n_permutations: total, exact: true };
    }
    let draws: Vec<f64> =
        (0..n_permutations).into_par_iter().map(|r| value(&permutation(n, seed.index(r as u64)))).collect();
    let p = permutation_p(observed, &draws, Tail::Both);
    RankCorrelation { value: Measured::finite(observed), p, n_permutations, exact: false }
}

/// Shows every order of what follows `from` to `see`, and leaves the order as it was.
fn every_order(order: &mut [u32], from: usize, see: &mut impl FnMut(&[u32])) {
    if from == order.len() {
        return see(order);
    }
    for k in from..order.len() {
        order.swap(from, k);
        every_order(order, from + 1, see);
        order.swap(from, k);
    }
}

fn checked(x: &[f64], y: &[f64]) -> Option<Status> {
    assert_eq!(x.len(), y.len(), "two values of the same things");
    if x.len() < 3 {
        Some(Status::NTooSmall)
    } else if x.iter().chain(y).any(|v| !v.is_finite()) {
        Some(Status::NotFinite)
    } else {
        None
    }
}

fn undefined(status: Status) -> RankCorrelation {
    RankCorrelation { value: status.into(), p: status.into(), n_permutations: 0, exact: false }
}

/// Minus the mean, over the norm; `None` without variance.
fn centred(values: &[f64]) -> Option<Vec<f64>> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let norm = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>().sqrt();
    (norm > 0.0).then(|| values.iter().map(|v| (v - mean) / norm).collect())
}
