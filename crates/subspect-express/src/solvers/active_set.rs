//! The restricted problem of one row: the elastic net over a working set of atoms, solved exactly.
//!
//! `min_c 1/2 cᵀ Q c - bᵀ c + λ1 ||c||_1 + λ2/2 ||c||²` with `Q = X̂_W X̂_Wᵀ`, `b = X̂_W x̂_i`.
//!
//! Sweeps of coordinate descent find nearly all of the support. From there Newton steps for the present signs, with a
//! Cholesky factor that is kept and only brought up to date, alternate with further sweeps; a step that would carry
//! several coefficients through zero drops them all at once where that lowers the objective, and stops at the first
//! one otherwise. What is left to do is finite and exact, one atom at a time: once the minimiser for the signs is
//! reached, the most violating atom enters along the direction that keeps the others optimal. Where an atom lies in the
//! span of the support (duplicates, more atoms than features) that direction has no curvature, and the move ends when
//! a coefficient of the support reaches zero, as in a simplex pivot. Every move lowers the objective.
//!
//! With `positive` coefficients (`c >= 0`) the same moves serve: only atoms with `g_j > λ1` enter, and a coefficient
//! that reaches zero leaves as before. At `λ1 = λ2 = 0` this is non-negative least squares.
//!
//! Related: Osborne, Presnell, Turlach 2000; Lee, Battle, Raina, Ng, "Efficient sparse coding algorithms", 2007.

use subspect_linalg::{axpy_f64, dot_f64};

use super::cholesky::Cholesky;
use super::quadratic::{Entries, Quadratic};

/// Sweeps of coordinate descent before the first Newton step.
const SWEEPS: usize = 6;
/// Sweeps after a Newton step that left violating atoms.
const SWEEPS_BETWEEN: usize = 1;
/// Newton steps with sweeps between them, before atoms enter one by one.
const CYCLES: usize = 12;
/// So few violating atoms enter one by one.
const FEW: usize = 2;

/// Penalty weights of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    /// `alpha * l1_ratio`.
    pub(crate) l1: f64,
    /// `alpha * (1 - l1_ratio)`.
    pub(crate) l2: f64,
    /// Whether coefficients must not be negative.
    pub(crate) positive: bool,
}

impl Weights {
    /// How strongly a gradient pulls its atom in: its absolute value, or its positive part.
    pub(crate) fn pull(&self, gradient: f64) -> f64 {
        if self.positive { gradient.max(0.0) } else { gradient.abs() }
    }
}

/// The working set of one row and its present solution.
#[derive(Clone, Debug)]
pub(crate) struct Restricted {
    weights: Weights,
    /// Squared pivots below this share of the diagonal count as zero: the noise of the Gram entries.
    pivot_noise: f64,
    atoms: Vec<u32>,
    quadratic: Quadratic,
    linear: Vec<f64>,
    coefficients: Vec<f64>,
    /// `b - Q c`, kept up to date.
    gradient: Vec<f64>,
    /// Positions in the working set, in the order of the factor.
    support: Vec<usize>,
    factor: Cholesky,
}

impl Restricted {
    pub(crate) fn new(weights: Weights, pivot_noise: f64) -> Self {
        Self {
            weights,
            pivot_noise,
            atoms: Vec::new(),
            quadratic: Quadratic::default(),
            linear: Vec::new(),
            coefficients: Vec::new(),
            gradient: Vec::new(),
            support: Vec::new(),
            factor: Cholesky::default(),
        }
    }

    /// No atoms; the memory of another problem.
    pub(crate) fn emptied(mut self, weights: Weights, pivot_noise: f64) -> Self {
        (self.weights, self.pivot_noise) = (weights, pivot_noise);
        self.atoms.clear();
        self.quadratic.clear();
        self.linear.clear();
        self.coefficients.clear();
        self.gradient.clear();
        self.support.clear();
        self.factor.clear();
        self
    }

    /// The same problem with other weights, from the present coefficients. Atoms without a coefficient that the new
    /// weights do not let in are dropped.
    pub(crate) fn reweigh(&mut self, weights: Weights) {
        self.weights = weights;
        let (coefficients, gradient) = (&self.coefficients, &self.gradient);
        let stays = |k: &usize| coefficients[*k] != 0.0 || weights.pull(gradient[*k]) > weights.l1;
        let kept: Vec<usize> = (0..self.atoms.len()).filter(stays).collect();
        self.quadratic.keep(&kept);
        for (new, &k) in kept.iter().enumerate() {
            self.atoms[new] = self.atoms[k];
            self.linear[new] = self.linear[k];
            self.coefficients[new] = self.coefficients[k];
            self.gradient[new] = self.gradient[k];
        }
        self.atoms.truncate(kept.len());
        self.linear.truncate(kept.len());
        self.coefficients.truncate(kept.len());
        self.gradient.truncate(kept.len());
        // Positions have changed, and so may have the diagonal; `solve` builds both anew.
        self.support.clear();
        self.factor.clear();
    }

    pub(crate) fn atoms(&self) -> &[u32] {
        &self.atoms
    }

    pub(crate) fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// `b - Q c` of every atom of the working set, as exact as the entries.
    pub(crate) fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// Atoms with a non-zero coefficient, and these coefficients.
    pub(crate) fn nonzero(&self) -> (Vec<u32>, Vec<f64>) {
        self.atoms.iter().zip(&self.coefficients).filter(|(_, c)| **c != 0.0).map(|(&a, &c)| (a, c)).unzip()
    }

    /// For every atom of the working set: its index, and whether its gradient is on or within `margin` (relative) of
    /// the threshold, so that float64 has to decide.
    pub(crate) fn near_threshold(&self, margin: f64) -> impl Iterator<Item = (u32, bool)> {
        let limit = (1.0 - margin) * self.weights.l1;
        let near =
            move |k: usize| self.coefficients[k] != 0.0 || self.weights.pull(self.gradient[k]) >= limit;
        self.atoms.iter().enumerate().map(move |(k, &j)| (j, near(k)))
    }

    /// Largest violation of optimality for exact gradients `x̂_j · r` (`None`: not near the threshold).
    pub(crate) fn violation(&self, exact: &[Option<f64>]) -> f64 {
        let mut most = 0.0_f64;
        for (k, e) in exact.iter().enumerate() {
            let Some(e) = e else { continue };
            let c = self.coefficients[k];
            let g = e - self.weights.l2 * c;
            let v = if c == 0.0 {
                self.weights.pull(g) - self.weights.l1
            } else {
                (g - self.weights.l1 * c.signum()).abs()
            };
            most = most.max(v);
        }
        most
    }

    /// `(c - before)ᵀ Q (c - before)`: how far the fit has moved since the coefficients were `before` (of the first
    /// atoms; later ones had none), squared.
    pub(crate) fn squared_distance(&mut self, before: &[f64], entries: &impl Entries) -> f64 {
        let mut delta = self.coefficients.clone();
        delta.iter_mut().zip(before).for_each(|(d, b)| *d -= b);
        let mut sum = 0.0;
        for k in (0..delta.len()).filter(|&k| delta[k] != 0.0) {
            self.quadratic.ensure(k, &self.atoms, entries);
            sum += delta[k] * dot_f64(self.quadratic.row(k), &delta);
        }
        sum.max(0.0)
    }

    /// Adds atoms with coefficient zero. `linear` gives the `b_j`.
    pub(crate) fn extend(&mut self, new: &[u32], entries: &impl Entries, linear: impl Fn(usize) -> f64) {
        let old = self.atoms.len();
        for &j in new {
            self.atoms.push(j);
            self.quadratic.push(entries.diagonal(j));
            let b = linear(j as usize);
            self.linear.push(b);
            self.coefficients.push(0.0);
            self.gradient.push(b);
        }
        for k in 0..old {
            let c = self.coefficients[k];
            if c != 0.0 {
                self.quadratic.ensure(k, &self.atoms, entries);
                axpy_f64(-c, &self.quadratic.row(k)[old..], &mut self.gradient[old..]);
            }
        }
    }

    /// Replaces `b` so that the gradient at the present coefficients is `exact` (positions as in
    /// [`Restricted::atoms`]; `None` keeps an entry): a defect correction that lets a float32 `Q` serve a float64
    /// answer.
    pub(crate) fn correct(&mut self, exact: &[Option<f64>]) {
        for (k, e) in exact.iter().enumerate() {
            if let Some(e) = e {
                self.linear[k] += e - self.gradient[k];
                self.gradient[k] = *e;
            }
        }
    }

    /// `b - Q c` afresh.
    pub(crate) fn refresh_gradient(&mut self) {
        self.gradient.copy_from_slice(&self.linear);
        for k in 0..self.atoms.len() {
            let c = self.coefficients[k];
            if c != 0.0 {
                axpy_f64(-c, self.quadratic.row(k), &mut self.gradient);
            }
        }
    }

    /// Sets coefficient `k` and keeps the gradient in step.
    fn shift(&mut self, k: usize, to: f64, entries: &impl Entries) {
        let delta = to - self.coefficients[k];
        if delta == 0.0 {
            return;
        }
        self.quadratic.ensure(k, &self.atoms, entries);
        self.coefficients[k] = to;
        axpy_f64(-delta, self.quadratic.row(k), &mut self.gradient);
    }

    /// Minimises the restricted problem.
    pub(crate) fn solve(&mut self, entries: &impl Entries) {
        self.sweeps(SWEEPS, 1e-3, entries);
        for _ in 0..CYCLES {
            self.align(entries);
            while !self.newton(entries) {}
            let violating = self.violating();
            if violating <= FEW {
                break;
            }
            self.sweeps(SWEEPS_BETWEEN, 0.0, entries);
        }
        self.align(entries);
        self.refine(entries);
    }

    /// Goes on from a solution whose factor is at hand, after a small change of `b` or of the working set.
    pub(crate) fn refine(&mut self, entries: &impl Entries) {
        let limit = 100 + 20 * self.atoms.len();
        for _ in 0..limit {
            if !self.newton(entries) {
                continue;
            }
            let Some(k) = self.most_violating() else { return };
            self.admit(k, entries);
        }
    }

    fn sweeps(&mut self, most: usize, tolerance: f64, entries: &impl Entries) {
        for _ in 0..most {
            if self.sweep(entries) <= tolerance * self.weights.l1 {
                break;
            }
        }
    }

    /// One sweep of coordinate descent; the largest move, in units of the gradient.
    fn sweep(&mut self, entries: &impl Entries) -> f64 {
        let mut moved = 0.0_f64;
        for k in 0..self.atoms.len() {
            let diagonal = self.quadratic.diagonal(k);
            let curvature = diagonal + self.weights.l2;
            if curvature <= 0.0 {
                continue;
            }
            let target = self.gradient[k] + diagonal * self.coefficients[k];
            let next = soft_threshold(target, self.weights) / curvature;
            moved = moved.max((next - self.coefficients[k]).abs() * curvature);
            self.shift(k, next, entries);
        }
        moved
    }

    /// Brings support and factor in line with the coefficients that differ from zero: takes out what has become zero,
    /// appends the others at once, and eliminates atoms in the span of the rest.
    fn align(&mut self, entries: &impl Entries) {
        let gone: Vec<usize> =
            (0..self.support.len()).filter(|&p| self.coefficients[self.support[p]] == 0.0).collect();
        let behind = self.take_out(&gone);
        let mut inside = vec![false; self.atoms.len()];
        self.support.iter().chain(&behind).for_each(|&k| inside[k] = true);
        let mut wanted = behind;
        wanted.extend((0..self.atoms.len()).filter(|&k| self.coefficients[k] != 0.0 && !inside[k]));
        let taken = self.append(&wanted, entries);
        for &k in &wanted[taken..] {
            if self.coefficients[k] != 0.0 {
                self.admit(k, entries);
            }
        }
    }

    /// Takes out the atoms at these positions of the support, one by one or by cutting the factor before the first of
    /// them. What was cut off with them is returned.
    fn take_out(&mut self, positions: &[usize]) -> Vec<usize> {
        let Some(&first) = positions.first() else { return Vec::new() };
        // A rotation pass costs about as much as appending forty atoms does per row of the factor.
        if positions.len() <= 1 + (self.support.len() - first) / 40 {
            positions.iter().rev().for_each(|&p| self.drop_support(p));
            return Vec::new();
        }
        self.factor.truncate(first);
        let behind = self.support.split_off(first);
        behind.into_iter().filter(|&k| self.coefficients[k] != 0.0).collect()
    }

    /// Appends atoms with coefficients to the support until one lies in the span of those before; how many.
    fn append(&mut self, wanted: &[usize], entries: &impl Entries) -> usize {
        if wanted.is_empty() {
            return 0;
        }
        for &k in wanted {
            self.quadratic.ensure(k, &self.atoms, entries);
        }
        let old = self.support.len();
        self.support.extend_from_slice(wanted);
        let (support, quadratic, l2) = (&self.support, &self.quadratic, self.weights.l2);
        let taken = self.factor.append(wanted.len(), self.pivot_noise, |i, row| {
            let (k, first) = (support[i], i.max(old));
            let q = quadratic.row(k);
            row.iter_mut().zip(&support[first..]).for_each(|(v, &p)| *v = q[p]);
            if i >= old {
                row[0] += l2;
            }
        });
        self.support.truncate(old + taken);
        taken
    }

    /// From where on a pull without a coefficient violates optimality beyond rounding.
    fn threshold(&self) -> f64 {
        self.weights.l1 * (1.0 + 1e-11) + 1e-15
    }

    /// How many atoms outside the support violate optimality.
    fn violating(&self) -> usize {
        let threshold = self.threshold();
        let outside = self.gradient.iter().zip(&self.coefficients).filter(|(_, c)| **c == 0.0);
        outside.filter(|(g, _)| self.weights.pull(**g) > threshold).count()
    }

    /// The atom outside the support that violates optimality most; `None` when none does beyond rounding.
    fn most_violating(&self) -> Option<usize> {
        let mut best = self.threshold();
        let mut found = None;
        for k in 0..self.atoms.len() {
            let pull = self.weights.pull(self.gradient[k]);
            if self.coefficients[k] == 0.0 && pull > best {
                best = pull;
                found = Some(k);
            }
        }
        found
    }
}

fn soft_threshold(value: f64, weights: Weights) -> f64 {
    if value > weights.l1 {
        value - weights.l1
    } else if value < -weights.l1 && !weights.positive {
        value + weights.l1
    } else {
        0.0
    }
}

mod moves;
#[cfg(test)]
mod tests;
