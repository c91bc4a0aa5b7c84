//! One matrix of activations to coefficients: dictionary, solve, and what is kept about the solve.

use std::time::Instant;

use subspect_data::record::SolveRecord;
use subspect_express::{
    Method, Monitor, Solution, SolveStatus, express_others, express_rows, sample_rows, solve,
};
use subspect_linalg::{Dictionary, EXACT_GRAM_MAX, MatRef, MemoryMode, Queries, Seed};

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

/// Whether the float64 Gram matrix is kept above [`EXACT_GRAM_MAX`] inputs, too, for the exact checks of lasso and elastic
/// net: where a layer is about as wide as there are inputs. Supports are dense there (hundreds of atoms), and going back
/// to the activations for every row costs several times what forming it does.
pub fn exact_gram_pays(n: usize, d: usize, memory: u64) -> bool {
    let (n, d) = (n as u64, d as u64);
    // Both Gram matrices, the rows, and the block of features that is being multiplied.
    let bytes = 12 * n * n + 4 * n * d + 16_384 * n;
    2 * d >= n && n > EXACT_GRAM_MAX as u64 && bytes <= memory
}

/// The dictionary of `x` within `memory` bytes, and the mode that the record names.
fn dictionary<'a>(
    x: MatRef<'a, f32>,
    expression: &Expression,
    memory: u64,
) -> Result<(Dictionary<'a>, MemoryMode), PipelineError> {
    let (n, d) = (x.n_rows(), x.n_cols());
    let mode = memory_mode(n, d, memory);
    let checks = matches!(expression.method, Method::Lasso { .. } | Method::ElasticNet { .. });
    let dictionary = if checks && exact_gram_pays(n, d, memory) {
        Dictionary::with_exact_gram(x, expression.scale())?
    } else {
        Dictionary::new(x, expression.scale(), mode)?
    };
    Ok((dictionary, mode))
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
    let (dictionary, mode) = dictionary(x, expression, memory)?;
    let monitor = Rows { events };
    let solution = solve(&dictionary, &expression.method, &expression.options, &monitor)?;
    Ok(Expressed::new(solution, expression, mode, start))
}

/// Expresses a random sample of `n_rows` rows of `x` by all others, as [`express`] would: how long all rows take, and
/// what comes out, without solving them all. Returns the sampled rows in ascending order; row `k` of the coefficients
/// expresses the `k`-th of them.
///
/// # Errors
/// As [`express`].
pub fn express_sample(
    x: MatRef<'_, f32>,
    n_rows: usize,
    seed: u64,
    expression: &Expression,
    memory: u64,
    events: &dyn Events,
) -> Result<(Vec<u32>, Expressed), PipelineError> {
    let start = Instant::now();
    let rows = sample_rows(x.n_rows(), n_rows, Seed::new(seed).axis("rows"));
    // What only pays when all rows are solved is not made.
    let mode = if n_rows < x.n_rows() / 8 {
        MemoryMode::Panels
    } else {
        memory_mode(x.n_rows(), x.n_cols(), memory)
    };
    let dictionary = Dictionary::new(x, expression.scale(), mode)?;
    let (method, options) = (&expression.method, &expression.options);
    let solution = express_rows(&dictionary, &rows, method, options, &Rows { events })?;
    Ok((rows, Expressed::new(solution, expression, mode, start)))
}

/// Expresses every row of `x` by the rows of `atoms`, out of sample: coefficients are `x.n_rows() x atoms.n_rows()`.
///
/// # Errors
/// As [`express`]; no atoms, other features than theirs, or a method that cannot do it.
pub fn express_outside(
    x: MatRef<'_, f32>,
    atoms: MatRef<'_, f32>,
    expression: &Expression,
    memory: u64,
    events: &dyn Events,
) -> Result<Expressed, PipelineError> {
    let start = Instant::now();
    check_atoms(x, atoms)?;
    let mode = memory_mode(atoms.n_rows(), atoms.n_cols(), memory);
    let dictionary = Dictionary::new(atoms, expression.scale(), mode)?;
    let queries = Queries::new(x, &dictionary)?;
    let (method, options) = (&expression.method, &expression.options);
    let solution = express_others(&dictionary, &queries, method, options, &Rows { events })?;
    Ok(Expressed::new(solution, expression, mode, start))
}

fn check_atoms(x: MatRef<'_, f32>, atoms: MatRef<'_, f32>) -> Result<(), PipelineError> {
    let refuse = |expected: String, found: String, mend: &str| {
        let what = "the dictionary".to_owned();
        Err(PipelineError::Input { what, expected, found, mend: mend.to_owned() })
    };
    if atoms.n_rows() == 0 {
        return refuse("at least one atom".into(), "none".into(), "");
    }
    if atoms.n_cols() != x.n_cols() {
        let expected = format!("atoms of {} features, as the inputs have", x.n_cols());
        return refuse(expected, format!("{} features", atoms.n_cols()), "take both from the same layer");
    }
    // Told here, because afterwards nobody knows which of the two matrices it was in.
    if let Err(subspect_linalg::LinalgError::NotFinite { row, col, value }) = atoms.check_finite() {
        return refuse("finite activations".into(), format!("{value} at atom {row}, feature {col}"), "");
    }
    Ok(())
}

impl Expressed {
    /// A solution with its record.
    pub(crate) fn new(solution: Solution, expression: &Expression, mode: MemoryMode, start: Instant) -> Self {
        let record = solve_record(&solution, expression, mode, start);
        Expressed { solution, record }
    }
}

fn solve_record(
    solution: &Solution,
    expression: &Expression,
    mode: MemoryMode,
    start: Instant,
) -> SolveRecord {
    SolveRecord {
        method: expression.method.name().to_owned(),
        n_converged: solution.count(SolveStatus::Converged),
        n_max_iter: solution.count(SolveStatus::MaxIter),
        n_trivial: solution.count(SolveStatus::Trivial),
        gap_max: solution.gap_max(),
        gap_median: solution.gap_median(),
        objective: solution.objective(),
        memory_mode: mode.as_str().to_owned(),
        seconds: start.elapsed().as_secs_f64(),
    }
}

/// Passes a solver's progress on.
pub(crate) struct Rows<'a> {
    pub(crate) events: &'a dyn Events,
}

impl Monitor for Rows<'_> {
    fn rows_done(&self, n: usize) {
        self.events.advanced(Stage::Graph, n as u64);
    }
    fn is_cancelled(&self) -> bool {
        self.events.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_float64_gram_matrix_is_for_wide_layers_that_fit() {
        let gib = 1 << 30;
        assert!(exact_gram_pays(10_000, 16_384, 4 * gib));
        assert!(!exact_gram_pays(10_000, 16_384, gib), "does not fit");
        assert!(!exact_gram_pays(10_000, 784, 4 * gib), "rows are cheap to go back to");
        assert!(!exact_gram_pays(4_096, 16_384, 4 * gib), "kept in any case");
    }
}
