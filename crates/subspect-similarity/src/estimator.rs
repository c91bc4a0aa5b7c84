//! Which estimator of HSIC.

use crate::{Domain, ParameterInfo, Parameters, Value};

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
    /// The kernels are centred as in `Biased` and then lose their diagonals: the inner product of what is left, divided
    /// by `N (N - 3)` (Lange et al. 2023). Close to 0 for independent data; needs 4 inputs.
    Lange,
}

/// How HSIC is estimated, as a parameter of the measures.
pub(crate) const ESTIMATOR: ParameterInfo = ParameterInfo {
    name: "estimator",
    default: Value::Word("biased"),
    domain: Domain::Choice(&["biased", "debiased", "lange"]),
    summary: "estimator of HSIC: biased (Gretton), debiased (Song, HSIC_1) or lange",
};

/// The chosen estimator of a measure that has the parameter.
pub(crate) fn chosen(parameters: &Parameters) -> Estimator {
    Estimator::from_name(parameters.word(&ESTIMATOR)).unwrap_or_default()
}

impl Estimator {
    /// All of them.
    pub const ALL: [Estimator; 3] = [Estimator::Biased, Estimator::Debiased, Estimator::Lange];

    /// The two that every map of layers shows, in this order.
    pub const SHOWN: [Estimator; 2] = [Estimator::Biased, Estimator::Debiased];

    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Estimator::Biased => "biased",
            Estimator::Debiased => "debiased",
            Estimator::Lange => "lange",
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
            Estimator::Debiased | Estimator::Lange => 4,
        }
    }
}

impl std::fmt::Display for Estimator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
