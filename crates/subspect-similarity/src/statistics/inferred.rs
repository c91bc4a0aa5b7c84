//! The estimators that nulls and intervals are made for.

use crate::Estimator;

/// Biased or debiased: what every map of layers shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inferred {
    Biased,
    Debiased,
}

impl Inferred {
    /// Both, in the order of [`Estimator::SHOWN`].
    pub(crate) const ALL: [Inferred; 2] = [Inferred::Biased, Inferred::Debiased];
}

impl From<Inferred> for Estimator {
    fn from(inferred: Inferred) -> Self {
        match inferred {
            Inferred::Biased => Estimator::Biased,
            Inferred::Debiased => Estimator::Debiased,
        }
    }
}
