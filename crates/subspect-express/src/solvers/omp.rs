//! Orthogonal matching pursuit on the dictionary's own rows (SSC-OMP).
//!
//! Greedy for `min ||x̂_i - X̂ᵀ c||²` subject to `||c||_0 <= k`, `c_i = 0`: at every step the atom with the largest
//! absolute correlation with the residual enters and all coefficients are refitted. You, Robinson, Vidal, "Scalable
//! sparse subspace clustering by orthogonal matching pursuit", CVPR 2016; the update without residuals follows
//! batch OMP (Rubinstein, Zibulevsky, Elad 2008).
//!
//! With the Gram matrix at hand, a step forms the correlations `K_i - sum_s c_s K_s` anew, in float32, and keeps only
//! their maxima (see `pursuit_scan`); when the best two atoms are closer than the error bound, those candidates are
//! compared in float64. Coefficients are refined once in float64 at the end.

use subspect_linalg::{Dictionary, Measured, Status};

use super::cholesky::Cholesky;
use super::correlations::{Query, for_each_above, max_abs, scan, scan_error};
use super::exact_row::ExactRow;
use super::lasso::POSITIVE;
use super::positive_omp;
use super::pursuit_scan::PursuitScan;
use crate::panel::{Row, for_each_panel};
use crate::target::{Target, Targets, longest};
use crate::{Certificate, ExpressError, MethodInfo, Monitor, ParameterInfo, Solution, SolveStatus};

pub(crate) static INFO: MethodInfo = MethodInfo {
    name: "omp",
    summary: "orthogonal matching pursuit: greedy, at most k inputs per row",
    reference: "You, Robinson, Vidal, CVPR 2016, arXiv 1507.01238",
    certified: false,
    dense: false,
    parameters: &[
        ParameterInfo {
            name: "n_nonzero_coefs",
            default: Some(10.0),
            min: 1.0,
            max: f64::INFINITY,
            open_min: false,
            integer: true,
            summary: "most non-zero coefficients per row",
        },
        ParameterInfo {
            name: "tol",
            default: Some(1e-10),
            min: 0.0,
            max: 1.0,
            open_min: false,
            integer: false,
            summary: "stop once the squared residual is below this share of the input's squared norm",
        },
        POSITIVE,
    ],
};

/// Atoms whose squared distance from the span of the chosen ones is below this are taken as inside it.
const DEPENDENT: f64 = 1e-8;

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    n_nonzero_coefs: usize,
    tol: f64,
    positive: bool,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    if positive {
        return positive_omp::solve(dictionary, targets, n_nonzero_coefs, tol, monitor);
    }
    let norm = longest(dictionary, targets);
    for_each_panel(dictionary, targets, monitor, |rows| {
        let mut buffer = Vec::new();
        let mut pursuits: Vec<Pursuit<'_, '_, '_>> = targets
            .panel(dictionary, rows, &mut buffer)
            .into_iter()
            .map(|target| Pursuit::new(target, n_nonzero_coefs, tol, norm))
            .collect();
        if dictionary.gram().is_some() {
            for pursuit in &mut pursuits {
                pursuit.run_on_gram();
            }
        } else {
            run_panel(dictionary, &mut pursuits, &mut buffer);
        }
        pursuits.into_iter().map(Pursuit::finish).collect()
    })
}

/// All rows of a panel in step, one product with all atoms per step.
fn run_panel(dictionary: &Dictionary<'_>, pursuits: &mut [Pursuit<'_, '_, '_>], correlations: &mut Vec<f32>) {
    let n = dictionary.n_atoms();
    loop {
        let mut active: Vec<&mut Pursuit<'_, '_, '_>> = pursuits.iter_mut().filter(|p| !p.done).collect();
        if active.is_empty() {
            return;
        }
        let queries: Vec<Query<'_, '_, '_, '_>> = active
            .iter()
            .map(|p| Query { target: &p.target, atoms: &p.atoms, weights: &p.weights })
            .collect();
        scan(dictionary, &queries, correlations);
        for (pursuit, corr) in active.iter_mut().zip(correlations.chunks_exact_mut(n)) {
            pursuit.mask(corr);
            let best = max_abs(corr);
            if let Some(j) = pursuit.choose(best, |threshold, f| for_each_above(corr, threshold, |j, _| f(j)))
            {
                pursuit.append(j);
            }
        }
    }
}

/// One row under way.
struct Pursuit<'d, 'a, 't> {
    target: Target<'d, 'a, 't>,
    limit: usize,
    tol: f64,
    norm: f64,
    atoms: Vec<u32>,
    weights: Vec<f64>,
    /// `L⁻¹ X̂_S x̂_i`: the input's coordinates along the orthonormal directions.
    coordinates: Vec<f64>,
    factor: Cholesky,
    residual_squared: f64,
    done: bool,
}

impl<'d, 'a, 't> Pursuit<'d, 'a, 't> {
    fn new(target: Target<'d, 'a, 't>, limit: usize, tol: f64, norm: f64) -> Self {
        let residual_squared = target.squared_norm();
        Self {
            target,
            limit,
            tol,
            norm,
            atoms: Vec::new(),
            weights: Vec::new(),
            coordinates: Vec::new(),
            factor: Cholesky::default(),
            residual_squared,
            done: residual_squared == 0.0,
        }
    }

    /// Takes the row itself and the chosen atoms out of the competition.
    fn mask(&self, correlations: &mut [f32]) {
        self.target.mask(correlations);
        for &s in &self.atoms {
            correlations[s as usize] = 0.0;
        }
    }

    /// The atom with the largest absolute correlation, which is about `best`; those within the float32 error bound
    /// (`candidates` above a threshold) are compared in float64, ties go to the lower index. `None` (and done) when
    /// nothing correlates.
    fn choose(&mut self, best: f32, candidates: impl Fn(f32, &mut dyn FnMut(usize))) -> Option<usize> {
        let l1: f64 = self.weights.iter().map(|w| w.abs()).sum();
        let error = scan_error(&self.target, self.norm, self.atoms.len(), l1);
        let best = f64::from(best);
        if best <= error {
            self.done = true;
            return None;
        }
        let mut found: Vec<usize> = Vec::new();
        candidates((best - 2.0 * error) as f32, &mut |j| {
            if !self.atoms.contains(&(j as u32)) {
                found.push(j);
            }
        });
        if found.len() == 1 {
            return found.pop();
        }
        let mut exact = ExactRow::new(&self.target);
        exact.set(&self.atoms, &self.weights);
        let mut chosen: Option<(usize, f64)> = None;
        for j in found {
            let c = exact.correlation(j).abs();
            if chosen.is_none_or(|(_, most)| c > most) {
                chosen = Some((j, c));
            }
        }
        chosen.map(|(j, _)| j)
    }

    /// Adds atom `j` and refits, unless `j` lies in the span of the chosen atoms (then done).
    fn append(&mut self, j: usize) {
        let mut cross: Vec<f64> =
            self.atoms.iter().map(|&s| self.target.dictionary.gram_entry(s as usize, j)).collect();
        let diagonal = self.target.dictionary.squared_norm(j);
        let pivot = self.factor.squared_pivot(&mut cross, diagonal);
        if pivot <= DEPENDENT * diagonal {
            self.done = true;
            return;
        }
        self.factor.push(&cross, pivot);
        let along: f64 = cross.iter().zip(&self.coordinates).map(|(w, z)| w * z).sum();
        let coordinate = (self.target.atom_entry(j) - along) / pivot.sqrt();
        self.coordinates.push(coordinate);
        self.atoms.push(j as u32);
        self.weights = self.coordinates.clone();
        self.factor.backward(&mut self.weights);
        self.residual_squared -= coordinate * coordinate;
        self.done =
            self.atoms.len() >= self.limit || self.residual_squared <= self.tol * self.target.squared_norm();
    }

    /// The whole pursuit with the Gram matrix at hand.
    fn run_on_gram(&mut self) {
        let Some(gram) = self.target.dictionary.gram() else { return };
        let start = self.target.take_start();
        let mut scan = PursuitScan::new(&self.target, &start);
        while !self.done {
            let best = scan.largest(gram, &self.atoms, &self.weights);
            let Some(j) = self.choose(best, |threshold, f| scan.candidates(threshold, f)) else { return };
            self.append(j);
        }
    }

    /// Refines the coefficients once in float64 and certifies the fit.
    fn finish(mut self) -> Row {
        if self.atoms.is_empty() {
            let squared = self.target.squared_norm();
            let status = Certificate::trivial(squared);
            return Row { entries: Vec::new(), certificate: status };
        }
        let mut exact = ExactRow::new(&self.target);
        exact.set(&self.atoms, &self.weights);
        let mut correction: Vec<f64> = self.atoms.iter().map(|&s| exact.correlation(s as usize)).collect();
        self.factor.forward(&mut correction);
        self.factor.backward(&mut correction);
        for (w, c) in self.weights.iter_mut().zip(&correction) {
            *w += c;
        }
        let n_iter = self.atoms.len() as u32;
        certified_row(&self.target, self.atoms, self.weights, n_iter)
    }
}

/// A greedy row with its certificate in float64: the fit, and the largest correlation that it left on its support.
pub(super) fn certified_row(
    target: &Target<'_, '_, '_>,
    atoms: Vec<u32>,
    weights: Vec<f64>,
    n_iter: u32,
) -> Row {
    let mut exact = ExactRow::new(target);
    exact.set(&atoms, &weights);
    let left: Vec<f64> = atoms.iter().map(|&s| exact.correlation(s as usize)).collect();
    let fit = left.iter().zip(&weights).map(|(c, w)| c * w).sum();
    let none = Measured::Undefined(Status::NotApplicable);
    let certificate = Certificate {
        status: SolveStatus::Converged,
        primal: Measured::finite(0.5 * exact.target_dot_and_square(fit).1),
        dual: none,
        gap: none,
        kkt_violation: Measured::finite(left.iter().fold(0.0, |m, c| m.max(c.abs()))),
        n_iter,
    };
    Row { entries: atoms.into_iter().zip(weights).collect(), certificate }
}
