//! One matrix of activations to coefficients: dictionary, solve, and what is kept about the solve.

use std::time::Instant;

use subspect_data::record::SolveRecord;
use subspect_express::{Monitor, Solution, SolveStatus, solve};
use subspect_linalg::{Dictionary, MatRef, MemoryMode, RowScale};

use crate::{Events, Expression, PipelineError, Stage};

/// Coefficients and how they came about.
#[derive(Debug)]
pub struct Expressed {
    /// Coefficients and one certificate per row.
    pub solution: Solution,
    /// What the record keeps.
    pub record: SolveRecord,
}

/// Which memory mode an `n x d` matrix gets within `memory` bytes: the scaled rows are needed in any case, and
/// the Gram matrix is kept while it fits beside them.
pub fn memory_mode(n: usize, d: usize, memory: u64) -> MemoryMode {
    let rows = 4 * n as u64 * d as u64;
    MemoryMode::for_budget(n, memory.saturating_sub(rows).try_into().unwrap_or(usize::MAX))
}

/// Expresses every row of `x` by the others, in the current thread pool.
///
/// # Errors
/// A value that is not finite, a parameter out of range, or [`PipelineError::Interrupted`].
pub fn express(
    x: MatRef<'_, f32>,
    expression: &Expression,
    memory: u64,
    events: &dyn Events,
) -> Result<Expressed, PipelineError> {
    let start = Instant::now();
    let scale = if expression.unit_rows { RowScale::Unit } else { RowScale::Raw };
    let mode = memory_mode(x.n_rows(), x.n_cols(), memory);
    let dictionary = Dictionary::new(x, scale, mode)?;
    let monitor = Rows { events };
    let solution = solve(&dictionary, &expression.method, &expression.options, &monitor)?;
    let record = SolveRecord {
        method: expression.method.name().to_owned(),
        n_converged: solution.count(SolveStatus::Converged),
        n_max_iter: solution.count(SolveStatus::MaxIter),
        n_trivial: solution.count(SolveStatus::Trivial),
        gap_max: solution.gap_max(),
        gap_median: solution.gap_median(),
        objective: solution.objective(),
        memory_mode: mode.as_str().to_owned(),
        seconds: start.elapsed().as_secs_f64(),
    };
    Ok(Expressed { solution, record })
}

/// Passes a solver's progress on.
struct Rows<'a> {
    events: &'a dyn Events,
}

impl Monitor for Rows<'_> {
    fn rows_done(&self, n: usize) {
        self.events.advanced(Stage::Graph, n as u64);
    }
    fn is_cancelled(&self) -> bool {
        self.events.is_cancelled()
    }
}
