//! Inner products of kernels with permuted kernels: `sum_{i != j} K_ij L_{π(i) π(j)}` for all cells of a map at once.
//!
//! Row `r` of all second kernels is spread into one slab (`N x layers`, a layer next to the other); the first kernels'
//! rows `i = π⁻¹(r)`, of 16 orders in turn, then gather from it with contiguous loads of eight layers. Entries above the
//! diagonal of the first kernel stand for both triangles. Products are exact in float64 (the kernels are float32);
//! sums run in one order whatever the number of threads.

use rayon::prelude::*;
use subspect_linalg::{Csr, Seed, dot_f64, vectorize};
use subspect_statistics::permutation;

use super::cells::Cells;
use crate::{Monitor, SimilarityError};

/// Orders that share one spread row.
const ORDERS: usize = 16;

/// Layers gathered at once: one AVX-512 register of float64.
const WIDTH: usize = 8;

/// Batches of orders between two looks at the monitor.
const BATCHES: usize = 8;

/// Vectors of every kernel that enter its centred inner products.
pub(crate) struct Vectors {
    /// Row sums without the diagonal.
    pub(crate) off_rows: Vec<Vec<f64>>,
    /// Row sums with it.
    pub(crate) rows: Vec<Vec<f64>>,
    /// Diagonals.
    pub(crate) diagonals: Vec<Vec<f64>>,
    /// Whether any diagonal holds anything.
    pub(crate) with_diagonal: bool,
}

impl Vectors {
    pub(crate) fn of(kernels: &[&Csr]) -> Self {
        let n = kernels.first().map_or(0, |k| k.n_rows());
        let diagonals: Vec<Vec<f64>> =
            kernels.iter().map(|k| (0..n).map(|i| f64::from(k.get(i, i))).collect()).collect();
        let sum = |k: &&Csr| (0..n).map(|i| k.row(i).1.iter().map(|&v| f64::from(v)).sum()).collect();
        let rows: Vec<Vec<f64>> = kernels.iter().map(sum).collect();
        let off = |(a, d): (&Vec<f64>, &Vec<f64>)| a.iter().zip(d).map(|(a, d)| a - d).collect();
        let off_rows = rows.iter().zip(&diagonals).map(off).collect();
        let with_diagonal = diagonals.iter().flatten().any(|&d| d != 0.0);
        Self { off_rows, rows, diagonals, with_diagonal }
    }
}

/// What a permuted pair of kernels adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PermutedSums {
    /// `<K, PLPᵀ>` without diagonals.
    pub(crate) inner: f64,
    /// Product of row sums without diagonals.
    pub(crate) off_rows: f64,
    /// Product of row sums with diagonals.
    pub(crate) rows: f64,
    /// Product of diagonals.
    pub(crate) diagonals: f64,
}

/// Entries above the diagonal, row after row.
struct Upper {
    indptr: Vec<usize>,
    cols: Vec<u32>,
    values: Vec<f32>,
}

impl Upper {
    fn of(kernel: &Csr) -> Self {
        let mut upper = Self { indptr: vec![0], cols: Vec::new(), values: Vec::new() };
        for i in 0..kernel.n_rows() {
            let (cols, values) = kernel.row(i);
            let from = cols.partition_point(|&j| j as usize <= i);
            upper.cols.extend_from_slice(&cols[from..]);
            upper.values.extend_from_slice(&values[from..]);
            upper.indptr.push(upper.cols.len());
        }
        upper
    }

    fn row(&self, i: usize) -> (&[u32], &[f32]) {
        let entries = self.indptr[i]..self.indptr[i + 1];
        (&self.cols[entries.clone()], &self.values[entries])
    }
}

/// Lookups that one order takes for all cells: entries above the diagonal of the first kernels, times the number of
/// registers of partners.
pub(crate) fn lookups(kernels: &[&Csr], cells: Cells) -> f64 {
    let first = cells.cols().start;
    cells
        .rows()
        .map(|l| {
            let partners = cells.partners(l);
            let blocks = (partners.end - first).div_ceil(WIDTH) - (partners.start - first) / WIDTH;
            kernels[l].nnz() as f64 / 2.0 * if partners.is_empty() { 0.0 } else { blocks as f64 }
        })
        .sum()
}

/// The sums of all cells (in the order of [`Cells::pairs`]) for the given inputs' own order, and for `n` random ones.
pub(crate) fn permuted_sums(
    kernels: &[&Csr],
    vectors: &Vectors,
    cells: Cells,
    n: usize,
    seed: Seed,
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<PermutedSums>>, SimilarityError> {
    let n_inputs = kernels.first().map_or(0, |k| k.n_rows());
    let order = |r: usize| match r {
        0 => (0..n_inputs as u32).collect(),
        r => permutation(n_inputs, seed.index(r as u64 - 1)),
    };
    let starts: Vec<usize> = (0..=n).step_by(ORDERS).collect();
    let uppers: Vec<Upper> = kernels[cells.rows()].par_iter().map(|k| Upper::of(k)).collect();
    let mut sums = Vec::with_capacity(n + 1);
    for group in starts.chunks(BATCHES) {
        if monitor.is_cancelled() {
            return Err(SimilarityError::Cancelled);
        }
        let parts: Vec<Vec<Vec<PermutedSums>>> = group
            .par_iter()
            .map(|&start| {
                let orders: Vec<Vec<u32>> = (start..(start + ORDERS).min(n + 1)).map(order).collect();
                batch(kernels, &uppers, vectors, cells, &orders)
            })
            .collect();
        sums.extend(parts.into_iter().flatten());
        monitor.progress(sums.len() as f64 / (n + 1) as f64);
    }
    Ok(sums)
}

fn batch(
    kernels: &[&Csr],
    uppers: &[Upper],
    vectors: &Vectors,
    cells: Cells,
    orders: &[Vec<u32>],
) -> Vec<Vec<PermutedSums>> {
    let inner = if cells.pairs().len() == 1 {
        inner_products_of_two(kernels, uppers, cells, orders)
    } else {
        inner_products(kernels, uppers, cells, orders)
    };
    let pairs = cells.pairs();
    let products = |of: &[Vec<f64>], order: &[u32]| -> Vec<f64> {
        let moved: Vec<Vec<f64>> =
            cells.cols().map(|m| order.iter().map(|&j| of[m][j as usize]).collect()).collect();
        pairs.iter().map(|&(l, m)| dot_f64(&of[l], &moved[m - cells.cols().start])).collect()
    };
    orders
        .iter()
        .zip(inner)
        .map(|(order, inner)| {
            let off_rows = products(&vectors.off_rows, order);
            let (rows, diagonals) = if vectors.with_diagonal {
                (products(&vectors.rows, order), products(&vectors.diagonals, order))
            } else {
                (off_rows.clone(), vec![0.0; pairs.len()])
            };
            (0..pairs.len())
                .map(|c| PermutedSums {
                    inner: inner[c],
                    off_rows: off_rows[c],
                    rows: rows[c],
                    diagonals: diagonals[c],
                })
                .collect()
        })
        .collect()
}

/// `sum_{i != j} K_ij L_{π(i) π(j)}` of every order and cell.
fn inner_products(kernels: &[&Csr], uppers: &[Upper], cells: Cells, orders: &[Vec<u32>]) -> Vec<Vec<f64>> {
    let (n, first) = (kernels.first().map_or(0, |k| k.n_rows()), cells.cols().start);
    let n_blocks = cells.cols().len().div_ceil(WIDTH);
    let inverse: Vec<Vec<u32>> = orders.iter().map(|order| inverse(order)).collect();
    let mut slab = vec![[0.0_f32; WIDTH]; n * n_blocks];
    let mut sums = vec![[0.0_f64; WIDTH]; orders.len() * uppers.len() * n_blocks];
    for r in 0..n {
        spread(&kernels[first..], r, n_blocks, &mut slab, true);
        for (k, order) in orders.iter().enumerate() {
            let i = inverse[k][r] as usize;
            for (l, upper) in uppers.iter().enumerate().filter(|(l, _)| !cells.partners(*l).is_empty()) {
                let (cols, values) = upper.row(i);
                let from = (cells.partners(l).start - first) / WIDTH;
                let out = &mut sums[(k * uppers.len() + l) * n_blocks..][..n_blocks];
                gather(cols, values, order, &slab, from, out);
            }
        }
        spread(&kernels[first..], r, n_blocks, &mut slab, false);
    }
    let value = |k: usize, l: usize, m: usize| {
        let block = &sums[(k * uppers.len() + l) * n_blocks..][(m - first) / WIDTH];
        2.0 * block[(m - first) % WIDTH]
    };
    let pairs = cells.pairs();
    (0..orders.len()).map(|k| pairs.iter().map(|&(l, m)| value(k, l, m)).collect()).collect()
}

/// The same for a single pair, which needs no room for eight layers: the slab is one row.
fn inner_products_of_two(
    kernels: &[&Csr],
    uppers: &[Upper],
    cells: Cells,
    orders: &[Vec<u32>],
) -> Vec<Vec<f64>> {
    let (l, m) = cells.pairs()[0];
    let inverse: Vec<Vec<u32>> = orders.iter().map(|order| inverse(order)).collect();
    let mut slab = vec![0.0_f32; kernels[m].n_rows()];
    let mut sums = vec![0.0_f64; orders.len()];
    for r in 0..slab.len() {
        let (cols, values) = kernels[m].row(r);
        cols.iter().zip(values).for_each(|(&j, &v)| slab[j as usize] = v);
        for (k, order) in orders.iter().enumerate() {
            let (cols, values) = uppers[l].row(inverse[k][r] as usize);
            sums[k] += gather_one(cols, values, order, &slab);
        }
        cols.iter().for_each(|&j| slab[j as usize] = 0.0);
    }
    sums.into_iter().map(|sum| vec![2.0 * sum]).collect()
}

fn inverse(order: &[u32]) -> Vec<u32> {
    let mut inverse = vec![0_u32; order.len()];
    order.iter().enumerate().for_each(|(i, &r)| inverse[r as usize] = i as u32);
    inverse
}

/// Writes row `r` of the kernels into the slab (off the diagonal), or wipes it.
fn spread(kernels: &[&Csr], r: usize, n_blocks: usize, slab: &mut [[f32; WIDTH]], write: bool) {
    for (c, kernel) in kernels.iter().enumerate() {
        let (cols, values) = kernel.row(r);
        for (&j, &v) in cols.iter().zip(values).filter(|(j, _)| **j as usize != r) {
            slab[j as usize * n_blocks + c / WIDTH][c % WIDTH] = if write { v } else { 0.0 };
        }
    }
}

vectorize! {
    /// Adds `sum_j value_j slab[order_j]` to `out`, for registers `from..` of eight layers each.
    fn gather(
        cols: &[u32],
        values: &[f32],
        order: &[u32],
        slab: &[[f32; WIDTH]],
        from: usize,
        out: &mut [[f64; WIDTH]],
    ) {
        let n_blocks = out.len();
        for (block, out) in out.iter_mut().enumerate().skip(from) {
            let mut sum = [0.0_f64; WIDTH];
            for (&j, &v) in cols.iter().zip(values) {
                let row = slab[order[j as usize] as usize * n_blocks + block];
                let v = f64::from(v);
                for c in 0..WIDTH {
                    sum[c] = v.mul_add(f64::from(row[c]), sum[c]);
                }
            }
            for c in 0..WIDTH {
                out[c] += sum[c];
            }
        }
    }

    /// The same for a single layer.
    fn gather_one(cols: &[u32], values: &[f32], order: &[u32], slab: &[f32]) -> f64 {
        const LANES: usize = 4;
        let mut sum = [0.0_f64; LANES];
        let ((by_cols, tail_cols), (by_values, tail_values)) = (cols.as_chunks::<LANES>(), values.as_chunks::<LANES>());
        for (cols, values) in by_cols.iter().zip(by_values) {
            for l in 0..LANES {
                let x = slab[order[cols[l] as usize] as usize];
                sum[l] = f64::from(values[l]).mul_add(f64::from(x), sum[l]);
            }
        }
        for (&j, &v) in tail_cols.iter().zip(tail_values) {
            sum[0] += f64::from(v) * f64::from(slab[order[j as usize] as usize]);
        }
        sum.iter().sum()
    }
}
