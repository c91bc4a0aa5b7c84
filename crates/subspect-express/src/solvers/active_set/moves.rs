//! The moves of the active set: a Newton step for the present signs, and one atom entering.

use subspect_linalg::axpy_f64;

use super::{Entries, Restricted};

impl Restricted {
    fn cross(&mut self, k: usize, entries: &impl Entries) -> (Vec<f64>, f64) {
        self.quadratic.ensure(k, &self.atoms, entries);
        let row = self.quadratic.row(k);
        (self.support.iter().map(|&s| row[s]).collect(), row[k] + self.weights.l2)
    }

    /// Brings atom `k` into the support, moving the coefficients along the direction that keeps the others optimal
    /// where `k` is new or has no pivot of its own.
    pub(super) fn admit(&mut self, k: usize, entries: &impl Entries) {
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
    pub(super) fn newton(&mut self, entries: &impl Entries) -> bool {
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

    pub(super) fn drop_support(&mut self, position: usize) {
        self.support.remove(position);
        self.factor.remove(position);
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
