//! One row of the lasso or elastic net: its working set, from the first atoms to its certificate.

use subspect_linalg::Measured;

use super::Setup;
use crate::certificate::RowFacts;
use crate::panel::Row;
use crate::solvers::active_set::{Restricted, Weights};
use crate::solvers::correlations::{for_each_above, nearest, scan_error, strongest};
use crate::solvers::exact_row::{ExactRow, exact_alpha_max};
use crate::solvers::quadratic::AtomEntries;
use crate::target::Target;
use crate::{Alpha, Certificate, SolveStatus};

/// Atoms of the first working set, and the least number let in per round.
const FIRST_ATOMS: usize = 40;
/// Where no more atoms violate, or an eighth of the support, the scan is good enough to settle the row by.
const FEW_ATOMS: usize = 8;
/// Rounds of defect correction before the exact check.
const CORRECTIONS: usize = 4;

/// One row under way.
pub(super) struct RowState<'s, 'd, 'a, 't> {
    setup: &'s Setup<'d, 'a, 't>,
    pub(super) target: Target<'d, 'a, 't>,
    alpha_max: f64,
    weights: Weights,
    pub(super) restricted: Restricted,
    /// Whether the restricted problem's Gram entries are float64.
    exact_entries: bool,
    n_iter: u32,
    outcome: Option<Certificate>,
    /// Answers at the first points of the grid.
    pub(super) done: Vec<Row>,
}

impl<'s, 'd, 'a, 't> RowState<'s, 'd, 'a, 't> {
    /// Takes up the first point of the grid from the correlations at zero; in the memory of a finished row, if any.
    pub(super) fn start(
        setup: &'s Setup<'d, 'a, 't>,
        target: Target<'d, 'a, 't>,
        correlations: &mut [f32],
        spare: Option<Restricted>,
    ) -> Self {
        let candidates = setup.confined.map(|n| nearest(&target, correlations, setup.positive, n));
        target.mask(correlations);
        setup.keep_admissible(correlations);
        let alpha_max = exact_alpha_max(&target, setup.norm, setup.positive, correlations) / setup.l1_ratio;
        let weights = Weights { l1: 0.0, l2: 0.0, positive: setup.positive };
        let exact_entries = setup.dictionary.exact_gram().is_some();
        let noise = pivot_noise(exact_entries);
        let mut state = Self {
            setup,
            target,
            alpha_max,
            weights,
            restricted: spare.map_or_else(|| Restricted::new(weights, noise), |s| s.emptied(weights, noise)),
            exact_entries,
            n_iter: 0,
            outcome: None,
            done: Vec::with_capacity(setup.grid.len()),
        };
        state.take_up(correlations, candidates.as_deref());
        state
    }

    /// Whether the row is through the grid.
    pub(super) fn is_done(&self) -> bool {
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
    pub(super) fn record(&mut self, correlations: &[f32]) {
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

    fn entries(&self) -> AtomEntries<'d, 'a> {
        AtomEntries { dictionary: self.setup.dictionary, exact: self.exact_entries }
    }

    fn admit(&mut self, atoms: &[u32]) {
        let (target, exact) = (&self.target, self.exact_entries);
        let linear = |j: usize| if exact { target.exact_atom_entry(j) } else { target.atom_entry(j) };
        self.restricted.extend(atoms, &self.entries(), linear);
    }

    /// Solves the restricted problem.
    pub(super) fn advance(&mut self) {
        self.restricted.solve(&self.entries());
        self.n_iter += 1;
    }

    /// Whether no more rounds are allowed.
    fn is_last(&self) -> bool {
        self.n_iter as usize >= self.setup.options.max_iter
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
    pub(super) fn inspect(&mut self, correlations: &mut [f32]) {
        self.setup.keep_admissible(correlations);
        self.target.mask(correlations);
        for &j in self.restricted.atoms() {
            correlations[j as usize] = 0.0;
        }
        let scanned_at = self.restricted.coefficients().to_vec();
        if self.setup.confined.is_none() && !self.is_last() {
            let threshold = (self.weights.l1 * (1.0 + 0.1 * self.setup.options.tol)) as f32;
            let violating = strongest(correlations, threshold, self.room());
            self.admit(&violating);
            let nonzeros = scanned_at.iter().filter(|c| **c != 0.0).count();
            if violating.len() > FEW_ATOMS.max(nonzeros / 8) {
                return;
            }
            violating.iter().for_each(|&j| correlations[j as usize] = 0.0);
            if !violating.is_empty() {
                self.advance();
            }
        }
        self.settle(correlations, &scanned_at);
    }

    /// The float64 check, given a scan at the coefficients `scanned_at`. Leaves an outcome, or asks for another round.
    fn settle(&mut self, correlations: &mut [f32], scanned_at: &[f64]) {
        let tol = self.setup.options.tol;
        loop {
            let entries = self.entries();
            let mut exact = ExactRow::new(&self.target);
            let gradients = polish(&mut self.restricted, self.weights, tol, &mut exact, &entries);
            let mut facts = self.facts(&exact, &gradients);
            let floor = facts.max_gradient.max(self.weights.l1);
            let (error, moved) = reach(self.setup, &self.target, &mut self.restricted, &entries, scanned_at);
            let candidates = self.candidates(correlations, floor - error - moved);
            let last = self.is_last();
            let rescan = moved > error && candidates.len() > self.affordable(scanned_at);
            if rescan && !last && self.setup.confined.is_none() {
                // Where corrections do not settle, float32 entries would keep the fit moving from scan to scan.
                if !self.exact_entries && self.restricted.violation(&gradients) > settled(self.weights, tol) {
                    self.promote();
                }
                return;
            }
            let mut outside: Vec<(f64, u32)> = Vec::new();
            for j in candidates {
                let g = self.weights.pull(exact.correlation(j));
                facts.max_gradient = facts.max_gradient.max(g);
                if g > self.weights.l1 {
                    outside.push((g, j as u32));
                }
            }
            let certificate = self.certificate(&facts);
            let more = certificate.status != SolveStatus::Converged && !last;
            if more && !outside.is_empty() && self.setup.confined.is_none() {
                outside.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                outside.truncate(FIRST_ATOMS);
                let new: Vec<u32> = outside.into_iter().map(|o| o.1).collect();
                self.admit(&new);
                new.iter().for_each(|&j| correlations[j as usize] = 0.0);
                self.advance();
                continue;
            }
            if more && !self.exact_entries && outside.is_empty() {
                self.promote();
            } else {
                self.outcome = Some(certificate);
            }
            return;
        }
    }

    /// Atoms outside the working set whose scanned correlation does not exclude that they reach what lies `threshold`
    /// above their uncertainty.
    fn candidates(&self, correlations: &[f32], threshold: f64) -> Vec<usize> {
        let mut found = Vec::new();
        if threshold > 0.0 {
            let threshold = (threshold * (1.0 - 1e-6)) as f32;
            for_each_above(correlations, threshold.max(f32::MIN_POSITIVE), |j, _| found.push(j));
            return found;
        }
        // The scan excludes nothing, not even what it has as zero.
        let mut open = vec![true; correlations.len()];
        self.restricted.atoms().iter().for_each(|&j| open[j as usize] = false);
        if let Some(i) = self.target.excluded() {
            open[i] = false;
        }
        found.extend((0..open.len()).filter(|&j| open[j]));
        found
    }

    /// How many atoms may be checked one by one before another scan is cheaper.
    fn affordable(&self, scanned_at: &[f64]) -> usize {
        let dictionary = self.setup.dictionary;
        let nonzeros = scanned_at.iter().filter(|c| **c != 0.0).count().max(1);
        let (scan, check) = match (dictionary.gram(), dictionary.exact_gram()) {
            (Some(_), Some(_)) => (nonzeros * dictionary.n_atoms(), 16 * nonzeros),
            (Some(_), None) => (nonzeros * dictionary.n_atoms(), 4 * dictionary.n_features()),
            (None, _) => (dictionary.n_features() * dictionary.n_atoms(), 8 * dictionary.n_features()),
        };
        FIRST_ATOMS.max(scan / check.max(1))
    }

    fn certificate(&self, facts: &RowFacts) -> Certificate {
        let (primal, dual, gap, kkt) = facts.evaluate(self.weights.l1, self.weights.l2);
        let converged = gap <= self.setup.options.tol;
        Certificate {
            status: if converged { SolveStatus::Converged } else { SolveStatus::MaxIter },
            primal: Measured::finite(primal),
            dual: Measured::finite(dual),
            gap: Measured::finite(gap),
            kkt_violation: Measured::finite(kkt),
            n_iter: self.n_iter,
        }
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
    entries: &AtomEntries<'_, '_>,
) -> Vec<Option<f64>> {
    for round in 0.. {
        let (atoms, values) = restricted.nonzero();
        exact.set(&atoms, &values);
        let gradients: Vec<Option<f64>> = if entries.exact && exact.has_gram() {
            // The restricted problem's own entries are those that the check would look up.
            restricted.refresh_gradient();
            restricted.gradient().iter().map(|&g| Some(g)).collect()
        } else {
            let near = restricted.near_threshold(0.01);
            near.map(|(j, near)| near.then(|| exact.correlation(j as usize))).collect()
        };
        if round == CORRECTIONS || restricted.violation(&gradients) <= settled(weights, tol) {
            return gradients;
        }
        restricted.correct(&gradients);
        restricted.refine(entries);
    }
    Vec::new()
}

/// The violation of optimality below which a support needs no more corrections.
fn settled(weights: Weights, tol: f64) -> f64 {
    0.01 * tol * weights.l1
}

/// How far a correlation can be from its scanned value: by the error of the scan, and because the fit has moved since.
fn reach(
    setup: &Setup<'_, '_, '_>,
    target: &Target<'_, '_, '_>,
    restricted: &mut Restricted,
    entries: &AtomEntries<'_, '_>,
    scanned_at: &[f64],
) -> (f64, f64) {
    let norm = setup.norm;
    let sum = |values: &[f64]| values.iter().map(|c| c.abs()).sum::<f64>();
    let before = scanned_at.iter().copied().chain(std::iter::repeat(0.0));
    let moved: f64 = restricted.coefficients().iter().zip(before).map(|(a, b)| (a - b).abs()).sum();
    let l1 = sum(scanned_at).max(sum(restricted.coefficients()));
    let squared = restricted.squared_distance(scanned_at, entries);
    // The entries behind the distance are float32 themselves.
    let noise = target.product_error() * (norm * moved).powi(2);
    let n_terms = scanned_at.iter().filter(|c| **c != 0.0).count();
    (scan_error(target, norm, n_terms, l1), norm * (squared + noise).sqrt())
}

/// The share of its diagonal below which a squared pivot is noise of the Gram entries.
fn pivot_noise(exact_entries: bool) -> f64 {
    if exact_entries { 1e-13 } else { 2e-6 }
}
