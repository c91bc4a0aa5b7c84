//! Sums over the pairs of every input for dense kernels, tile by tile.
//!
//! Kernels come centred on both sides (`HKH`), 128 x 128 inputs of every layer at a time and only on and above the
//! diagonal. The debiased estimator's U-centred kernel differs by what the diagonal d gives:
//! `U_ij = K_ij + (d_i + d_j) / (N - 2) - sum d / ((N - 1)(N - 2))`, `U_ii = 0`. A tile holds `L x 128²` float64 per
//! thread; `L²/2 x N` sums are kept per estimator.
//!
//! The noise of pairs needs the cell's value ρ, which is known at the end only: four sums of fourth powers make
//! `sum h² = S22 - ρ (S31 + S13) + ρ²/4 (S40 + 2 S22 + S04)` for kernels of norm 1.

use rayon::prelude::*;
use subspect_linalg::vectorize;

use super::inferred::Inferred;
use crate::{Monitor, SimilarityError};

/// Side of a tile.
pub(crate) const TILE: usize = 128;

/// Bytes of tiles' sums that are held before they are added up in order.
const FOLDED_BYTES: usize = 128 << 20;

/// Lanes of the fold.
const LANES: usize = 8;

/// A set of dense kernels, each centred on both sides.
pub(crate) trait DenseKernels: Sync {
    /// Number of inputs.
    fn n_inputs(&self) -> usize;
    /// Number of kernels.
    fn n_kernels(&self) -> usize;
    /// `K_ii` of every kernel.
    fn diagonals(&self) -> &[Vec<f64>];
    /// Writes inputs `rows` x `cols` of kernel `l` into `out`, row by row with [`TILE`] numbers each.
    fn tile(&self, l: usize, rows: (usize, usize), cols: (usize, usize), out: &mut [f64]);
}

/// Sums for one estimator, over pairs of different inputs.
pub(crate) struct DenseSums {
    /// `sum_{j != i} U_ij V_ij` for every pair of kernels with `l <= m`, in the order of [`upper_pairs`].
    pub(crate) inputs: Vec<Vec<f64>>,
    /// `sum_{i != j}` of `U² V²`, `U³ V` and `U V³` for the same pairs.
    pub(crate) fourth: Vec<[f64; 3]>,
}

/// All pairs of kernels with `l <= m`.
pub(crate) fn upper_pairs(n_kernels: usize) -> Vec<(usize, usize)> {
    (0..n_kernels).flat_map(|l| (l..n_kernels).map(move |m| (l, m))).collect()
}

/// Position of `(l, m)`, `l <= m`, in [`upper_pairs`].
pub(crate) fn upper_at(n_kernels: usize, l: usize, m: usize) -> usize {
    l * n_kernels - l * (l + 1) / 2 + m
}

/// Bytes that [`dense_sums`] returns.
pub(crate) fn sums_bytes(n_kernels: usize, n_inputs: usize) -> usize {
    upper_pairs(n_kernels).len().saturating_mul(2 * 8 * n_inputs)
}

/// The sums of both estimators, in the order of [`Inferred::ALL`], from one pass over the kernels.
pub(crate) fn dense_sums(
    kernels: &dyn DenseKernels,
    monitor: &dyn Monitor,
) -> Result<[DenseSums; 2], SimilarityError> {
    let (n, n_pairs) = (kernels.n_inputs(), upper_pairs(kernels.n_kernels()).len());
    let empty = || DenseSums { inputs: vec![vec![0.0; n]; n_pairs], fourth: vec![[0.0; 3]; n_pairs] };
    let mut sums = [empty(), empty()];
    let cut = |from: usize| (from..n).step_by(TILE).map(move |s| (s, (s + TILE).min(n)));
    let tiles: Vec<_> = cut(0).flat_map(|rows| cut(rows.0).map(move |cols| (rows, cols))).collect();
    let batch_len = (FOLDED_BYTES / sums_bytes(kernels.n_kernels(), 2 * TILE).max(1)).clamp(1, 64);
    for (b, batch) in tiles.chunks(batch_len).enumerate() {
        if monitor.is_cancelled() {
            return Err(SimilarityError::Cancelled);
        }
        let folded: Vec<[Folded; 2]> =
            batch.par_iter().map(|&(rows, cols)| fold_tile(kernels, rows, cols)).collect();
        for (&(rows, cols), folded) in batch.iter().zip(&folded) {
            sums.iter_mut().zip(folded).for_each(|(sums, folded)| sums.add(rows, cols, folded));
        }
        monitor.progress(((b + 1) * batch_len).min(tiles.len()) as f64 / tiles.len() as f64);
    }
    Ok(sums)
}

impl DenseSums {
    fn add(&mut self, rows: (usize, usize), cols: (usize, usize), folded: &Folded) {
        for (p, inputs) in self.inputs.iter_mut().enumerate() {
            let part = &folded.inputs[p];
            inputs[rows.0..rows.1].iter_mut().zip(&part.0).for_each(|(s, v)| *s += v);
            if rows != cols {
                inputs[cols.0..cols.1].iter_mut().zip(&part.1).for_each(|(s, v)| *s += v);
            }
            let times = if rows == cols { 1.0 } else { 2.0 };
            self.fourth[p].iter_mut().zip(&folded.fourth[p]).for_each(|(s, v)| *s += times * v);
        }
    }
}

/// Sums of one tile: of its rows and of its columns.
struct Folded {
    inputs: Vec<([f64; TILE], [f64; TILE])>,
    fourth: Vec<[f64; 3]>,
}

fn fold_tile(kernels: &dyn DenseKernels, rows: (usize, usize), cols: (usize, usize)) -> [Folded; 2] {
    let mut tiles: Vec<Vec<f64>> = vec![vec![0.0; TILE * TILE]; kernels.n_kernels()];
    for (l, tile) in tiles.iter_mut().enumerate() {
        kernels.tile(l, rows, cols, tile);
    }
    Inferred::ALL.map(|estimator| {
        for (tile, diagonal) in tiles.iter_mut().zip(kernels.diagonals()) {
            if estimator == Inferred::Debiased {
                u_centre(tile, diagonal, rows, cols);
            }
            if rows == cols {
                (0..rows.1 - rows.0).for_each(|i| tile[i * TILE + i] = 0.0);
            }
        }
        let mut folded = Folded { inputs: Vec::new(), fourth: Vec::new() };
        for (l, m) in upper_pairs(tiles.len()) {
            let mut sums = ([0.0; TILE], [0.0; TILE]);
            folded.fourth.push(fold(&tiles[l], &tiles[m], &mut sums.0, &mut sums.1));
            folded.inputs.push(sums);
        }
        folded
    })
}

/// From `HKH` to the U-centred kernel.
fn u_centre(tile: &mut [f64], diagonal: &[f64], rows: (usize, usize), cols: (usize, usize)) {
    let n = diagonal.len() as f64;
    let shift = diagonal.iter().sum::<f64>() / ((n - 1.0) * (n - 2.0));
    for (row, i) in tile.chunks_exact_mut(TILE).zip(rows.0..rows.1) {
        for (v, j) in row.iter_mut().zip(cols.0..cols.1) {
            *v += (diagonal[i] + diagonal[j]) / (n - 2.0) - shift;
        }
    }
}

vectorize! {
    /// Adds the products of two tiles to the sums of rows and columns; returns those of fourth powers.
    fn fold(u: &[f64], v: &[f64], rows: &mut [f64; TILE], cols: &mut [f64; TILE]) -> [f64; 3] {
        let mut fourth = [[0.0_f64; LANES]; 3];
        for (r, (u, v)) in u.chunks_exact(TILE).zip(v.chunks_exact(TILE)).enumerate() {
            let mut sum = [0.0_f64; LANES];
            let columns = cols.chunks_exact_mut(LANES);
            for ((u, v), col) in u.chunks_exact(LANES).zip(v.chunks_exact(LANES)).zip(columns) {
                for l in 0..LANES {
                    let product = u[l] * v[l];
                    sum[l] += product;
                    col[l] += product;
                    fourth[0][l] = product.mul_add(product, fourth[0][l]);
                    fourth[1][l] = product.mul_add(u[l] * u[l], fourth[1][l]);
                    fourth[2][l] = product.mul_add(v[l] * v[l], fourth[2][l]);
                }
            }
            rows[r] += sum.iter().sum::<f64>();
        }
        fourth.map(|lanes| lanes.iter().sum())
    }
}
