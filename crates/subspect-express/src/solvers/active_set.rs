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

    fn cross(&mut self, k: usize, entries: &impl Entries) -> (Vec<f64>, f64) {
        self.quadratic.ensure(k, &self.atoms, entries);
        let row = self.quadratic.row(k);
        (self.support.iter().map(|&s| row[s]).collect(), row[k] + self.weights.l2)
    }

    /// Brings atom `k` into the support, moving the coefficients along the direction that keeps the others optimal
    /// where `k` is new or has no pivot of its own.
    fn admit(&mut self, k: usize, entries: &impl Entries) {
        loop {
            let (mut solved, diagonal) = self.cross(k, entries);
            let pivot = self.factor.squared_pivot(&mut solved, diagonal);
            let independent = pivot > self.pivot_noise * diagonal;
            if independent && self.coefficients[k] != 0.0 {
                self.factor.push(&solved, pivot);
                self.support.push(k);
                return;
            }
            let mut direction = solved.clone();
            self.factor.backward(&mut direction);
            direction.iter_mut().for_each(|d| *d = -*d);
            let curvature = if independent { pivot } else { 0.0 };
            match self.walk(k, &mut direction, curvature, entries) {
                Walk::Free => {
                    if self.coefficients[k] != 0.0 && independent {
                        self.factor.push(&solved, pivot);
                        self.support.push(k);
                    }
                    return;
                }
                Walk::SupportHitZero(position) => self.drop_support(position),
                Walk::EnteringHitZero => return,
            }
        }
    }

    /// Moves along `(direction on the support, 1 on k)` or its opposite, downhill, to the minimum or to the first
    /// coefficient that reaches zero.
    fn walk(&mut self, k: usize, direction: &mut [f64], curvature: f64, entries: &impl Entries) -> Walk {
        let own_sign = if self.coefficients[k] != 0.0 {
            self.coefficients[k].signum()
        } else {
            self.gradient[k].signum()
        };
        let mut slope = self.slope(k, own_sign);
        for (&s, &d) in self.support.iter().zip(direction.iter()) {
            slope += d * self.slope(s, self.coefficients[s].signum());
        }
        let mut step_of_k = 1.0;
        if slope > 0.0 {
            step_of_k = -1.0;
            direction.iter_mut().for_each(|d| *d = -*d);
        }
        let entering = self.coefficients[k] == 0.0;
        if entering && step_of_k != own_sign {
            return Walk::Free; // not a descent direction for this sign: nothing to gain
        }
        let free = if curvature > 0.0 { slope.abs() / curvature } else { f64::INFINITY };
        let mut step = free;
        let mut hit = Walk::Free;
        for (position, (&s, &d)) in self.support.iter().zip(direction.iter()).enumerate() {
            let t = time_to_zero(self.coefficients[s], d);
            if t < step {
                (step, hit) = (t, Walk::SupportHitZero(position));
            }
        }
        if !entering {
            let t = time_to_zero(self.coefficients[k], step_of_k);
            if t < step {
                (step, hit) = (t, Walk::EnteringHitZero);
            }
        }
        if !step.is_finite() {
            return Walk::Free; // a flat direction without an end: noise, nothing to gain
        }
        let target =
            if matches!(hit, Walk::EnteringHitZero) { 0.0 } else { self.coefficients[k] + step_of_k * step };
        self.shift(k, target, entries);
        let stopped = if let Walk::SupportHitZero(position) = hit { Some(position) } else { None };
        self.advance(direction, step, stopped, entries);
        hit
    }

    /// `c_S += step direction`; the coefficient at position `stopped` becomes exactly zero.
    fn advance(&mut self, direction: &[f64], step: f64, stopped: Option<usize>, entries: &impl Entries) {
        for (position, &d) in direction.iter().enumerate() {
            let s = self.support[position];
            let to = if stopped == Some(position) { 0.0 } else { self.coefficients[s] + step * d };
            self.shift(s, to, entries);
        }
    }

    /// Derivative of the objective in coefficient `k`, on the side of `sign`.
    fn slope(&self, k: usize, sign: f64) -> f64 {
        -self.gradient[k] + self.weights.l2 * self.coefficients[k] + self.weights.l1 * sign
    }

    /// One move towards the minimiser for the present signs. True when it was reached, false when coefficients reached
    /// zero first and were dropped.
    fn newton(&mut self, entries: &impl Entries) -> bool {
        let mut delta: Vec<f64> =
            self.support.iter().map(|&s| -self.slope(s, self.coefficients[s].signum())).collect();
        self.factor.forward(&mut delta);
        self.factor.backward(&mut delta);
        let mut step = 1.0;
        let mut crossing = Vec::new();
        let mut first = None;
        for (position, (&s, &d)) in self.support.iter().zip(&delta).enumerate() {
            let t = time_to_zero(self.coefficients[s], d);
            if t < 1.0 {
                crossing.push(position);
            }
            if t < step {
                (step, first) = (t, Some(position));
            }
        }
        if crossing.len() > 1 && self.drop_all(&delta, &crossing, entries) {
            return false;
        }
        self.advance(&delta, step, first, entries);
        if let Some(position) = first {
            self.drop_support(position);
        }
        first.is_none()
    }

    /// The whole step, with the coefficients that it carries through zero left there, where that lowers the objective.
    fn drop_all(&mut self, delta: &[f64], crossing: &[usize], entries: &impl Entries) -> bool {
        let mut target = delta.to_vec();
        for (t, &s) in target.iter_mut().zip(&self.support) {
            *t += self.coefficients[s];
        }
        crossing.iter().for_each(|&p| target[p] = 0.0);
        let mut after = self.gradient.clone();
        for (&to, &s) in target.iter().zip(&self.support) {
            axpy_f64(self.coefficients[s] - to, self.quadratic.row(s), &mut after);
        }
        let mut change = 0.0;
        for (&to, &s) in target.iter().zip(&self.support) {
            let from = self.coefficients[s];
            change += (self.weights.l1 * (to.abs() - from.abs()))
                + (to - from) * (0.5 * self.weights.l2 * (to + from) - 0.5 * (self.gradient[s] + after[s]));
        }
        if change.is_nan() || change >= 0.0 {
            return false;
        }
        self.gradient = after;
        for (&to, &s) in target.iter().zip(&self.support) {
            self.coefficients[s] = to;
        }
        let behind = self.take_out(crossing);
        let taken = self.append(&behind, entries);
        for &k in &behind[taken..] {
            if self.coefficients[k] != 0.0 {
                self.admit(k, entries);
            }
        }
        true
    }

    fn drop_support(&mut self, position: usize) {
        self.support.remove(position);
        self.factor.remove(position);
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

enum Walk {
    /// The minimum along the direction was reached.
    Free,
    /// The coefficient at this position of the support reached zero.
    SupportHitZero(usize),
    /// The entering coefficient reached zero.
    EnteringHitZero,
}

/// When a coefficient that changes by `rate` per unit reaches zero; infinity when it moves away.
fn time_to_zero(coefficient: f64, rate: f64) -> f64 {
    if coefficient * rate < 0.0 { -coefficient / rate } else { f64::INFINITY }
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

#[cfg(test)]
mod tests;
