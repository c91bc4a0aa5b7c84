//! `Dictionary`: the atoms of a layer, kept ready for any number of solves, and everything that solves with it.

use std::sync::Arc;
use std::time::Instant;

use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use subspect_express as express;
use subspect_linalg::{self as linalg, Queries, RowScale};
use subspect_pipeline::{Expression, exact_gram_pays, memory_mode};

use crate::array::Held;
use crate::error::{Fault, shape};
use crate::measured::from_json;
use crate::options::Problem;
use crate::solution;
use crate::watch::watched;

/// The dictionary and the array that it borrows from; fields are dropped in this order.
struct Atoms {
    dictionary: linalg::Dictionary<'static>,
    _held: Held<f32>,
}

/// The inputs of a layer as (unit) rows, with their Gram matrix where it fits into `memory` bytes; `exact`: also in float64
/// where that pays, for the checks of lasso and elastic net.
#[pyclass(frozen, module = "subspect._core")]
pub(crate) struct Dictionary {
    atoms: Arc<Atoms>,
    /// Spent by the core alone on making it.
    seconds: f64,
}

/// A result and the seconds that it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

pub(crate) fn scale(unit_rows: bool) -> RowScale {
    if unit_rows { RowScale::Unit } else { RowScale::Raw }
}

#[pymethods]
impl Dictionary {
    #[new]
    fn new(
        py: Python<'_>,
        x: PyReadonlyArray2<'_, f32>,
        unit_rows: bool,
        memory: u64,
        exact: bool,
    ) -> Result<Self, Fault> {
        let held = Held::new(&x)?;
        let (built, seconds) = watched(py, 0, None, move |_| {
            let view = held.stretched();
            let (n, d) = (view.n_rows(), view.n_cols());
            let (dictionary, seconds) = timed(|| {
                if exact && exact_gram_pays(n, d, memory) {
                    linalg::Dictionary::with_exact_gram(view, scale(unit_rows))
                } else {
                    linalg::Dictionary::new(view, scale(unit_rows), memory_mode(n, d, memory))
                }
            });
            Ok::<_, linalg::LinalgError>((Atoms { dictionary: dictionary?, _held: held }, seconds))
        })??;
        Ok(Self { atoms: Arc::new(built), seconds })
    }

    #[getter]
    fn n_atoms(&self) -> usize {
        self.atoms.dictionary.n_atoms()
    }

    #[getter]
    fn seconds(&self) -> f64 {
        self.seconds
    }

    #[getter]
    fn n_features(&self) -> usize {
        self.atoms.dictionary.n_features()
    }

    #[getter]
    fn memory_mode(&self) -> &'static str {
        self.atoms.dictionary.mode().as_str()
    }

    #[getter]
    fn panel_height(&self) -> usize {
        express::panel_height(self.atoms.dictionary.mode(), self.n_atoms())
    }

    /// Every atom by the others; `seconds` are the core's alone.
    #[pyo3(signature = (problem, progress=None))]
    fn solve<'py>(
        &self,
        py: Python<'py>,
        problem: Problem,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let (method, options) = problem.parts()?;
        let atoms = Arc::clone(&self.atoms);
        let total = self.n_atoms() as u64;
        let (solved, seconds) = watched(py, total, progress.as_ref(), move |watch| {
            timed(|| express::solve(&atoms.dictionary, &method, &options, watch))
        })?;
        let out = solution::to_python(py, &solved?)?;
        out.set_item("seconds", seconds)?;
        Ok(out)
    }

    /// The atoms `start..end`, each by all others: the same bits as these rows of `solve`.
    #[pyo3(signature = (problem, start, end, progress=None))]
    fn solve_range<'py>(
        &self,
        py: Python<'py>,
        problem: Problem,
        start: usize,
        end: usize,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let (method, options) = problem.parts()?;
        let atoms = Arc::clone(&self.atoms);
        let total = end.saturating_sub(start) as u64;
        let solved = watched(py, total, progress.as_ref(), move |watch| {
            express::express_range(&atoms.dictionary, start..end, &method, &options, watch)
        })??;
        Ok(solution::to_python(py, &solved)?)
    }

    /// Other inputs by all atoms.
    #[pyo3(signature = (queries, problem, progress=None))]
    fn solve_others<'py>(
        &self,
        py: Python<'py>,
        queries: PyReadonlyArray2<'py, f32>,
        problem: Problem,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyDict>, Fault> {
        let (method, options) = problem.parts()?;
        let (held, atoms) = (Held::new(&queries)?, Arc::clone(&self.atoms));
        let n_features = held.view().n_cols();
        if n_features != self.n_features() {
            let text = format!(
                "expected inputs of {} features, as the dictionary has, found {n_features}",
                self.n_features()
            );
            return Err(shape(text));
        }
        let total = held.n_rows() as u64;
        let solved = watched(py, total, progress.as_ref(), move |watch| {
            let queries = Queries::new(held.view(), &atoms.dictionary)?;
            express::express_others(&atoms.dictionary, &queries, &method, &options, watch)
        })??;
        Ok(solution::to_python(py, &solved)?)
    }

    /// Every atom at every ratio, densest last: `[(ratio, solution, summary)]`.
    #[pyo3(signature = (problem, ratios, progress=None))]
    fn path<'py>(
        &self,
        py: Python<'py>,
        problem: Problem,
        ratios: Vec<f64>,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyList>, Fault> {
        let (method, options) = problem.parts()?;
        let atoms = Arc::clone(&self.atoms);
        let total = self.n_atoms() as u64;
        let points = watched(py, total, progress.as_ref(), move |watch| {
            express::path(&atoms.dictionary, None, &method, &ratios, &options, watch)
        })??;
        let out = PyList::empty(py);
        for point in &points {
            let parts = (solution::to_python(py, &point.solution)?, solution::summary(py, &point.summary())?);
            out.append(parts)?;
        }
        Ok(out)
    }

    /// The ratio that gives so many non-zeros per row: `(chosen, met, looked_at)`.
    #[pyo3(signature = (problem, nonzeros_per_row, tolerance, ratios, progress=None))]
    fn choose_density<'py>(
        &self,
        py: Python<'py>,
        problem: Problem,
        nonzeros_per_row: f64,
        tolerance: f64,
        ratios: Vec<f64>,
        progress: Option<Py<PyAny>>,
    ) -> Result<Choice<'py>, Fault> {
        let (method, options) = problem.parts()?;
        let atoms = Arc::clone(&self.atoms);
        let target = express::DensityTarget { nonzeros_per_row, tolerance };
        let choice = watched(py, 0, progress.as_ref(), move |watch| {
            express::choose_density(&atoms.dictionary, None, &method, target, &ratios, &options, watch)
        })??;
        let looked_at: PyResult<Vec<_>> = choice.looked_at.iter().map(|p| solution::summary(py, p)).collect();
        Ok((solution::summary(py, &choice.chosen)?, choice.met, looked_at?))
    }
}

/// The chosen point of a path, whether it is near enough, and every point that was looked at.
type Choice<'py> = (Bound<'py, PyDict>, bool, Vec<Bound<'py, PyDict>>);

/// An approximation and, with `check_rows`, its error on so many rows: `(solution, record)`.
#[pyfunction]
#[pyo3(signature = (x, unit_rows, memory, problem, name, size, check_rows, random_state, progress=None))]
#[expect(clippy::too_many_arguments, reason = "the Python side passes everything by name")]
pub(crate) fn approximate<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f32>,
    unit_rows: bool,
    memory: u64,
    problem: Problem,
    name: &str,
    size: usize,
    check_rows: usize,
    random_state: u64,
    progress: Option<Py<PyAny>>,
) -> Result<(Bound<'py, PyDict>, Bound<'py, PyAny>), Fault> {
    let (method, options) = problem.parts()?;
    let approximation = express::Approximation::from_name(name, size)?;
    let expression = Expression { method, options, unit_rows };
    let held = Held::new(&x)?;
    let total = held.n_rows() as u64;
    let found = watched(py, total, progress.as_ref(), move |watch| {
        let x = held.view();
        subspect_pipeline::approximate(x, &expression, approximation, check_rows, random_state, memory, watch)
    })??;
    Ok((solution::to_python(py, &found.expressed.solution)?, from_json(py, &found.record)?))
}

/// Rows that are solved together for a dictionary of `n` inputs of `d` features within `memory` bytes.
#[pyfunction]
pub(crate) fn panel_height(n: usize, d: usize, memory: u64) -> usize {
    express::panel_height(memory_mode(n, d, memory), n)
}

/// `n` ratios from `sparsest` to `densest` in equal steps of their logarithm.
#[pyfunction]
pub(crate) fn log_grid(sparsest: f64, densest: f64, n: usize) -> Vec<f64> {
    express::log_grid(sparsest, densest, n)
}
