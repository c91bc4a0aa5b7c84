//! Which estimator of HSIC.

/// How HSIC is estimated from N inputs. With few inputs and many features the biased CKA of independent data is
/// close to 1 (0.94 for 512 Gaussian features at N = 32): always read the debiased value beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Estimator {
    /// `tr(KHLH) / (N - 1)²`, `H = I - 11ᵀ/N` (Gretton et al. 2005). Never negative; needs 2 inputs.
    #[default]
    Biased,
    /// `HSIC_1`, unbiased: diagonals removed (Song et al. 2012, eq. 5; as CKA: Nguyen et al. 2021). Its expectation is
    /// 0 for independent data, so single values can be negative; needs 4 inputs.
    Debiased,
}

impl Estimator {
    /// Both, in the order in which they are shown.
    pub const ALL: [Estimator; 2] = [Estimator::Biased, Estimator::Debiased];

    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Estimator::Biased => "biased",
            Estimator::Debiased => "debiased",
        }
    }

    /// The estimator of that spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == name)
    }

    /// Fewest inputs for which it is defined.
    pub fn min_inputs(self) -> usize {
        match self {
            Estimator::Biased => 2,
            Estimator::Debiased => 4,
        }
    }
}

impl std::fmt::Display for Estimator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
