//! One matrix of activations to approximate coefficients, with the error that was measured on a sample of rows.

use std::time::Instant;

use serde::Serialize;
use subspect_express::{Approximation, ApproximationError, FullProblem, measure_error, solve_approximately};
use subspect_linalg::{MatRef, Measured, MemoryMode, Seed};

use crate::express::Rows;
use crate::{Events, Expressed, Expression, PipelineError};

/// Approximate coefficients and what they lose.
#[derive(Debug)]
pub struct Approximated {
    /// Coefficients; their certificates are of the problem that was solved.
    pub expressed: Expressed,
    /// What was left out and what it cost.
    pub record: ApproximationRecord,
}

/// What the record keeps of an approximation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApproximationRecord {
    /// Name in [`subspect_express::APPROXIMATIONS`].
    pub name: &'static str,
    /// Features, atoms or candidates that were left.
    pub size: usize,
    /// Seed of the projection and of the sample.
    pub seed: u64,
    /// Rows that were compared with the exact answer; without any, nothing is known about the error.
    pub n_checked: usize,
    /// The comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// Time of the comparison alone.
    pub check_seconds: f64,
}

/// [`ApproximationError`] as the record spells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)] // as in ApproximationError
pub struct ErrorRecord {
    pub objective_gap_mean: Measured,
    pub objective_gap_median: Measured,
    pub objective_gap_max: Measured,
    pub certified_gap_mean: Measured,
    pub certified_gap_max: Measured,
    pub support_recall: Measured,
    pub l1_recall: Measured,
    pub exact_nonzeros_per_row: f64,
    pub nonzeros_per_row: f64,
}

impl From<ApproximationError> for ErrorRecord {
    fn from(e: ApproximationError) -> Self {
        Self {
            objective_gap_mean: e.objective_gap_mean,
            objective_gap_median: e.objective_gap_median,
            objective_gap_max: e.objective_gap_max,
            certified_gap_mean: e.certified_gap_mean,
            certified_gap_max: e.certified_gap_max,
            support_recall: e.support_recall,
            l1_recall: e.l1_recall,
            exact_nonzeros_per_row: e.exact_nonzeros_per_row,
            nonzeros_per_row: e.nonzeros_per_row,
        }
    }
}

/// Expresses every row of `x` by an approximation and compares `check_rows` rows with the exact answer.
///
/// # Errors
/// As [`crate::express`]; a size out of range, or a method that the approximation is not for.
pub fn approximate(
    x: MatRef<'_, f32>,
    expression: &Expression,
    approximation: Approximation,
    check_rows: usize,
    seed: u64,
    memory: u64,
    events: &dyn Events,
) -> Result<Approximated, PipelineError> {
    let start = Instant::now();
    let rows = 4 * x.n_rows() as u64 * x.n_cols() as u64;
    let problem = FullProblem {
        x,
        scale: expression.scale(),
        gram_budget: memory.saturating_sub(rows).try_into().unwrap_or(usize::MAX),
        method: expression.method,
        options: expression.options,
    };
    let stream = Seed::new(seed).axis("approximation");
    let monitor = Rows { events };
    let solution = solve_approximately(&problem, approximation, stream, &monitor)?;
    let n_atoms = match approximation {
        Approximation::Landmarks { size } => size.min(x.n_rows()),
        _ => x.n_rows(),
    };
    let mode = MemoryMode::for_budget(n_atoms, problem.gram_budget);
    let expressed = Expressed::new(solution, expression, mode, start);
    let check = Instant::now();
    let error = match check_rows {
        0 => None,
        n => {
            // The rows of the sample are no progress.
            let quiet = Quiet(events);
            let c = &expressed.solution.coefficients;
            Some(measure_error(&problem, c, n, stream.axis("sample"), &quiet)?)
        }
    };
    let record = ApproximationRecord {
        name: approximation.name(),
        size: approximation.size(),
        seed,
        n_checked: error.as_ref().map_or(0, |e| e.rows.len()),
        error: error.map(ErrorRecord::from),
        check_seconds: check.elapsed().as_secs_f64(),
    };
    Ok(Approximated { expressed, record })
}

/// Stops when asked, but shows no progress.
pub(crate) struct Quiet<'a>(pub(crate) &'a dyn Events);

impl subspect_express::Monitor for Quiet<'_> {
    fn rows_done(&self, _n: usize) {}
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
