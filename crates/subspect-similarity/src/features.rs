//! Linear kernels in feature space: the cheap form when all layers together have fewer features than inputs.
//!
//! `<X Xᵀ, Y Yᵀ> = ||Xᵀ Y||_F²`. With all layers side by side in `Z` (`N x P`, columns centred), the blocks of
//! `Zᵀ Z` (`P x P`) hold every pair; row sums are `Z (Zᵀ 1)` and diagonals the squared norms of rows. Float64
//! throughout, `O(N P²)`, one pass over the inputs.

use subspect_linalg::{Matrix, gram_f64};

use crate::moments::KernelSums;
use crate::panels::Centred;
use crate::{KernelMoments, Monitor, SimilarityError};

/// Inputs per pass of the product.
const INPUTS: usize = 1024;

/// Bytes that [`feature_moments`] allocates.
pub(crate) fn bytes(n_features: usize, n: usize) -> usize {
    let squares = n_features.saturating_mul(n_features).saturating_mul(16);
    squares.saturating_add(n_features.saturating_mul(16 * INPUTS.min(n)))
}

/// The moments of all layers, from the covariances of their features.
pub(crate) fn feature_moments(
    inputs: &Centred<'_>,
    monitor: &dyn Monitor,
) -> Result<KernelMoments, SimilarityError> {
    let offsets = offsets(inputs);
    let n_features = offsets[inputs.layers.len()];
    let mut covariance = vec![0.0; n_features * n_features];
    let mut column_sums = vec![0.0; n_features];
    let mut diagonals = vec![Vec::with_capacity(inputs.n); inputs.layers.len()];
    for start in (0..inputs.n).step_by(INPUTS) {
        if monitor.is_cancelled() {
            return Err(SimilarityError::Cancelled);
        }
        let end = (start + INPUTS).min(inputs.n);
        let mut transposed = Matrix::filled(0.0, n_features, end - start);
        let mut row = vec![0.0; n_features];
        for i in start..end {
            side_by_side(inputs, &offsets, i, &mut row);
            for (p, &v) in row.iter().enumerate() {
                transposed.row_mut(p)[i - start] = v;
                column_sums[p] += v;
            }
            for (l, diagonal) in diagonals.iter_mut().enumerate() {
                diagonal.push(row[offsets[l]..offsets[l + 1]].iter().map(|v| v * v).sum());
            }
        }
        let part = gram_f64(transposed.as_ref());
        covariance.iter_mut().zip(part.data()).for_each(|(sum, v)| *sum += v);
        monitor.progress(end as f64 / inputs.n as f64);
    }
    Ok(KernelMoments::new(KernelSums {
        n: inputs.n,
        inner: squared_norms(&covariance, &offsets),
        rows: row_sums(inputs, &offsets, &column_sums),
        diagonals,
        obstacles: inputs.obstacles(),
    }))
}

/// Where the features of every layer begin, and the number of all features.
fn offsets(inputs: &Centred<'_>) -> Vec<usize> {
    let mut offsets = vec![0];
    for x in inputs.layers {
        offsets.push(offsets[offsets.len() - 1] + x.n_cols());
    }
    offsets
}

/// Input `i` in all layers, centred and scaled.
fn side_by_side(inputs: &Centred<'_>, offsets: &[usize], i: usize, out: &mut [f64]) {
    for (l, x) in inputs.layers.iter().enumerate() {
        inputs.centerings[l].apply_f64(x.row(i), &mut out[offsets[l]..offsets[l + 1]]);
    }
}

/// `||X_lᵀ X_m||_F²` for all pairs.
fn squared_norms(covariance: &[f64], offsets: &[usize]) -> Vec<f64> {
    let (n_layers, n_features) = (offsets.len() - 1, offsets[offsets.len() - 1]);
    let mut inner = vec![0.0; n_layers * n_layers];
    for l in 0..n_layers {
        for m in l..n_layers {
            let row = |p: usize| &covariance[p * n_features + offsets[m]..p * n_features + offsets[m + 1]];
            inner[l * n_layers + m] =
                (offsets[l]..offsets[l + 1]).map(|p| row(p).iter().map(|v| v * v).sum::<f64>()).sum();
        }
    }
    inner
}

/// `X_l (X_lᵀ 1)`: zero but for the rounding of the means.
fn row_sums(inputs: &Centred<'_>, offsets: &[usize], column_sums: &[f64]) -> Vec<Vec<f64>> {
    let mut rows = vec![Vec::with_capacity(inputs.n); inputs.layers.len()];
    let mut row = vec![0.0; column_sums.len()];
    for i in 0..inputs.n {
        side_by_side(inputs, offsets, i, &mut row);
        for (l, out) in rows.iter_mut().enumerate() {
            let features = offsets[l]..offsets[l + 1];
            out.push(row[features.clone()].iter().zip(&column_sums[features]).map(|(v, s)| v * s).sum());
        }
    }
    rows
}
