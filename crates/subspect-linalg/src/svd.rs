//! The singular values of a dense matrix, and its thin decomposition `A = U diag(s) Vᵀ`, in float64: what
//! canonical correlations and alignments by rotation need.
//!
//! Backward stable: singular values are exact for a matrix within a small multiple of `u ||A||` of `A`, `u = 2⁻⁵³`,
//! also the small ones, which an eigendecomposition of `AᵀA` loses. On the calling thread.

use faer::MatRef as View;

use crate::{MatRef, Matrix};

/// `A = U diag(s) Vᵀ` with `k = min(m, n)` singular values.
#[derive(Clone, Debug)]
pub struct Svd {
    /// Left vectors in the columns, `m x k`.
    pub u: Matrix<f64>,
    /// Singular values, from the largest to the smallest.
    pub s: Vec<f64>,
    /// Right vectors in the columns, `n x k`.
    pub v: Matrix<f64>,
}

/// The thin decomposition of an `m x n` matrix; `None` when a value is not finite or the iteration does not converge.
pub fn thin_svd(a: MatRef<'_, f64>) -> Option<Svd> {
    let k = a.n_rows().min(a.n_cols());
    if k == 0 {
        // The decomposition itself expects a row and a column.
        let empty = |n| Matrix::filled(0.0, n, 0);
        return Some(Svd { u: empty(a.n_rows()), s: Vec::new(), v: empty(a.n_cols()) });
    }
    let found = finite(a)?.thin_svd().ok()?;
    let (u, s, v) = (found.U(), found.S(), found.V());
    let s: Vec<f64> = (0..k).map(|i| s[i]).collect();
    let u = Matrix::from_fn(a.n_rows(), k, |i, j| u[(i, j)]);
    let v = Matrix::from_fn(a.n_cols(), k, |i, j| v[(i, j)]);
    s.iter().chain(u.data()).chain(v.data()).all(|x| x.is_finite()).then_some(Svd { u, s, v })
}

/// The singular values from the largest to the smallest; `None` as for [`thin_svd`].
pub fn singular_values(a: MatRef<'_, f64>) -> Option<Vec<f64>> {
    if a.n_rows().min(a.n_cols()) == 0 {
        return Some(Vec::new());
    }
    let s = finite(a)?.singular_values().ok()?;
    s.iter().all(|x| x.is_finite()).then_some(s)
}

fn finite(a: MatRef<'_, f64>) -> Option<View<'_, f64>> {
    let all = a.data().iter().all(|v| v.is_finite());
    all.then(|| View::from_row_major_slice(a.data(), a.n_rows(), a.n_cols()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, d: usize) -> Matrix<f64> {
        Matrix::from_fn(n, d, |i, j| ((i * 31 + j * 17 + i * j) as f64 * 0.37).sin())
    }

    #[test]
    fn a_matrix_is_put_together_again_whatever_its_shape() {
        for (m, n) in [(1, 1), (9, 4), (4, 9), (30, 30), (80, 33)] {
            let a = wave(m, n);
            let svd = thin_svd(a.as_ref()).unwrap();
            let k = m.min(n);
            assert_eq!((svd.u.n_cols(), svd.v.n_rows(), svd.s.len()), (k, n, k));
            assert!(svd.s.windows(2).all(|w| w[0] >= w[1]) && svd.s[k - 1] >= 0.0);
            for i in 0..m {
                for j in 0..n {
                    let back: f64 = (0..k).map(|p| svd.u.row(i)[p] * svd.s[p] * svd.v.row(j)[p]).sum();
                    assert!((back - a.row(i)[j]).abs() < 1e-12, "{m} x {n}");
                }
            }
            let alone = singular_values(a.as_ref()).unwrap();
            assert!(alone.iter().zip(&svd.s).all(|(x, y)| (x - y).abs() < 1e-12));
        }
    }

    #[test]
    fn small_singular_values_keep_their_digits() {
        let a = Matrix::from_fn(2, 2, |i, j| if i == j { [1.0, 1e-12][i] } else { 0.0 });
        assert!((singular_values(a.as_ref()).unwrap()[1] - 1e-12).abs() < 1e-26);
    }

    #[test]
    fn what_has_no_decomposition_is_refused_and_nothing_is_fine() {
        assert!(thin_svd(Matrix::filled(f64::NAN, 2, 2).as_ref()).is_none());
        assert!(singular_values(Matrix::filled(f64::INFINITY, 2, 3).as_ref()).is_none());
        assert!(thin_svd(Matrix::filled(0.0, 3, 0).as_ref()).unwrap().s.is_empty());
        assert_eq!(singular_values(Matrix::filled(0.0, 3, 2).as_ref()).unwrap(), [0.0; 2]);
    }
}
