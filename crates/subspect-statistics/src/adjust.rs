//! Many tests at once: adjusted p values, and what is called distinguishable from chance.
//!
//! For `m` p values in ascending order:
//!
//! - Holm: `max_{j <= i} (m - j + 1) p_j`, at most 1: bounds the chance of any false finding (Holm, Scand. J. Stat. 6,
//!   65 (1979));
//! - Benjamini and Hochberg: `min_{j >= i} m p_j / j`, at most 1: bounds the expected share of false findings
//!   (J. R. Stat. Soc. B 57, 289 (1995)).
//!
//! Undefined p values stay undefined and are not counted among the `m`. A permutation p value is at least
//! `1 / (1 + draws)`, so Holm's adjustment can find something among `m` tests only with enough draws
//! ([`permutations_needed`]); [`max_t`](crate::max_t) has no such limit.

use subspect_linalg::{Measured, Status};

/// A way to adjust p values for their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Adjustment {
    /// Holm's step-down: any false finding.
    Holm,
    /// Benjamini and Hochberg's step-up: the share of false findings.
    BenjaminiHochberg,
}

impl Adjustment {
    /// All of them.
    pub const ALL: [Adjustment; 2] = [Adjustment::Holm, Adjustment::BenjaminiHochberg];

    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Adjustment::Holm => "holm",
            Adjustment::BenjaminiHochberg => "benjamini_hochberg",
        }
    }
}

/// Adjusted p values, in the order given.
pub fn adjust(p: &[Measured], adjustment: Adjustment) -> Vec<Measured> {
    let mut order: Vec<(usize, f64)> =
        p.iter().enumerate().filter_map(|(at, p)| p.value().map(|p| (at, p))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let m = order.len();
    let mut adjusted = p.to_vec();
    let mut bound = match adjustment {
        Adjustment::Holm => 0.0_f64,
        Adjustment::BenjaminiHochberg => 1.0,
    };
    for step in 0..m {
        let at = match adjustment {
            Adjustment::Holm => step,
            Adjustment::BenjaminiHochberg => m - 1 - step,
        };
        let (position, p) = order[at];
        bound = match adjustment {
            Adjustment::Holm => bound.max((m - at) as f64 * p).min(1.0),
            Adjustment::BenjaminiHochberg => bound.min(m as f64 * p / (at + 1) as f64),
        };
        adjusted[position] = Measured::finite(bound);
    }
    adjusted
}

/// Fewest permutations with which Holm's adjustment of `n_tests` p values can be at most `alpha`:
/// `n_tests / (1 + draws) <= alpha`.
pub fn permutations_needed(n_tests: usize, alpha: f64) -> usize {
    ((n_tests as f64 / alpha).ceil() as usize).saturating_sub(1)
}

/// What a table or page says about a value and its null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Chance alone would seldom give it.
    Distinguishable,
    /// Chance alone could give it.
    NotDistinguishable,
    /// There is no p value, and why.
    Undefined(Status),
}

impl Verdict {
    /// By an adjusted p value: distinguishable when it is at most `alpha`.
    pub fn of(adjusted_p: Measured, alpha: f64) -> Self {
        match adjusted_p {
            Measured::Value(p) if p <= alpha => Verdict::Distinguishable,
            Measured::Value(_) => Verdict::NotDistinguishable,
            Measured::Undefined(status) => Verdict::Undefined(status),
        }
    }

    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Distinguishable => "distinguishable",
            Verdict::NotDistinguishable => "not_distinguishable",
            Verdict::Undefined(status) => status.as_str(),
        }
    }
}
