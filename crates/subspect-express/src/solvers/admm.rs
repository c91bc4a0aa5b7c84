//! The lasso of [`super::lasso`] by the alternating direction method of multipliers: the textbook form of what
//! [`super::published_admm`] set out to do, and a second, unrelated road to the exact answer.
//!
//! `min ||X̂ - C X̂||_F² / 2 + sum_i alpha_i ||C_i||_1`, zero diagonal, through the splitting `Z = C` with multiplier `L`
//! and penalty `m`; Elhamifar & Vidal, TPAMI 2013, algorithm 2 without its outlier term (theirs times
//! `tau = 1 / alpha`). With `K = X̂ X̂ᵀ`, one step is
//!
//! ```text
//! Z  = (K + m C - L) (K + m I)⁻¹                 the inverse of the present m
//! Z' = 1.6 Z - 0.6 C                             over-relaxation, Boyd et al. 2011, 3.4.3
//! C  = soft(Z' + L / m, alpha_i / m), zero diagonal
//! L  = L + m (Z' - C)
//! ```
//!
//! Where coefficients sum to one (`affine`), `Z` is the best of those that do: `Z + t wᵀ` with `w = (K + m I)⁻¹ e`, `e`
//! the inputs that are not zero, and `t = (1 - Z e) / eᵀ w`. What is looked at is `C` over its sum.
//!
//! A round is 50 steps. After it every row gets the duality gap of its `C`, and rows that meet the tolerance leave;
//! then `m` is balanced (relative residuals, Wohlberg 2017) and the inverse renewed. After 20 rounds `m` stays, as the
//! proof of convergence asks. `max_iter` counts rounds.
//!
//! A reference, not a rival: `2 N³` operations a step and `50 N²` bytes, where the working set takes neither.

use rayon::prelude::*;
use subspect_linalg::{Dictionary, Matrix, Measured, product_abt_f64, spd_inverse};

use super::active_set::Weights;
use super::affine::AFFINE;
use super::dense;
use super::lasso::{ALPHA, ALPHA_RATIO};
use super::published_admm::shrink;
use crate::certificate::{AffineFacts, RowFacts, on_support};
use crate::panel::{Row, stack};
use crate::{Alpha, Certificate, ExpressError, MethodInfo, Monitor, Solution, SolveOptions, SolveStatus};

pub(crate) static INFO: MethodInfo = MethodInfo {
    name: "admm",
    summary: "the lasso by ADMM, exact and slow: an independent check of lasso, up to 20,000 inputs",
    reference: "Elhamifar & Vidal, TPAMI 2013, arXiv 1203.1005, algorithm 2",
    certified: true,
    dense: false,
    parameters: &[ALPHA_RATIO, ALPHA, AFFINE],
};

/// Steps between two looks at the rows.
const STEPS: usize = 50;
/// Rounds after which the penalty may change.
const BALANCED_ROUNDS: u32 = 20;
/// The penalty changes when the residuals differ by more than this factor, and by no more than that.
const BALANCE: f64 = 4.0;
const LARGEST_CHANGE: f64 = 10.0;
const RELAXATION: f64 = 1.6;

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    alpha: Alpha,
    affine: bool,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    dense::refuse_many(dictionary, INFO.name)?;
    let n = dictionary.n_atoms();
    let gram = dense::gram(dictionary);
    let mut rows: Vec<Option<Row>> = Vec::with_capacity(n);
    let mut state = State::new(n);
    if affine {
        state.atoms = (0..n).map(|j| f64::from(u8::from(dictionary.squared_norm(j) > 0.0))).collect();
    }
    for i in 0..n {
        let alpha_max = dense::largest_correlation(i, gram.row(i));
        let weight = match alpha {
            Alpha::Absolute(alpha) => alpha,
            Alpha::Ratio(ratio) => ratio * alpha_max,
        };
        let trivial = if affine {
            let others = state.atoms.iter().sum::<f64>() - 1.0;
            state.atoms[i] == 0.0 || others < 0.5 || weight == 0.0
        } else {
            alpha_max == 0.0 || weight >= alpha_max
        };
        if trivial {
            let certificate = Certificate::trivial(dictionary.squared_norm(i));
            rows.push(Some(Row { entries: Vec::new(), certificate }));
        } else {
            state.inputs.push(i);
            state.weights.push(weight);
            rows.push(None);
        }
    }
    monitor.rows_done(n - state.inputs.len());
    state.start(&gram);
    for round in 1.. {
        if state.inputs.is_empty() {
            break;
        }
        for _ in 0..STEPS {
            if monitor.is_cancelled() {
                return Err(ExpressError::Cancelled);
            }
            state.step(&gram);
        }
        let last = round as usize >= options.max_iter;
        let looked = state.look(&gram, round, options.tol);
        let keep: Vec<bool> =
            looked.iter().map(|r| !last && r.certificate.status == SolveStatus::MaxIter).collect();
        monitor.rows_done(keep.iter().filter(|k| !**k).count());
        for ((row, &i), &keep) in looked.into_iter().zip(&state.inputs).zip(&keep) {
            if !keep {
                rows[i] = Some(row);
            }
        }
        if round <= BALANCED_ROUNDS {
            state.balance(&gram);
        }
        state.retain(&keep);
    }
    Ok(stack(n, rows.into_iter().flatten()))
}

/// The iterates of the rows under way, `m x N`.
struct State {
    inputs: Vec<usize>,
    /// `alpha_i`.
    weights: Vec<f64>,
    c: Matrix<f64>,
    z: Matrix<f64>,
    multiplier: Matrix<f64>,
    /// The right-hand side before the product, the previous `C` after the step.
    work: Matrix<f64>,
    penalty: f64,
    inverse: Matrix<f64>,
    /// Where coefficients sum to one, 1 for every input that is not zero, and `(K + m I)⁻¹` times that.
    atoms: Vec<f64>,
    along: Vec<f64>,
    /// `||Z' - C||²` and `||C - C_before||²` of the last step.
    residuals: (f64, f64),
}

impl State {
    fn new(n: usize) -> Self {
        let none = || Matrix::filled(0.0, 0, n);
        let (inputs, weights) = (Vec::new(), Vec::new());
        let (c, z, multiplier, work, inverse) = (none(), none(), none(), none(), none());
        Self {
            inputs,
            weights,
            c,
            z,
            multiplier,
            work,
            penalty: 1.0,
            inverse,
            atoms: vec![],
            along: vec![],
            residuals: (0.0, 0.0),
        }
    }

    /// All zero, and the mean squared norm as the first penalty: the scale of `K`.
    fn start(&mut self, gram: &Matrix<f64>) {
        let (m, n) = (self.inputs.len(), gram.n_rows());
        for part in [&mut self.c, &mut self.z, &mut self.multiplier, &mut self.work] {
            *part = Matrix::filled(0.0, m, n);
        }
        let trace: f64 = self.inputs.iter().map(|&i| gram.row(i)[i]).sum();
        if m > 0 {
            self.renew(gram, trace / m as f64);
        }
    }

    /// Takes a new penalty, if its system has an inverse in float64.
    fn renew(&mut self, gram: &Matrix<f64>, penalty: f64) {
        let n = gram.n_rows();
        let system = Matrix::from_fn(n, n, |i, j| gram.row(i)[j] + if i == j { penalty } else { 0.0 });
        if let Some(inverse) = spd_inverse(&system) {
            let part = |row: &[f64]| row.iter().zip(&self.atoms).map(|(p, e)| p * e).sum();
            if !self.atoms.is_empty() {
                self.along = (0..n).map(|i| part(inverse.row(i))).collect();
            }
            (self.penalty, self.inverse) = (penalty, inverse);
        }
    }

    fn step(&mut self, gram: &Matrix<f64>) {
        let (n, m) = (gram.n_rows(), self.penalty);
        if self.inverse.n_rows() != n {
            return; // not even the first system has an inverse: C stays zero, and its certificate says so
        }
        let (inputs, c, l) = (&self.inputs, &self.c, &self.multiplier);
        self.work.data_mut().par_chunks_mut(n).enumerate().for_each(|(at, row)| {
            let known = gram.row(inputs[at]).iter().zip(c.row(at)).zip(l.row(at));
            row.iter_mut().zip(known).for_each(|(out, ((k, c), l))| *out = k + m * c - l);
        });
        product_abt_f64(self.work.as_ref(), self.inverse.as_ref(), self.z.data_mut());
        let (weights, along, atoms) = (&self.weights, &self.along, &self.atoms);
        let whole: f64 = along.iter().zip(atoms).map(|(w, e)| w * e).sum();
        let changes: Vec<(f64, f64)> = self
            .z
            .data_mut()
            .par_chunks_mut(n)
            .zip(self.multiplier.data_mut().par_chunks_mut(n))
            .zip(self.work.data_mut().par_chunks_mut(n))
            .enumerate()
            .map(|(at, ((z, l), new))| {
                let old = c.row(at);
                if !atoms.is_empty() {
                    let sum: f64 = z.iter().zip(atoms).map(|(z, e)| z * e).sum();
                    let step = (1.0 - sum) / whole;
                    z.iter_mut().zip(along).for_each(|(z, w)| *z += step * w);
                }
                z.iter_mut().zip(old).for_each(|(z, c)| *z = RELAXATION * *z + (1.0 - RELAXATION) * c);
                let range = shrink(inputs[at], z, old, l, new, m, weights[at] / m);
                (range.primal, range.change)
            })
            .collect();
        std::mem::swap(&mut self.c, &mut self.work);
        self.residuals = changes.iter().fold((0.0, 0.0), |sum, v| (sum.0 + v.0, sum.1 + v.1));
    }

    /// Every row with the certificate of its present coefficients.
    fn look(&self, gram: &Matrix<f64>, round: u32, tol: f64) -> Vec<Row> {
        (0..self.inputs.len())
            .into_par_iter()
            .map(|at| {
                let i = self.inputs[at];
                let mut entries = dense::entries(i, self.c.row(at));
                if !self.atoms.is_empty() {
                    let sum: f64 = entries.iter().map(|e| e.1).sum();
                    let scale = if sum > 0.0 { 1.0 / sum } else { 1.0 };
                    entries.iter_mut().for_each(|e| e.1 *= scale);
                }
                let certificate = certify(gram, i, &entries, self.weights[at], &self.atoms, round, tol);
                Row { entries, certificate }
            })
            .collect()
    }

    /// Moves the penalty towards equal relative residuals.
    fn balance(&mut self, gram: &Matrix<f64>) {
        let norm = |m: &Matrix<f64>| m.data().iter().map(|v| v * v).sum::<f64>().sqrt();
        let primal = self.residuals.0.sqrt() / norm(&self.c).max(norm(&self.z));
        let dual = self.penalty * self.residuals.1.sqrt() / norm(&self.multiplier);
        let ratio = primal / dual;
        if ratio.is_finite() && !(1.0 / BALANCE..=BALANCE).contains(&ratio) {
            let change = ratio.sqrt().clamp(1.0 / LARGEST_CHANGE, LARGEST_CHANGE);
            self.renew(gram, self.penalty * change);
        }
    }

    /// Drops the rows that are done.
    fn retain(&mut self, keep: &[bool]) {
        if keep.iter().all(|k| *k) {
            return;
        }
        let kept: Vec<usize> = (0..keep.len()).filter(|&at| keep[at]).collect();
        let n = self.c.n_cols();
        for part in [&mut self.c, &mut self.multiplier] {
            *part = Matrix::from_fn(kept.len(), n, |at, j| part.row(kept[at])[j]);
        }
        self.z = Matrix::filled(0.0, kept.len(), n);
        self.work = Matrix::filled(0.0, kept.len(), n);
        self.inputs = kept.iter().map(|&at| self.inputs[at]).collect();
        self.weights = kept.iter().map(|&at| self.weights[at]).collect();
    }
}

/// The lasso's certificate of row `i`, from the Gram matrix; `atoms` where coefficients sum to one.
fn certify(
    gram: &Matrix<f64>,
    i: usize,
    entries: &[(u32, f64)],
    weight: f64,
    atoms: &[f64],
    n_iter: u32,
    tol: f64,
) -> Certificate {
    let mut correlations = gram.row(i).to_vec();
    for &(j, c) in entries {
        correlations.iter_mut().zip(gram.row(j as usize)).for_each(|(h, k)| *h -= c * k);
    }
    let fit: f64 = entries.iter().map(|&(j, c)| c * correlations[j as usize]).sum();
    let violations = entries.iter().map(|&(j, c)| (correlations[j as usize] - weight * c.signum()).abs());
    let facts = RowFacts {
        residual_squared: (correlations[i] - fit).max(0.0),
        target_dot_residual: correlations[i],
        l1: entries.iter().map(|e| e.1.abs()).sum(),
        squares: 0.0,
        max_gradient: dense::largest_correlation(i, &correlations),
        support_violation: violations.fold(0.0, f64::max),
    };
    if !atoms.is_empty() {
        let gradients = correlations.iter().zip(atoms).enumerate().filter(|&(j, (_, e))| j != i && *e > 0.0);
        let (least, most) = gradients
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, (g, _))| (low.min(*g), high.max(*g)));
        let support = entries.iter().map(|&(j, c)| (correlations[j as usize], c));
        let facts = AffineFacts {
            residual_squared: facts.residual_squared,
            target_dot_residual: facts.target_dot_residual,
            sum: entries.iter().map(|e| e.1).sum(),
            l1: facts.l1,
            squares: 0.0,
            least,
            most,
            on_support: on_support(support, weight),
        };
        return facts.certificate(&Weights { l1: weight, l2: 0.0, positive: false }, tol, n_iter);
    }
    let (primal, dual, gap, kkt) = facts.evaluate(weight, 0.0);
    Certificate {
        status: if gap <= tol { SolveStatus::Converged } else { SolveStatus::MaxIter },
        primal: Measured::finite(primal),
        dual: Measured::finite(dual),
        gap: Measured::finite(gap),
        kkt_violation: Measured::finite(kkt),
        n_iter,
    }
}
