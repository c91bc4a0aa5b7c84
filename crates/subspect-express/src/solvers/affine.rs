//! Exact lasso and elastic net whose coefficients sum to one (`affine`): every input as an affine combination.
//!
//! `min_c 1/2 ||x̂_i - X̂ᵀ c||² + λ1 ||c||_1 + λ2/2 ||c||²`, `c_i = 0`, `1ᵀ c = 1`; for data in affine instead of linear
//! subspaces: Elhamifar & Vidal, TPAMI 2013, section 4.2. Inputs that are zero neither express nor are expressed.
//!
//! With a multiplier `ν` of the sum, the optimality conditions are those of the plain problem for `g_j + ν` instead of
//! `g_j`. The restricted problem of a working set is solved by the method of multipliers: with `ρ` the restricted
//! problem of [`super::active_set`] for `Q + ρ 11ᵀ` and `b + (ν + ρ) 1`, exact, then `ν += ρ (1 - 1ᵀ c)`; with
//! `ρ = 100 ||x̂||²` the error of the sum falls by a hundred each time, and every step takes float64 gradients.
//! Working sets, scans and the float64 decision are as in [`super::lasso`]; the duality gap is that of
//! [`crate::certificate::AffineFacts`].
//!
//! `alpha_ratio` is a share of the plain problem's `alpha_max`; at 1 coefficients are not zero here, because they
//! must sum to one.

use subspect_linalg::Dictionary;

use super::active_set::{Restricted, Weights};
use super::correlations::{Query, for_each_above, scan, scan_error, strongest};
use super::exact_row::{ExactRow, exact_alpha_max};
use super::quadratic::{AtomEntries, Entries};
use crate::certificate::{AffineFacts, on_support};
use crate::panel::{Row, for_each_panel};
use crate::target::{Target, Targets, longest};
use crate::{Alpha, Certificate, ExpressError, Monitor, ParameterInfo, Solution, SolveOptions, SolveStatus};

/// Whether coefficients must sum to one, for every method that can.
pub(crate) const AFFINE: ParameterInfo = ParameterInfo {
    name: "affine",
    default: Some(0.0),
    min: 0.0,
    max: 1.0,
    open_min: false,
    integer: true,
    summary: "coefficients of a row must sum to 1",
};

/// Atoms of the first working set, and the least number let in per round.
const FIRST_ATOMS: usize = 40;
/// `ρ` over the longest atom's squared length.
const PENALTY: f64 = 100.0;
/// Steps of the multiplier while atoms are still being let in, and when a row is settled.
const ROUGH_STEPS: usize = 2;
const MOST_STEPS: usize = 20;
/// Largest error of the sum of a converged row.
pub(crate) const SUM_TOLERANCE: f64 = 1e-12;

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    alpha: Alpha,
    l1_ratio: f64,
    positive: bool,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let n = dictionary.n_atoms();
    let norm = longest(dictionary, targets);
    let zeros = (0..n).filter(|&j| dictionary.squared_norm(j) == 0.0).collect();
    let setup = Setup { dictionary, alpha, l1_ratio, positive, options: *options, norm, zeros };
    for_each_panel(dictionary, targets, monitor, |rows| {
        let mut scanned = Vec::new();
        let targets = targets.panel(dictionary, rows, &mut scanned);
        let starts = targets.into_iter().zip(scanned.chunks_exact_mut(n.max(1)));
        let mut states: Vec<_> =
            starts.map(|(t, correlations)| RowState::new(&setup, t, correlations)).collect();
        run(&setup, &mut states, &mut scanned);
        states.into_iter().map(RowState::finish).collect()
    })
}

/// What all rows share.
struct Setup<'d, 'a> {
    dictionary: &'d Dictionary<'a>,
    alpha: Alpha,
    l1_ratio: f64,
    positive: bool,
    options: SolveOptions,
    /// Longest atom or target.
    norm: f64,
    /// Atoms that are zero.
    zeros: Vec<usize>,
}

/// Rounds until every row of the panel has an outcome.
fn run(setup: &Setup<'_, '_>, states: &mut [RowState<'_, '_, '_, '_>], scanned: &mut Vec<f32>) {
    loop {
        let mut active: Vec<_> = states.iter_mut().filter(|s| s.outcome.is_none()).collect();
        if active.is_empty() {
            return;
        }
        active.iter_mut().for_each(|state| state.solve());
        let present: Vec<_> = active.iter().map(|s| s.restricted.nonzero()).collect();
        let queries: Vec<Query<'_, '_, '_, '_>> = active
            .iter()
            .zip(&present)
            .map(|(s, (atoms, weights))| Query { target: &s.target, atoms, weights })
            .collect();
        scan(setup.dictionary, &queries, scanned);
        for (state, correlations) in
            active.iter_mut().zip(scanned.chunks_exact_mut(setup.dictionary.n_atoms()))
        {
            state.inspect(correlations);
        }
    }
}

/// `Q + ρ 11ᵀ`.
#[derive(Clone, Copy)]
struct PenalisedEntries<'d, 'a> {
    atoms: AtomEntries<'d, 'a>,
    /// `ρ`.
    penalty: f64,
}

impl Entries for PenalisedEntries<'_, '_> {
    fn fill(&self, j: u32, columns: &[u32], out: &mut [f64]) {
        self.atoms.fill(j, columns, out);
        out.iter_mut().for_each(|q| *q += self.penalty);
    }

    fn diagonal(&self, j: u32) -> f64 {
        self.penalty + self.atoms.diagonal(j)
    }

    fn costly(&self) -> bool {
        self.atoms.costly()
    }
}

/// One row under way.
struct RowState<'s, 'd, 'a, 't> {
    setup: &'s Setup<'d, 'a>,
    target: Target<'d, 'a, 't>,
    weights: Weights,
    restricted: Restricted,
    exact_entries: bool,
    /// `ρ`.
    penalty: f64,
    /// `ν` in the restricted problem's right-hand side.
    multiplier: f64,
    n_iter: u32,
    outcome: Option<Certificate>,
}

impl<'s, 'd, 'a, 't> RowState<'s, 'd, 'a, 't> {
    fn new(setup: &'s Setup<'d, 'a>, target: Target<'d, 'a, 't>, correlations: &mut [f32]) -> Self {
        target.mask(correlations);
        let alpha = match setup.alpha {
            Alpha::Absolute(alpha) => alpha,
            Alpha::Ratio(ratio) => {
                if setup.positive {
                    correlations.iter_mut().for_each(|c| *c = c.max(0.0));
                }
                ratio * exact_alpha_max(&target, setup.norm, setup.positive, correlations) / setup.l1_ratio
            }
        };
        let weights = Weights {
            l1: alpha * setup.l1_ratio,
            l2: alpha * (1.0 - setup.l1_ratio),
            positive: setup.positive,
        };
        let squared_norm = target.squared_norm();
        let excluded = target.excluded().filter(|&i| setup.dictionary.squared_norm(i) > 0.0);
        let usable = setup.dictionary.n_atoms() - setup.zeros.len() - usize::from(excluded.is_some());
        let trivial = squared_norm == 0.0 || usable == 0 || weights.l1 == 0.0;
        let exact_entries = setup.dictionary.exact_gram().is_some();
        let mut state = Self {
            setup,
            target,
            weights,
            restricted: Restricted::new(weights, pivot_noise(exact_entries)),
            exact_entries,
            penalty: PENALTY * setup.norm * setup.norm,
            multiplier: 0.0,
            n_iter: 0,
            outcome: trivial.then(|| Certificate::trivial(squared_norm)),
        };
        if !trivial {
            // Atoms without a correlation may be all there is.
            correlations.iter_mut().for_each(|c| *c += 2.0 * f32::MIN_POSITIVE);
            state.mask(correlations);
            let first = strongest(correlations, 0.0, FIRST_ATOMS);
            state.admit(&first);
        }
        state
    }

    /// Takes out of a row of correlations what must not enter.
    fn mask(&self, correlations: &mut [f32]) {
        self.target.mask(correlations);
        for &j in &self.setup.zeros {
            correlations[j] = 0.0;
        }
        for &j in self.restricted.atoms() {
            correlations[j as usize] = 0.0;
        }
    }

    fn entries(&self) -> PenalisedEntries<'d, 'a> {
        let atoms = AtomEntries { dictionary: self.setup.dictionary, exact: self.exact_entries };
        PenalisedEntries { atoms, penalty: self.penalty }
    }

    fn admit(&mut self, atoms: &[u32]) {
        let (target, exact) = (&self.target, self.exact_entries);
        let shift = self.multiplier + self.penalty;
        let linear = |j: usize| shift + if exact { target.exact_atom_entry(j) } else { target.atom_entry(j) };
        self.restricted.extend(atoms, &self.entries(), linear);
    }

    /// The restricted problem, well enough to see which atoms are missing.
    fn solve(&mut self) {
        let entries = self.entries();
        self.restricted.solve(&entries);
        self.n_iter += 1;
        let mut exact = ExactRow::new(&self.target);
        let enough = (1e-3, f64::INFINITY);
        let (restricted, multiplier) = (&mut self.restricted, &mut self.multiplier);
        balance(restricted, &entries, self.weights, multiplier, &mut exact, ROUGH_STEPS, enough);
    }

    /// Most atoms let in at once.
    fn room(&self) -> usize {
        FIRST_ATOMS.max(self.restricted.coefficients().iter().filter(|c| **c != 0.0).count())
    }

    /// Looks at a scan: lets violating atoms in, or settles the row in float64.
    fn inspect(&mut self, correlations: &mut [f32]) {
        let shift = self.multiplier as f32;
        correlations.iter_mut().for_each(|c| *c += shift);
        self.mask(correlations);
        if self.setup.positive {
            correlations.iter_mut().for_each(|c| *c = c.max(0.0));
        }
        let threshold = (self.weights.l1 * (1.0 + 0.1 * self.setup.options.tol)) as f32;
        let violating = strongest(correlations, threshold, self.room());
        let last = self.n_iter as usize >= self.setup.options.max_iter;
        if violating.is_empty() || last {
            self.settle(correlations, last);
        } else {
            self.admit(&violating);
        }
    }

    /// The float64 check. Leaves an outcome, or a larger working set for another round.
    fn settle(&mut self, correlations: &[f32], last: bool) {
        let mut exact = ExactRow::new(&self.target);
        let before = (self.restricted.coefficients().to_vec(), self.multiplier);
        let entries = self.entries();
        let enough = (SUM_TOLERANCE, 0.01 * self.setup.options.tol * self.weights.l1);
        let (restricted, multiplier) = (&mut self.restricted, &mut self.multiplier);
        let gradients =
            balance(restricted, &entries, self.weights, multiplier, &mut exact, MOST_STEPS, enough);
        let mut facts = self.facts(&exact, &gradients);
        // Atoms outside the working set that float32 cannot place: at either end of the range, or beyond the threshold.
        let values = self.restricted.coefficients();
        let moved: f64 = before.0.iter().zip(values).map(|(a, b)| (a - b).abs()).sum();
        let norm = self.setup.norm;
        let error = scan_error(&self.target, norm, values.len(), facts.l1)
            + moved * norm * norm
            + (before.1 - self.multiplier).abs()
            + f64::from(f32::EPSILON) * self.multiplier.abs();
        let mut outside: Vec<(f64, u32)> = Vec::new();
        let multiplier = self.multiplier;
        let ends = (facts.least + multiplier, facts.most + multiplier);
        let ends =
            correlations.iter().fold(ends, |(low, high), &v| (low.min(f64::from(v)), high.max(f64::from(v))));
        let (low, high) = (ends.0 + 2.0 * error, ends.1 - 2.0 * error);
        let nearest = self.weights.l1.min(high).min(-low) - error;
        for_each_above(correlations, nearest.max(f64::from(f32::MIN_POSITIVE)) as f32, |j, v| {
            let v = f64::from(v);
            if v.abs() < self.weights.l1 - error && v > low && v < high {
                return;
            }
            // Of the elastic net, too: these have no coefficient.
            let g = exact.correlation(j);
            (facts.least, facts.most) = (facts.least.min(g), facts.most.max(g));
            let pull = self.weights.pull(g + multiplier);
            if pull > self.weights.l1 {
                outside.push((pull, j as u32));
            }
        });
        let certificate = facts.certificate(&self.weights, self.setup.options.tol, self.n_iter);
        let converged = certificate.status == SolveStatus::Converged;
        if !converged && !last && !outside.is_empty() {
            outside.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            outside.truncate(FIRST_ATOMS);
            let new: Vec<u32> = outside.into_iter().map(|o| o.1).collect();
            self.admit(&new);
        } else if !converged && !last && !self.exact_entries {
            self.promote();
        } else {
            self.outcome = Some(certificate);
        }
    }

    /// Restates the restricted problem with float64 Gram entries.
    fn promote(&mut self) {
        let atoms = self.restricted.atoms().to_vec();
        self.exact_entries = true;
        self.restricted = Restricted::new(self.weights, pivot_noise(true));
        self.admit(&atoms);
    }

    /// Float64 facts of the working set's solution; `gradients` are its `g_j`.
    fn facts(&self, exact: &ExactRow<'_, '_, '_, '_>, gradients: &[f64]) -> AffineFacts {
        let (values, ridge) = (self.restricted.coefficients(), self.weights.l2);
        let pairs = || gradients.iter().zip(values).map(|(&g, &c)| (g, c));
        let fit: f64 = pairs().map(|(g, c)| (g + ridge * c) * c).sum();
        let (target_dot_residual, residual_squared) = exact.target_dot_and_square(fit);
        AffineFacts {
            residual_squared,
            target_dot_residual,
            sum: values.iter().sum(),
            l1: values.iter().map(|c| c.abs()).sum(),
            squares: values.iter().map(|c| c * c).sum(),
            least: pairs().map(|(g, _)| g).fold(f64::INFINITY, f64::min),
            most: pairs().map(|(g, _)| g).fold(f64::NEG_INFINITY, f64::max),
            on_support: on_support(pairs(), self.weights.l1),
        }
    }

    fn finish(self) -> Row {
        let (atoms, weights) = self.restricted.nonzero();
        let certificate = self.outcome.unwrap_or(Certificate::trivial(self.target.squared_norm()));
        Row { entries: atoms.into_iter().zip(weights).collect(), certificate }
    }
}

/// Steps of the method of multipliers with float64 gradients, until the sum and the support are within `enough` or
/// `steps` are done. Returns `g_j = x̂_j · r - λ2 c_j` of the working set at the final coefficients.
fn balance(
    restricted: &mut Restricted,
    entries: &PenalisedEntries<'_, '_>,
    weights: Weights,
    multiplier: &mut f64,
    exact: &mut ExactRow<'_, '_, '_, '_>,
    steps: usize,
    enough: (f64, f64),
) -> Vec<f64> {
    let penalty = entries.penalty;
    for step in 0.. {
        let (atoms, values) = restricted.nonzero();
        exact.set(&atoms, &values);
        let missing = 1.0 - restricted.coefficients().iter().sum::<f64>();
        *multiplier += penalty * missing;
        let raw: Vec<f64> = restricted.atoms().iter().map(|&j| exact.correlation(j as usize)).collect();
        let shifted = |more: f64| raw.iter().map(|g| Some(g + *multiplier + more)).collect::<Vec<_>>();
        let met = missing.abs() <= enough.0 && restricted.violation(&shifted(0.0)) <= enough.1;
        // Also the last time: right-hand sides of atoms that are let in later hold the new multiplier.
        let augmented = shifted(penalty * missing);
        restricted.correct(&augmented);
        if met || step == steps {
            let values = restricted.coefficients();
            return raw.iter().zip(values).map(|(g, c)| g - weights.l2 * c).collect();
        }
        restricted.refine(entries);
    }
    Vec::new()
}

/// The share of its diagonal below which a squared pivot is noise: of the Gram entries, or of a factor of entries that
/// are [`PENALTY`] larger.
fn pivot_noise(exact_entries: bool) -> f64 {
    if exact_entries { 1e-14 } else { 2e-6 / (1.0 + PENALTY) }
}
