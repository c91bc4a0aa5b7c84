//! Dense f64 algebra for the solvers that need a whole inverse: `A⁻¹` of a symmetric positive definite
//! matrix, and `A Bᵀ`.
//!
//! Both are for matrices that the caller knows to fit in memory; nothing here works in panels on demand.

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::DenseSolveCore;
use faer::{Accum, MatMut, MatRef as View, Par, Side};
use rayon::prelude::*;

use crate::{MatRef, Matrix};

/// Rows of `A Bᵀ` that make one task: fixed, so that the bits do not depend on the number of threads.
const PANEL: usize = 128;

/// The inverse of a symmetric positive definite matrix, through its Cholesky factor. `n x n`, exactly
/// symmetric; only the lower triangle of `a` is read.
///
/// `None` when the matrix is not square, not positive definite to working precision, or not finite.
pub fn spd_inverse(a: &Matrix<f64>) -> Option<Matrix<f64>> {
    let n = a.n_rows();
    if n != a.n_cols() {
        return None;
    }
    let factor = View::from_row_major_slice(a.data(), n, n).llt(Side::Lower).ok()?;
    let inverse = factor.inverse();
    let out = Matrix::from_fn(n, n, |i, j| if j <= i { inverse[(i, j)] } else { inverse[(j, i)] });
    out.data().iter().all(|v| v.is_finite()).then_some(out)
}

/// `A Bᵀ` in f64 into `out` (row-major, `a.n_rows x b.n_rows`), in parallel over panels of rows.
///
/// # Panics
/// When the column counts differ or `out` has the wrong length: the caller owns all three.
pub fn product_abt_f64(a: MatRef<'_, f64>, b: MatRef<'_, f64>, out: &mut [f64]) {
    assert_eq!(a.n_cols(), b.n_cols(), "columns of both factors");
    assert_eq!(out.len(), a.n_rows() * b.n_rows(), "length of the output");
    let (d, n) = (b.n_cols(), b.n_rows());
    if n == 0 {
        return;
    }
    let bt = View::from_row_major_slice(b.data(), n, d).transpose();
    out.par_chunks_mut(PANEL * n).enumerate().for_each(|(p, panel)| {
        let rows = a.rows(p * PANEL, p * PANEL + panel.len() / n);
        let lhs = View::from_row_major_slice(rows.data(), rows.n_rows(), d);
        let dst = MatMut::from_row_major_slice_mut(panel, rows.n_rows(), n);
        matmul(dst, Accum::Replace, lhs, bt, 1.0, Par::Seq);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gram_f64;

    fn wave(n: usize, d: usize) -> Matrix<f64> {
        Matrix::from_fn(n, d, |i, j| ((i * 31 + j * 17) as f64 * 0.37).sin())
    }

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        let n = PANEL + 9;
        let mut a = gram_f64(wave(n, 5).as_ref());
        for i in 0..n {
            a.row_mut(i)[i] += 0.5;
        }
        let inverse = spd_inverse(&a).unwrap();
        let mut product = vec![0.0; n * n];
        product_abt_f64(a.as_ref(), inverse.as_ref(), &mut product);
        for i in 0..n {
            for j in 0..n {
                assert_eq!(inverse.row(i)[j].to_bits(), inverse.row(j)[i].to_bits());
                let want = f64::from(u8::from(i == j));
                assert!((product[i * n + j] - want).abs() < 1e-11, "entry {i} {j}");
            }
        }
    }

    #[test]
    fn what_has_no_inverse_is_refused() {
        assert!(spd_inverse(&gram_f64(wave(3, 1).as_ref())).is_none());
        assert!(spd_inverse(&Matrix::filled(-1.0, 1, 1)).is_none());
        assert!(spd_inverse(&Matrix::filled(f64::NAN, 2, 2)).is_none());
        assert!(spd_inverse(&Matrix::filled(1.0, 2, 3)).is_none());
    }

    #[test]
    fn products_are_row_major_and_the_same_on_any_number_of_threads() {
        let (a, b) = (wave(2 * PANEL + 3, 7), wave(11, 7));
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = vec![0.0; a.n_rows() * b.n_rows()];
            pool.install(|| product_abt_f64(a.as_ref(), b.as_ref(), &mut out));
            out
        };
        let out = with(1);
        let want: f64 = a.row(258).iter().zip(b.row(3)).map(|(x, y)| x * y).sum();
        assert!((out[258 * 11 + 3] - want).abs() < 1e-14);
        assert_eq!(out, with(3));
        product_abt_f64(a.as_ref(), wave(0, 7).as_ref(), &mut []);
    }
}
