//! Ridge self-expression, also called least squares regression (LSR): dense coefficients in closed form.
//!
//! `min_C ||X̂ - C X̂||_F² + alpha ||C||_F²` with zero diagonal; Lu et al., "Robust and efficient subspace segmentation
//! via least squares regression", ECCV 2012. Row `i` of `C` expresses input `i`, and the rows do not touch: with
//! `K = X̂ X̂ᵀ` and `-i` for all inputs but `i`, the exact row is `c_-i = (K_-i,-i + alpha I)⁻¹ K_-i,i`. In
//! `P = (K + alpha I)⁻¹`, the inverse by blocks has `P_-i,i = -(K_-i,-i + alpha I)⁻¹ K_-i,i P_ii`, hence
//!
//! `C_ij = -P_ij / P_ii`  (`P` is symmetric; divided by `P_jj` it would be the source's, whose columns are inputs),
//!
//! with the optimal value `1/P_ii - alpha` per row. Without the diagonal condition the answer is
//! `K (K + alpha I)⁻¹ = I - alpha P`; row `i` of ours is that of a ridge probe which never saw input `i`.
//!
//! With coefficients that sum to one (`affine`; the inputs that are not zero, `e`, are the atoms): the bordered system
//! of `1ᵀ c = 1` has `c = c⁰ + t m`, where `c⁰` is the row above, `m = (K_-i,-i + alpha I)⁻¹ e` and
//! `t = (1 - eᵀ c⁰) / eᵀ m`. By the same inverse by blocks `m = p + p_i c⁰` off `i`, with `p = P e`: no further solve.
//!
//! Certificate, in the lasso's scale `P(c) = 1/2 ||r||² + alpha/2 ||c||²`: with the residual `r = x̂_i - X̂ᵀ c` of the
//! normal equations, `g_j = x̂_j · r - alpha c_j` for `j != i`, the dual value at `r` is `P(c) - ||g||² / (2 alpha)`:
//! a true gap, and what strong convexity gives; where coefficients sum to one, `g` is taken without its mean, the best
//! multiplier of the sum. The KKT violation is `max |g_j|` over its value at `c = 0`.
//!
//! Limit: a tiny `alpha` drowns in the rounding of `K` (unit rows, N = 40 to 70, gap 1e-6: from 1e-11 down); rows then
//! miss the tolerance and are marked so.
//!
//! Every coefficient may differ from zero: the result takes `12 N²` bytes, the computation `41 N²`.

use std::ops::Range;

use subspect_linalg::{Dictionary, Matrix, Measured, product_abt_f64, spd_inverse, symmetric_eigen};

use super::affine::{AFFINE, SUM_TOLERANCE};
use super::dense;
use crate::panel::{Row, map_panels, stack};
use crate::target::Targets;
use crate::{
    Certificate, ExpressError, MethodInfo, Monitor, ParameterInfo, Solution, SolveOptions, SolveStatus,
};

pub(crate) static INFO: MethodInfo = MethodInfo {
    name: "ridge",
    summary: "ridge self-expression (LSR): closed form, dense, up to 20,000 inputs",
    reference: "Lu et al., ECCV 2012",
    certified: true,
    dense: true,
    parameters: &[
        ParameterInfo {
            name: "alpha",
            default: Some(0.1),
            min: 0.0,
            max: f64::INFINITY,
            open_min: true,
            integer: false,
            summary: "weight of the squared penalty; the default is for unit rows, scale it by their mean squared norm",
        },
        AFFINE,
    ],
};

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    alpha: f64,
    affine: bool,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    dense::refuse_many(dictionary, INFO.name)?;
    let gram = dense::gram(dictionary);
    let inverse = regularised_inverse(&gram, alpha);
    let atoms: Vec<f64> =
        (0..gram.n_rows()).map(|j| f64::from(u8::from(dictionary.squared_norm(j) > 0.0))).collect();
    let row_sum = |row: &[f64]| row.iter().zip(&atoms).map(|(p, e)| p * e).sum();
    let sums: Option<Vec<f64>> = match (&inverse, affine) {
        (Some(inverse), true) => Some((0..inverse.n_rows()).map(|i| row_sum(inverse.row(i))).collect()),
        _ => None,
    };
    let (inverse_of, sums) = (inverse.as_ref(), sums.as_deref());
    let setup = Setup {
        dictionary,
        gram: &gram,
        inverse: inverse_of,
        atoms: &atoms,
        sums,
        affine,
        alpha,
        tol: options.tol,
    };
    let panels = map_panels(dictionary, Targets::Atoms, monitor, |rows| setup.solve_panel(rows))?;
    drop((gram, inverse));
    Ok(stack(dictionary.n_atoms(), panels.into_iter().flatten()))
}

/// `(K + alpha I)⁻¹`. A Cholesky factor where there is one; where `alpha` is lost beside `K`, from the eigenvalues,
/// negative ones being zeros with noise. `None` when `1 / alpha` or `K` leaves the range of numbers.
pub(crate) fn regularised_inverse(gram: &Matrix<f64>, alpha: f64) -> Option<Matrix<f64>> {
    let n = gram.n_rows();
    let shifted = Matrix::from_fn(n, n, |i, j| gram.row(i)[j] + if i == j { alpha } else { 0.0 });
    if let Some(inverse) = spd_inverse(&shifted) {
        return Some(inverse);
    }
    let (values, vectors) = symmetric_eigen(gram)?;
    let scaled = Matrix::from_fn(n, n, |i, k| vectors.row(i)[k] / (values[k].max(0.0) + alpha));
    let mut inverse = Matrix::filled(0.0, n, n);
    product_abt_f64(scaled.as_ref(), vectors.as_ref(), inverse.data_mut());
    inverse.data().iter().all(|v| v.is_finite()).then_some(inverse)
}

/// What all rows share.
struct Setup<'s, 'a> {
    dictionary: &'s Dictionary<'a>,
    gram: &'s Matrix<f64>,
    inverse: Option<&'s Matrix<f64>>,
    /// 1 for every input that is not zero.
    atoms: &'s [f64],
    /// `P e`, where coefficients sum to one.
    sums: Option<&'s [f64]>,
    affine: bool,
    alpha: f64,
    tol: f64,
}

impl Setup<'_, '_> {
    fn solve_panel(&self, rows: Range<usize>) -> Vec<Row> {
        let mut c = self.closed_form(rows.clone());
        if let Some(sums) = self.sums {
            rows.clone().enumerate().for_each(|(k, i)| self.meet_the_sum(i, c.row_mut(k), sums));
        }
        let own = |k: usize, j: usize| f64::from(u8::from(rows.start + k == j));
        let unexplained = Matrix::from_fn(c.n_rows(), c.n_cols(), |k, j| own(k, j) - c.row(k)[j]);
        let mut correlations = Matrix::filled(0.0, c.n_rows(), c.n_cols());
        product_abt_f64(unexplained.as_ref(), self.gram.as_ref(), correlations.data_mut());
        rows.enumerate()
            .map(|(k, i)| Row {
                entries: dense::entries(i, c.row(k)),
                certificate: self.certify(i, c.row(k), unexplained.row(k), correlations.row_mut(k)),
            })
            .collect()
    }

    /// `-P_ij / P_ii`; zero inputs neither express nor are expressed.
    fn closed_form(&self, rows: Range<usize>) -> Matrix<f64> {
        let is_zero = |j: usize| self.dictionary.squared_norm(j) == 0.0;
        Matrix::from_fn(rows.len(), self.dictionary.n_atoms(), |k, j| {
            let i = rows.start + k;
            let value = self.inverse.map_or(0.0, |p| -p.row(i)[j] / p.row(i)[i]);
            if i == j || is_zero(i) || is_zero(j) || !value.is_finite() { 0.0 } else { value }
        })
    }

    /// Moves the free row `i` to the best one whose coefficients sum to one, if there is another atom.
    fn meet_the_sum(&self, i: usize, c: &mut [f64], sums: &[f64]) {
        if self.atoms[i] == 0.0 {
            return;
        }
        let allowed = |j: usize| if j == i { 0.0 } else { self.atoms[j] };
        let direction: Vec<f64> = (0..c.len()).map(|j| allowed(j) * (sums[j] + sums[i] * c[j])).collect();
        let along: f64 = direction.iter().sum();
        // Twice: the second time takes the rounding of the first out of the sum.
        for _ in 0..2 {
            let step = (1.0 - c.iter().sum::<f64>()) / along;
            if step.is_finite() {
                c.iter_mut().zip(&direction).for_each(|(c, d)| *c += step * d);
            }
        }
    }

    /// The certificate of row `i`; `correlations` holds `x̂_j · r` before and `g` after.
    fn certify(&self, i: usize, c: &[f64], unexplained: &[f64], correlations: &mut [f64]) -> Certificate {
        let others = self.atoms.iter().sum::<f64>() - self.atoms[i];
        let largest = dense::largest_correlation(i, self.gram.row(i));
        // Where coefficients must sum to one, inputs without a correlation are expressed, too.
        let start = if self.affine && largest == 0.0 { self.alpha } else { largest };
        let nothing = if self.affine { self.atoms[i] * others == 0.0 } else { largest == 0.0 };
        if nothing {
            return Certificate::trivial(self.dictionary.squared_norm(i));
        }
        let fit: f64 = unexplained.iter().zip(correlations.iter()).map(|(e, h)| e * h).sum::<f64>().max(0.0);
        let squares: f64 = c.iter().map(|v| v * v).sum();
        correlations.iter_mut().zip(c).for_each(|(h, v)| *h -= self.alpha * v);
        correlations[i] = 0.0;
        let off = if self.affine { (c.iter().sum::<f64>() - 1.0).abs() } else { 0.0 };
        if self.affine {
            let own = |j: usize| if j == i { 0.0 } else { self.atoms[j] };
            let mean = correlations.iter().enumerate().map(|(j, g)| own(j) * g).sum::<f64>() / others;
            correlations.iter_mut().enumerate().for_each(|(j, g)| *g = own(j) * (*g - mean));
        }
        let primal = 0.5 * fit + 0.5 * self.alpha * squares;
        let gap = correlations.iter().map(|g| g * g).sum::<f64>() / (2.0 * self.alpha);
        let relative = if primal > 0.0 { gap / primal } else { 0.0 };
        let violation = correlations.iter().fold(off * start, |m, g| m.max(g.abs())) / start;
        Certificate {
            status: if relative <= self.tol && off <= SUM_TOLERANCE {
                SolveStatus::Converged
            } else {
                SolveStatus::MaxIter
            },
            primal: Measured::finite(primal),
            dual: Measured::finite(primal - gap),
            gap: Measured::finite(relative),
            kkt_violation: Measured::finite(violation),
            n_iter: 1,
        }
    }
}
