//! Linear CKA of many layers at any size, within a memory budget and without any `N x N` array.
//!
//! The Gram matrices `K_l = X_l X_lᵀ` of all layers (columns centred) are formed side by side, one square block at a
//! time and only on and above the diagonal, and each block is folded at once into `<K_l, K_m>`, row sums and
//! diagonals ([`KernelMoments`]). A block of `T x T` inputs holds `4 L T²` bytes for L layers, and two panels of
//! `T x 1024` centred features; T is the largest multiple of 256 that fits. Products are float32, split every 1,024
//! features; all sums over products are float64.
//!
//! Blocks consist of tiles of 256 x 256 on a fixed grid, each one task, so the number of threads changes nothing.
//! When the layers have fewer features in total than there are inputs, the cheaper feature-space form is taken.

use rayon::prelude::*;
use subspect_linalg::{MatRef, Matrix, Measured, Status};

use crate::centering::Centering;
use crate::features::feature_moments;
use crate::moments::KernelSums;
use crate::tile::{Folded, TILE, Tile, tiles};
use crate::{Estimator, KernelMoments, Monitor, SimilarityError};

/// Features per product: bounds the centred copies, and the length of float32 sums.
pub(crate) const FEATURES: usize = 1024;

/// Linear CKA of all pairs of layers, `L x L`. Use [`linear_moments`] to get both estimators from one pass.
///
/// # Errors
/// As [`linear_moments`].
pub fn linear_cka_matrix(
    layers: &[MatRef<'_, f32>],
    estimator: Estimator,
    budget_bytes: usize,
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<Measured>>, SimilarityError> {
    Ok(linear_moments(layers, budget_bytes, monitor)?.cka_matrix(estimator))
}

/// The moments of the linear kernels of all layers, in the current thread pool. `budget_bytes` bounds the blocks and
/// panels that are held beside the layers themselves; column means (8 bytes per feature), row sums and diagonals
/// (16 bytes per input and layer) and 0.25 MiB per thread come on top.
///
/// # Errors
/// When the layers have different numbers of inputs, a value is not finite, the budget is below the smallest block
/// (about 0.25 MiB per layer and 2 MiB), or the monitor asks to stop.
pub fn linear_moments(
    layers: &[MatRef<'_, f32>],
    budget_bytes: usize,
    monitor: &dyn Monitor,
) -> Result<KernelMoments, SimilarityError> {
    let inputs = Centred::new(layers, monitor)?;
    let n_features: usize = layers.iter().map(|x| x.n_cols()).sum();
    if n_features < inputs.n && crate::features::bytes(n_features, inputs.n) <= budget_bytes {
        return feature_moments(&inputs, monitor);
    }
    let side = block_side(layers, inputs.n, budget_bytes)?;
    let mut sums = Accumulator::new(layers.len(), inputs.n);
    let starts: Vec<usize> = (0..inputs.n).step_by(side).collect();
    let mut progress = Progress { monitor, done: 0.0, total: total_work(&inputs, side) };
    for &row in &starts {
        for &col in starts.iter().filter(|&&col| col >= row) {
            let block = Block::form(&inputs, row, col, side, &mut progress)?;
            let folded: Vec<Folded> = block.tiles.par_iter().map(|t| t.fold(layers.len())).collect();
            block.tiles.iter().zip(&folded).for_each(|(tile, folded)| sums.add(tile, folded));
        }
    }
    Ok(sums.finish(&inputs))
}

/// The layers with their column means and scales.
pub(crate) struct Centred<'a> {
    pub(crate) layers: &'a [MatRef<'a, f32>],
    pub(crate) centerings: Vec<Centering>,
    pub(crate) n: usize,
}

impl<'a> Centred<'a> {
    pub(crate) fn new(layers: &'a [MatRef<'a, f32>], monitor: &dyn Monitor) -> Result<Self, SimilarityError> {
        let n = layers.first().map_or(0, |x| x.n_rows());
        let mut centerings = Vec::with_capacity(layers.len());
        for (index, &x) in layers.iter().enumerate() {
            if monitor.is_cancelled() {
                return Err(SimilarityError::Cancelled);
            }
            if x.n_rows() != n {
                return Err(SimilarityError::InputCount { index, expected: n, found: x.n_rows() });
            }
            check_finite(index, x)?;
            centerings.push(Centering::of(x));
        }
        Ok(Self { layers, centerings, n })
    }

    pub(crate) fn obstacles(&self) -> Vec<Option<Status>> {
        self.centerings.iter().map(|c| c.is_constant().then_some(Status::ZeroVariance)).collect()
    }

    /// Rows `start..end` x features `from..to` of layer `l`, centred and scaled.
    pub(crate) fn panel(&self, l: usize, rows: (usize, usize), features: (usize, usize)) -> Matrix<f32> {
        let width = features.1 - features.0;
        let mut out = Matrix::filled(0.0, rows.1 - rows.0, width);
        out.data_mut().par_chunks_mut(width.max(1)).enumerate().for_each(|(i, row)| {
            self.centerings[l].apply(self.layers[l].row(rows.0 + i), features.0, row);
        });
        out
    }
}

fn check_finite(index: usize, x: MatRef<'_, f32>) -> Result<(), SimilarityError> {
    let bad = (0..x.n_rows())
        .into_par_iter()
        .find_map_first(|row| x.row(row).iter().position(|v| !v.is_finite()).map(|col| (row, col)));
    match bad {
        None => Ok(()),
        Some((row, col)) => {
            Err(SimilarityError::NotFinite { index, row, col, value: f64::from(x.row(row)[col]) })
        }
    }
}

/// Inputs along one side of a block: the largest multiple of [`TILE`] within the budget, at most all inputs.
fn block_side(layers: &[MatRef<'_, f32>], n: usize, budget_bytes: usize) -> Result<usize, SimilarityError> {
    let width = layers.iter().map(|x| x.n_cols()).max().unwrap_or(0).min(FEATURES);
    let bytes = |tiles: usize| {
        let side = (tiles * TILE).min(n);
        4 * side * (layers.len() * side + 2 * width)
    };
    if bytes(1) > budget_bytes {
        return Err(SimilarityError::Budget {
            needed: bytes(1),
            found: budget_bytes,
            n_layers: layers.len(),
        });
    }
    let most = n.div_ceil(TILE).max(1);
    let fits = (1..=most).take_while(|&tiles| bytes(tiles) <= budget_bytes).last().unwrap_or(1);
    Ok(fits * TILE)
}

fn total_work(inputs: &Centred<'_>, side: usize) -> f64 {
    let n_blocks = inputs.n.div_ceil(side) as f64;
    let features: usize = inputs.layers.iter().map(|x| x.n_cols()).sum();
    n_blocks * (n_blocks + 1.0) / 2.0 * features as f64
}

struct Progress<'a> {
    monitor: &'a dyn Monitor,
    done: f64,
    total: f64,
}

impl Progress<'_> {
    fn advance(&mut self, work: usize) -> Result<(), SimilarityError> {
        self.done += work as f64;
        self.monitor.progress((self.done / self.total).min(1.0));
        if self.monitor.is_cancelled() { Err(SimilarityError::Cancelled) } else { Ok(()) }
    }
}

struct Block {
    tiles: Vec<Tile>,
}

impl Block {
    /// The block of `side` inputs from `row` by `side` inputs from `col`, of every layer.
    fn form(
        inputs: &Centred<'_>,
        row: usize,
        col: usize,
        side: usize,
        progress: &mut Progress<'_>,
    ) -> Result<Self, SimilarityError> {
        let (rows, cols) = ((row, (row + side).min(inputs.n)), (col, (col + side).min(inputs.n)));
        let mut block = Self { tiles: tiles(rows, cols, inputs.layers.len()) };
        for (l, x) in inputs.layers.iter().enumerate() {
            for from in (0..x.n_cols()).step_by(FEATURES) {
                let features = (from, (from + FEATURES).min(x.n_cols()));
                let a = inputs.panel(l, rows, features);
                let b = (row != col).then(|| inputs.panel(l, cols, features));
                let b = b.as_ref().unwrap_or(&a);
                block.tiles.par_iter_mut().for_each(|t| {
                    let ours = a.as_ref().rows(t.rows.0 - row, t.rows.1 - row);
                    let theirs = b.as_ref().rows(t.cols.0 - col, t.cols.1 - col);
                    t.accumulate(l, ours, theirs, from == 0);
                });
                progress.advance(features.1 - features.0)?;
            }
        }
        Ok(block)
    }
}

struct Accumulator {
    inner: Vec<f64>,
    rows: Vec<Vec<f64>>,
    diagonals: Vec<Vec<f64>>,
}

impl Accumulator {
    fn new(n_layers: usize, n: usize) -> Self {
        let zeros = vec![vec![0.0; n]; n_layers];
        Self { inner: vec![0.0; n_layers * n_layers], rows: zeros.clone(), diagonals: zeros }
    }

    fn add(&mut self, tile: &Tile, folded: &Folded) {
        self.inner.iter_mut().zip(&folded.inner).for_each(|(sum, v)| *sum += v);
        let (height, width) = (tile.rows.1 - tile.rows.0, tile.cols.1 - tile.cols.0);
        for l in 0..self.rows.len() {
            let rows = &mut self.rows[l];
            let into = rows[tile.rows.0..tile.rows.1].iter_mut();
            into.zip(&folded.row_sums[l * height..(l + 1) * height]).for_each(|(sum, v)| *sum += v);
            if tile.is_diagonal() {
                for i in 0..height {
                    self.diagonals[l][tile.rows.0 + i] = f64::from(tile.gram(l)[i * width + i]);
                }
            } else {
                let into = rows[tile.cols.0..tile.cols.1].iter_mut();
                into.zip(&folded.col_sums[l * width..(l + 1) * width]).for_each(|(sum, v)| *sum += v);
            }
        }
    }

    fn finish(self, inputs: &Centred<'_>) -> KernelMoments {
        KernelMoments::new(KernelSums {
            n: inputs.n,
            inner: self.inner,
            rows: self.rows,
            diagonals: self.diagonals,
            obstacles: inputs.obstacles(),
        })
    }
}
