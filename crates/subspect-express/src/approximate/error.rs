//! What an approximation loses, measured on a sample of rows against the exact answer on the full data.
//!
//! Per row, with exact coefficients `c*` (support `S*`), approximate ones `c` (support `S`), and `P` the objective of
//! the **full** problem, evaluated by [`certify`] in float64:
//!
//! - relative objective gap `(P(c) - P(c*)) / P(c*)`;
//! - certified gap `(P(c) - D) / P(c)` of `c` itself, an upper bound on what can be gained that needs no exact answer;
//! - support recall `|S ∩ S*| / |S*|`, and l1-mass recall `sum_{j in S ∩ S*} |c*_j| / ||c*||_1`.
//!
//! Rows whose exact answer is zero count for the objective only.

use rayon::prelude::*;
use subspect_linalg::{Csr, Dictionary, Measured, Seed, Status};

use rand_chacha::rand_core::RngCore;

use super::FullProblem;
use crate::problem::Penalty;
use crate::{ExpressError, Monitor, certify, express_rows};

/// Error of an approximation on a sample of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct ApproximationError {
    /// The rows that were compared, ascending.
    pub rows: Vec<u32>,
    /// Mean relative objective gap. Not applicable to methods without an alpha.
    pub objective_gap_mean: Measured,
    /// Median relative objective gap.
    pub objective_gap_median: Measured,
    /// Largest relative objective gap.
    pub objective_gap_max: Measured,
    /// Mean certified gap of the approximate rows in the full problem.
    pub certified_gap_mean: Measured,
    /// Largest certified gap.
    pub certified_gap_max: Measured,
    /// Mean share of the exact support that was found.
    pub support_recall: Measured,
    /// Mean share of the exact coefficients' l1 mass on atoms that were found.
    pub l1_recall: Measured,
    /// Mean number of non-zeros of the exact rows.
    pub exact_nonzeros_per_row: f64,
    /// Mean number of non-zeros of the approximate rows.
    pub nonzeros_per_row: f64,
}

/// Compares approximate coefficients (`N x N`) with the exact answer on `n_rows` rows drawn by `seed`.
///
/// Costs an exact dictionary of the full data and `O(N D)` per row in float64 for the certificates.
///
/// # Errors
/// As [`crate::solve`]; coefficients of another shape, or no row to compare.
pub fn measure_error(
    problem: &FullProblem<'_>,
    approximate: &Csr<f64>,
    n_rows: usize,
    seed: Seed,
    monitor: &dyn Monitor,
) -> Result<ApproximationError, ExpressError> {
    let n = problem.x.n_rows();
    let range = |what, expected: String, found: usize| {
        Err(ExpressError::Range { what, expected, found: found as f64 })
    };
    if approximate.n_rows() != n || approximate.n_cols() != n {
        let what = "the order of the approximate coefficients";
        return range(what, format!("{n}, the number of inputs"), approximate.n_rows());
    }
    if n_rows == 0 {
        return range("the number of rows to check", "at least 1".into(), 0);
    }
    let rows = sample_rows(n, n_rows, seed);
    let dictionary = Dictionary::new(problem.x, problem.scale, problem.mode(n))?;
    let exact = express_rows(&dictionary, &rows, &problem.method, &problem.options, monitor)?;
    let penalty = Penalty::of(&problem.method, "an objective gap").ok();
    let compared: Vec<Compared> = (0..rows.len())
        .into_par_iter()
        .map(|k| {
            let i = rows[k] as usize;
            let mut compared = recall(exact.coefficients.row(k), approximate.row(i));
            if let (Some(penalty), Some(best)) = (&penalty, exact.certificates[k].primal.value()) {
                let (cols, values) = approximate.row(i);
                let entries: Vec<(u32, f64)> = cols.iter().copied().zip(values.iter().copied()).collect();
                let own =
                    certify(&dictionary, i, &entries, &penalty.row(&dictionary, i), problem.options.tol);
                compared.gaps = gaps(best, own.primal, own.gap);
            }
            compared
        })
        .collect();
    Ok(summarize(rows, &compared))
}

/// `n_rows` different rows out of `n` (at most all), ascending.
pub fn sample_rows(n: usize, n_rows: usize, seed: Seed) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut rng = seed.rng();
    let wanted = n_rows.min(n);
    for k in 0..wanted {
        let at = k + (rng.next_u64() % (n - k) as u64) as usize;
        order.swap(k, at);
    }
    order.truncate(wanted);
    order.sort_unstable();
    order
}

/// One row.
struct Compared {
    /// Objective gap and certified gap.
    gaps: Option<(f64, f64)>,
    /// Support recall and l1 recall, where there is a support.
    recall: Option<(f64, f64)>,
    exact_nnz: usize,
    nnz: usize,
}

fn gaps(best: f64, primal: Measured, certified: Measured) -> Option<(f64, f64)> {
    let (primal, certified) = (primal.value()?, certified.value()?);
    Some(if best > 0.0 { ((primal - best) / best, certified) } else { (primal.max(0.0), certified) })
}

fn recall(exact: (&[u32], &[f64]), approximate: (&[u32], &[f64])) -> Compared {
    let (mut found, mut mass, mut found_mass) = (0, 0.0, 0.0);
    for (j, c) in exact.0.iter().zip(exact.1) {
        mass += c.abs();
        if approximate.0.binary_search(j).is_ok() {
            found += 1;
            found_mass += c.abs();
        }
    }
    let n = exact.0.len();
    let recall = (n > 0).then(|| (f64::from(found) / n as f64, found_mass / mass));
    Compared { gaps: None, recall, exact_nnz: n, nnz: approximate.0.len() }
}

fn summarize(rows: Vec<u32>, compared: &[Compared]) -> ApproximationError {
    let gaps = |of: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        let mut v: Vec<f64> = compared.iter().filter_map(|c| c.gaps.as_ref().map(of)).collect();
        v.sort_by(f64::total_cmp);
        v
    };
    let recalls = |of: fn(&(f64, f64)) -> f64| -> Vec<f64> {
        compared.iter().filter_map(|c| c.recall.as_ref().map(of)).collect()
    };
    let mean = |v: &[f64], status: Status| match v.len() {
        0 => Measured::Undefined(status),
        n => Measured::finite(v.iter().sum::<f64>() / n as f64),
    };
    let at = |v: &[f64], k: usize| v.get(k).map_or(Status::NotApplicable.into(), |&g| Measured::finite(g));
    let (objective, certified) = (gaps(|g| g.0), gaps(|g| g.1));
    let per_row = |of: fn(&Compared) -> usize| {
        compared.iter().map(of).sum::<usize>() as f64 / compared.len().max(1) as f64
    };
    ApproximationError {
        objective_gap_mean: mean(&objective, Status::NotApplicable),
        objective_gap_median: at(&objective, objective.len() / 2),
        objective_gap_max: at(&objective, objective.len().wrapping_sub(1)),
        certified_gap_mean: mean(&certified, Status::NotApplicable),
        certified_gap_max: at(&certified, certified.len().wrapping_sub(1)),
        support_recall: mean(&recalls(|r| r.0), Status::EmptyGraph),
        l1_recall: mean(&recalls(|r| r.1), Status::EmptyGraph),
        exact_nonzeros_per_row: per_row(|c| c.exact_nnz),
        nonzeros_per_row: per_row(|c| c.nnz),
        rows,
    }
}
