//! Influences of the inputs on SSC-CKA, without densifying a graph.
//!
//! A centred and scaled kernel is `U_ij = κ A_ij - α_i - α_j + μ`, with κα and μ the row and total means of the
//! estimator: sparse plus rank two. With `c_i = μ - α_i` (`e_i = ν - β_i` of the second kernel V)
//!
//! `sum_{j != i} U_ij V_ij = (A∘B)1 + e_i (A1)_i - (Aβ)_i + c_i (B1)_i - (Bα)_i + (N-1) c_i e_i - c_i sum_{j != i} β_j
//! - e_i sum_{j != i} α_j + sum_{j != i} α_j β_j`,
//!
//! so all that is gathered along the edges is `A∘B` and `Aβ`, for all layers at once from a spread row. `O(L nnz)`
//! registers of eight layers.
//!
//! The noise of pairs is summed over pairs with an edge in at least one of the graphs; the others' `h_ij²` are
//! smaller by the fourth power of the density.

use rayon::prelude::*;
use subspect_linalg::{Csr, vectorize};

use super::draws::Vectors;
use super::inferred::Inferred;

/// Layers gathered at once.
const WIDTH: usize = 8;

/// Rows per task, as for the moments: depends on N alone.
const MIN_ROWS: usize = 64;

/// All kernels centred for one estimator and scaled to norm 1.
pub(crate) struct Centred<'a> {
    kernels: &'a [&'a Csr],
    n: usize,
    stride: usize,
    /// κ of every kernel.
    scale: Vec<f64>,
    /// κ times the row sums without the diagonal.
    rows: Vec<Vec<f64>>,
    /// `α_j` of every kernel, a kernel next to the other.
    alpha: Vec<f64>,
    sum_alpha: Vec<f64>,
    /// `α_l · α_m`.
    dot_alpha: Vec<f64>,
    mu: Vec<f64>,
    /// `U_ii`; empty for the debiased estimator.
    diagonals: Vec<Vec<f64>>,
}

/// Sums over the pairs of every input.
pub(crate) struct PairSums {
    /// `sum_{j != i} U_ij V_ij` for every pair asked for, and then for every kernel with itself.
    pub(crate) inputs: Vec<Vec<f64>>,
    /// `sum h_ij²` over pairs with an edge, `L x L`.
    pub(crate) noise: Vec<f64>,
}

impl<'a> Centred<'a> {
    /// `norms` are the squared norms of the centred kernels; a kernel without one is left at 0.
    pub(crate) fn of(
        kernels: &'a [&'a Csr],
        vectors: &Vectors,
        norms: &[Option<f64>],
        estimator: Inferred,
    ) -> Self {
        let n = kernels.first().map_or(0, |k| k.n_rows());
        let (size, stride) = (n as f64, kernels.len().next_multiple_of(WIDTH));
        let (sums, per_row, per_total) = match estimator {
            Inferred::Biased => (&vectors.rows, 1.0 / size, 1.0 / (size * size)),
            Inferred::Debiased => {
                (&vectors.off_rows, 1.0 / (size - 2.0), 1.0 / ((size - 1.0) * (size - 2.0)))
            }
        };
        let scale: Vec<f64> = norms.iter().map(|t| t.map_or(0.0, |t| 1.0 / t.sqrt())).collect();
        let mut alpha = vec![0.0; n * stride];
        let (mut mu, mut diagonals) = (Vec::new(), Vec::new());
        for (l, sums) in sums.iter().enumerate() {
            let total: f64 = sums.iter().sum();
            mu.push(scale[l] * total * per_total);
            for (i, a) in sums.iter().enumerate() {
                alpha[i * stride + l] = scale[l] * a * per_row;
            }
            if estimator == Inferred::Biased {
                let at = |(i, d): (usize, &f64)| scale[l] * d - 2.0 * alpha[i * stride + l] + mu[l];
                diagonals.push(vectors.diagonals[l].iter().enumerate().map(at).collect());
            }
        }
        let column = |l: usize| alpha.iter().skip(l).step_by(stride);
        let sum_alpha = (0..kernels.len()).map(|l| column(l).sum()).collect();
        let n_kernels = kernels.len();
        let dot = |at: usize| column(at / n_kernels).zip(column(at % n_kernels)).map(|(a, b)| a * b).sum();
        let dot_alpha = (0..n_kernels * n_kernels).into_par_iter().map(dot).collect();
        let rows = |(a, k): (&Vec<f64>, &f64)| a.iter().map(|a| a * k).collect();
        let rows = vectors.off_rows.iter().zip(&scale).map(rows).collect();
        Self { kernels, n, stride, scale, rows, alpha, sum_alpha, dot_alpha, mu, diagonals }
    }

    /// `U_ii V_ii`, or 0 without diagonals.
    pub(crate) fn diagonal(&self, l: usize, m: usize, i: usize) -> f64 {
        if self.diagonals.is_empty() { 0.0 } else { self.diagonals[l][i] * self.diagonals[m][i] }
    }

    /// The sums of `pairs`, and of every kernel with itself; `values` is the map of cells, `L x L`.
    pub(crate) fn pair_sums(&self, pairs: &[(usize, usize)], values: &[f64]) -> PairSums {
        let n_kernels = self.kernels.len();
        let mut wanted = pairs.to_vec();
        wanted.extend((0..n_kernels).map(|l| (l, l)));
        let step = MIN_ROWS.max(self.n.div_ceil(256));
        let starts: Vec<usize> = (0..self.n).step_by(step).collect();
        let parts: Vec<PairSums> = starts
            .into_par_iter()
            .map(|s| self.rows_of(&wanted, values, s, (s + step).min(self.n)))
            .collect();
        let mut all = PairSums {
            inputs: vec![Vec::with_capacity(self.n); wanted.len()],
            noise: vec![0.0; n_kernels * n_kernels],
        };
        for part in parts {
            all.inputs.iter_mut().zip(part.inputs).for_each(|(to, mut from)| to.append(&mut from));
            all.noise.iter_mut().zip(part.noise).for_each(|(sum, v)| *sum += v);
        }
        all
    }

    /// Inputs `start..end`.
    fn rows_of(&self, wanted: &[(usize, usize)], values: &[f64], start: usize, end: usize) -> PairSums {
        let n_kernels = self.kernels.len();
        let mut inputs = vec![Vec::with_capacity(end - start); wanted.len()];
        let mut along = vec![Along::new(self.stride); n_kernels];
        let mut slab = vec![0.0_f64; self.n * self.stride];
        let mut centre = vec![0.0_f64; self.stride];
        for i in start..end {
            self.spread(i, &mut slab, true);
            for m in 0..n_kernels {
                centre[m] = self.mu[m] - self.alpha[i * self.stride + m];
            }
            for (l, along) in along.iter_mut().enumerate() {
                along.inner.fill(0.0);
                along.alpha.fill(0.0);
                let row = EdgeRow {
                    cols: self.kernels[l].row(i).0,
                    values: self.kernels[l].row(i).1,
                    own: i as u32,
                    scale: self.scale[l],
                    centre: centre[l],
                    alpha: &self.alpha,
                    kernel: l,
                    rho: &values[l * n_kernels..(l + 1) * n_kernels],
                };
                gather(&row, &slab, &centre, along);
            }
            for (out, &(l, m)) in inputs.iter_mut().zip(wanted) {
                out.push(self.sum(i, l, m, &centre, &along));
            }
            self.spread(i, &mut slab, false);
        }
        let mut noise = vec![0.0; n_kernels * n_kernels];
        for l in 0..n_kernels {
            for m in 0..n_kernels {
                // Edges of both are common to both sums.
                noise[l * n_kernels + m] = along[l].noise[m] + along[m].noise[l] - along[l].common[m];
            }
        }
        PairSums { inputs, noise }
    }

    /// Row `i` of every kernel, scaled, into the slab; or wipes it.
    fn spread(&self, i: usize, slab: &mut [f64], write: bool) {
        for (l, kernel) in self.kernels.iter().enumerate() {
            let (cols, values) = kernel.row(i);
            for (&j, &v) in cols.iter().zip(values).filter(|(j, _)| **j as usize != i) {
                slab[j as usize * self.stride + l] = if write { self.scale[l] * f64::from(v) } else { 0.0 };
            }
        }
    }

    /// `sum_{j != i} U_ij V_ij` from what was gathered along row `i`.
    fn sum(&self, i: usize, l: usize, m: usize, centre: &[f64], along: &[Along]) -> f64 {
        let (c, e) = (centre[l], centre[m]);
        let (a, b) = (self.alpha[i * self.stride + l], self.alpha[i * self.stride + m]);
        let edges = along[l].inner[m] + e * self.rows[l][i] - along[l].alpha[m] + c * self.rows[m][i]
            - along[m].alpha[l];
        let rest = (self.n as f64 - 1.0) * c * e - c * (self.sum_alpha[m] - b) - e * (self.sum_alpha[l] - a);
        edges + rest + self.dot_alpha[l * self.kernels.len() + m] - a * b
    }
}

/// What one kernel's edges of one input gather from all kernels; noise runs on over inputs.
#[derive(Clone)]
struct Along {
    inner: Vec<f64>,
    alpha: Vec<f64>,
    noise: Vec<f64>,
    common: Vec<f64>,
}

impl Along {
    fn new(stride: usize) -> Self {
        let zeros = vec![0.0; stride];
        Self { inner: zeros.clone(), alpha: zeros.clone(), noise: zeros.clone(), common: zeros }
    }
}

/// The edges of one input in one kernel.
struct EdgeRow<'a> {
    cols: &'a [u32],
    values: &'a [f32],
    own: u32,
    scale: f64,
    centre: f64,
    alpha: &'a [f64],
    kernel: usize,
    rho: &'a [f64],
}

vectorize! {
    fn gather(row: &EdgeRow<'_>, slab: &[f64], centre: &[f64], out: &mut Along) {
        let stride = centre.len();
        for at in (0..stride).step_by(WIDTH) {
            let mut sums = [[0.0_f64; WIDTH]; 4];
            let mut rho = [0.0_f64; WIDTH];
            let mut e = [0.0_f64; WIDTH];
            let n = WIDTH.min(row.rho.len() - at);
            rho[..n].copy_from_slice(&row.rho[at..at + n]);
            e.copy_from_slice(&centre[at..at + WIDTH]);
            for (&j, &v) in row.cols.iter().zip(row.values) {
                if j == row.own {
                    continue;
                }
                let start = j as usize * stride;
                let w = row.scale * f64::from(v);
                let u = w + row.centre - row.alpha[start + row.kernel];
                let theirs = &slab[start + at..start + at + WIDTH];
                let alpha = &row.alpha[start + at..start + at + WIDTH];
                for c in 0..WIDTH {
                    sums[0][c] = w.mul_add(theirs[c], sums[0][c]);
                    sums[1][c] = w.mul_add(alpha[c], sums[1][c]);
                    let x = theirs[c] + e[c] - alpha[c];
                    let h = u * x - 0.5 * rho[c] * (u * u + x * x);
                    sums[2][c] = h.mul_add(h, sums[2][c]);
                    sums[3][c] += if theirs[c] != 0.0 { h * h } else { 0.0 };
                }
            }
            for c in 0..WIDTH {
                out.inner[at + c] += sums[0][c];
                out.alpha[at + c] += sums[1][c];
                out.noise[at + c] += sums[2][c];
                out.common[at + c] += sums[3][c];
            }
        }
    }
}
