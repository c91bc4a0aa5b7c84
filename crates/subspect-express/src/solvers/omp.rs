//! Orthogonal matching pursuit on the dictionary's own rows (SSC-OMP).
//!
//! Greedy for `min ||x̂_i - X̂ᵀ c||²` subject to `||c||_0 <= k`, `c_i = 0`: at every step the atom with the largest
//! absolute correlation with the residual enters and all coefficients are refitted. You, Robinson, Vidal, "Scalable
//! sparse subspace clustering by orthogonal matching pursuit", CVPR 2016; the update without residuals follows
//! batch OMP (Rubinstein, Zibulevsky, Elad 2008).
//!
//! With the Gram matrix at hand, the correlations of all atoms are carried along: for the new direction
//! `q_t = (x̂_j - sum_{s<t} w_s q_s) / rho` keep `p_t = X̂ q_t`, then `corr -= (corr_j / rho) p_t`. One Gram row is
//! read per step; the `p_s` stay in the second-level cache. In float32; when the best two atoms are closer than the
//! error bound, those candidates are compared in float64. Coefficients are refined once in float64 at the end.

use subspect_linalg::{Dictionary, Measured, Status, vectorize};

use super::cholesky::Cholesky;
use super::correlations::{Query, for_each_above, max_abs, scan, scan_error};
use super::exact_row::ExactRow;
use super::lasso::POSITIVE;
use super::positive_omp;
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
                pursuit.run_on_gram(&mut buffer);
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
            if let Some(j) = pursuit.choose(corr) {
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

    /// The atom with the largest absolute correlation; candidates within the float32 error bound are compared in
    /// float64, ties go to the lower index. `None` (and done) when nothing correlates.
    fn choose(&mut self, correlations: &[f32]) -> Option<usize> {
        let l1: f64 = self.weights.iter().map(|w| w.abs()).sum();
        let error = scan_error(&self.target, self.norm, self.atoms.len(), l1);
        let best = f64::from(max_abs(correlations));
        if best <= error {
            self.done = true;
            return None;
        }
        let mut candidates: Vec<usize> = Vec::new();
        let threshold = (best - 2.0 * error) as f32;
        for_each_above(correlations, threshold, |j, _| candidates.push(j));
        if candidates.len() == 1 {
            return candidates.pop();
        }
        let mut exact = ExactRow::new(&self.target);
        exact.set(&self.atoms, &self.weights);
        let mut chosen: Option<(usize, f64)> = None;
        for j in candidates {
            let c = exact.correlation(j).abs();
            if chosen.is_none_or(|(_, most)| c > most) {
                chosen = Some((j, c));
            }
        }
        chosen.map(|(j, _)| j)
    }

    /// Adds atom `j` and refits. Returns the new row of the factor, or `None` (and done) when `j` lies in the span
    /// of the chosen atoms.
    fn append(&mut self, j: usize) -> Option<(Vec<f64>, f64)> {
        let mut cross: Vec<f64> =
            self.atoms.iter().map(|&s| self.target.dictionary.gram_entry(s as usize, j)).collect();
        let diagonal = self.target.dictionary.squared_norm(j);
        let pivot = self.factor.squared_pivot(&mut cross, diagonal);
        if pivot <= DEPENDENT * diagonal {
            self.done = true;
            return None;
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
        Some((cross, pivot.sqrt()))
    }

    /// The whole pursuit with the correlations carried along. `buffer` holds the correlations, then the `p_t`.
    fn run_on_gram(&mut self, buffer: &mut Vec<f32>) {
        let Some(gram) = self.target.dictionary.gram() else { return };
        let n = self.target.dictionary.n_atoms();
        buffer.clear();
        buffer.extend_from_slice(self.target.start());
        while !self.done {
            self.mask(&mut buffer[..n]);
            let Some(j) = self.choose(&buffer[..n]) else { return };
            let step = self.atoms.len();
            let Some((cross, rho)) = self.append(j) else { return };
            if self.done {
                return;
            }
            buffer.resize((step + 2) * n, 0.0);
            let (correlations, directions) = buffer.split_at_mut(n);
            let (before, new) = directions.split_at_mut(step * n);
            let weights: Vec<f32> = cross.iter().map(|&w| w as f32).collect();
            let (inverse, gamma) = ((1.0 / rho) as f32, self.coordinates[step] as f32);
            advance(gram.row(j), &weights, inverse, gamma, before, new, correlations);
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

vectorize! {
    /// One step of the carried correlations, fused over blocks of columns: `new = inverse (K_j - sum_s cross_s p_s)`,
    /// `correlations -= gamma new`.
    fn advance(
        gram_row: &[f32],
        cross: &[f32],
        inverse: f32,
        gamma: f32,
        before: &[f32],
        new: &mut [f32],
        correlations: &mut [f32],
    ) {
        const BLOCK: usize = 2048;
        let n = correlations.len();
        for start in (0..n).step_by(BLOCK) {
            let end = (start + BLOCK).min(n);
            let p = &mut new[start..end];
            p.copy_from_slice(&gram_row[start..end]);
            let part = |s: usize| &before[s * n + start..s * n + end];
            let mut s = 0;
            while s + 2 <= cross.len() {
                let (a, b) = (&part(s)[..p.len()], &part(s + 1)[..p.len()]);
                let (wa, wb) = (cross[s], cross[s + 1]);
                for k in 0..p.len() {
                    p[k] -= wa.mul_add(a[k], wb * b[k]);
                }
                s += 2;
            }
            if s < cross.len() {
                for (p, &a) in p.iter_mut().zip(part(s)) {
                    *p -= cross[s] * a;
                }
            }
            for (c, p) in correlations[start..end].iter_mut().zip(p.iter_mut()) {
                *p *= inverse;
                *c -= gamma * *p;
            }
        }
    }
}
