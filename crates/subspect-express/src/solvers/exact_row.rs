//! One row in float64: the residual of given coefficients and its correlations, from the float64 Gram matrix where
//! there is one, otherwise from the activations themselves.

use subspect_linalg::Dictionary;

/// Row `i` with the coefficients set last.
pub(crate) struct ExactRow<'d, 'a> {
    dictionary: &'d Dictionary<'a>,
    row: usize,
    atoms: Vec<u32>,
    weights: Vec<f64>,
    /// `x̂_i - X̂ᵀ c`, length D; empty when the float64 Gram matrix serves instead.
    residual: Vec<f64>,
}

impl<'d, 'a> ExactRow<'d, 'a> {
    /// Row `row` with all coefficients zero.
    pub(crate) fn new(dictionary: &'d Dictionary<'a>, row: usize) -> Self {
        let length = if dictionary.exact_gram().is_some() { 0 } else { dictionary.n_features() };
        let mut this =
            Self { dictionary, row, atoms: Vec::new(), weights: Vec::new(), residual: vec![0.0; length] };
        this.set(&[], &[]);
        this
    }

    /// Replaces the coefficients.
    pub(crate) fn set(&mut self, atoms: &[u32], weights: &[f64]) {
        self.atoms.clear();
        self.atoms.extend_from_slice(atoms);
        self.weights.clear();
        self.weights.extend_from_slice(weights);
        if self.dictionary.exact_gram().is_none() {
            self.residual.fill(0.0);
            self.dictionary.add_scaled_atom(self.row, 1.0, &mut self.residual);
            for (&j, &w) in atoms.iter().zip(weights) {
                self.dictionary.add_scaled_atom(j as usize, -w, &mut self.residual);
            }
        }
    }

    /// `x̂_j · r`.
    pub(crate) fn correlation(&self, j: usize) -> f64 {
        match self.dictionary.exact_gram() {
            Some(gram) => {
                let k = gram.row(j);
                let fit: f64 = self.atoms.iter().zip(&self.weights).map(|(&s, &w)| w * k[s as usize]).sum();
                k[self.row] - fit
            }
            None => self.dictionary.atom_dot(j, &self.residual),
        }
    }

    /// `x̂_i · r`.
    pub(crate) fn target_dot_residual(&self) -> f64 {
        self.correlation(self.row)
    }

    /// `||r||²`.
    pub(crate) fn residual_squared(&self) -> f64 {
        if self.dictionary.exact_gram().is_none() {
            return self.residual.iter().map(|v| v * v).sum();
        }
        // r · r = x̂_i · r - sum_s c_s x̂_s · r
        let fit: f64 =
            self.atoms.iter().zip(&self.weights).map(|(&s, &w)| w * self.correlation(s as usize)).sum();
        (self.target_dot_residual() - fit).max(0.0)
    }
}
