//! What the methods share that hold dense `N x N` arrays in float64.

use std::borrow::Cow;

use subspect_linalg::{Dictionary, Matrix, gram_f64};

use crate::ExpressError;

/// Most inputs of a dense method. One `N x N` float64 array takes 3.2 GB there, and the methods hold five to seven of them.
pub(crate) const MOST_INPUTS: usize = 20_000;

/// Refuses more inputs than a dense method takes.
pub(crate) fn refuse_many(dictionary: &Dictionary<'_>, method: &'static str) -> Result<(), ExpressError> {
    match dictionary.n_atoms() {
        found if found > MOST_INPUTS => {
            Err(ExpressError::TooManyInputs { method, limit: MOST_INPUTS, found })
        }
        _ => Ok(()),
    }
}

/// `K = X̂ X̂ᵀ` in float64: the dictionary's own where it keeps one.
pub(crate) fn gram<'d>(dictionary: &'d Dictionary<'_>) -> Cow<'d, Matrix<f64>> {
    match dictionary.exact_gram() {
        Some(gram) => Cow::Borrowed(gram),
        None => Cow::Owned(gram_f64(dictionary.scaled_f64().as_ref())),
    }
}

/// Columns and values of a dense row, without its diagonal entry `i` and without zeros.
pub(crate) fn entries(i: usize, row: &[f64]) -> Vec<(u32, f64)> {
    let kept = || row.iter().enumerate().filter(|&(j, &v)| j != i && v != 0.0);
    // Counted first: a vector that grows takes up to twice what a dense row needs.
    let mut out = Vec::with_capacity(kept().count());
    out.extend(kept().map(|(j, &v)| (j as u32, v)));
    out
}

/// The largest `|K_ij|`, `j != i`.
pub(crate) fn largest_correlation(i: usize, row: &[f64]) -> f64 {
    row.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, v)| v.abs()).fold(0.0, f64::max)
}
