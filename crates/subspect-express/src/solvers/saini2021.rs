//! The `saini2021` method: the published ADMM (see [`super::published_admm`]) behind the common door.

use subspect_linalg::{Dictionary, Measured, Status};

use super::dense;
use super::published_admm::published_admm;
use crate::panel::{Row, stack};
use crate::{Certificate, ExpressError, MethodInfo, Monitor, ParameterInfo, Solution, SolveStatus};

const fn positive(name: &'static str, default: f64, summary: &'static str) -> ParameterInfo {
    ParameterInfo {
        name,
        default: Some(default),
        min: 0.0,
        max: f64::INFINITY,
        open_min: true,
        integer: false,
        summary,
    }
}

pub(crate) static INFO: MethodInfo = MethodInfo {
    name: "saini2021",
    summary: "the ADMM published with the 2021 paper, exactly as it behaves; not exact, depends on scale and width",
    reference: "Saini, Devineni, Papalexakis, ECML-PKDD 2021, arXiv 2107.01296",
    certified: false,
    dense: false,
    parameters: &[
        positive("tau", 10.0, "weight of the data term; tau = 1 / alpha"),
        positive("mu", 100.0, "first penalty; the inverse is never renewed when it changes"),
        ParameterInfo {
            name: "max_iter",
            default: Some(100.0),
            min: 1.0,
            max: 1e6,
            open_min: false,
            integer: true,
            summary: "the published loop's limit, which it may double once",
        },
        positive("tol", 1e-2, "stop once the root mean square of X - C X is below this"),
    ],
};

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    tau: f64,
    mu: f64,
    max_iter: usize,
    tol: f64,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let n = dictionary.n_atoms();
    dense::refuse_many(dictionary, INFO.name)?;
    let x = dictionary.scaled_f64();
    let outcome = published_admm(x.as_ref(), tau, mu, max_iter, tol, &|| !monitor.is_cancelled());
    if monitor.is_cancelled() {
        return Err(ExpressError::Cancelled);
    }
    monitor.rows_done(n);
    // Wide unit rows meet its absolute tolerance before the first step: C = 0 is then what it returns.
    let status = match (outcome.reached_tol, outcome.diverged, outcome.n_steps) {
        (true, false, 0) => SolveStatus::Trivial,
        (true, false, _) => SolveStatus::Converged,
        _ => SolveStatus::MaxIter,
    };
    Ok(stack(n, (0..n).map(|i| row(&x, &outcome.coefficients, i, tau, status, outcome.n_steps as u32))))
}

/// Row `i` with the objective of the problem it set out to solve, in the lasso's scale (`alpha = 1 / tau`).
fn row(
    x: &subspect_linalg::Matrix<f64>,
    c: &subspect_linalg::Matrix<f64>,
    i: usize,
    tau: f64,
    status: SolveStatus,
    n_iter: u32,
) -> Row {
    let entries: Vec<(u32, f64)> =
        c.row(i).iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(j, &v)| (j as u32, v)).collect();
    let mut residual = x.row(i).to_vec();
    for &(j, w) in &entries {
        for (r, v) in residual.iter_mut().zip(x.row(j as usize)) {
            *r -= w * v;
        }
    }
    let fit: f64 = residual.iter().map(|r| r * r).sum();
    let l1: f64 = entries.iter().map(|e| e.1.abs()).sum();
    let none = Measured::Undefined(Status::NotApplicable);
    let primal = Measured::finite(0.5 * fit + l1 / tau);
    Row {
        entries,
        certificate: Certificate { status, primal, dual: none, gap: none, kkt_violation: none, n_iter },
    }
}
