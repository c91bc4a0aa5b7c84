//! Inference for SSC-CKA: kernels are the affinity graphs of the layers.

use subspect_linalg::{Csr, Seed};
use subspect_statistics::Interval;

use super::cells::Cells;
use super::drawn::{CkaDraws, Drawing};
use super::draws::{PermutedSums, Vectors, lookups, permuted_sums};
use super::exact::Traces;
use super::inference::{Evidence, Inference, InferenceOptions, MIN_INPUTS, no_intervals};
use super::inferred::Inferred;
use super::influence::Centred;
use super::interval::{Influence, intervals, resamples, without_input};
use crate::Estimator;
use crate::{KernelMoments, Monitor, SimilarityError, ssc_moments};

/// Bytes of influences that are held at once.
const INFLUENCE_BYTES: usize = 256 << 20;

/// Null, familywise p and interval of SSC-CKA for every pair of graphs, in the current thread pool. The maps are
/// `L x L`.
///
/// # Errors
/// When the matrices are not square, not symmetric, or not of the same size, or the monitor, which watches the draws,
/// asks to stop.
pub fn ssc_cka_inference(
    graphs: &[&Csr],
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Inference, SimilarityError> {
    infer(graphs, Cells::within(graphs.len()), options, monitor)
}

/// The same for every graph of `rows` with every graph of `cols`: two networks, or two epochs, on the same inputs.
///
/// # Errors
/// As [`ssc_cka_inference`].
pub fn ssc_cka_inference_between(
    rows: &[&Csr],
    cols: &[&Csr],
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Inference, SimilarityError> {
    let graphs = [rows, cols].concat();
    infer(&graphs, Cells::between(rows.len(), graphs.len()), options, monitor)
}

/// Value and draws of SSC-CKA for every graph of `rows` with every graph of `cols`, row by row: biased, then debiased.
///
/// # Errors
/// As [`ssc_cka_inference`].
pub fn ssc_cka_draws(
    rows: &[&Csr],
    cols: &[&Csr],
    n_resamples: usize,
    seed: Seed,
) -> Result<[Vec<CkaDraws>; 2], SimilarityError> {
    let graphs = [rows, cols].concat();
    let cells = Cells::between(rows.len(), graphs.len());
    let moments = ssc_moments(&graphs)?;
    let vectors = Vectors::of(&graphs);
    let drawing = Drawing::new(&moments, n_resamples, seed);
    Ok(Inferred::ALL.map(|estimator| {
        drawing.of(cells, &moments, estimator, |finish| {
            of_influences(&graphs, cells, &vectors, &moments, estimator, finish)
        })
    }))
}

fn infer(
    graphs: &[&Csr],
    cells: Cells,
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Inference, SimilarityError> {
    let moments = ssc_moments(graphs)?;
    let vectors = Vectors::of(graphs);
    let draws = drawn(graphs, &vectors, cells, options, monitor)?;
    let evidence = evidence(cells, &moments, &vectors, &draws);
    let map = |estimator| {
        evidence.matrix(estimator, &all_intervals(graphs, cells, &vectors, &moments, options, estimator))
    };
    Ok(Inference { biased: map(Inferred::Biased), debiased: map(Inferred::Debiased) })
}

/// The sums of as many orders as wanted and affordable, or none for too few inputs.
pub(super) fn drawn(
    kernels: &[&Csr],
    vectors: &Vectors,
    cells: Cells,
    options: &InferenceOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<Vec<PermutedSums>>, SimilarityError> {
    let n_inputs = kernels.first().map_or(0, |k| k.n_rows());
    let n = options.affordable(lookups(kernels, cells));
    if n == 0 || n_inputs < MIN_INPUTS || cells.pairs().is_empty() {
        return Ok(Vec::new());
    }
    permuted_sums(kernels, vectors, cells, n, options.seed.axis("permutation"), monitor)
}

/// What the nulls follow from, when the kernels that were permuted are those of the moments.
pub(super) fn evidence<'a>(
    cells: Cells,
    moments: &'a KernelMoments,
    vectors: &Vectors,
    draws: &'a [Vec<PermutedSums>],
) -> Evidence<'a> {
    let n_kernels = moments.n_kernels();
    let own = |l: usize, e| moments.hsic(l, l, e).value().unwrap_or(0.0);
    let n = moments.n_inputs() as f64;
    Evidence {
        cells,
        moments,
        traces: (0..n_kernels)
            .map(|l| {
                let norm2 = own(l, Estimator::Biased) * (n - 1.0) * (n - 1.0);
                Traces::of(&vectors.diagonals[l], &vectors.rows[l], norm2)
            })
            .collect(),
        totals: (0..n_kernels)
            .map(|l| (vectors.rows[l].iter().sum(), vectors.off_rows[l].iter().sum()))
            .collect(),
        draws,
        norms: (0..n_kernels).map(|l| (own(l, Estimator::Biased), own(l, Estimator::Debiased))).collect(),
    }
}

/// The intervals of all pairs for one estimator.
fn all_intervals(
    graphs: &[&Csr],
    cells: Cells,
    vectors: &Vectors,
    moments: &KernelMoments,
    options: &InferenceOptions,
    estimator: Inferred,
) -> Vec<Interval> {
    if let Some(none) = no_intervals(cells, moments, options, estimator) {
        return none;
    }
    let weights = resamples(moments.n_inputs(), options.n_resamples, options.seed.axis("bootstrap"));
    let finish = |influences| intervals(influences, weights.as_ref(), options.level);
    of_influences(graphs, cells, vectors, moments, estimator, finish)
}

/// What `finish` makes of the influences of all pairs, a group of pairs at a time.
fn of_influences<T>(
    graphs: &[&Csr],
    cells: Cells,
    vectors: &Vectors,
    moments: &KernelMoments,
    estimator: Inferred,
    finish: impl Fn(Vec<Influence>) -> Vec<T>,
) -> Vec<T> {
    let (n, n_kernels, pairs) = (moments.n_inputs(), moments.n_kernels(), cells.pairs());
    let divisor = match estimator {
        Inferred::Biased => (n as f64 - 1.0).powi(2),
        Inferred::Debiased => n as f64 * (n as f64 - 3.0),
    };
    // A kernel whose similarity with itself is undefined has none with any other.
    let norm = |l: usize| {
        moments
            .cka(l, l, estimator.into())
            .value()
            .and(moments.hsic(l, l, estimator.into()).value())
            .map(|h| h * divisor)
    };
    let norms: Vec<Option<f64>> = (0..n_kernels).map(norm).collect();
    let centred = Centred::of(graphs, vectors, &norms, estimator);
    let value = |l: usize, m: usize| moments.cka(l.min(m), l.max(m), estimator.into());
    let values: Vec<f64> = (0..n_kernels * n_kernels)
        .map(|at| value(at / n_kernels, at % n_kernels).value().unwrap_or(0.0))
        .collect();
    let mut found = Vec::with_capacity(pairs.len());
    for group in pairs.chunks((INFLUENCE_BYTES / (8 * n.max(1))).max(1)) {
        let sums = centred.pair_sums(group, &values);
        let selves = &sums.inputs[group.len()..];
        let influences = group
            .iter()
            .enumerate()
            .map(|(c, &(l, m))| {
                let rho = values[l * n_kernels + m];
                let own = |i: usize| {
                    let of = |sum: f64, l, m| 2.0 * sum + centred.diagonal(l, m, i);
                    let (both, first) = (of(sums.inputs[c][i], l, m), of(selves[l][i], l, l));
                    without_input(rho, both, first, of(selves[m][i], m, m))
                };
                Influence {
                    value: value(l, m),
                    inputs: (0..n).map(own).collect(),
                    noise: 2.0 * sums.noise[l * n_kernels + m],
                }
            })
            .collect();
        found.extend(finish(influences));
    }
    found
}
