//! One row in float64: the residual of given coefficients and its correlations, from the float64 Gram matrix where
//! there is one, otherwise from the activations themselves.

use subspect_linalg::Matrix;

use super::correlations::{for_each_above, max_abs, scan_error};
use crate::target::Target;

/// Row `i` with the coefficients set last.
pub(crate) struct ExactRow<'r, 'd, 'a, 't> {
    target: &'r Target<'d, 'a, 't>,
    /// The float64 Gram matrix, if there is one.
    gram: Option<&'d Matrix<f64>>,
    atoms: Vec<u32>,
    weights: Vec<f64>,
    /// `x̂_i - X̂ᵀ c`, length D; empty when the float64 Gram matrix serves instead.
    residual: Vec<f64>,
}

impl<'r, 'd, 'a, 't> ExactRow<'r, 'd, 'a, 't> {
    /// The target with all coefficients zero.
    pub(crate) fn new(target: &'r Target<'d, 'a, 't>) -> Self {
        let gram = target.dictionary.exact_gram();
        let length = if gram.is_some() { 0 } else { target.dictionary.n_features() };
        let mut this =
            Self { target, gram, atoms: Vec::new(), weights: Vec::new(), residual: vec![0.0; length] };
        this.set(&[], &[]);
        this
    }

    /// Whether correlations come from a float64 Gram matrix.
    pub(crate) fn has_gram(&self) -> bool {
        self.gram.is_some()
    }

    /// Replaces the coefficients.
    pub(crate) fn set(&mut self, atoms: &[u32], weights: &[f64]) {
        self.atoms.clear();
        self.atoms.extend_from_slice(atoms);
        self.weights.clear();
        self.weights.extend_from_slice(weights);
        if self.gram.is_none() {
            self.residual.fill(0.0);
            self.target.add_scaled(1.0, &mut self.residual);
            for (&j, &w) in atoms.iter().zip(weights) {
                self.target.dictionary.add_scaled_atom(j as usize, -w, &mut self.residual);
            }
        }
    }

    /// `x̂_j · r`.
    pub(crate) fn correlation(&self, j: usize) -> f64 {
        match self.gram {
            Some(gram) => {
                let k = gram.row(j);
                let fit: f64 = self.atoms.iter().zip(&self.weights).map(|(&s, &w)| w * k[s as usize]).sum();
                self.target.exact_atom_entry(j) - fit
            }
            None => self.target.dictionary.atom_dot(j, &self.residual),
        }
    }

    /// `x̂_i · r` and `||r||²`, given `fit = sum_s c_s (x̂_s · r)`, which the caller has at hand.
    pub(crate) fn target_dot_and_square(&self, fit: f64) -> (f64, f64) {
        if self.gram.is_none() {
            let square = self.residual.iter().map(|v| v * v).sum::<f64>();
            return (square + fit, square);
        }
        // r · r = x̂_i · r - fit, and x̂_i · r = ||x̂_i||² - sum_s c_s x̂_i · x̂_s.
        let entries = self.atoms.iter().zip(&self.weights);
        let along: f64 = entries.map(|(&s, &w)| w * self.target.exact_atom_entry(s as usize)).sum();
        let dot = self.target.squared_norm() - along;
        (dot, (dot - fit).max(0.0))
    }

    /// `||r||²`.
    pub(crate) fn residual_squared(&self) -> f64 {
        let fit = self.atoms.iter().zip(&self.weights).map(|(&s, &w)| w * self.correlation(s as usize)).sum();
        self.target_dot_and_square(fit).1
    }
}

/// `max_{j != i} |x̂_i · x̂_j|` (with `positive`, of `x̂_i · x̂_j`) in float64: float32 names the candidates. `norm` is the
/// longest atom's length.
pub(crate) fn exact_alpha_max(
    target: &Target<'_, '_, '_>,
    norm: f64,
    positive: bool,
    correlations: &[f32],
) -> f64 {
    let error = scan_error(target, norm, 0, 0.0);
    let threshold = (f64::from(max_abs(correlations)) - 2.0 * error) as f32;
    let exact = ExactRow::new(target);
    let mut most = 0.0_f64;
    for_each_above(correlations, threshold.max(f32::MIN_POSITIVE), |j, _| {
        if Some(j) != target.excluded() {
            let c = exact.correlation(j);
            most = most.max(if positive { c } else { c.abs() });
        }
    });
    most
}
