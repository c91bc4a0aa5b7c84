//! Nulls, familywise p values and intervals of a whole map, put together.

use subspect_linalg::{Measured, Seed, Status};
use subspect_statistics::{Interval, IntervalMethod, Null, Tail, Verdict, max_t};

use super::cells::Cells;
use super::draws::PermutedSums;
use super::exact::{Traces, biased_moments, debiased_moments};
use super::inferred::Inferred;
use crate::Estimator;
use crate::KernelMoments;

/// Fewest inputs with a null and an interval.
pub(crate) const MIN_INPUTS: usize = 4;

/// How much is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InferenceOptions {
    /// Orders of the inputs to draw for p and quantiles; 0 leaves z, which needs none.
    pub n_permutations: usize,
    /// Resamples of the inputs for intervals; 0 leaves them out.
    pub n_resamples: usize,
    /// The chance at which intervals aim.
    pub level: f64,
    /// Stream of orders (`axis("permutation")`) and resamples (`axis("bootstrap")`).
    pub seed: Seed,
    /// Bound of the work for draws: entries of kernels that may be looked up, about 10⁹ per second and core. Fewer
    /// orders than wanted are drawn when they would take more; [`Null::n_permutations`] says how many were.
    pub max_lookups: f64,
}

impl InferenceOptions {
    /// 1,000 orders, 1,000 resamples at 95 %, at most 2·10¹⁰ lookups.
    pub fn new(seed: Seed) -> Self {
        Self { n_permutations: 1000, n_resamples: 1000, level: 0.95, seed, max_lookups: 2e10 }
    }

    /// Orders that the bound allows when one takes that many lookups.
    pub(crate) fn affordable(&self, lookups: f64) -> usize {
        if lookups <= 0.0 {
            return self.n_permutations;
        }
        ((self.max_lookups / lookups) as usize).min(self.n_permutations)
    }
}

/// The intervals of all pairs when none can have one: none wanted, or too few inputs or resamples.
pub(crate) fn no_intervals(
    cells: Cells,
    moments: &KernelMoments,
    options: &InferenceOptions,
    estimator: Inferred,
) -> Option<Vec<Interval>> {
    let status = if options.n_resamples == 0 {
        Status::NotExecuted
    } else if moments.n_inputs() < MIN_INPUTS || options.n_resamples == 1 {
        Status::NTooSmall
    } else {
        return None;
    };
    let method = IntervalMethod::InfluenceBootstrap;
    let none = |(l, m): (usize, usize)| {
        let status = moments.cka(l, m, estimator.into()).status().unwrap_or(status);
        Interval::undefined(status, options.level, method, options.n_resamples)
    };
    Some(cells.pairs().into_iter().map(none).collect())
}

/// One cell of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The similarity.
    pub value: Measured,
    /// Under random orders of the second layer's inputs. Mean, sd and z are exact over all orders; lo, hi and p come
    /// from draws, and p counts draws at least as large.
    pub null: Null,
    /// p for the whole map: the chance that any cell without similarity would come out as clear (step-down max-T).
    pub p_familywise: Measured,
    /// Over inputs.
    pub interval: Interval,
}

impl Cell {
    /// Whether the cell stands out from chance at `alpha`, the number of cells taken into account.
    pub fn verdict(&self, alpha: f64) -> Verdict {
        Verdict::of(self.p_familywise, alpha)
    }
}

/// A map of one estimator.
#[derive(Clone, Debug, PartialEq)]
pub struct InferenceMatrix {
    /// The estimator of all cells.
    pub estimator: Estimator,
    /// Rows of the map.
    pub n_rows: usize,
    /// Columns of the map.
    pub n_cols: usize,
    /// All cells, row by row. On the diagonal of a map of layers with themselves null and interval are
    /// `not_applicable`.
    pub cells: Vec<Cell>,
}

impl InferenceMatrix {
    /// The cell of row `l` and column `m`.
    ///
    /// # Panics
    /// When there is no such cell.
    pub fn cell(&self, l: usize, m: usize) -> &Cell {
        assert!(l < self.n_rows && m < self.n_cols, "cell ({l}, {m}) of {} x {}", self.n_rows, self.n_cols);
        &self.cells[l * self.n_cols + m]
    }
}

/// The maps of both estimators, from the same orders and resamples.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// With `tr(KHLH)`.
    pub biased: InferenceMatrix,
    /// With `HSIC_1`: read this one where inputs are few beside features.
    pub debiased: InferenceMatrix,
}

/// What nulls and p values of a map follow from.
pub(crate) struct Evidence<'a> {
    pub(crate) cells: Cells,
    pub(crate) moments: &'a KernelMoments,
    /// Of every kernel centred.
    pub(crate) traces: Vec<Traces>,
    /// `1ᵀ K 1` of every kernel as it was permuted, with and without its diagonal.
    pub(crate) totals: Vec<(f64, f64)>,
    /// Sums of the inputs' own order and of every drawn one, or nothing.
    pub(crate) draws: &'a [Vec<PermutedSums>],
    /// Norms of the permuted kernels: biased and debiased HSIC with themselves.
    pub(crate) norms: Vec<(f64, f64)>,
}

impl Evidence<'_> {
    /// The map of one estimator; `intervals` holds one interval per pair.
    pub(crate) fn matrix(&self, estimator: Inferred, intervals: &[Interval]) -> InferenceMatrix {
        let pairs = self.cells.pairs();
        let (mut nulls, mut standard, mut draws) = (Vec::new(), Vec::new(), Vec::new());
        for (c, &(l, m)) in pairs.iter().enumerate() {
            let (null, drawn) = self.null(c, l, m, estimator);
            nulls.push(null);
            standard.push(null.z);
            draws.push(drawn);
        }
        let familywise = max_t(&standard, &draws);
        let (n_rows, n_cols) = self.cells.shape();
        let mut cells = self.diagonal(estimator, n_rows, n_cols, intervals);
        for (c, &(l, m)) in pairs.iter().enumerate() {
            let value = self.moments.cka(l, m, estimator.into());
            let interval = intervals[c];
            let cell = Cell { value, null: nulls[c], p_familywise: familywise[c], interval };
            let (at, mirror) = self.cells.positions(l, m);
            cells[at] = cell;
            if let Some(mirror) = mirror {
                cells[mirror] = cell;
            }
        }
        InferenceMatrix { estimator: estimator.into(), n_rows, n_cols, cells }
    }

    /// A map of layers compared with themselves, before the pairs are filled in.
    fn diagonal(&self, estimator: Inferred, n_rows: usize, n_cols: usize, like: &[Interval]) -> Vec<Cell> {
        let n_kernels = self.moments.n_kernels();
        let none = Status::NotApplicable;
        (0..n_rows * n_cols)
            .map(|at| {
                let l = (at / n_cols).min(n_kernels.saturating_sub(1));
                let (level, n) = like.first().map_or((0.95, 0), |i| (i.level, i.n_resamples));
                Cell {
                    value: self.moments.cka(l, l, estimator.into()),
                    null: Null::undefined(0, none),
                    p_familywise: none.into(),
                    interval: Interval::undefined(none, level, IntervalMethod::InfluenceBootstrap, n),
                }
            })
            .collect()
    }

    /// The null of pair `c`, and its standardised draws.
    fn null(&self, c: usize, l: usize, m: usize, estimator: Inferred) -> (Null, Vec<f64>) {
        let n_drawn = self.draws.len().saturating_sub(1);
        let value = match self.moments.cka(l, m, estimator.into()) {
            Measured::Value(value) => value,
            Measured::Undefined(status) => return (Null::undefined(n_drawn, status), Vec::new()),
        };
        if self.moments.n_inputs() < MIN_INPUTS {
            return (Null::undefined(n_drawn, Status::NTooSmall), Vec::new());
        }
        let (mean, sd) = match estimator {
            Inferred::Biased => biased_moments(self.moments.n_inputs(), self.traces[l], self.traces[m]),
            Inferred::Debiased => debiased_moments(self.moments.n_inputs()),
        };
        let exact = Null::with_moments(value, Vec::new(), Tail::Upper, mean, sd);
        if n_drawn == 0 {
            return (exact, Vec::new());
        }
        let drawn: Vec<f64> =
            self.draws.iter().map(|sums| self.permuted(&sums[c], l, m, estimator)).collect();
        // Against the observed order summed like the draws, so that equal orders are equal numbers.
        let null = Null::with_moments(drawn[0], drawn[1..].to_vec(), Tail::Upper, mean, sd);
        let standard = match exact.z {
            Measured::Value(_) => drawn[1..].iter().map(|v| (v - mean) / sd).collect(),
            Measured::Undefined(_) => Vec::new(),
        };
        (Null { z: exact.z, ..null }, standard)
    }

    /// CKA of a permuted pair.
    fn permuted(&self, sums: &PermutedSums, l: usize, m: usize, estimator: Inferred) -> f64 {
        let n = self.moments.n_inputs() as f64;
        let ((s, off_s), (t, off_t)) = (self.totals[l], self.totals[m]);
        match estimator {
            Inferred::Biased => {
                let inner = sums.inner + sums.diagonals - 2.0 / n * sums.rows + s * t / (n * n);
                inner / ((n - 1.0) * (n - 1.0)) / (self.norms[l].0 * self.norms[m].0).sqrt()
            }
            Inferred::Debiased => {
                let inner =
                    sums.inner - 2.0 / (n - 2.0) * sums.off_rows + off_s * off_t / ((n - 1.0) * (n - 2.0));
                inner / (n * (n - 3.0)) / (self.norms[l].1 * self.norms[m].1).sqrt()
            }
        }
    }
}
