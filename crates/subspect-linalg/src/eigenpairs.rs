//! The largest eigenvalues and their eigenvectors of a sparse symmetric matrix `S A S`, `S` diagonal: what spectral
//! clustering and algebraic connectivity need of a graph's Laplacian.
//!
//! Block Lanczos with thick restarts (Golub & Underwood 1977; Wu & Simon 2000): the basis `V` (`n x m`, orthonormal
//! to working precision by two passes of Gram-Schmidt) grows by blocks of four vectors, `H = Vᵀ (S A S) V` is
//! diagonalised when `m` is reached, and the best Ritz vectors with the last residual block start the next cycle.
//! The residual of a Ritz pair is exact: `|| S A S u - theta u || = || R y_last ||`, where `R` is the triangular
//! factor of the residual block. Blocks find repeated eigenvalues, which a single vector cannot; eigenvectors that
//! are known beforehand (of a graph's components) are passed in and never searched for. Small matrices are
//! diagonalised whole.
//!
//! Limit: eigenvalues that crowd together (a long chain) need many restarts; `n_converged` then says how far it got.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef as View, Par};
use rand::RngCore;
use rayon::prelude::*;

use crate::eigen::symmetric_eigen;
use crate::{Csr, Matrix, Seed};

/// Vectors in a block: one AVX2 register of float64.
const BLOCK: usize = 4;

/// Rows that make one task and one partial sum: fixed, so that the bits do not depend on the number of threads.
const PANEL: usize = 1024;

/// Up to this size a matrix is diagonalised whole.
const DENSE_MAX: usize = 256;

/// A residual column below this share of its norm is rounding: the basis spans an invariant subspace.
const BREAKDOWN: f64 = 1e-12;

/// The symmetric matrix `S A S` with `A` sparse and `S` diagonal, never formed.
#[derive(Clone, Debug)]
pub struct ScaledCsr<'a> {
    matrix: &'a Csr<f32>,
    scale: Vec<f64>,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EigenOptions {
    /// Largest residual norm of a converged pair. The eigenvalue's error is of the order of its square.
    pub tol: f64,
    /// Largest number of restarts.
    pub max_restarts: usize,
}

impl Default for EigenOptions {
    fn default() -> Self {
        Self { tol: 1e-8, max_restarts: 300 }
    }
}

/// Eigenvalues, largest first, and their eigenvectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigenpairs {
    /// Eigenvalues in descending order.
    pub values: Vec<f64>,
    /// Orthonormal eigenvectors in the columns, `n x values.len()`.
    pub vectors: Matrix<f64>,
    /// Residual norms `|| S A S u - theta u ||`.
    pub residuals: Vec<f64>,
    /// Leading pairs whose residual is within the tolerance.
    pub n_converged: usize,
    /// Restarts that were needed; 0 for a matrix that was diagonalised whole.
    pub n_restarts: usize,
}

impl<'a> ScaledCsr<'a> {
    /// `S A S` for a symmetric `matrix` and the diagonal `scale` of `S`.
    ///
    /// # Panics
    /// When the matrix is not square or `scale` has another length. That it is symmetric is not checked.
    pub fn new(matrix: &'a Csr<f32>, scale: Vec<f64>) -> Self {
        assert_eq!(matrix.n_rows(), matrix.n_cols(), "a square matrix");
        assert_eq!(matrix.n_rows(), scale.len(), "one scale per row");
        Self { matrix, scale }
    }

    /// Number of rows.
    pub fn n(&self) -> usize {
        self.scale.len()
    }

    /// `S A S X` for `x` of `n x BLOCK`, row-major, in parallel over rows.
    fn apply(&self, x: &[f64], out: &mut [f64]) {
        let scaled: Vec<[f64; BLOCK]> = x
            .as_chunks::<BLOCK>()
            .0
            .iter()
            .zip(&self.scale)
            .map(|(row, s)| std::array::from_fn(|b| row[b] * s))
            .collect();
        out.par_chunks_mut(BLOCK * PANEL).enumerate().for_each(|(p, panel)| {
            for (at, out) in panel.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
                let i = p * PANEL + at;
                let (cols, values) = self.matrix.row(i);
                let mut sum = [0.0; BLOCK];
                for (&j, &v) in cols.iter().zip(values) {
                    let (v, row) = (f64::from(v), &scaled[j as usize]);
                    (0..BLOCK).for_each(|b| sum[b] += v * row[b]);
                }
                *out = sum.map(|s| s * self.scale[i]);
            }
        });
    }

    fn dense(&self) -> Matrix<f64> {
        let mut out = Matrix::filled(0.0, self.n(), self.n());
        for i in 0..self.n() {
            let (cols, values) = self.matrix.row(i);
            for (&j, &v) in cols.iter().zip(values) {
                out.row_mut(i)[j as usize] = f64::from(v) * self.scale[i] * self.scale[j as usize];
            }
        }
        out
    }
}

/// The `k` largest eigenpairs of `matrix` apart from the `known` ones.
///
/// `known` are orthonormal eigenvectors of the largest eigenvalues: the pairs returned are those of the rest, so
/// `k` is cut to `n - known.len()`. `seed` draws the starting block.
///
/// # Panics
/// When a known vector has not `n` entries.
pub fn largest_eigenpairs(
    matrix: &ScaledCsr<'_>,
    known: &[Vec<f64>],
    k: usize,
    options: &EigenOptions,
    seed: Seed,
) -> Eigenpairs {
    let n = matrix.n();
    assert!(known.iter().all(|v| v.len() == n), "known vectors of length {n}");
    let k = k.min(n.saturating_sub(known.len()));
    let width = (2 * k + 4 * BLOCK).max(k + 10 * BLOCK).next_multiple_of(BLOCK);
    // A basis of half the space is no longer a saving.
    if k == 0 || n <= DENSE_MAX || 2 * (known.len() + width + BLOCK) > n {
        return whole(matrix, known, k, options);
    }
    Lanczos::new(matrix, known, width, seed).run(k, options)
}

/// The eigendecomposition of the dense matrix, with the known eigenvectors shifted to the far end of the spectrum.
fn whole(matrix: &ScaledCsr<'_>, known: &[Vec<f64>], k: usize, options: &EigenOptions) -> Eigenpairs {
    let n = matrix.n();
    let mut a = matrix.dense();
    let norm = (0..n).map(|i| a.row(i).iter().map(|v| v.abs()).sum::<f64>()).fold(0.0, f64::max);
    for v in known {
        for i in 0..n {
            a.row_mut(i).iter_mut().zip(v).for_each(|(a, vj)| *a -= (2.0 * norm + 1.0) * v[i] * vj);
        }
    }
    let Some((values, vectors)) = symmetric_descending(&a) else { return unfinished(n, k, 0) };
    let vectors = Matrix::from_fn(n, k, |i, j| vectors.row(i)[j]);
    let values = values[..k].to_vec();
    let residuals: Vec<f64> = (0..k)
        .into_par_iter()
        .map(|j| {
            let square = |i: usize| -> f64 {
                let product: f64 = a.row(i).iter().enumerate().map(|(l, v)| v * vectors.row(l)[j]).sum();
                (product - values[j] * vectors.row(i)[j]).powi(2)
            };
            (0..n).map(square).sum::<f64>().sqrt()
        })
        .collect();
    // The backward error of a full decomposition, whatever tolerance was asked for.
    let within = options.tol.max(1e-13 * (n as f64).sqrt() * (2.0 * norm + 1.0));
    let n_converged = residuals.iter().take_while(|&&r| r <= within).count();
    Eigenpairs { values, vectors, residuals, n_converged, n_restarts: 0 }
}

/// Eigenvalues in descending order and eigenvectors in columns. `None` when the decomposition fails, as it does on
/// values that overflowed.
fn symmetric_descending(a: &Matrix<f64>) -> Option<(Vec<f64>, Matrix<f64>)> {
    let (mut values, vectors) = symmetric_eigen(a)?;
    values.reverse();
    let n = values.len();
    Some((values, Matrix::from_fn(n, n, |i, j| vectors.row(i)[n - 1 - j])))
}

/// No eigenpair at all, in the shape of `k` of them.
fn unfinished(n: usize, k: usize, n_restarts: usize) -> Eigenpairs {
    let (values, vectors) = (vec![0.0; k], Matrix::filled(0.0, n, k));
    Eigenpairs { values, vectors, residuals: vec![f64::MAX; k], n_converged: 0, n_restarts }
}

/// The state of the iteration: basis, projection, and the block that comes next.
struct Lanczos<'a> {
    matrix: &'a ScaledCsr<'a>,
    /// `n x stride`, row-major: known vectors, then the active basis.
    basis: Vec<f64>,
    stride: usize,
    n_known: usize,
    /// Columns of the active basis in use.
    len: usize,
    /// Projection onto the active basis, `width x width`.
    projection: Matrix<f64>,
    /// The next block, `n x BLOCK`, orthonormal and orthogonal to the basis.
    next: Vec<f64>,
    /// Triangular factor of the last residual block.
    factor: [[f64; BLOCK]; BLOCK],
    rng: rand_chacha::ChaCha8Rng,
}

impl<'a> Lanczos<'a> {
    fn new(matrix: &'a ScaledCsr<'a>, known: &[Vec<f64>], width: usize, seed: Seed) -> Self {
        let (n, stride) = (matrix.n(), known.len() + width);
        let mut basis = vec![0.0; n * stride];
        for (i, row) in basis.chunks_exact_mut(stride).enumerate() {
            known.iter().enumerate().for_each(|(c, v)| row[c] = v[i]);
        }
        let mut lanczos = Self {
            matrix,
            basis,
            stride,
            n_known: known.len(),
            len: 0,
            projection: Matrix::filled(0.0, width, width),
            next: vec![0.0; n * BLOCK],
            factor: [[0.0; BLOCK]; BLOCK],
            rng: seed.rng(),
        };
        // A zero block breaks down in every column, and so is drawn at random.
        lanczos.orthonormalize([0.0; BLOCK]);
        lanczos
    }

    fn run(mut self, k: usize, options: &EigenOptions) -> Eigenpairs {
        let width = self.stride - self.n_known;
        for n_restarts in 0.. {
            while self.len + BLOCK <= width {
                self.expand();
            }
            let projection = Matrix::from_fn(self.len, self.len, |i, j| self.projection.row(i)[j]);
            let Some((values, vectors)) = symmetric_descending(&projection) else {
                return unfinished(self.matrix.n(), k, n_restarts);
            };
            let residuals: Vec<f64> = (0..k).map(|j| self.residual(&vectors, j)).collect();
            let n_converged = residuals.iter().take_while(|&&r| r <= options.tol).count();
            let done = n_converged == k || n_restarts >= options.max_restarts;
            // Half of what is not wanted is kept: the cycle stays long, and little of the subspace is lost.
            let kept = if done { k } else { k + (width - k) / 2 };
            self.rotate(&vectors, kept);
            if done {
                let (n, at) = (self.matrix.n(), self.n_known);
                let vectors = Matrix::from_fn(n, k, |i, j| self.basis[i * self.stride + at + j]);
                let values = values[..k].to_vec();
                return Eigenpairs { values, vectors, residuals, n_converged, n_restarts };
            }
            self.projection.data_mut().fill(0.0);
            (0..kept).for_each(|j| self.projection.row_mut(j)[j] = values[j]);
            self.len = kept;
        }
        unreachable!("the loop ends by returning")
    }

    /// Moves the next block into the basis, extends the projection, and finds the block after it.
    fn expand(&mut self) {
        let at = self.n_known + self.len;
        let stride = self.stride;
        self.basis
            .par_chunks_mut(stride)
            .zip(self.next.par_chunks(BLOCK))
            .for_each(|(row, block)| row[at..at + BLOCK].copy_from_slice(block));
        let block = std::mem::take(&mut self.next);
        let mut image = vec![0.0; block.len()];
        self.matrix.apply(&block, &mut image);
        self.next = image;
        self.len += BLOCK;
        let before = self.norms();
        let mut coefficients = self.subtract_projection();
        let correction = self.subtract_projection();
        coefficients.iter_mut().zip(correction).for_each(|(c, d)| *c += d);
        for i in 0..self.len {
            for b in 0..BLOCK {
                let (j, value) = (self.len - BLOCK + b, coefficients[(self.n_known + i) * BLOCK + b]);
                self.projection.row_mut(i)[j] = value;
                self.projection.row_mut(j)[i] = value;
            }
        }
        self.orthonormalize(before);
    }

    /// `next -= V (Vᵀ next)`; returns `Vᵀ next`, `(known + len) x BLOCK`.
    fn subtract_projection(&mut self) -> Vec<f64> {
        let (stride, used) = (self.stride, self.n_known + self.len);
        let partial: Vec<Vec<f64>> = self
            .basis
            .par_chunks(PANEL * stride)
            .zip(self.next.par_chunks(PANEL * BLOCK))
            .map(|(v, w)| {
                let rows = w.len() / BLOCK;
                let mut out = vec![0.0; used * BLOCK];
                let v = View::from_row_major_slice_with_stride(v, rows, used, stride);
                let w = View::from_row_major_slice(w, rows, BLOCK);
                let dst = MatMut::from_row_major_slice_mut(&mut out, used, BLOCK);
                matmul(dst, Accum::Replace, v.transpose(), w, 1.0, Par::Seq);
                out
            })
            .collect();
        let mut sum = vec![0.0; used * BLOCK];
        partial.iter().for_each(|p| sum.iter_mut().zip(p).for_each(|(s, v)| *s += v));
        let coefficients = View::from_row_major_slice(&sum, used, BLOCK);
        self.basis.par_chunks(PANEL * stride).zip(self.next.par_chunks_mut(PANEL * BLOCK)).for_each(
            |(v, w)| {
                let rows = w.len() / BLOCK;
                let v = View::from_row_major_slice_with_stride(v, rows, used, stride);
                let dst = MatMut::from_row_major_slice_mut(w, rows, BLOCK);
                matmul(dst, Accum::Add, v, coefficients, -1.0, Par::Seq);
            },
        );
        sum
    }

    /// Makes the columns of `next`, already orthogonal to the basis, orthonormal. Columns that vanished against
    /// their norm `before` are drawn at random, so that the iteration goes on in an unexplored direction.
    fn orthonormalize(&mut self, before: [f64; BLOCK]) {
        self.factor = [[0.0; BLOCK]; BLOCK];
        for j in 0..BLOCK {
            let mut coefficients = self.remove_earlier(j);
            let second = self.remove_earlier(j);
            coefficients.iter_mut().zip(second).for_each(|(c, d)| *c += d);
            let norm = self.norms()[j];
            if norm > BREAKDOWN * before[j] {
                coefficients[j] = norm;
                self.scale_column(j, 1.0 / norm);
            } else {
                self.draw(j);
            }
            (0..=j).for_each(|i| self.factor[i][j] = coefficients[i]);
        }
    }

    /// `w_j -= sum_{i < j} <w_i, w_j> w_i`; returns the products.
    fn remove_earlier(&mut self, j: usize) -> [f64; BLOCK] {
        let mut products = [0.0; BLOCK];
        for panel in self.next.chunks(PANEL * BLOCK) {
            let mut sum = [0.0; BLOCK];
            for row in panel.as_chunks::<BLOCK>().0 {
                (0..j).for_each(|i| sum[i] += row[i] * row[j]);
            }
            (0..j).for_each(|i| products[i] += sum[i]);
        }
        for row in self.next.as_chunks_mut::<BLOCK>().0 {
            row[j] -= (0..j).map(|i| products[i] * row[i]).sum::<f64>();
        }
        products
    }

    /// Replaces column `j` of `next` by a random direction orthogonal to the basis and to the earlier columns.
    fn draw(&mut self, j: usize) {
        for row in self.next.as_chunks_mut::<BLOCK>().0 {
            // Uniform on (-1, 1), from 53 bits.
            row[j] = (self.rng.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
        }
        for _ in 0..2 {
            self.subtract_projection();
            self.remove_earlier(j);
            let norm = self.norms()[j];
            self.scale_column(j, 1.0 / norm);
        }
    }

    fn scale_column(&mut self, j: usize, factor: f64) {
        self.next.as_chunks_mut::<BLOCK>().0.iter_mut().for_each(|row| row[j] *= factor);
    }

    fn norms(&self) -> [f64; BLOCK] {
        let mut total = [0.0; BLOCK];
        for panel in self.next.chunks(PANEL * BLOCK) {
            let mut sum = [0.0; BLOCK];
            for row in panel.as_chunks::<BLOCK>().0 {
                (0..BLOCK).for_each(|b| sum[b] += row[b] * row[b]);
            }
            (0..BLOCK).for_each(|b| total[b] += sum[b]);
        }
        total.map(f64::sqrt)
    }

    /// `|| R y_last ||` of Ritz vector `j`.
    fn residual(&self, vectors: &Matrix<f64>, j: usize) -> f64 {
        let last: [f64; BLOCK] = std::array::from_fn(|b| vectors.row(self.len - BLOCK + b)[j]);
        let product = |row: &[f64; BLOCK]| row.iter().zip(&last).map(|(r, y)| r * y).sum::<f64>();
        self.factor.iter().map(|row| product(row).powi(2)).sum::<f64>().sqrt()
    }

    /// The active basis becomes its first `kept` Ritz vectors.
    fn rotate(&mut self, vectors: &Matrix<f64>, kept: usize) {
        let (stride, at, len) = (self.stride, self.n_known, self.len);
        let vectors = View::from_row_major_slice_with_stride(vectors.data(), len, kept, len);
        self.basis.par_chunks_mut(PANEL * stride).for_each(|panel| {
            let rows = panel.len() / stride;
            let mut out = vec![0.0; rows * kept];
            let v = View::from_row_major_slice_with_stride(&panel[at..], rows, len, stride);
            let dst = MatMut::from_row_major_slice_mut(&mut out, rows, kept);
            matmul(dst, Accum::Replace, v, vectors, 1.0, Par::Seq);
            for (row, new) in panel.chunks_exact_mut(stride).zip(out.chunks_exact(kept)) {
                row[at..at + kept].copy_from_slice(new);
            }
        });
    }
}

#[cfg(test)]
mod tests;
