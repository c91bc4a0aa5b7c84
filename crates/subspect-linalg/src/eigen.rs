//! The whole eigendecomposition of a dense symmetric matrix, `A = V diag(s) Vᵀ`, in float64: what spectral
//! filters of a Gram matrix need.
//!
//! Backward stable: `||A - V diag(s) Vᵀ||` and `||A|| ||Vᵀ V - I||` are a small multiple of `n u ||A||`, `u = 2⁻⁵³`.
//! An eigenvalue below that share of the largest one is noise, sign included. About `9 n³` operations on the
//! calling thread, and `24 n²` bytes beside `A`.

use faer::{MatRef as View, Side};

use crate::Matrix;

/// Eigenvalues in ascending order, and the eigenvectors in the columns of an orthogonal `n x n` matrix, of a
/// symmetric matrix of which only the lower triangle is read.
///
/// `None` when the matrix is not square, holds a value that is not finite, or the iteration does not converge.
pub fn symmetric_eigen(a: &Matrix<f64>) -> Option<(Vec<f64>, Matrix<f64>)> {
    let n = a.n_rows();
    if n != a.n_cols() || a.data().iter().any(|v| !v.is_finite()) {
        return None;
    }
    if n == 0 {
        // The decomposition itself expects a row.
        return Some((Vec::new(), a.clone()));
    }
    let found = View::from_row_major_slice(a.data(), n, n).self_adjoint_eigen(Side::Lower).ok()?;
    let (vectors, values) = (found.U(), found.S());
    let values: Vec<f64> = (0..n).map(|k| values[k]).collect();
    let vectors = Matrix::from_fn(n, n, |i, k| vectors[(i, k)]);
    let finite = values.iter().chain(vectors.data()).all(|v| v.is_finite());
    finite.then_some((values, vectors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gram_f64;
    use proptest::prelude::*;

    /// Largest errors of `V diag(s) Vᵀ` against `A` and of `Vᵀ V` against the identity.
    fn errors(a: &Matrix<f64>) -> (f64, f64) {
        let n = a.n_rows();
        let (values, vectors) = symmetric_eigen(a).unwrap();
        assert!(values.windows(2).all(|w| w[0] <= w[1]));
        let (mut apart, mut skew) = (0.0_f64, 0.0_f64);
        for i in 0..n {
            for j in 0..n {
                let v = |i: usize, k: usize| vectors.row(i)[k];
                let back: f64 = (0..n).map(|k| values[k] * v(i, k) * v(j, k)).sum();
                let dot: f64 = (0..n).map(|k| v(k, i) * v(k, j)).sum();
                apart = apart.max((back - a.row(i)[j]).abs());
                skew = skew.max((dot - f64::from(u8::from(i == j))).abs());
            }
        }
        (apart, skew)
    }

    #[test]
    fn two_by_two_by_hand() {
        let a = Matrix::new(vec![2.0, 1.0, 1.0, 2.0], 2, 2).unwrap();
        let (values, vectors) = symmetric_eigen(&a).unwrap();
        assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
        assert!((vectors.row(0)[1] - vectors.row(1)[1]).abs() < 1e-15);
        assert!((vectors.row(0)[0] + vectors.row(1)[0]).abs() < 1e-15);
    }

    #[test]
    fn a_singular_gram_matrix_with_repeated_eigenvalues_is_put_together_again() {
        let x = Matrix::from_fn(150, 7, |i, j| ((i % 50 * 31 + j * 17) as f64 * 0.37).sin());
        let a = gram_f64(x.as_ref());
        let scale = a.data().iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let (apart, skew) = errors(&a);
        assert!(apart < 1e-13 * 150.0 * scale && skew < 1e-13, "{apart} {skew}");
        let identity = Matrix::from_fn(9, 9, |i, j| f64::from(u8::from(i == j)));
        let (apart, skew) = errors(&identity);
        assert!(apart < 1e-15 && skew < 1e-15);
    }

    #[test]
    fn what_has_no_decomposition_is_refused_and_nothing_is_fine() {
        assert!(symmetric_eigen(&Matrix::filled(1.0, 2, 3)).is_none());
        assert!(symmetric_eigen(&Matrix::filled(f64::NAN, 2, 2)).is_none());
        assert!(symmetric_eigen(&Matrix::filled(0.0, 0, 0)).unwrap().0.is_empty());
        assert_eq!(symmetric_eigen(&Matrix::filled(0.0, 3, 3)).unwrap().0, [0.0; 3]);
    }

    proptest! {
        #[test]
        fn any_symmetric_matrix_is_put_together_again(
            n in 1_usize..12,
            values in proptest::collection::vec(-5.0_f64..5.0, 144),
            exponent in -100_i32..100,
        ) {
            let scale = 10.0_f64.powi(exponent);
            let a = Matrix::from_fn(n, n, |i, j| scale * values[i.max(j) * 12 + i.min(j)]);
            let (apart, skew) = errors(&a);
            prop_assert!(apart <= 1e-12 * scale && skew <= 1e-13, "{} {}", apart / scale, skew);
        }
    }
}
