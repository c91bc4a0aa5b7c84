//! The rows of one layer's activations, in the forms that measures compare: as they are, columns centred, or scaled
//! to unit length. Always float64 and in panels of features, so that no second copy of a wide layer is made.

use rayon::prelude::*;
use subspect_linalg::{MatRef, Matrix, Status, gram_f64};

use crate::SimilarityError;
use crate::centering::{Centering, power_of_two_below};
use crate::operand::Operand;

/// Features per panel.
const FEATURES: usize = 1024;

/// Squared distances below this share of the two squared norms are taken from the rows themselves: the Gram form
/// has lost half of its digits there, and gives duplicates a distance.
const CLOSE: f64 = 1e-6;

/// Activations of one layer, inputs x features, in either precision.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activations<'a> {
    Single(MatRef<'a, f32>),
    Double(MatRef<'a, f64>),
}

/// What is done to the rows before they are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Every feature minus its mean over the inputs.
    Centred,
    /// Every row divided by its length.
    Unit,
    /// Every row minus its own mean, then divided by its length: dot products are Pearson correlations.
    UnitDeviation,
}

impl<'a> Activations<'a> {
    pub(crate) fn of(operand: &Operand<'a>) -> Option<Self> {
        match operand {
            Operand::Single(x) => Some(Activations::Single(*x)),
            Operand::Double(x) => Some(Activations::Double(*x)),
            Operand::Graph(_) => None,
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        match self {
            Activations::Single(x) => x.n_rows(),
            Activations::Double(x) => x.n_rows(),
        }
    }

    pub(crate) fn n_cols(&self) -> usize {
        match self {
            Activations::Single(x) => x.n_cols(),
            Activations::Double(x) => x.n_cols(),
        }
    }

    /// Column means and scale.
    pub(crate) fn centering(&self) -> Centering {
        match self {
            Activations::Single(x) => Centering::of(*x),
            Activations::Double(x) => Centering::of(*x),
        }
    }

    /// Columns `start..start + out.len()` of row `i`.
    fn copy(&self, i: usize, start: usize, out: &mut [f64]) {
        let columns = start..start + out.len();
        match self {
            Activations::Single(x) => {
                out.iter_mut().zip(&x.row(i)[columns]).for_each(|(o, &v)| *o = f64::from(v));
            }
            Activations::Double(x) => out.copy_from_slice(&x.row(i)[columns]),
        }
    }

    pub(crate) fn check_finite(&self, index: usize) -> Result<(), SimilarityError> {
        let bad = |i: usize| {
            let at = match self {
                Activations::Single(x) => x.row(i).iter().position(|v| !v.is_finite()),
                Activations::Double(x) => x.row(i).iter().position(|v| !v.is_finite()),
            };
            at.map(|col| (i, col))
        };
        match (0..self.n_rows()).into_par_iter().find_map_first(bad) {
            None => Ok(()),
            Some((row, col)) => {
                let mut value = [0.0];
                self.copy(row, col, &mut value);
                Err(SimilarityError::NotFinite { index, row, col, value: value[0] })
            }
        }
    }
}

/// The rows of a layer in one [`Form`], times a power of two.
pub(crate) struct Rows<'a> {
    x: Activations<'a>,
    form: Form,
    means: Vec<f64>,
    /// Per row: what is subtracted, and what it is multiplied by.
    shifts: Vec<(f64, f64)>,
    /// The power of two, 1 for unit rows.
    pub(crate) factor: f64,
}

impl<'a> Rows<'a> {
    /// [`Status::ZeroVariance`] for a layer whose inputs all look the same, and for a row without a direction where
    /// directions are compared.
    pub(crate) fn new(x: Activations<'a>, form: Form) -> Result<Self, Status> {
        let centering = x.centering();
        if centering.is_constant() {
            return Err(Status::ZeroVariance);
        }
        let n = x.n_rows();
        if form == Form::Centred {
            let (means, factor) = centering.into_parts();
            return Ok(Self { x, form, means, shifts: vec![(0.0, factor); n], factor });
        }
        let shift_and_scale = |i: usize| {
            let mut row = vec![0.0; x.n_cols()];
            x.copy(i, 0, &mut row);
            let scale = power_of_two_below(row.iter().fold(0.0, |top, v| v.abs().max(top)));
            row.iter_mut().for_each(|v| *v *= scale);
            // Relative to the first value, so that a constant row becomes exactly zero.
            let first = row.first().copied().unwrap_or(0.0);
            let mean = match form {
                Form::UnitDeviation => {
                    first + row.iter().map(|v| v - first).sum::<f64>() / row.len().max(1) as f64
                }
                Form::Unit | Form::Centred => 0.0,
            };
            let length = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>().sqrt();
            if length > 0.0 { Ok((mean / scale, scale / length)) } else { Err(Status::ZeroVariance) }
        };
        let shifts = (0..n).into_par_iter().map(shift_and_scale).collect::<Result<_, _>>()?;
        Ok(Self { x, form, means: Vec::new(), shifts, factor: 1.0 })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.x.n_rows()
    }

    pub(crate) fn n_cols(&self) -> usize {
        self.x.n_cols()
    }

    /// Columns `start..start + out.len()` of row `i`.
    pub(crate) fn write(&self, i: usize, start: usize, out: &mut [f64]) {
        self.x.copy(i, start, out);
        let (shift, scale) = self.shifts[i];
        if self.form == Form::Centred {
            out.iter_mut().zip(&self.means[start..]).for_each(|(o, m)| *o = (*o - m) * scale);
        } else {
            out.iter_mut().for_each(|o| *o = (*o - shift) * scale);
        }
    }

    /// Columns `from..to` of all rows.
    fn panel(&self, from: usize, to: usize) -> Matrix<f64> {
        let mut out = Matrix::filled(0.0, self.n_rows(), to - from);
        let width = to - from;
        out.data_mut().par_chunks_mut(width.max(1)).enumerate().for_each(|(i, row)| self.write(i, from, row));
        out
    }

    /// The whole matrix, `N x D`.
    pub(crate) fn dense(&self) -> Matrix<f64> {
        self.panel(0, self.n_cols())
    }

    /// All dot products, `N x N`: products of panels of 1,024 features.
    pub(crate) fn gram(&self) -> Matrix<f64> {
        let mut out = Matrix::filled(0.0, self.n_rows(), self.n_rows());
        for from in (0..self.n_cols()).step_by(FEATURES) {
            let part = gram_f64(self.panel(from, (from + FEATURES).min(self.n_cols())).as_ref());
            out.data_mut().par_iter_mut().zip(part.data()).for_each(|(sum, v)| *sum += v);
        }
        out
    }

    /// All squared Euclidean distances, `N x N`, exactly 0 between equal rows and never negative.
    pub(crate) fn squared_distances(&self) -> Matrix<f64> {
        let mut out = self.gram();
        let n = self.n_rows();
        let norms: Vec<f64> = (0..n).map(|i| out.row(i)[i]).collect();
        out.data_mut().par_chunks_mut(n.max(1)).enumerate().for_each(|(i, row)| {
            let mut ours: Option<Vec<f64>> = None;
            for (j, v) in row.iter_mut().enumerate() {
                *v = norms[i] + norms[j] - 2.0 * *v;
                if i != j && *v < CLOSE * (norms[i] + norms[j]) {
                    let a = ours.get_or_insert_with(|| self.row(i));
                    *v = a.iter().zip(&self.row(j)).map(|(a, b)| (a - b) * (a - b)).sum();
                }
            }
            row[i] = 0.0;
        });
        out
    }

    fn row(&self, i: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.n_cols()];
        self.write(i, 0, &mut out);
        out
    }
}

/// Bytes of [`Rows::gram`] and [`Rows::squared_distances`]: the result, one panel and its product.
pub(crate) fn gram_bytes(x: &Activations<'_>) -> usize {
    let n = x.n_rows();
    8 * n * (2 * n + x.n_cols().min(FEATURES))
}
