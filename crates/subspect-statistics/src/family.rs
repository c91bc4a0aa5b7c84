//! Many tests from the same permutations: the step-down max-T of Westfall & Young (1993, algorithm 4.1).
//!
//! With `t_1 >= t_2 >= ...` the observed standardised values and `u_k(r)` the largest of draw r among tests `k, k + 1, ...`:
//! `p_k = max_{j <= k} (1 + #{r: u_j(r) >= t_j}) / (1 + draws)`. Tests that rise and fall together cost less than
//! Holm's bound, and p is not limited by the number of tests.

use subspect_linalg::{Measured, Status};

use crate::null::TIE;

/// Familywise p values of one-sided tests (large values are extreme). `draws[t]` holds the draws of test t, draw r
/// of every test from the same permutation, all standardised like `observed`.
///
/// Undefined where `observed` is, and where there are no draws; those tests do not count.
///
/// # Panics
/// When tests have different numbers of draws.
pub fn max_t(observed: &[Measured], draws: &[Vec<f64>]) -> Vec<Measured> {
    assert_eq!(observed.len(), draws.len(), "one set of draws per test");
    let mut result: Vec<Measured> =
        observed.iter().map(|t| t.value().map_or(*t, |_| Status::NotExecuted.into())).collect();
    let mut order: Vec<(usize, f64)> = observed
        .iter()
        .enumerate()
        .filter(|(at, _)| !draws[*at].is_empty())
        .filter_map(|(at, t)| t.value().map(|t| (at, t)))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some(&(first, _)) = order.first() else { return result };
    let n_draws = draws[first].len();
    let mut largest = vec![f64::NEG_INFINITY; n_draws];
    let mut p = Vec::with_capacity(order.len());
    for &(test, t) in order.iter().rev() {
        assert_eq!(draws[test].len(), n_draws, "as many draws for every test");
        largest.iter_mut().zip(&draws[test]).for_each(|(top, &v)| *top = top.max(v));
        let reach = t - TIE * t.abs().max(1.0);
        let n_reached = largest.iter().filter(|&&top| top >= reach).count();
        p.push((1 + n_reached) as f64 / (1 + n_draws) as f64);
    }
    let mut bound = 0.0_f64;
    for (&(test, _), p) in order.iter().zip(p.into_iter().rev()) {
        bound = bound.max(p);
        result[test] = Measured::finite(bound);
    }
    result
}
