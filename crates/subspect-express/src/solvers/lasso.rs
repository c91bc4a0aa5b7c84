//! Exact lasso and elastic-net self-expression with a working set per row.
//!
//! `min_c 1/2 ||x̂_i - X̂ᵀ c||² + λ1 ||c||_1 + λ2/2 ||c||²`, `c_i = 0`; `λ1 = alpha l1_ratio`,
//! `λ2 = alpha (1 - l1_ratio)`. Elhamifar & Vidal, TPAMI 2013 (lasso); You, Li, Robinson, Vidal, CVPR 2016 (elastic
//! net, whose oracle region is the rule by which atoms enter here: those with `|g_j| > λ1`).
//!
//! With `positive`, `c >= 0` as well: atoms enter where `g_j > λ1`, and `alpha_max` is the largest positive
//! correlation.
//!
//! A round solves the restricted problem exactly (see `active_set`), scans all atoms in float32, and lets the
//! violating ones in. When no atom violates, everything is recomputed in float64: the gradient on the support
//! (followed by a defect correction of the restricted problem) and every atom that float32 cannot exclude. Only
//! that decides whether the row has converged.

use std::ops::Range;

use subspect_linalg::{Dictionary, Measured};

use super::active_set::{Restricted, Weights};
use super::affine::AFFINE;
use super::correlations::{Query, for_each_above, max_abs, nearest, scan, scan_error, strongest};
use super::exact_row::ExactRow;
use crate::certificate::RowFacts;
use crate::panel::{Row, for_each_panel};
use crate::target::{Target, Targets, longest};
use crate::{
    Alpha, Certificate, ExpressError, MethodInfo, Monitor, ParameterInfo, Solution, SolveOptions, SolveStatus,
};

pub(crate) const ALPHA_RATIO: ParameterInfo = ParameterInfo {
    name: "alpha_ratio",
    default: Some(0.1),
    min: 0.0,
    max: 1.0,
    open_min: true,
    integer: false,
    summary: "alpha as a share of the row's alpha_max, above which nothing is selected",
};

pub(crate) const ALPHA: ParameterInfo = ParameterInfo {
    name: "alpha",
    default: None,
    min: 0.0,
    max: f64::INFINITY,
    open_min: true,
    integer: false,
    summary: "the same alpha for every row, instead of alpha_ratio",
};

/// Whether coefficients must not be negative, for every method that can.
pub(crate) const POSITIVE: ParameterInfo = ParameterInfo {
    name: "positive",
    default: Some(0.0),
    min: 0.0,
    max: 1.0,
    open_min: false,
    integer: true,
    summary: "coefficients must not be negative",
};

pub(crate) static LASSO: MethodInfo = MethodInfo {
    name: "lasso",
    summary: "sparse self-expression (SSC-BP), exact, with a duality gap per row",
    reference: "Elhamifar & Vidal, TPAMI 2013, arXiv 1203.1005",
    certified: true,
    dense: false,
    parameters: &[ALPHA_RATIO, ALPHA, POSITIVE, AFFINE],
};

pub(crate) static ELASTIC_NET: MethodInfo = MethodInfo {
    name: "elastic_net",
    summary: "elastic-net self-expression (EnSC), exact, with a duality gap per row",
    reference: "You, Li, Robinson, Vidal, CVPR 2016, arXiv 1605.02633",
    certified: true,
    dense: false,
    parameters: &[
        ALPHA_RATIO,
        ALPHA,
        ParameterInfo {
            name: "l1_ratio",
            default: Some(0.9),
            min: 0.0,
            max: 1.0,
            open_min: true,
            integer: false,
            summary: "share of the l1 part of the penalty; 1 is the lasso",
        },
        POSITIVE,
        AFFINE,
    ],
};

/// Atoms of the first working set, and the least number let in per round.
const FIRST_ATOMS: usize = 40;
/// Rounds of defect correction before the exact check.
const CORRECTIONS: usize = 4;

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    alpha: Alpha,
    l1_ratio: f64,
    positive: bool,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let grid = [alpha];
    let setup = Setup::new(dictionary, targets, &grid, l1_ratio, positive, options);
    for_each_panel(dictionary, targets, monitor, |rows| {
        setup.solve_panel(rows).into_iter().flatten().collect()
    })
}

/// What all rows share.
pub(crate) struct Setup<'d, 'a, 't> {
    dictionary: &'d Dictionary<'a>,
    targets: Targets<'t>,
    /// The weights that every row runs through, each from the answer to the one before.
    grid: &'t [Alpha],
    l1_ratio: f64,
    positive: bool,
    options: SolveOptions,
    /// Longest atom.
    norm: f64,
    /// How many of a row's nearest atoms may be used, where not all may.
    confined: Option<usize>,
}

impl<'d, 'a, 't> Setup<'d, 'a, 't> {
    /// The exact problem at every alpha of `grid`, best in descending order.
    pub(crate) fn new(
        dictionary: &'d Dictionary<'a>,
        targets: Targets<'t>,
        grid: &'t [Alpha],
        l1_ratio: f64,
        positive: bool,
        options: &SolveOptions,
    ) -> Self {
        let norm = longest(dictionary, targets);
        let (options, confined) = (*options, None);
        Self { dictionary, targets, grid, l1_ratio, positive, options, norm, confined }
    }

    /// Not the exact problem: only the `n` nearest atoms of a row may be used. Certificates stay those of the exact
    /// one. For a grid of one point.
    pub(crate) fn confined_to(self, n: usize) -> Self {
        Self { confined: Some(n), ..self }
    }

    /// With positive coefficients an atom of negative correlation never enters.
    fn keep_admissible(&self, correlations: &mut [f32]) {
        if self.positive {
            correlations.iter_mut().for_each(|c| *c = c.max(0.0));
        }
    }

    /// For every row of a panel, its answer at every point of the grid.
    pub(crate) fn solve_panel(&self, rows: Range<usize>) -> Vec<Vec<Row>> {
        let n = self.dictionary.n_atoms();
        let mut scanned = Vec::new();
        let targets = self.targets.panel(self.dictionary, rows, &mut scanned);
        let mut states: Vec<RowState<'_, 'd, 'a, 't>> = targets
            .into_iter()
            .zip(scanned.chunks_exact_mut(n.max(1)))
            .map(|(target, correlations)| RowState::start(self, target, correlations))
            .collect();
        match self.dictionary.gram() {
            // One row at a time: its scan stays in cache.
            Some(_) => states.iter_mut().for_each(|s| run(self, std::slice::from_mut(s), &mut scanned)),
            None => run(self, &mut states, &mut scanned),
        }
        states.into_iter().map(|s| s.done).collect()
    }
}

/// Rounds until every row of the group is through the grid.
fn run(setup: &Setup<'_, '_, '_>, states: &mut [RowState<'_, '_, '_, '_>], scanned: &mut Vec<f32>) {
    let n = setup.dictionary.n_atoms();
    loop {
        let mut active: Vec<_> = states.iter_mut().filter(|s| !s.is_done()).collect();
        if active.is_empty() {
            return;
        }
        for state in &mut active {
            state.restricted.solve();
            state.n_iter += 1;
        }
        let present: Vec<_> = active.iter().map(|s| s.restricted.nonzero()).collect();
        let queries: Vec<Query<'_, '_, '_, '_>> = active
            .iter()
            .zip(&present)
            .map(|(s, (atoms, weights))| Query { target: &s.target, atoms, weights })
            .collect();
        scan(setup.dictionary, &queries, scanned);
        for (state, correlations) in active.iter_mut().zip(scanned.chunks_exact_mut(n)) {
            state.inspect(correlations);
            state.record(correlations);
        }
    }
}

/// One row under way.
struct RowState<'s, 'd, 'a, 't> {
    setup: &'s Setup<'d, 'a, 't>,
    target: Target<'d, 'a, 't>,
    alpha_max: f64,
    weights: Weights,
    restricted: Restricted,
    /// Whether the restricted problem's Gram entries are float64.
    exact_entries: bool,
    n_iter: u32,
    outcome: Option<Certificate>,
    /// Answers at the first points of the grid.
    done: Vec<Row>,
}

impl<'s, 'd, 'a, 't> RowState<'s, 'd, 'a, 't> {
    /// Takes up the first point of the grid from the correlations at zero.
    fn start(setup: &'s Setup<'d, 'a, 't>, target: Target<'d, 'a, 't>, correlations: &mut [f32]) -> Self {
        let candidates = setup.confined.map(|n| nearest(&target, correlations, setup.positive, n));
        target.mask(correlations);
        setup.keep_admissible(correlations);
        let alpha_max = exact_alpha_max(setup, &target, correlations) / setup.l1_ratio;
        let weights = Weights { l1: 0.0, l2: 0.0, positive: setup.positive };
        let exact_entries = setup.dictionary.exact_gram().is_some();
        let mut state = Self {
            setup,
            target,
            alpha_max,
            weights,
            restricted: Restricted::new(weights, pivot_noise(exact_entries)),
            exact_entries,
            n_iter: 0,
            outcome: None,
            done: Vec::with_capacity(setup.grid.len()),
        };
        state.take_up(correlations, candidates.as_deref());
        state
    }

    /// Whether the row is through the grid.
    fn is_done(&self) -> bool {
        self.done.len() == self.setup.grid.len()
    }

    /// Takes up the next point of the grid at which zero is not the answer: new weights, and the working set and the
    /// coefficients of the point before, with the atoms that the new weights let in.
    fn take_up(&mut self, correlations: &[f32], candidates: Option<&[u32]>) {
        let squared_norm = self.target.squared_norm();
        while let Some(&alpha) = self.setup.grid.get(self.done.len()) {
            let alpha = match alpha {
                Alpha::Absolute(alpha) => alpha,
                Alpha::Ratio(ratio) => ratio * self.alpha_max,
            };
            if squared_norm == 0.0 || self.alpha_max == 0.0 || alpha >= self.alpha_max {
                let certificate = Certificate::trivial(squared_norm);
                self.done.push(Row { entries: Vec::new(), certificate });
                continue;
            }
            self.weights.l1 = alpha * self.setup.l1_ratio;
            self.weights.l2 = alpha * (1.0 - self.setup.l1_ratio);
            self.restricted.reweigh(self.weights);
            self.n_iter = 0;
            if let Some(candidates) = candidates {
                self.admit(candidates);
            } else if self.restricted.atoms().is_empty() {
                self.admit(&strongest(correlations, 0.0, FIRST_ATOMS));
            } else {
                // Gram entries of atoms that turn out not to be needed cost more than another round.
                let few = self.room() / 4;
                self.admit(&strongest(correlations, self.weights.l1 as f32, few));
            }
            return;
        }
    }

    /// Keeps the outcome, if there is one, and goes on to the next point of the grid.
    fn record(&mut self, correlations: &[f32]) {
        if let Some(certificate) = self.outcome.take() {
            let (atoms, weights) = self.restricted.nonzero();
            self.done.push(Row { entries: atoms.into_iter().zip(weights).collect(), certificate });
            self.take_up(correlations, None);
        }
    }

    /// Most atoms let in at once.
    fn room(&self) -> usize {
        FIRST_ATOMS.max(self.restricted.coefficients().iter().filter(|c| **c != 0.0).count())
    }

    fn admit(&mut self, atoms: &[u32]) {
        let (dictionary, target, exact) = (self.setup.dictionary, &self.target, self.exact_entries);
        let entry = |i: usize, j: usize| match (i == j, exact) {
            (true, _) => dictionary.squared_norm(i),
            (false, true) => dictionary.exact_gram_entry(i, j),
            (false, false) => dictionary.gram_entry(i, j),
        };
        let linear = |j: usize| if exact { target.exact_atom_entry(j) } else { target.atom_entry(j) };
        self.restricted.extend(atoms, entry, linear);
    }

    /// Restates the restricted problem with float64 Gram entries: for rows whose neighbours are so nearly collinear
    /// that float32 entries cannot tell them apart (1 row in thousands).
    fn promote(&mut self) {
        // Atoms far from the threshold are let in again when they matter, unless nothing is let in.
        let margin = if self.setup.confined.is_some() { 1.0 } else { 0.1 };
        let atoms: Vec<u32> =
            self.restricted.near_threshold(margin).filter(|(_, near)| *near).map(|(j, _)| j).collect();
        self.exact_entries = true;
        self.restricted = Restricted::new(self.weights, pivot_noise(true));
        self.admit(&atoms);
    }

    /// Looks at a scan: lets violating atoms in, or settles the row in float64.
    fn inspect(&mut self, correlations: &mut [f32]) {
        self.setup.keep_admissible(correlations);
        self.target.mask(correlations);
        for &j in self.restricted.atoms() {
            correlations[j as usize] = 0.0;
        }
        let threshold = (self.weights.l1 * (1.0 + 0.1 * self.setup.options.tol)) as f32;
        let violating = strongest(correlations, threshold, self.room());
        let last = self.n_iter as usize >= self.setup.options.max_iter;
        if !violating.is_empty() && !last && self.setup.confined.is_none() {
            self.admit(&violating);
            return;
        }
        self.settle(correlations, last);
    }

    /// The float64 check. Leaves an outcome, or a larger working set for another round.
    fn settle(&mut self, correlations: &[f32], last: bool) {
        let mut exact = ExactRow::new(&self.target);
        let before = self.restricted.coefficients().to_vec();
        let gradients = polish(&mut self.restricted, self.weights, self.setup.options.tol, &mut exact);
        let moved: f64 = before.iter().zip(self.restricted.coefficients()).map(|(a, b)| (a - b).abs()).sum();
        let mut facts = self.facts(&exact, &gradients);
        let (atoms, _) = self.restricted.nonzero();
        let norm = self.setup.norm;
        let error = scan_error(&self.target, norm, atoms.len(), facts.l1) + moved * norm * norm;
        let mut outside: Vec<(f64, u32)> = Vec::new();
        let floor = facts.max_gradient.max(self.weights.l1);
        let mut candidates = Vec::new();
        let threshold = ((floor - error).max(0.0) * (1.0 - 1e-6)) as f32;
        for_each_above(correlations, threshold.max(f32::MIN_POSITIVE), |j, _| candidates.push(j));
        for j in candidates {
            let g = self.weights.pull(exact.correlation(j));
            facts.max_gradient = facts.max_gradient.max(g);
            if g > self.weights.l1 {
                outside.push((g, j as u32));
            }
        }
        let (primal, dual, gap, kkt) = facts.evaluate(self.weights.l1, self.weights.l2);
        let converged = gap <= self.setup.options.tol;
        if !converged && !last && !outside.is_empty() && self.setup.confined.is_none() {
            outside.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            outside.truncate(FIRST_ATOMS);
            let new: Vec<u32> = outside.into_iter().map(|o| o.1).collect();
            self.admit(&new);
            return;
        }
        if !converged && !last && !self.exact_entries && outside.is_empty() {
            self.promote();
            return;
        }
        self.outcome = Some(Certificate {
            status: if converged { SolveStatus::Converged } else { SolveStatus::MaxIter },
            primal: Measured::finite(primal),
            dual: Measured::finite(dual),
            gap: Measured::finite(gap),
            kkt_violation: Measured::finite(kkt),
            n_iter: self.n_iter,
        });
    }

    /// Float64 facts of the working set's solution, from its exact gradients.
    fn facts(&self, exact: &ExactRow<'_, '_, '_, '_>, gradients: &[Option<f64>]) -> RowFacts {
        let values = self.restricted.coefficients();
        // An atom without one lies a hundredth of λ1 below the threshold: it cannot carry the maximum.
        let near = || gradients.iter().zip(values).filter_map(|(g, &c)| g.map(|g| (g, c)));
        let fit: f64 = near().map(|(g, c)| g * c).sum();
        let (target_dot_residual, residual_squared) = exact.target_dot_and_square(fit);
        let mut facts = RowFacts {
            residual_squared,
            target_dot_residual,
            l1: values.iter().map(|c| c.abs()).sum(),
            squares: values.iter().map(|c| c * c).sum(),
            max_gradient: 0.0,
            support_violation: 0.0,
        };
        for (correlation, c) in near() {
            let g = correlation - self.weights.l2 * c;
            facts.max_gradient = facts.max_gradient.max(self.weights.pull(g));
            if c != 0.0 {
                let violation = (g - self.weights.l1 * c.signum()).abs();
                facts.support_violation = facts.support_violation.max(violation);
            }
        }
        facts
    }
}

/// Defect correction: float64 gradients of the support and of the atoms near the threshold, then the restricted
/// problem again, until the support is optimal to rounding. Returns the gradients `x̂_j · r` at the final coefficients.
fn polish(
    restricted: &mut Restricted,
    weights: Weights,
    tol: f64,
    exact: &mut ExactRow<'_, '_, '_, '_>,
) -> Vec<Option<f64>> {
    let limit = 0.01 * tol * weights.l1;
    for round in 0.. {
        let (atoms, values) = restricted.nonzero();
        exact.set(&atoms, &values);
        let gradients: Vec<Option<f64>> = restricted
            .near_threshold(0.01)
            .map(|(j, near)| near.then(|| exact.correlation(j as usize)))
            .collect();
        if round == CORRECTIONS || restricted.violation(&gradients) <= limit {
            return gradients;
        }
        restricted.correct(&gradients);
        restricted.refine();
    }
    Vec::new()
}

/// The share of its diagonal below which a squared pivot is noise of the Gram entries.
fn pivot_noise(exact_entries: bool) -> f64 {
    if exact_entries { 1e-13 } else { 2e-6 }
}

/// `max_{j != i} |x̂_i · x̂_j|` in float64: float32 names the candidates.
fn exact_alpha_max(setup: &Setup<'_, '_, '_>, target: &Target<'_, '_, '_>, correlations: &[f32]) -> f64 {
    let best = f64::from(max_abs(correlations));
    let error = scan_error(target, setup.norm, 0, 0.0);
    let exact = ExactRow::new(target);
    let threshold = ((best - 2.0 * error) as f32).max(f32::MIN_POSITIVE);
    let mut most = 0.0_f64;
    for_each_above(correlations, threshold, |j, _| {
        if Some(j) != target.excluded() {
            let c = exact.correlation(j);
            most = most.max(if setup.positive { c } else { c.abs() });
        }
    });
    most
}
