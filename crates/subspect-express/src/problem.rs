//! The problem of one row as numbers: which alpha a row has, for methods that have one.

use subspect_linalg::Dictionary;

use crate::{Alpha, ElasticNetRow, ExpressError, Method};

/// The penalty of lasso and elastic net.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Penalty {
    pub(crate) alpha: Alpha,
    pub(crate) l1_ratio: f64,
    pub(crate) positive: bool,
}

impl Penalty {
    /// The penalty of a method; `what` needs one.
    pub(crate) fn of(method: &Method, what: &'static str) -> Result<Self, ExpressError> {
        method.check()?;
        match *method {
            Method::Lasso { affine: true, .. } | Method::ElasticNet { affine: true, .. } => {
                Err(ExpressError::NotAffine { what, method: method.name() })
            }
            Method::Lasso { alpha, positive, .. } => Ok(Self { alpha, l1_ratio: 1.0, positive }),
            Method::ElasticNet { alpha, l1_ratio, positive, .. } => Ok(Self { alpha, l1_ratio, positive }),
            _ => Err(ExpressError::NeedsAlpha { what, method: method.name() }),
        }
    }

    /// The problem of row `i`, in float64 from the activations: O(N D) for a ratio.
    pub(crate) fn row(&self, dictionary: &Dictionary<'_>, i: usize) -> ElasticNetRow {
        let alpha = match self.alpha {
            Alpha::Absolute(alpha) => alpha,
            Alpha::Ratio(ratio) => ratio * alpha_max(dictionary, i, self.l1_ratio, self.positive),
        };
        ElasticNetRow { alpha, l1_ratio: self.l1_ratio, positive: self.positive, affine: false }
    }
}

/// `max_{j != i} |x̂_i · x̂_j| / l1_ratio`, the smallest alpha at which row `i` is all zero; of the positive products
/// only where coefficients must be positive.
fn alpha_max(dictionary: &Dictionary<'_>, i: usize, l1_ratio: f64, positive: bool) -> f64 {
    let mut row = vec![0.0; dictionary.n_features()];
    dictionary.add_scaled_atom(i, 1.0, &mut row);
    let others = (0..dictionary.n_atoms()).filter(|&j| j != i).map(|j| dictionary.atom_dot(j, &row));
    others.map(|c| if positive { c } else { c.abs() }).fold(0.0, f64::max) / l1_ratio
}
