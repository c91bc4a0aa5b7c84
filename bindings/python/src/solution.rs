//! A solution as arrays: coefficients as the parts of a SciPy CSR matrix, certificates as columns.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use subspect_express::{PathSummary, Solution, SolveStatus};

use crate::array::csr_parts;
use crate::measured::{column, scalar};

/// Coefficients, one column per fact about a row, and the sums over rows.
pub(crate) fn to_python<'py>(py: Python<'py>, solution: &Solution) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let certificates = &solution.certificates;
    out.set_item("coefficients", csr_parts(py, &solution.coefficients)?)?;
    let status: Vec<&str> = certificates.iter().map(|c| c.status.as_str()).collect();
    out.set_item("status", status)?;
    let n_iter: Vec<u32> = certificates.iter().map(|c| c.n_iter).collect();
    out.set_item("n_iter", n_iter.into_pyarray(py))?;
    out.set_item("primal", column(py, certificates.iter().map(|c| c.primal)))?;
    out.set_item("dual", column(py, certificates.iter().map(|c| c.dual)))?;
    out.set_item("gap", column(py, certificates.iter().map(|c| c.gap)))?;
    out.set_item("kkt_violation", column(py, certificates.iter().map(|c| c.kkt_violation)))?;
    out.set_item("objective", scalar(py, solution.objective())?)?;
    out.set_item("gap_max", scalar(py, solution.gap_max())?)?;
    out.set_item("gap_median", scalar(py, solution.gap_median())?)?;
    for status in [SolveStatus::Converged, SolveStatus::MaxIter, SolveStatus::Trivial] {
        out.set_item(format!("n_{}", status.as_str()), solution.count(status))?;
    }
    Ok(out)
}

/// One point of a path without its coefficients.
pub(crate) fn summary<'py>(py: Python<'py>, point: &PathSummary) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("alpha_ratio", point.ratio)?;
    out.set_item("n_rows", point.n_rows)?;
    out.set_item("nonzeros_per_row", point.nonzeros_per_row)?;
    out.set_item("objective", scalar(py, point.objective)?)?;
    out.set_item("gap_max", scalar(py, point.gap_max)?)?;
    out.set_item("n_max_iter", point.n_max_iter)?;
    out.set_item("rounds_per_row", point.rounds_per_row)?;
    Ok(out)
}

/// Unsigned indices as an int64 array.
pub(crate) fn integers<'py>(py: Python<'py>, values: &[u32]) -> Bound<'py, PyArray1<i64>> {
    PyArray1::from_iter(py, values.iter().map(|&v| i64::from(v)))
}
