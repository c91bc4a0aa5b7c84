//! Inference for linear CKA and for CKA of any dense kernels.
//!
//! Values, exact z and intervals come from one pass over the Gram matrices ([`dense`](super::dense)), the same
//! arithmetic as the map itself plus five products per entry and pair. A permuted inner product of dense kernels costs
//! `N²/2` lookups per eight layers; orders are drawn as far as [`InferenceOptions::max_lookups`] goes, and only when
//! all kernels fit into the memory budget (`8 N²` bytes each).

use rayon::prelude::*;
use subspect_linalg::{Csr, CsrBuilder, MatRef, Matrix, Seed, Status, product_abt};
use subspect_statistics::Interval;

use super::cells::Cells;
use super::dense::{DenseKernels, DenseSums, TILE, dense_sums, sums_bytes, upper_at};
use super::drawn::{CkaDraws, Drawing};
use super::draws::Vectors;
use super::inference::{Inference, InferenceOptions, no_intervals};
use super::inferred::Inferred;
use super::interval::{Influence, intervals, resamples, without_input};
use super::sparse::{drawn, evidence};
use crate::kernel::{centre_both_sides, check_kernel};
use crate::moments::KernelSums;
use crate::panels::{Centred, FEATURES};
use crate::{KernelMoments, Monitor, SimilarityError};

/// Null, familywise p and interval of linear CKA for every pair of layers, in the current thread pool. The maps are
/// `L x L`.
///
/// `budget_bytes` bounds the sums of every input, 8 N (L² + L) bytes for both estimators, and apart from them the dense
/// kernels that draws need; without enough for these there are no draws, and z and intervals remain. The monitor
/// sees the Gram matrices and then the draws, each from 0 to 1.
///
/// # Errors
/// When the layers have different numbers of inputs, a value is not finite, the budget is below the sums, or the
/// monitor asks to stop.
pub fn linear_cka_inference(
    layers: &[MatRef<'_, f32>],
    budget_bytes: usize,
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Inference, SimilarityError> {
    let cells = Cells::within(layers.len());
    infer(&LinearKernels::new(layers, monitor)?, cells, budget_bytes, options, monitor)
}

/// The same for every layer of `rows` with every layer of `cols`: two networks, or two epochs, on the same inputs.
///
/// # Errors
/// As [`linear_cka_inference`].
pub fn linear_cka_inference_between(
    rows: &[MatRef<'_, f32>],
    cols: &[MatRef<'_, f32>],
    budget_bytes: usize,
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Inference, SimilarityError> {
    let layers = [rows, cols].concat();
    let cells = Cells::between(rows.len(), layers.len());
    infer(&LinearKernels::new(&layers, monitor)?, cells, budget_bytes, options, monitor)
}

/// Value and draws of linear CKA for every layer of `rows` with every layer of `cols`, row by row: biased, then
/// debiased. `budget_bytes` bounds the sums of every input.
///
/// # Errors
/// As [`linear_cka_inference`].
pub fn linear_cka_draws(
    rows: &[MatRef<'_, f32>],
    cols: &[MatRef<'_, f32>],
    budget_bytes: usize,
    n_resamples: usize,
    seed: Seed,
    monitor: &dyn Monitor,
) -> Result<[Vec<CkaDraws>; 2], SimilarityError> {
    let layers = [rows, cols].concat();
    let cells = Cells::between(rows.len(), layers.len());
    let kernels = LinearKernels::new(&layers, monitor)?;
    check_budget(&kernels, budget_bytes)?;
    let sums = dense_sums(&kernels, monitor)?;
    let moments = moments(&kernels, &sums[0]);
    let drawing = Drawing::new(&moments, n_resamples, seed);
    Ok([0, 1].map(|e| {
        let estimator = Inferred::ALL[e];
        drawing.of(cells, &moments, estimator, |finish| {
            of_influences(&kernels, &sums[e], cells, &moments, estimator, finish)
        })
    }))
}

/// The same for every pair of symmetric dense kernels, of any kind.
///
/// # Errors
/// When the kernels are not square, symmetric, finite and of the same size, or the monitor asks to stop.
pub fn kernel_cka_inference(
    kernels: &[MatRef<'_, f64>],
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Inference, SimilarityError> {
    for (index, &k) in kernels.iter().enumerate() {
        check_kernel(index, k, kernels[0].n_rows())?;
    }
    let centred = Kernels::new(kernels);
    infer(&centred, Cells::within(kernels.len()), usize::MAX, options, monitor)
}

fn check_budget<K: DenseKernels>(kernels: &K, found: usize) -> Result<(), SimilarityError> {
    let needed = sums_bytes(kernels.n_kernels(), kernels.n_inputs());
    if needed > found {
        return Err(SimilarityError::Budget { needed, found, n_layers: kernels.n_kernels() });
    }
    Ok(())
}

fn infer<K: DenseKernels + Obstacles>(
    kernels: &K,
    cells: Cells,
    budget_bytes: usize,
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Inference, SimilarityError> {
    check_budget(kernels, budget_bytes)?;
    let sums = dense_sums(kernels, monitor)?;
    let moments = moments(kernels, &sums[0]);
    let stored = stored(kernels, cells, budget_bytes, options);
    let views: Vec<&Csr> = stored.iter().collect();
    let vectors = Vectors::of(&views);
    let draws = if views.is_empty() { Vec::new() } else { drawn(&views, &vectors, cells, options, monitor)? };
    let zeros = vec![vec![0.0; kernels.n_inputs()]; kernels.n_kernels()];
    let exact = Vectors {
        off_rows: zeros.clone(),
        rows: zeros,
        diagonals: kernels.diagonals().to_vec(),
        with_diagonal: true,
    };
    let mut evidence = evidence(cells, &moments, &exact, &draws);
    if !stored.is_empty() {
        let sum = |v: &[f64]| v.iter().sum();
        evidence.totals = vectors.rows.iter().zip(&vectors.off_rows).map(|(a, o)| (sum(a), sum(o))).collect();
    }
    let [biased, debiased] = [0, 1].map(|e| {
        let estimator = Inferred::ALL[e];
        evidence.matrix(estimator, &all_intervals(kernels, &sums[e], cells, &moments, options, estimator))
    });
    Ok(Inference { biased, debiased })
}

/// The accounting of CKA from the sums over pairs; rows of centred kernels sum to 0.
fn moments<K: DenseKernels + Obstacles>(kernels: &K, sums: &DenseSums) -> KernelMoments {
    let (n, n_kernels) = (kernels.n_inputs(), kernels.n_kernels());
    let diagonals = kernels.diagonals();
    let mut inner = vec![0.0; n_kernels * n_kernels];
    for l in 0..n_kernels {
        for m in l..n_kernels {
            let off: f64 = sums.inputs[upper_at(n_kernels, l, m)].iter().sum();
            let on: f64 = diagonals[l].iter().zip(&diagonals[m]).map(|(a, b)| a * b).sum();
            inner[l * n_kernels + m] = off + on;
        }
    }
    KernelMoments::new(KernelSums {
        n,
        inner,
        rows: vec![vec![0.0; n]; n_kernels],
        diagonals: diagonals.to_vec(),
        obstacles: kernels.obstacles(),
    })
}

/// The kernels in float32 for draws, or none when they are not wanted or too many.
fn stored<K: DenseKernels>(
    kernels: &K,
    cells: Cells,
    budget_bytes: usize,
    options: &InferenceOptions,
) -> Vec<Csr> {
    let (n, n_kernels) = (kernels.n_inputs(), kernels.n_kernels());
    let bytes = n.saturating_mul(n).saturating_mul(8).saturating_mul(n_kernels);
    let lookups = cells.pairs().len() as f64 * (n as f64).powi(2) / 16.0;
    if bytes > budget_bytes || options.affordable(lookups) == 0 {
        return Vec::new();
    }
    (0..n_kernels).into_par_iter().map(|l| whole(kernels, l)).collect()
}

/// One kernel as a matrix that holds every entry.
fn whole<K: DenseKernels>(kernels: &K, l: usize) -> Csr {
    let n = kernels.n_inputs();
    let mut dense = Matrix::filled(0.0_f32, n, n);
    let mut tile = vec![0.0; TILE * TILE];
    for rows in (0..n).step_by(TILE).map(|s| (s, (s + TILE).min(n))) {
        for cols in (rows.0..n).step_by(TILE).map(|s| (s, (s + TILE).min(n))) {
            kernels.tile(l, rows, cols, &mut tile);
            for i in rows.0..rows.1 {
                for j in (cols.0..cols.1).filter(|&j| j >= i) {
                    let v = tile[(i - rows.0) * TILE + j - cols.0] as f32;
                    dense.row_mut(i)[j] = v;
                    dense.row_mut(j)[i] = v;
                }
            }
        }
    }
    let mut builder = CsrBuilder::new(n);
    let mut entries = Vec::with_capacity(n);
    for i in 0..n {
        entries.clear();
        entries.extend(dense.row(i).iter().enumerate().map(|(j, &v)| (j as u32, v)));
        builder.push_row(&mut entries);
    }
    builder.finish()
}

fn all_intervals<K: DenseKernels>(
    kernels: &K,
    sums: &DenseSums,
    cells: Cells,
    moments: &KernelMoments,
    options: &InferenceOptions,
    estimator: Inferred,
) -> Vec<Interval> {
    if let Some(none) = no_intervals(cells, moments, options, estimator) {
        return none;
    }
    let weights = resamples(kernels.n_inputs(), options.n_resamples, options.seed.axis("bootstrap"));
    let finish = |influences| intervals(influences, weights.as_ref(), options.level);
    of_influences(kernels, sums, cells, moments, estimator, finish)
}

/// What `finish` makes of the influences of all pairs, a group of pairs at a time.
fn of_influences<K: DenseKernels, T>(
    kernels: &K,
    sums: &DenseSums,
    cells: Cells,
    moments: &KernelMoments,
    estimator: Inferred,
    finish: impl Fn(Vec<Influence>) -> Vec<T>,
) -> Vec<T> {
    let (n, n_kernels, pairs) = (kernels.n_inputs(), kernels.n_kernels(), cells.pairs());
    let with_diagonal = estimator == Inferred::Biased;
    let product = |l: usize, m: usize, i: usize| {
        let d = kernels.diagonals();
        if with_diagonal { d[l][i] * d[m][i] } else { 0.0 }
    };
    let scale: Vec<f64> = (0..n_kernels)
        .map(|l| {
            let pairs: f64 = sums.inputs[upper_at(n_kernels, l, l)].iter().sum();
            let diagonal: f64 = (0..n).map(|i| product(l, l, i)).sum();
            1.0 / (pairs + diagonal).sqrt()
        })
        .collect();
    let influence = |&(l, m): &(usize, usize)| {
        let value = moments.cka(l, m, estimator.into());
        let rho = value.value().unwrap_or(0.0);
        let (own, other, both) =
            (upper_at(n_kernels, l, l), upper_at(n_kernels, m, m), upper_at(n_kernels, l, m));
        let (k, q) = (scale[l], scale[m]);
        let input = |i: usize| {
            let of = |at: usize, l, m| 2.0 * sums.inputs[at][i] + product(l, m, i);
            without_input(rho, k * q * of(both, l, m), k * k * of(own, l, l), q * q * of(other, m, m))
        };
        let [s22, s31, s13] = sums.fourth[both];
        let (s22, s31, s13) = (k * k * q * q * s22, k * k * k * q * s31, k * q * q * q * s13);
        let (s40, s04) = (k.powi(4) * sums.fourth[own][0], q.powi(4) * sums.fourth[other][0]);
        let noise = s22 - rho * (s31 + s13) + 0.25 * rho * rho * (s40 + 2.0 * s22 + s04);
        Influence { value, inputs: (0..n).map(input).collect(), noise: 2.0 * noise }
    };
    // A few hundred cells at a time: each holds its influences.
    pairs.chunks(256).flat_map(|chunk| finish(chunk.par_iter().map(influence).collect())).collect()
}

/// Kernels that are known to be useless, and why.
trait Obstacles {
    fn obstacles(&self) -> Vec<Option<Status>>;
}

/// `X Xᵀ` of activations with centred columns, formed tile by tile.
struct LinearKernels<'a> {
    inputs: Centred<'a>,
    diagonals: Vec<Vec<f64>>,
}

impl<'a> LinearKernels<'a> {
    fn new(layers: &'a [MatRef<'a, f32>], monitor: &dyn Monitor) -> Result<Self, SimilarityError> {
        let inputs = Centred::new(layers, monitor)?;
        let squares = |l: usize, i: usize, row: &mut Vec<f64>| -> f64 {
            inputs.centerings[l].apply_f64(layers[l].row(i), row);
            row.iter().map(|v| v * v).sum()
        };
        let diagonals = (0..layers.len())
            .map(|l| {
                let row = || vec![0.0; layers[l].n_cols()];
                (0..inputs.n).into_par_iter().map_init(row, |row, i| squares(l, i, row)).collect()
            })
            .collect();
        Ok(Self { inputs, diagonals })
    }
}

impl DenseKernels for LinearKernels<'_> {
    fn n_inputs(&self) -> usize {
        self.inputs.n
    }

    fn n_kernels(&self) -> usize {
        self.inputs.layers.len()
    }

    fn diagonals(&self) -> &[Vec<f64>] {
        &self.diagonals
    }

    fn tile(&self, l: usize, rows: (usize, usize), cols: (usize, usize), out: &mut [f64]) {
        let (height, width) = (rows.1 - rows.0, cols.1 - cols.0);
        let n_features = self.inputs.layers[l].n_cols();
        let mut part = vec![0.0_f32; height * width];
        out.fill(0.0);
        for from in (0..n_features).step_by(FEATURES) {
            let features = (from, (from + FEATURES).min(n_features));
            let a = self.inputs.panel(l, rows, features);
            let b = (rows != cols).then(|| self.inputs.panel(l, cols, features));
            product_abt(a.as_ref(), b.as_ref().unwrap_or(&a).as_ref(), &mut part);
            for (out, part) in out.chunks_exact_mut(TILE).zip(part.chunks_exact(width)) {
                out.iter_mut().zip(part).for_each(|(sum, &v)| *sum += f64::from(v));
            }
        }
    }
}

impl Obstacles for LinearKernels<'_> {
    fn obstacles(&self) -> Vec<Option<Status>> {
        self.inputs.obstacles()
    }
}

/// Kernels that are given whole.
struct Kernels {
    kernels: Vec<Matrix<f64>>,
    diagonals: Vec<Vec<f64>>,
}

impl Kernels {
    fn new(kernels: &[MatRef<'_, f64>]) -> Self {
        let kernels: Vec<Matrix<f64>> = kernels.iter().map(|&k| centre_both_sides(k).0).collect();
        let diagonals = kernels.iter().map(|k| (0..k.n_rows()).map(|i| k.row(i)[i]).collect()).collect();
        Self { kernels, diagonals }
    }
}

impl DenseKernels for Kernels {
    fn n_inputs(&self) -> usize {
        self.kernels.first().map_or(0, Matrix::n_rows)
    }

    fn n_kernels(&self) -> usize {
        self.kernels.len()
    }

    fn diagonals(&self) -> &[Vec<f64>] {
        &self.diagonals
    }

    fn tile(&self, l: usize, rows: (usize, usize), cols: (usize, usize), out: &mut [f64]) {
        out.fill(0.0);
        for (out, i) in out.chunks_exact_mut(TILE).zip(rows.0..rows.1) {
            out[..cols.1 - cols.0].copy_from_slice(&self.kernels[l].row(i)[cols.0..cols.1]);
        }
    }
}

impl Obstacles for Kernels {
    fn obstacles(&self) -> Vec<Option<Status>> {
        vec![None; self.kernels.len()]
    }
}
