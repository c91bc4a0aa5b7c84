//! Dense float64 kernels: any symmetric `N x N` matrix, for small problems and as the reference of the other paths.
//!
//! Kernels are centred on both sides before their moments are taken. This changes neither estimator (a shift
//! `K_ij + u_i + u_j` off the diagonal leaves both HSIC unchanged) and keeps the digits of a kernel that is nearly
//! constant.

use rayon::prelude::*;
use subspect_linalg::{MatRef, Matrix, Measured, Status, gram_f64};

use crate::centering::{Centering, power_of_two_below};
use crate::moments::KernelSums;
use crate::{Estimator, KernelMoments, SimilarityError};

/// Largest difference between `K_ij` and `K_ji`, relative to the largest entry, that passes as rounding.
const ASYMMETRY: f64 = 1e-9;

/// HSIC of two kernels.
///
/// # Errors
/// When the kernels are not square, symmetric, finite and of the same size.
pub fn hsic(
    k: MatRef<'_, f64>,
    l: MatRef<'_, f64>,
    estimator: Estimator,
) -> Result<Measured, SimilarityError> {
    let (moments, factors) = scaled_moments(&[k, l])?;
    // One factor after the other: their product may underflow where the quotient does not.
    Ok(moments.hsic(0, 1, estimator).map(|v| v / factors[0] / factors[1]))
}

/// CKA of two kernels.
///
/// # Errors
/// As [`hsic`].
pub fn cka(
    k: MatRef<'_, f64>,
    l: MatRef<'_, f64>,
    estimator: Estimator,
) -> Result<Measured, SimilarityError> {
    Ok(kernel_moments(&[k, l])?.cka(0, 1, estimator))
}

/// The moments of a set of dense kernels.
///
/// # Errors
/// As [`hsic`].
pub fn kernel_moments(kernels: &[MatRef<'_, f64>]) -> Result<KernelMoments, SimilarityError> {
    Ok(scaled_moments(kernels)?.0)
}

/// Linear CKA of two small activation matrices over the same inputs (rows), in float64 throughout: kernels `X Xᵀ`
/// and `Y Yᵀ` of the column-centred activations.
///
/// # Errors
/// When the numbers of inputs differ or a value is not finite.
pub fn linear_cka(
    x: MatRef<'_, f64>,
    y: MatRef<'_, f64>,
    estimator: Estimator,
) -> Result<Measured, SimilarityError> {
    if x.n_rows() != y.n_rows() {
        return Err(SimilarityError::InputCount { index: 1, expected: x.n_rows(), found: y.n_rows() });
    }
    check_finite(0, x)?;
    check_finite(1, y)?;
    let grams = [centred_gram(x), centred_gram(y)];
    let obstacles = grams.iter().map(|g| g.is_none().then_some(Status::ZeroVariance)).collect();
    let n = x.n_rows();
    let kernels = grams.map(|g| g.unwrap_or_else(|| Matrix::filled(0.0, n, n)));
    Ok(moments(&[kernels[0].as_ref(), kernels[1].as_ref()], obstacles).cka(0, 1, estimator))
}

/// `X Xᵀ` of the centred and scaled columns; `None` when no input differs from any other.
fn centred_gram(x: MatRef<'_, f64>) -> Option<Matrix<f64>> {
    let centering = Centering::of(x);
    if centering.is_constant() {
        return None;
    }
    let mut centred = Matrix::filled(0.0, x.n_rows(), x.n_cols());
    for i in 0..x.n_rows() {
        centering.apply_f64(x.row(i), centred.row_mut(i));
    }
    Some(gram_f64(centred.as_ref()))
}

/// Moments of the kernels, each centred and multiplied by the returned power of two.
fn scaled_moments(kernels: &[MatRef<'_, f64>]) -> Result<(KernelMoments, Vec<f64>), SimilarityError> {
    for (index, &k) in kernels.iter().enumerate() {
        check_kernel(index, k, kernels[0].n_rows())?;
    }
    let (centred, factors): (Vec<Matrix<f64>>, Vec<f64>) =
        kernels.iter().map(|&k| centre_both_sides(k)).unzip();
    let views: Vec<MatRef<'_, f64>> = centred.iter().map(Matrix::as_ref).collect();
    let obstacles = vec![None; kernels.len()];
    Ok((moments(&views, obstacles), factors))
}

/// `H K H` times a power of two, and that power.
pub(crate) fn centre_both_sides(k: MatRef<'_, f64>) -> (Matrix<f64>, f64) {
    let n = k.n_rows();
    let factor = power_of_two_below(k.data().iter().fold(0.0, |top, v| v.abs().max(top)));
    // Relative to one entry, so that a constant kernel becomes exactly zero.
    let shift = k.data().first().map_or(0.0, |v| v * factor);
    let entry = |i: usize, j: usize| k.row(i)[j] * factor - shift;
    let means: Vec<f64> = (0..n).map(|i| (0..n).map(|j| entry(i, j)).sum::<f64>() / n as f64).collect();
    let mean = means.iter().sum::<f64>() / n as f64;
    (Matrix::from_fn(n, n, |i, j| entry(i, j) - means[i] - means[j] + mean), factor)
}

pub(crate) fn moments(kernels: &[MatRef<'_, f64>], obstacles: Vec<Option<Status>>) -> KernelMoments {
    let n_kernels = kernels.len();
    let n = kernels.first().map_or(0, |k| k.n_rows());
    let mut inner = vec![0.0; n_kernels * n_kernels];
    inner.par_iter_mut().enumerate().filter(|(at, _)| at / n_kernels <= at % n_kernels).for_each(
        |(at, sum)| {
            let (k, l) = (kernels[at / n_kernels], kernels[at % n_kernels]);
            let row = |i: usize| k.row(i).iter().zip(l.row(i)).map(|(a, b)| a * b).sum::<f64>();
            *sum = (0..n).map(row).sum();
        },
    );
    KernelMoments::new(KernelSums {
        n,
        inner,
        rows: kernels.iter().map(|k| (0..n).map(|i| k.row(i).iter().sum()).collect()).collect(),
        diagonals: kernels.iter().map(|k| (0..n).map(|i| k.row(i)[i]).collect()).collect(),
        obstacles,
    })
}

pub(crate) fn check_kernel(index: usize, k: MatRef<'_, f64>, expected: usize) -> Result<(), SimilarityError> {
    if k.n_rows() != k.n_cols() {
        return Err(SimilarityError::NotSquare { index, n_rows: k.n_rows(), n_cols: k.n_cols() });
    }
    if k.n_rows() != expected {
        return Err(SimilarityError::InputCount { index, expected, found: k.n_rows() });
    }
    check_finite(index, k)?;
    let bound = ASYMMETRY * k.data().iter().fold(0.0_f64, |top, v| top.max(v.abs()));
    for row in 0..k.n_rows() {
        if let Some(col) = (0..row).find(|&col| (k.row(row)[col] - k.row(col)[row]).abs() > bound) {
            return Err(SimilarityError::NotSymmetric { index, row, col });
        }
    }
    Ok(())
}

fn check_finite(index: usize, m: MatRef<'_, f64>) -> Result<(), SimilarityError> {
    match m.data().iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => Err(SimilarityError::NotFinite {
            index,
            row: at / m.n_cols(),
            col: at % m.n_cols(),
            value: m.data()[at],
        }),
    }
}
