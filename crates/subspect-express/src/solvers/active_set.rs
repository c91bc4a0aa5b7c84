//! The restricted problem of one row: the elastic net over a working set of atoms, solved exactly.
//!
//! `min_c 1/2 cᵀ Q c - bᵀ c + λ1 ||c||_1 + λ2/2 ||c||²` with `Q = X̂_W X̂_Wᵀ`, `b = X̂_W x̂_i`.
//!
//! A few sweeps of coordinate descent find nearly all of the support; from there an active-set method with a
//! Cholesky factor of the support is finite and exact: move towards the minimiser for the present signs, stop at
//! the first coefficient that reaches zero and drop it; once there, let the most violating atom enter along the
//! direction that keeps the others optimal. Where an atom lies in the span of the support (duplicates, more atoms
//! than features) that direction has no curvature, and the move ends when a coefficient of the support reaches
//! zero, as in a simplex pivot. Every move lowers the objective.
//!
//! With `positive` coefficients (`c >= 0`) the same moves serve: only atoms with `g_j > λ1` enter, and a coefficient
//! that reaches zero leaves as before. At `λ1 = λ2 = 0` this is non-negative least squares.
//!
//! Related: Osborne, Presnell, Turlach 2000; Lee, Battle, Raina, Ng, "Efficient sparse coding algorithms", 2007.

use subspect_linalg::axpy_f64;

use super::cholesky::Cholesky;

/// Sweeps of coordinate descent before the active-set moves.
const SWEEPS: usize = 12;

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
    /// `Q`, row-major with `stride` columns.
    quadratic: Vec<f64>,
    stride: usize,
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
            quadratic: Vec::new(),
            stride: 0,
            linear: Vec::new(),
            coefficients: Vec::new(),
            gradient: Vec::new(),
            support: Vec::new(),
            factor: Cholesky::default(),
        }
    }

    /// The same problem with other weights, from the present coefficients. Atoms without a coefficient that the new
    /// weights do not let in are dropped.
    pub(crate) fn reweigh(&mut self, weights: Weights) {
        self.weights = weights;
        let (coefficients, gradient) = (&self.coefficients, &self.gradient);
        let stays = |k: &usize| coefficients[*k] != 0.0 || weights.pull(gradient[*k]) > weights.l1;
        let kept: Vec<usize> = (0..self.atoms.len()).filter(stays).collect();
        // In place: every entry moves towards the front, rows in ascending order.
        for (row, &k) in kept.iter().enumerate() {
            for (column, &p) in kept.iter().enumerate() {
                self.quadratic[row * self.stride + column] = self.quadratic[k * self.stride + p];
            }
            self.atoms[row] = self.atoms[k];
            self.linear[row] = self.linear[k];
            self.coefficients[row] = self.coefficients[k];
            self.gradient[row] = self.gradient[k];
        }
        self.atoms.truncate(kept.len());
        self.linear.truncate(kept.len());
        self.coefficients.truncate(kept.len());
        self.gradient.truncate(kept.len());
        // Positions have changed; `solve` builds both anew.
        self.support.clear();
        self.factor.clear();
    }

    pub(crate) fn atoms(&self) -> &[u32] {
        &self.atoms
    }

    pub(crate) fn coefficients(&self) -> &[f64] {
        &self.coefficients
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

    /// Adds atoms with coefficient zero. `entry` gives Gram entries, `linear` the `b_j`.
    pub(crate) fn extend(
        &mut self,
        new: &[u32],
        entry: impl Fn(usize, usize) -> f64,
        linear: impl Fn(usize) -> f64,
    ) {
        self.reserve(self.atoms.len() + new.len());
        for &j in new {
            let k = self.atoms.len();
            self.atoms.push(j);
            for p in 0..=k {
                let q = entry(j as usize, self.atoms[p] as usize); // along one Gram row
                self.quadratic[k * self.stride + p] = q;
                self.quadratic[p * self.stride + k] = q;
            }
            self.linear.push(linear(j as usize));
            self.coefficients.push(0.0);
            self.gradient.push(0.0);
        }
        self.refresh_gradient();
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

    fn reserve(&mut self, wanted: usize) {
        if wanted <= self.stride {
            return;
        }
        let stride = wanted.next_power_of_two().max(64);
        let mut grown = vec![0.0; stride * stride];
        let k = self.atoms.len();
        for p in 0..k {
            grown[p * stride..p * stride + k]
                .copy_from_slice(&self.quadratic[p * self.stride..p * self.stride + k]);
        }
        self.quadratic = grown;
        self.stride = stride;
    }

    fn row(&self, k: usize) -> &[f64] {
        &self.quadratic[k * self.stride..k * self.stride + self.atoms.len()]
    }

    fn refresh_gradient(&mut self) {
        self.gradient.copy_from_slice(&self.linear);
        for k in 0..self.atoms.len() {
            let c = self.coefficients[k];
            if c != 0.0 {
                let row = &self.quadratic[k * self.stride..k * self.stride + self.atoms.len()];
                axpy_f64(-c, row, &mut self.gradient);
            }
        }
    }

    /// Sets coefficient `k` and keeps the gradient in step.
    fn shift(&mut self, k: usize, to: f64) {
        let delta = to - self.coefficients[k];
        if delta == 0.0 {
            return;
        }
        self.coefficients[k] = to;
        let row = &self.quadratic[k * self.stride..k * self.stride + self.atoms.len()];
        axpy_f64(-delta, row, &mut self.gradient);
    }

    /// Minimises the restricted problem.
    pub(crate) fn solve(&mut self) {
        for _ in 0..SWEEPS {
            if !self.sweep() {
                break;
            }
        }
        self.rebuild_support();
        self.refine();
    }

    /// Goes on from a solution whose factor is at hand, after a small change of `b`.
    pub(crate) fn refine(&mut self) {
        let limit = 100 + 20 * self.atoms.len();
        for _ in 0..limit {
            if !self.newton() {
                continue;
            }
            let Some(k) = self.most_violating() else { return };
            self.admit(k);
        }
    }

    /// One sweep of coordinate descent; true when something moved.
    fn sweep(&mut self) -> bool {
        let mut moved = false;
        for k in 0..self.atoms.len() {
            let diagonal = self.row(k)[k];
            let curvature = diagonal + self.weights.l2;
            if curvature <= 0.0 {
                continue;
            }
            let target = self.gradient[k] + diagonal * self.coefficients[k];
            let next = soft_threshold(target, self.weights) / curvature;
            moved |= next != self.coefficients[k];
            self.shift(k, next);
        }
        moved
    }

    /// Factors the support that coordinate descent left, eliminating atoms in the span of earlier ones.
    fn rebuild_support(&mut self) {
        self.factor.clear();
        self.support.clear();
        for k in 0..self.atoms.len() {
            if self.coefficients[k] != 0.0 {
                self.admit(k);
            }
        }
    }

    fn cross(&self, k: usize) -> (Vec<f64>, f64) {
        let row = self.row(k);
        (self.support.iter().map(|&s| row[s]).collect(), row[k] + self.weights.l2)
    }

    /// Brings atom `k` into the support, moving the coefficients along the direction that keeps the others optimal
    /// where `k` is new or has no pivot of its own.
    fn admit(&mut self, k: usize) {
        loop {
            let (mut solved, diagonal) = self.cross(k);
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
            match self.walk(k, &mut direction, curvature) {
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
    fn walk(&mut self, k: usize, direction: &mut [f64], curvature: f64) -> Walk {
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
        self.advance(k, step_of_k * step, direction, step, &hit);
        hit
    }

    fn advance(&mut self, k: usize, by: f64, direction: &[f64], step: f64, hit: &Walk) {
        let target = if matches!(hit, Walk::EnteringHitZero) { 0.0 } else { self.coefficients[k] + by };
        self.shift(k, target);
        for (position, &d) in direction.iter().enumerate() {
            let s = self.support[position];
            let zero = matches!(hit, Walk::SupportHitZero(p) if *p == position);
            let to = if zero { 0.0 } else { self.coefficients[s] + step * d };
            self.shift(s, to);
        }
    }

    /// Derivative of the objective in coefficient `k`, on the side of `sign`.
    fn slope(&self, k: usize, sign: f64) -> f64 {
        -self.gradient[k] + self.weights.l2 * self.coefficients[k] + self.weights.l1 * sign
    }

    /// One move towards the minimiser for the present signs. True when it was reached, false when a coefficient
    /// reached zero first and was dropped.
    fn newton(&mut self) -> bool {
        let mut delta: Vec<f64> =
            self.support.iter().map(|&s| -self.slope(s, self.coefficients[s].signum())).collect();
        self.factor.forward(&mut delta);
        self.factor.backward(&mut delta);
        let mut step = 1.0;
        let mut hit = None;
        for (position, (&s, &d)) in self.support.iter().zip(&delta).enumerate() {
            let t = time_to_zero(self.coefficients[s], d);
            if t < step {
                (step, hit) = (t, Some(position));
            }
        }
        for (position, &d) in delta.iter().enumerate() {
            let s = self.support[position];
            let to = if hit == Some(position) { 0.0 } else { self.coefficients[s] + step * d };
            self.shift(s, to);
        }
        if let Some(position) = hit {
            self.drop_support(position);
        }
        hit.is_none()
    }

    fn drop_support(&mut self, position: usize) {
        self.support.remove(position);
        self.factor.remove(position);
    }

    /// The atom outside the support that violates optimality most; `None` when none does beyond rounding.
    fn most_violating(&self) -> Option<usize> {
        let mut best = self.weights.l1 * (1.0 + 1e-11) + 1e-15;
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
