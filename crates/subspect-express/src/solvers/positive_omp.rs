//! Orthogonal matching pursuit with non-negative coefficients (`omp` with `positive`).
//!
//! At every step the atom with the largest positive correlation enters, and the coefficients are refitted by
//! non-negative least squares over the chosen atoms; one whose coefficient falls to zero loses its place. Bruckstein,
//! Elad, Zibulevsky, "On the uniqueness of nonnegative sparse solutions to underdetermined systems of equations", IEEE
//! Trans. Inf. Theory 2008. A row ends with `k` atoms, or when no positive correlation is left beyond rounding.

use subspect_linalg::Dictionary;

use super::active_set::{Restricted, Weights};
use super::correlations::{Query, for_each_above, max_abs, scan, scan_error};
use super::exact_row::ExactRow;
use super::omp::certified_row;
use super::quadratic::AtomEntries;
use crate::panel::{Row, for_each_panel};
use crate::target::{Target, Targets, longest};
use crate::{Certificate, ExpressError, Monitor, Solution};

/// Non-negative least squares.
const REFIT: Weights = Weights { l1: 0.0, l2: 0.0, positive: true };
/// Of float64 Gram entries, as a share of the diagonal.
const PIVOT_NOISE: f64 = 1e-10;

pub(super) fn solve(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    limit: usize,
    tol: f64,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let norm = longest(dictionary, targets);
    for_each_panel(dictionary, targets, monitor, |rows| {
        let mut correlations = Vec::new();
        let mut pursuits: Vec<Pursuit<'_, '_, '_>> = targets
            .panel(dictionary, rows, &mut correlations)
            .into_iter()
            .map(|target| Pursuit::new(target, limit, tol, norm))
            .collect();
        loop {
            let mut active: Vec<_> = pursuits.iter_mut().filter(|p| !p.done).collect();
            if active.is_empty() {
                break;
            }
            let present: Vec<_> = active.iter().map(|p| p.fit.nonzero()).collect();
            let queries: Vec<Query<'_, '_, '_, '_>> = active
                .iter()
                .zip(&present)
                .map(|(p, (atoms, weights))| Query { target: &p.target, atoms, weights })
                .collect();
            scan(dictionary, &queries, &mut correlations);
            for (pursuit, correlations) in
                active.iter_mut().zip(correlations.chunks_exact_mut(dictionary.n_atoms()))
            {
                pursuit.step(correlations);
            }
        }
        pursuits.into_iter().map(Pursuit::finish).collect()
    })
}

/// One row under way.
struct Pursuit<'d, 'a, 't> {
    target: Target<'d, 'a, 't>,
    limit: usize,
    tol: f64,
    norm: f64,
    /// Non-negative least squares over the atoms that have been chosen so far.
    fit: Restricted,
    n_steps: u32,
    done: bool,
}

impl<'d, 'a, 't> Pursuit<'d, 'a, 't> {
    fn new(target: Target<'d, 'a, 't>, limit: usize, tol: f64, norm: f64) -> Self {
        let done = target.squared_norm() == 0.0;
        Self { target, limit, tol, norm, fit: Restricted::new(REFIT, PIVOT_NOISE), n_steps: 0, done }
    }

    fn step(&mut self, correlations: &mut [f32]) {
        self.target.mask(correlations);
        for &j in self.fit.atoms() {
            correlations[j as usize] = 0.0;
        }
        correlations.iter_mut().for_each(|c| *c = c.max(0.0));
        let Some(j) = self.choose(correlations) else {
            self.done = true;
            return;
        };
        let target = &self.target;
        let (mut wanted, _) = self.fit.nonzero();
        if wanted.len() < self.fit.atoms().len() {
            self.fit = Restricted::new(REFIT, PIVOT_NOISE);
        } else {
            wanted.clear();
        }
        wanted.push(j);
        let entries = AtomEntries { dictionary: target.dictionary, exact: true };
        self.fit.extend(&wanted, &entries, |a| target.exact_atom_entry(a));
        self.fit.solve(&entries);
        self.n_steps += 1;
        let (atoms, weights) = self.fit.nonzero();
        let mut exact = ExactRow::new(target);
        exact.set(&atoms, &weights);
        // An atom may leave and never return, so steps are bounded as well as atoms.
        self.done = atoms.len() >= self.limit
            || self.n_steps as usize >= 2 * self.limit
            || exact.residual_squared() <= self.tol * target.squared_norm();
    }

    /// The atom with the largest positive correlation; candidates within the float32 error bound are compared in
    /// float64, ties go to the lower index.
    fn choose(&self, correlations: &[f32]) -> Option<u32> {
        let (atoms, weights) = self.fit.nonzero();
        let l1: f64 = weights.iter().sum();
        let error = scan_error(&self.target, self.norm, atoms.len(), l1);
        let best = f64::from(max_abs(correlations));
        if best <= error {
            return None;
        }
        let mut exact = ExactRow::new(&self.target);
        exact.set(&atoms, &weights);
        let mut chosen: Option<(u32, f64)> = None;
        for_each_above(correlations, (best - 2.0 * error) as f32, |j, _| {
            let c = exact.correlation(j);
            if c > chosen.map_or(0.0, |(_, most)| most) {
                chosen = Some((j as u32, c));
            }
        });
        chosen.map(|(j, _)| j)
    }

    fn finish(self) -> Row {
        let (atoms, weights) = self.fit.nonzero();
        let squared = self.target.squared_norm();
        if atoms.is_empty() {
            return Row { entries: Vec::new(), certificate: Certificate::trivial(squared) };
        }
        certified_row(&self.target, atoms, weights, self.n_steps)
    }
}
