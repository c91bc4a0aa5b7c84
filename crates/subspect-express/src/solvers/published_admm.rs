//! The ADMM published beside Saini, Devineni, Papalexakis, "Subspace Clustering Based Analysis of Neural
//! Networks" (arXiv 2107.01296), kept exactly as it behaves so that old numbers can be repeated.
//!
//! It sets out to solve, for all inputs at once (`C` is N x N, row i expresses input i, `C_ii = 0`),
//! `min ||C||_1 + tau/2 ||X - C X||_F²`, by the splitting `Z = C` with multiplier `L` and penalty `m`
//! (Elhamifar & Vidal, TPAMI 2013, algorithm 2 without its affine and outlier terms). With `K = X Xᵀ`,
//! `m = mu` and `C = L = 0` at the start, one step is
//!
//! ```text
//! Z  = (tau K + m C - L) (tau K + mu I)⁻¹        the inverse keeps the first penalty, mu
//! C' = soft(Z + L / m, 1 / m), zero diagonal
//! L' = L + m (Z - C')                            the diagonal included
//! m' = 2 m  if ||Z - C'|| > 10 m ||C' - C||,  m / 2  if 10 ||Z - C'|| < m ||C' - C||,  else m
//! ```
//!
//! What follows from that, and from its stopping rule:
//!
//! - **Another problem.** A fixed point with penalty `m` satisfies the optimality conditions of
//!   `||C||_1 + tau/2 ||X - C X||² + (mu - m)/2 ||C||²`: an elastic net whose ridge term depends on where the
//!   penalty happened to end. Only `m = mu` gives the lasso. The penalty may also keep alternating, so there
//!   need not be a fixed point at all.
//! - **It can diverge**: for `m > mu` the extra term is concave, and a changing `m` is not covered by any
//!   convergence proof. [`AdmmOutcome::diverged`] reports it.
//! - **It stops on the fit, not on convergence**: with `f(C) = ||X - C X||_F / sqrt(N D)` it runs while
//!   `f > tol` and the steps are below `max_iter`. One step before that limit, a fit above 0.1 doubles the
//!   limit; a second such doubling ends the run. So a fit that stays poor ends it after `2 max_iter - 1`
//!   steps, one that never is after `max_iter`, one that improves in between after `2 max_iter`.
//! - **It depends on the scale of `X` and on `D`**, not only on directions: 0.1 and `tol` are absolute. Unit
//!   rows have `f(0) = 1/sqrt(D)`: with the published `tol = 0.01` and `D >= 10,000` features it stops before
//!   the first step with `C = 0`, and with `D >= 100` it hardly ever asks for more steps.
//! - **All zero or nothing positive** in the last `C` makes it return the last iterate that had a positive
//!   entry, or a negative one and a better fit than the iterate before it.
//!
//! On 90 points of three 5-dimensional subspaces of R³⁰ (unit rows, tau 10, mu 100, 100 iterations, tol 0.01)
//! it ends at objective 267.7167 after 199 steps; the optimum is 114.0720. Use the lasso for results, this for
//! comparison with what was published.
//!
//! Dense by nature: about `40 N² + 8 N min(N, D)` bytes and `2 N³` operations a step.

use rayon::prelude::*;
use subspect_linalg::{MatRef, Matrix, gram_f64, product_abt_f64, spd_inverse};

/// The fit above which the published loop grants itself more steps, an absolute number.
const POOR_FIT: f64 = 0.1;
/// Ratio of the residuals at which the penalty changes, and the factor by which it does (Boyd et al., 2011, 3.4.1).
const BALANCE: f64 = 10.0;
const PENALTY_STEP: f64 = 2.0;
/// Coefficients beyond this do not survive the f32 they are stored in, nor their squares' sums.
const LARGEST: f64 = 1e30;

/// What the published loop leaves behind.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the tests of its behaviour read every field"))]
pub(crate) struct AdmmOutcome {
    /// N x N, row i expresses input i, zero diagonal, always finite.
    pub(crate) coefficients: Matrix<f64>,
    /// Steps taken, at most `2 max_iter`.
    pub(crate) n_steps: usize,
    /// `||Z - C||_F` of the last step.
    pub(crate) primal_residual: f64,
    /// `m ||C - C_before||_F` of the last step, with the penalty that it used.
    pub(crate) dual_residual: f64,
    /// Root mean square of `X - C X`, of the returned coefficients.
    pub(crate) fit: f64,
    /// The penalty after the last step: `mu - penalty` is the ridge term of the problem at a fixed point.
    pub(crate) penalty: f64,
    /// The fit went below `tol`, the only way in which the published loop calls itself done.
    pub(crate) reached_tol: bool,
    /// The coefficients express the inputs worse than no coefficients do, or left the range of numbers (then
    /// they are the last ones that were in it), or the system has no inverse (then they are zero).
    pub(crate) diverged: bool,
}

/// Runs the published loop on `x` (N x D, not normalized here). `keep_going` is asked before every step; when
/// it answers no, the outcome is that of the steps taken so far.
///
/// The caller refuses `tau <= 0`, `mu <= 0`, values that are not finite, and N above what memory allows.
pub(crate) fn published_admm(
    x: MatRef<'_, f64>,
    tau: f64,
    mu: f64,
    max_iter: usize,
    tol: f64,
    keep_going: &dyn Fn() -> bool,
) -> AdmmOutcome {
    let n = x.n_rows();
    let gram = gram_f64(x);
    let system = Matrix::from_fn(n, n, |i, j| tau * gram.row(i)[j] + if i == j { mu } else { 0.0 });
    let inverse = spd_inverse(&system);
    drop(system);
    let misfit = Misfit::new(x, gram);
    let mut state = State::new(n, mu);
    let fit_of_zero = misfit.fit(&state.c);
    let mut fit = fit_of_zero;
    let Some(inverse) = inverse else {
        return state.finish(fit, false, fit_of_zero.is_finite() && fit <= tol, true);
    };

    // The published rule for what to return instead of a last C without a positive entry.
    let mut last_good: Option<Matrix<f64>> = None;
    let mut is_good = true;
    let (mut limit, mut n_doublings, mut overflow) = (max_iter, 0, false);
    while fit > tol && state.n_steps < limit && n_doublings < 2 && keep_going() {
        let was_good = is_good;
        let previous_fit = fit;
        let range = state.step(&inverse, mu);
        fit = misfit.fit(&state.c);
        if !range.is_sane() || !fit.is_finite() {
            std::mem::swap(&mut state.c, &mut state.work);
            fit = previous_fit;
            overflow = true;
            break;
        }
        is_good = range.max > 0.0 || (range.min < 0.0 && fit < previous_fit);
        if was_good && !is_good {
            last_good = Some(state.work.clone());
        }
        if state.n_steps + 1 == limit && fit > POOR_FIT {
            limit = limit.saturating_mul(2);
            n_doublings += 1;
        }
    }
    let reached_tol = fit <= tol;
    if !is_good
        && state.largest() == 0.0
        && let Some(good) = last_good
    {
        state.c = good;
        fit = misfit.fit(&state.c);
    }
    state.finish(fit, overflow || fit > fit_of_zero, reached_tol, false)
}

/// The iterates. Rows of all four are inputs.
struct State {
    c: Matrix<f64>,
    /// The right-hand side before the product, the previous `C` after the step.
    work: Matrix<f64>,
    z: Matrix<f64>,
    multiplier: Matrix<f64>,
    penalty: f64,
    n_steps: usize,
    primal: f64,
    dual: f64,
}

/// Sums and extremes over one or more rows of a step.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) primal: f64,
    pub(crate) change: f64,
    min: f64,
    max: f64,
}

impl Range {
    fn is_sane(&self) -> bool {
        self.primal.is_finite() && self.change.is_finite() && self.max < LARGEST && self.min > -LARGEST
    }
}

impl State {
    fn new(n: usize, penalty: f64) -> Self {
        let zero = || Matrix::filled(0.0, n, n);
        let (c, work, z, multiplier) = (zero(), zero(), zero(), zero());
        Self { c, work, z, multiplier, penalty, n_steps: 0, primal: 0.0, dual: 0.0 }
    }

    /// One step with the inverse of the first penalty `mu`; afterwards `work` holds the previous `C`.
    fn step(&mut self, inverse: &Matrix<f64>, mu: f64) -> Range {
        let (n, m) = (self.c.n_rows(), self.penalty);
        // tau K (tau K + mu I)⁻¹ = I - mu (tau K + mu I)⁻¹, so that tau K need not be kept:
        // Z = I + (m C - L - mu I) (tau K + mu I)⁻¹.
        let (c, l) = (&self.c, &self.multiplier);
        self.work.data_mut().par_chunks_mut(n).enumerate().for_each(|(i, row)| {
            for (g, (c, l)) in row.iter_mut().zip(c.row(i).iter().zip(l.row(i))) {
                *g = m * c - l;
            }
            row[i] -= mu;
        });
        product_abt_f64(self.work.as_ref(), inverse.as_ref(), self.z.data_mut());
        let rows: Vec<Range> = self
            .z
            .data_mut()
            .par_chunks_mut(n)
            .zip(self.multiplier.data_mut().par_chunks_mut(n))
            .zip(self.work.data_mut().par_chunks_mut(n))
            .enumerate()
            .map(|(i, ((z, l), new))| {
                z[i] += 1.0;
                shrink(i, z, self.c.row(i), l, new, m, 1.0 / m)
            })
            .collect();
        std::mem::swap(&mut self.c, &mut self.work);
        let total =
            rows.into_iter().reduce(merge).unwrap_or(Range { primal: 0.0, change: 0.0, min: 0.0, max: 0.0 });
        (self.primal, self.dual) = (total.primal.sqrt(), m * total.change.sqrt());
        if self.primal > BALANCE * self.dual {
            self.penalty *= PENALTY_STEP;
        } else if self.primal * BALANCE < self.dual {
            self.penalty /= PENALTY_STEP;
        }
        self.n_steps += 1;
        total
    }

    /// The largest coefficient, sign included.
    fn largest(&self) -> f64 {
        self.c.data().iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn finish(self, fit: f64, diverged: bool, reached_tol: bool, singular: bool) -> AdmmOutcome {
        let finite = |v: f64| if v.is_finite() { v } else { f64::MAX };
        AdmmOutcome {
            coefficients: self.c,
            n_steps: self.n_steps,
            primal_residual: finite(self.primal),
            dual_residual: finite(self.dual),
            fit: finite(fit),
            penalty: self.penalty,
            reached_tol,
            diverged: diverged || singular,
        }
    }
}

/// Row `i` of a step: the new coefficients into `new`, the multiplier in place.
pub(crate) fn shrink(
    i: usize,
    z: &[f64],
    old: &[f64],
    multiplier: &mut [f64],
    new: &mut [f64],
    m: f64,
    threshold: f64,
) -> Range {
    let mut out = Range { primal: 0.0, change: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };
    for j in 0..z.len() {
        let v = z[j] + multiplier[j] / m;
        let kept = if j == i { 0.0 } else { (v.abs() - threshold).max(0.0).copysign(v) };
        let gap = z[j] - kept;
        multiplier[j] += m * gap;
        out.primal += gap * gap;
        out.change += (kept - old[j]) * (kept - old[j]);
        out.min = out.min.min(kept);
        out.max = out.max.max(kept);
        new[j] = kept;
    }
    out
}

fn merge(a: Range, b: Range) -> Range {
    Range {
        primal: a.primal + b.primal,
        change: a.change + b.change,
        min: a.min.min(b.min),
        max: a.max.max(b.max),
    }
}

/// `f(C) = ||X - C X||_F / sqrt(N D)`, from whichever of `X` and `K` has fewer columns.
struct Misfit<'a> {
    x: MatRef<'a, f64>,
    gram: Option<Matrix<f64>>,
}

impl<'a> Misfit<'a> {
    fn new(x: MatRef<'a, f64>, gram: Matrix<f64>) -> Self {
        Self { x, gram: (x.n_cols() > x.n_rows()).then_some(gram) }
    }

    fn fit(&self, c: &Matrix<f64>) -> f64 {
        let n_values = self.x.n_rows() * self.x.n_cols();
        if n_values == 0 {
            return 0.0;
        }
        let rows: Vec<f64> = (0..self.x.n_rows()).into_par_iter().map(|i| self.row(i, c.row(i))).collect();
        (rows.iter().sum::<f64>().max(0.0) / n_values as f64).sqrt()
    }

    /// `||x_i - sum_j c_j x_j||²`, or the same as `(e_i - c)ᵀ K (e_i - c)`.
    fn row(&self, i: usize, c: &[f64]) -> f64 {
        let source = self.gram.as_ref().map_or(self.x, Matrix::as_ref);
        let mut left = source.row(i).to_vec();
        for (j, &w) in c.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            for (r, v) in left.iter_mut().zip(source.row(j)) {
                *r -= w * v;
            }
        }
        match self.gram {
            None => left.iter().map(|r| r * r).sum(),
            Some(_) => left[i] - c.iter().zip(&left).map(|(w, r)| w * r).sum::<f64>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn run(x: &Matrix<f64>, tau: f64, mu: f64, max_iter: usize) -> AdmmOutcome {
        let out = published_admm(x.as_ref(), tau, mu, max_iter, 1e-2, &|| true);
        assert!(out.coefficients.data().iter().all(|v| v.is_finite()));
        assert!((0..x.n_rows()).all(|i| out.coefficients.row(i)[i] == 0.0));
        out
    }

    /// Six inputs with three features.
    fn six(scale: f64) -> Matrix<f64> {
        Matrix::from_fn(6, 3, |i, j| scale * (1.0 + 0.7 * (i * i) as f64 + 1.3 * j as f64).sin())
    }

    fn residual(x: &Matrix<f64>, c: &Matrix<f64>, i: usize) -> Vec<f64> {
        let mut left = x.row(i).to_vec();
        for (j, w) in c.row(i).iter().enumerate() {
            left.iter_mut().zip(x.row(j)).for_each(|(r, v)| *r -= w * v);
        }
        left
    }

    fn objective(x: &Matrix<f64>, c: &Matrix<f64>, tau: f64) -> f64 {
        let l1: f64 = c.data().iter().map(|v| v.abs()).sum();
        let squares: f64 = (0..x.n_rows()).flat_map(|i| residual(x, c, i)).map(|r| r * r).sum();
        l1 + 0.5 * tau * squares
    }

    fn close(found: f64, want: f64, relative: f64) {
        assert!((found - want).abs() <= relative * want.abs(), "found {found}, expected {want}");
    }

    // The expected values below come from an independent NumPy program of the steps in the module's head.

    #[test]
    fn a_poor_fit_takes_two_max_iter_minus_one_steps() {
        let x = six(1.0);
        for (max_iter, n_steps, value) in
            [(10, 19, 10.751088104152094), (2, 3, 10.93774779331249), (40, 79, 10.746603707353643)]
        {
            let out = run(&x, 5.0, 20.0, max_iter);
            assert_eq!(
                (out.n_steps, out.penalty, out.reached_tol, out.diverged),
                (n_steps, 5.0, false, false)
            );
            close(objective(&x, &out.coefficients, 5.0), value, 1e-11);
        }
        let out = run(&x, 5.0, 20.0, 10);
        close(out.primal_residual, 0.001311497203495748, 1e-9);
        close(out.dual_residual, 0.0006351236289832342, 1e-9);
        close(out.fit, 0.4140291043890895, 1e-12);
        close(out.coefficients.row(1)[4], -0.13484150344396828, 1e-11);
        close(out.coefficients.row(4)[1], -0.12054259980697296, 1e-11);
        assert_eq!(out.coefficients.row(3)[5], 0.0);
    }

    #[test]
    fn one_iteration_is_never_extended() {
        let out = run(&six(1.0), 5.0, 20.0, 1);
        assert_eq!((out.n_steps, out.penalty), (1, 10.0));
        close(out.dual_residual, 7.611860081204453, 1e-11);
    }

    #[test]
    fn a_good_fit_ends_the_run_before_it_converged() {
        let x = six(1.0);
        let out = run(&x, 100.0, 1.0, 60);
        assert_eq!((out.n_steps, out.reached_tol), (60, false));
        close(objective(&x, &out.coefficients, 100.0), 6.815342686066401, 1e-9);
        let out = run(&x, 100.0, 1.0, 1000);
        assert_eq!((out.n_steps, out.reached_tol), (69, true));
        close(out.fit, 0.009953203943920672, 1e-9);
    }

    #[test]
    fn the_fixed_point_is_an_elastic_net_and_not_the_lasso() {
        let (x, tau, mu) = (six(1.0), 5.0, 20.0);
        let out = run(&x, tau, mu, 200);
        assert!(out.primal_residual < 1e-12 && out.penalty == 5.0);
        for i in 0..6 {
            let r = residual(&x, &out.coefficients, i);
            for j in (0..6).filter(|&j| j != i) {
                let c = out.coefficients.row(i)[j];
                let slope = tau * x.row(j).iter().zip(&r).map(|(a, b)| a * b).sum::<f64>();
                let net = slope - (mu - out.penalty) * c;
                if c == 0.0 {
                    assert!(net.abs() <= 1.0 + 1e-9);
                } else {
                    assert!((net - c.signum()).abs() < 1e-9, "row {i}, column {j}: {net}");
                    assert!((slope - c.signum()).abs() > 0.1, "not a lasso condition");
                }
            }
        }
    }

    #[test]
    fn the_scale_of_the_inputs_decides_what_comes_out() {
        let out = run(&six(0.01), 10.0, 100.0, 60);
        assert_eq!((out.n_steps, out.reached_tol, out.diverged), (0, true, false));
        assert!(out.coefficients.data().iter().all(|v| *v == 0.0));

        // The last C is all zero here, and an earlier one is returned in its place.
        let x = six(0.1);
        let out = run(&x, 10.0, 100.0, 60);
        assert_eq!((out.n_steps, out.penalty, out.dual_residual), (60, 12.5, 0.0));
        close(out.fit, 0.06802806823459463, 1e-11);
        close(objective(&x, &out.coefficients, 10.0), 0.8443115848255482, 1e-11);
    }

    #[test]
    fn divergence_is_a_flag() {
        for (scale, tau, mu) in [(0.05, 10.0, 100.0), (1.0, 10.0, 0.1), (1.0, 100.0, 0.01)] {
            let out = run(&six(scale), tau, mu, 60);
            assert!(out.diverged, "tau {tau}, mu {mu}: fit {}", out.fit);
        }
        let out = run(&six(1.0), 100.0, 0.01, 10_000);
        assert!(out.diverged && out.n_steps < 19_999);
        assert!(out.coefficients.data().iter().all(|v| v.abs() < LARGEST));
        assert!(run(&six(f64::INFINITY), 1.0, 1.0, 10).diverged);
    }

    #[test]
    fn wide_inputs_use_the_gram_and_agree() {
        // Repeating every feature k times multiplies K by k and N D by k: tau / k gives the same steps.
        let (x, k) = (six(1.0), 4);
        let wide = Matrix::from_fn(6, 3 * k, |i, j| x.row(i)[j / k]);
        let (a, b) = (run(&x, 5.0, 20.0, 10), run(&wide, 5.0 / k as f64, 20.0, 10));
        assert_eq!(a.n_steps, b.n_steps);
        close(b.fit, a.fit, 1e-11);
        for (v, w) in a.coefficients.data().iter().zip(b.coefficients.data()) {
            assert!((v - w).abs() < 1e-12);
        }
    }

    #[test]
    fn it_stops_when_told_and_takes_no_inputs() {
        let out = published_admm(six(1.0).as_ref(), 5.0, 20.0, 10, 1e-2, &|| false);
        assert_eq!((out.n_steps, out.reached_tol, out.diverged), (0, false, false));
        assert_eq!(run(&Matrix::filled(0.0, 0, 3), 5.0, 20.0, 10).n_steps, 0);
        assert_eq!(run(&Matrix::filled(0.0, 4, 3), 5.0, 20.0, 10).n_steps, 0);
        assert_eq!(run(&Matrix::filled(1.0, 1, 3), 5.0, 20.0, 10).coefficients.data(), &[0.0]);
    }

    /// A little-endian f64 .npy, C order: the header is 10 bytes and a padded dictionary whose length they hold.
    fn read_npy(path: &PathBuf, n_rows: usize, n_cols: usize) -> Matrix<f64> {
        let bytes = std::fs::read(path).unwrap();
        let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let values =
            bytes[start..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
        Matrix::new(values, n_rows, n_cols).unwrap()
    }

    #[test]
    fn the_published_run_on_a_union_of_subspaces_is_repeated() {
        let shared = std::env::var_os("SUBSPECT_SHARED").map_or_else(
            || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
            PathBuf::from,
        );
        let path = shared.join("oracle/uos_30_5_3_30_x.npy");
        if !path.exists() {
            eprintln!("skipped: the_published_run_on_a_union_of_subspaces_is_repeated: needs ../shared");
            return;
        }
        let x = read_npy(&path, 90, 30);
        let out = run(&x, 10.0, 100.0, 100);
        assert_eq!((out.n_steps, out.penalty, out.diverged), (199, 1.5625, false));
        close(objective(&x, &out.coefficients, 10.0), 267.716714, 1e-8);
        close(out.fit, 0.12607230360575875, 1e-9);
        let as_stored = Matrix::from_fn(90, 30, |i, j| f64::from(x.row(i)[j] as f32));
        let out = run(&as_stored, 10.0, 100.0, 100);
        close(objective(&as_stored, &out.coefficients, 10.0), 267.716714, 1e-6);
    }
}
