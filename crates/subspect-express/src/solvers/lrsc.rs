//! Low-rank subspace clustering (LRSC) of noisy inputs: dense coefficients in closed form.
//!
//! `min_C ||C||_* + tau/2 ||X̂ - C X̂||_F²`; Favaro, Vidal, Ravichandran, "A closed form solution to robust subspace
//! estimation and clustering", CVPR 2011, and Vidal & Favaro, "Low rank subspace clustering", Pattern Recognition
//! Letters 2014. With `K = X̂ X̂ᵀ = V diag(s) Vᵀ` (`s` the squared singular values) and `V_1` the eigenvectors with
//! `tau s > 1`,
//!
//! `C = V_1 (I - S_1⁻¹ / tau) V_1ᵀ`: the spectral filter `f(s) = max(0, 1 - 1 / (tau s))` of the Gram matrix.
//!
//! `C` is symmetric, so that rows and columns may both be read as inputs. Its diagonal is **not** zero; what is
//! returned is `C` without it, while the certificate is that of the whole `C`, the solution of the problem above.
//!
//! Certificate, from products in float64. The rows share one problem; its objective splits into
//! `C_ii + tau/2 ||r_i||²` per row (`C` is positive semidefinite, so `||C||_* = tr C`), and the gap of the whole stands
//! in every row. `C` is optimal if `G = tau (I - C) K` is a subgradient of the nuclear norm. The nearest one at hand
//! is `V diag(min(tau s, 1)) Vᵀ`; with `E` the difference, `||G||_2 <= nu = max min(tau s, 1) ||Vᵀ V||_2 + ||E||_F`, so
//! that `t tau (X̂ - C X̂)` is dual feasible for `t <= 1/nu`, with value `t tau <R, X̂> - t² tau/2 ||R||²`, `R = X̂ - C X̂`.
//! A row's KKT violation is its largest `|E_ij|`.
//!
//! Takes `12 N²` bytes for the result and `57 N²` on the way; the eigendecomposition runs on one thread.

use rayon::prelude::*;
use subspect_linalg::{Dictionary, Matrix, Measured, Status, gram_f64, product_abt_f64, symmetric_eigen};

use super::dense;
use crate::panel::{Row, stack};
use crate::{
    Certificate, ExpressError, MethodInfo, Monitor, ParameterInfo, Solution, SolveOptions, SolveStatus,
};

pub(crate) static INFO: MethodInfo = MethodInfo {
    name: "lrsc",
    summary: "low-rank self-expression (LRSC): closed form, dense, without its diagonal, up to 20,000 inputs",
    reference: "Favaro, Vidal, Ravichandran, CVPR 2011; Vidal & Favaro, Pattern Recognition Letters 2014",
    certified: true,
    dense: true,
    parameters: &[ParameterInfo {
        name: "tau",
        default: Some(10.0),
        min: 0.0,
        max: f64::INFINITY,
        open_min: true,
        integer: false,
        summary: "weight of the data term; directions with a squared singular value above 1 / tau are kept",
    }],
};

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    tau: f64,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    dense::refuse_many(dictionary, INFO.name)?;
    let n = dictionary.n_atoms();
    let stop = || if monitor.is_cancelled() { Err(ExpressError::Cancelled) } else { Ok(()) };
    stop()?;
    let gram = dense::gram(dictionary);
    let norms: Vec<f64> = (0..n).map(|i| dictionary.squared_norm(i)).collect();
    let Some((values, vectors)) = symmetric_eigen(&gram) else {
        return Ok(stack(n, norms.iter().map(|&norm| unsolved(tau, norm))));
    };
    stop()?;
    let c = coefficients(&values, &vectors, &norms, tau);
    let check = Check::new(&gram, &values, &vectors, &c, tau);
    stop()?;
    let rows = (0..n).map(|i| Row {
        entries: dense::entries(i, c.row(i)),
        certificate: check.certificate(i, norms[i], options.tol),
    });
    let solution = stack(n, rows);
    monitor.rows_done(n);
    Ok(solution)
}

/// `f(s) = max(0, 1 - 1 / (tau s))`.
fn filter(s: f64, tau: f64) -> f64 {
    if tau * s > 1.0 { 1.0 - 1.0 / (tau * s) } else { 0.0 }
}

/// `V f(S) Vᵀ` as the Gram matrix of the rows of `V_1 f(S_1)^½`: exactly symmetric, positive semidefinite to rounding.
pub(crate) fn coefficients(
    values: &[f64],
    vectors: &Matrix<f64>,
    squared_norms: &[f64],
    tau: f64,
) -> Matrix<f64> {
    let n = values.len();
    let first = values.partition_point(|&s| tau * s <= 1.0);
    let half = Matrix::from_fn(n, n - first, |i, k| {
        // A zero input has no part in any kept direction; rounding may say otherwise.
        let part = if squared_norms[i] == 0.0 { 0.0 } else { vectors.row(i)[first + k] };
        part * filter(values[first + k], tau).sqrt()
    });
    gram_f64(half.as_ref())
}

/// A row without a decomposition: nothing is known but the objective of `C = 0`.
fn unsolved(tau: f64, squared_norm: f64) -> Row {
    let none = Measured::Undefined(Status::NotFinite);
    let certificate = Certificate {
        status: SolveStatus::MaxIter,
        primal: Measured::finite(0.5 * tau * squared_norm),
        dual: none,
        gap: none,
        kkt_violation: none,
        n_iter: 1,
    };
    Row { entries: Vec::new(), certificate }
}

/// The optimality of a whole `C`.
struct Check {
    tau: f64,
    /// `(C_ii, <r_i, x̂_i>, ||r_i||², max_j |E_ij|)` per row.
    rows: Vec<[f64; 4]>,
    /// The dual point's scale `t`.
    scale: f64,
    /// Relative gap of the whole.
    gap: f64,
    is_zero: bool,
}

impl Check {
    fn new(gram: &Matrix<f64>, values: &[f64], vectors: &Matrix<f64>, c: &Matrix<f64>, tau: f64) -> Self {
        let n = values.len();
        let slopes: Vec<f64> = values.iter().map(|s| (tau * s).clamp(0.0, 1.0)).collect();
        let rest = Matrix::from_fn(n, n, |i, j| f64::from(u8::from(i == j)) - c.row(i)[j]);
        let mut fit = Matrix::filled(0.0, n, n);
        product_abt_f64(rest.as_ref(), gram.as_ref(), fit.data_mut());
        let scaled = Matrix::from_fn(n, n, |i, k| vectors.row(i)[k] * slopes[k]);
        let mut subgradient = Matrix::filled(0.0, n, n);
        product_abt_f64(scaled.as_ref(), vectors.as_ref(), subgradient.data_mut());
        let (rows, errors): (Vec<[f64; 4]>, Vec<f64>) = (0..n)
            .into_par_iter()
            .map(|i| {
                let errors = fit.row(i).iter().zip(subgradient.row(i)).map(|(f, g)| tau * f - g);
                let (most, sum) =
                    errors.fold((0.0_f64, 0.0), |(most, sum), e| (most.max(e.abs()), sum + e * e));
                let squared: f64 = fit.row(i).iter().zip(rest.row(i)).map(|(f, e)| f * e).sum();
                ([c.row(i)[i], fit.row(i)[i], squared.max(0.0), most], sum)
            })
            .unzip();
        drop((rest, fit, scaled, subgradient));
        let largest_slope = slopes.last().copied().unwrap_or(0.0);
        let nu = largest_slope * (1.0 + skew(vectors)) + errors.iter().sum::<f64>().sqrt();
        let total = |part: usize| rows.iter().map(|r| r[part]).sum::<f64>();
        let (trace, dot, squared) = (total(0), total(1), total(2));
        let best = if squared > 0.0 { dot / squared } else { 0.0 };
        let scale = if nu > 0.0 { best.clamp(0.0, 1.0 / nu) } else { best.max(0.0) };
        let primal = trace + 0.5 * tau * squared;
        let dual = tau * (scale * dot - 0.5 * scale * scale * squared);
        let gap = if primal > 0.0 { ((primal - dual) / primal).max(0.0) } else { 0.0 };
        Self { tau, rows, scale, gap, is_zero: trace == 0.0 }
    }

    fn certificate(&self, i: usize, squared_norm: f64, tol: f64) -> Certificate {
        if self.is_zero || squared_norm == 0.0 {
            return Certificate::trivial(self.tau * squared_norm);
        }
        let [own, dot, squared, violation] = self.rows[i];
        let dual = self.tau * (self.scale * dot - 0.5 * self.scale * self.scale * squared);
        Certificate {
            status: if self.gap <= tol { SolveStatus::Converged } else { SolveStatus::MaxIter },
            primal: Measured::finite(own + 0.5 * self.tau * squared),
            dual: Measured::finite(dual),
            gap: Measured::finite(self.gap),
            kkt_violation: Measured::finite(violation),
            n_iter: 1,
        }
    }
}

/// `||Vᵀ V - I||_F`, a bound on how far `||V||_2²` is from 1.
fn skew(vectors: &Matrix<f64>) -> f64 {
    let n = vectors.n_rows();
    let products = gram_f64(Matrix::from_fn(n, n, |k, i| vectors.row(i)[k]).as_ref());
    let error = |i: usize, j: usize| products.row(i)[j] - f64::from(u8::from(i == j));
    (0..n).map(|i| (0..n).map(|j| error(i, j).powi(2)).sum::<f64>()).sum::<f64>().sqrt()
}
