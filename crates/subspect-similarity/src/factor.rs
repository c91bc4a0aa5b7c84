//! The thin decomposition of one layer, `X = U diag(s) Vᵀ` with centred columns and U `N x r`: what canonical
//! correlations and alignments by rotation compare.
//!
//! With more features than inputs, U and s come from the eigendecomposition of the Gram matrix (`N x N`, never
//! `D x D`); otherwise from X itself. Directions below a share of the largest one are rounding error and are left
//! out: [`SHARE`] for float32 activations and for the Gram form, which squares condition numbers, and
//! [`SHARE_DOUBLE`] for float64 ones.

use subspect_linalg::{MatRef, Matrix, Status, product_abt_f64, symmetric_eigen, thin_svd};

use crate::rows::{Activations, Form, Rows, gram_bytes};

const SHARE: f64 = 1e-6;
const SHARE_DOUBLE: f64 = 1e-12;

/// The directions of one layer.
pub(crate) struct Factor {
    /// `Uᵀ`, `r x N`: one direction per row, from the largest singular value.
    pub(crate) directions: Matrix<f64>,
    /// The singular values.
    pub(crate) s: Vec<f64>,
    /// The power of two by which activations were multiplied.
    pub(crate) factor: f64,
}

impl Factor {
    pub(crate) fn of(x: Activations<'_>) -> Result<Self, Status> {
        if x.n_rows() < 2 {
            return Err(Status::NTooSmall);
        }
        let rows = Rows::new(x, Form::Centred)?;
        let n = rows.n_rows();
        let (pairs, columns, share): (Vec<(usize, f64)>, Matrix<f64>, f64) = if n <= rows.n_cols() {
            let (values, vectors) = symmetric_eigen(&rows.gram()).ok_or(Status::NotConverged)?;
            // A negative eigenvalue of a Gram matrix is rounding; it is below the share, and left out with the rest.
            let sized = values.iter().map(|v| v.abs().sqrt()).enumerate().rev().collect();
            (sized, vectors, SHARE)
        } else {
            let svd = thin_svd(rows.dense().as_ref()).ok_or(Status::NotConverged)?;
            let share = if matches!(x, Activations::Double(_)) { SHARE_DOUBLE } else { SHARE };
            (svd.s.into_iter().enumerate().collect(), svd.u, share)
        };
        let largest = pairs.first().map_or(0.0, |p| p.1);
        let kept: Vec<(usize, f64)> = pairs.into_iter().filter(|p| p.1 > share * largest).collect();
        if kept.is_empty() {
            return Err(Status::ZeroVariance);
        }
        Ok(Self {
            directions: Matrix::from_fn(kept.len(), n, |k, i| columns.row(i)[kept[k].0]),
            s: kept.iter().map(|p| p.1).collect(),
            factor: rows.factor,
        })
    }

    /// Number of directions r.
    pub(crate) fn rank(&self) -> usize {
        self.s.len()
    }

    /// [`Status::NTooSmall`] when the directions fill everything that centred activations of N inputs can be: such a
    /// layer explains any other perfectly.
    pub(crate) fn not_everything(self) -> Result<Self, Status> {
        if self.rank() + 1 < self.directions.n_cols() { Ok(self) } else { Err(Status::NTooSmall) }
    }

    /// The leading directions that hold `share` of the variance.
    pub(crate) fn leading(mut self, share: f64) -> Self {
        let total: f64 = self.s.iter().map(|s| s * s).sum();
        let mut sum = 0.0;
        let before = self.s.iter().take_while(|s| {
            let more = sum < share * total;
            sum += *s * *s;
            more
        });
        let rank = before.count();
        let n = self.directions.n_cols();
        self.directions = Matrix::from_fn(rank, n, |k, i| self.directions.row(k)[i]);
        self.s.truncate(rank);
        self
    }

    /// `diag(s) Uᵀ`: the layer's inputs in coordinates of r features, `r x N`.
    pub(crate) fn coordinates(&self) -> Matrix<f64> {
        let n = self.directions.n_cols();
        Matrix::from_fn(self.rank(), n, |k, i| self.s[k] * self.directions.row(k)[i])
    }

    /// `U_aᵀ U_b`, `r_a x r_b`.
    pub(crate) fn overlap(&self, other: &Factor) -> Matrix<f64> {
        product(self.directions.as_ref(), other.directions.as_ref())
    }
}

/// `A Bᵀ`.
pub(crate) fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Matrix<f64> {
    let mut out = Matrix::filled(0.0, a.n_rows(), b.n_rows());
    product_abt_f64(a, b, out.data_mut());
    out
}

/// `Aᵀ`.
pub(crate) fn transposed(a: &Matrix<f64>) -> Matrix<f64> {
    Matrix::from_fn(a.n_cols(), a.n_rows(), |i, j| a.row(j)[i])
}

/// Bytes of [`Factor::of`] while it is made: the matrix that is decomposed, its parts and the work beside them.
pub(crate) fn bytes(x: &Activations<'_>) -> usize {
    let (n, d) = (x.n_rows(), x.n_cols());
    if n <= d { gram_bytes(x) + 40 * n * n } else { 40 * n * d + 24 * d * d }
}
