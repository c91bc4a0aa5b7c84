//! The distribution of a measure under random permutations, and where the observed value stands in it.
//!
//! `p = (1 + #{draws at least as extreme}) / (1 + draws)`: the observed order is one of the possible ones, so p is
//! valid at every number of draws and never 0 (Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39 (2010)).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use subspect_linalg::{Measured, Seed, Status};

use crate::{permutation, quantile};

/// Two values that differ by less, relative to the larger of 1 and the observed one, are the same value summed in
/// another order.
pub(crate) const TIE: f64 = 1e-12;

/// Distribution of a measure under permutations, and where the observed value stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Null {
    /// Permutations drawn.
    pub n_permutations: usize,
    /// Mean.
    pub mean: Measured,
    /// Standard deviation (divisor n - 1 where it is that of the draws).
    pub sd: Measured,
    /// 2.5 % quantile, linearly interpolated.
    pub lo: Measured,
    /// 97.5 % quantile, linearly interpolated.
    pub hi: Measured,
    /// (observed - mean) / sd.
    pub z: Measured,
    /// (1 + #{draws at least as extreme as observed}) / (1 + draws), in the direction of the test.
    pub p: Measured,
}

/// Which draws count as at least as extreme as the observed value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// Those that are at least as large.
    #[default]
    Upper,
    /// Those that are at most as large.
    Lower,
    /// Twice the smaller of the two, at most 1.
    Both,
}

impl Null {
    /// A null without any value, and why.
    pub fn undefined(n_permutations: usize, status: Status) -> Self {
        let m = Measured::from(status);
        Null { n_permutations, mean: m, sd: m, lo: m, hi: m, z: m, p: m }
    }

    /// Where `observed` stands among `draws`. Undefined without draws and where a draw is not finite.
    pub fn of(observed: f64, mut draws: Vec<f64>, tail: Tail) -> Self {
        let n = draws.len();
        if n == 0 {
            return Self::undefined(0, Status::NTooSmall);
        }
        let mean = draws.iter().sum::<f64>() / n as f64;
        if !(mean.is_finite() && observed.is_finite()) {
            return Self::undefined(n, Status::NotFinite);
        }
        let squares: f64 = draws.iter().map(|v| (v - mean).powi(2)).sum();
        let sd: Measured = if n < 2 {
            Status::NTooSmall.into()
        } else {
            Measured::finite((squares / (n as f64 - 1.0)).sqrt())
        };
        let p = permutation_p(observed, &draws, tail);
        draws.sort_unstable_by(f64::total_cmp);
        let at = |q| quantile(&draws, q).map_or(Status::NTooSmall.into(), Measured::finite);
        let z = standardized(observed, mean, sd);
        Null { n_permutations: n, mean: Measured::finite(mean), sd, lo: at(0.025), hi: at(0.975), z, p }
    }

    /// The same with the mean and standard deviation over all permutations where they are known exactly; quantiles
    /// and p come from `draws`, and without draws they were not executed.
    pub fn with_moments(observed: f64, draws: Vec<f64>, tail: Tail, mean: f64, sd: f64) -> Self {
        let (mean, sd) = (Measured::finite(mean), Measured::finite(sd));
        let drawn = if draws.is_empty() {
            Self::undefined(0, Status::NotExecuted)
        } else {
            Self::of(observed, draws, tail)
        };
        let z = mean.value().map_or(mean, |m| standardized(observed, m, sd));
        Null { mean, sd, z, ..drawn }
    }
}

/// The null of any measure of two layers over the same inputs, where input i of the first meets input `order[i]` of the
/// second: `measure` is given the inputs' own order first and then `n_permutations` random ones, in the current thread
/// pool. The first value that is undefined makes the null undefined.
pub fn order_null(
    n_inputs: usize,
    n_permutations: usize,
    tail: Tail,
    seed: Seed,
    measure: impl Fn(&[u32]) -> Measured + Sync,
) -> Null {
    let own: Vec<u32> = (0..n_inputs as u32).collect();
    let observed = match measure(&own) {
        Measured::Value(value) => value,
        Measured::Undefined(status) => return Null::undefined(n_permutations, status),
    };
    let draw = |r: usize| measure(&permutation(n_inputs, seed.index(r as u64)));
    let values: Vec<Measured> = (0..n_permutations).into_par_iter().map(draw).collect();
    if let Some(status) = values.iter().find_map(|v| v.status()) {
        return Null::undefined(n_permutations, status);
    }
    Null::of(observed, values.into_iter().filter_map(Measured::value).collect(), tail)
}

/// `(observed - mean) / sd`, or why not.
fn standardized(observed: f64, mean: f64, sd: Measured) -> Measured {
    match sd {
        Measured::Value(sd) if sd > TIE => Measured::finite((observed - mean) / sd),
        Measured::Value(_) => Status::ZeroVariance.into(),
        undefined => undefined,
    }
}

/// `(1 + #{at least as extreme}) / (1 + draws)`; draws equal to the observed value but for rounding count.
/// Undefined without draws.
pub fn permutation_p(observed: f64, draws: &[f64], tail: Tail) -> Measured {
    if draws.is_empty() {
        return Status::NTooSmall.into();
    }
    let tie = TIE * observed.abs().max(1.0);
    let share = |n_reached: usize| (1 + n_reached) as f64 / (1 + draws.len()) as f64;
    let upper = || share(draws.iter().filter(|&&v| v >= observed - tie).count());
    let lower = || share(draws.iter().filter(|&&v| v <= observed + tie).count());
    Measured::finite(match tail {
        Tail::Upper => upper(),
        Tail::Lower => lower(),
        Tail::Both => (2.0 * upper().min(lower())).min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_count_ties_on_both_sides() {
        let draws = [1.0, 2.0, 2.0, 3.0];
        let p = |tail| permutation_p(2.0, &draws, tail).value();
        assert_eq!((p(Tail::Upper), p(Tail::Lower), p(Tail::Both)), (Some(0.8), Some(0.8), Some(1.0)));
        assert_eq!(permutation_p(4.0, &draws, Tail::Both).value(), Some(0.4));
        assert_eq!(permutation_p(4.0, &[], Tail::Both).status(), Some(Status::NTooSmall));
    }

    #[test]
    fn any_measure_has_a_null() {
        let (x, y) = ([3.0, 1.0, 2.0, 5.0, 4.0], [2.9, 1.2, 1.9, 5.1, 3.8]);
        let dot = |o: &[u32]| Measured::finite(o.iter().zip(&x).map(|(&j, a)| a * y[j as usize]).sum());
        let null = order_null(5, 2000, Tail::Upper, Seed::new(1), dot);
        // The observed order is the largest of 120.
        assert!((null.p.value().unwrap_or(1.0) - 1.0 / 120.0).abs() < 0.008, "{null:?}");
        let none = order_null(5, 9, Tail::Upper, Seed::new(1), |o| {
            if o[0] == 0 { Measured::Value(1.0) } else { Status::EmptyGraph.into() }
        });
        assert_eq!(none, Null::undefined(9, Status::EmptyGraph));
    }

    #[test]
    fn nothing_is_made_up() {
        assert_eq!(Null::of(1.0, Vec::new(), Tail::Upper), Null::undefined(0, Status::NTooSmall));
        assert_eq!(Null::of(1.0, vec![f64::NAN], Tail::Upper), Null::undefined(1, Status::NotFinite));
        let constant = Null::of(1.0, vec![1.0; 9], Tail::Upper);
        assert_eq!((constant.z.status(), constant.p.value()), (Some(Status::ZeroVariance), Some(1.0)));
        let known = Null::with_moments(2.0, Vec::new(), Tail::Upper, 1.0, 0.5);
        assert_eq!((known.z.value(), known.p.status()), (Some(2.0), Some(Status::NotExecuted)));
        assert_eq!(Null::with_moments(2.0, vec![0.0; 4], Tail::Upper, 1.0, 0.5).p.value(), Some(0.2));
    }
}
