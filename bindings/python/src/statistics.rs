//! Nulls, intervals, paired tests, rank correlations and adjusted p values over plain numbers. The Python side checks
//! lengths before: here they would be panics.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use subspect_linalg::{Measured, Seed};
use subspect_statistics as core;
use subspect_statistics::{Adjustment, Interval, Null, PairedTest, RankCorrelation, Tail};

use crate::error::{Fault, parameter};
use crate::measured::{Column, column, scalar};
use crate::watch::detached;

/// One of a list of names.
fn choice<T: Copy>(what: &str, found: &str, known: &[(&str, T)]) -> Result<T, Fault> {
    known.iter().find(|(name, _)| *name == found).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        parameter(format!("`{what}` must be one of {}, found \"{found}\"", names.join(", ")))
    })
}

/// `level` strictly between 0 and 1.
pub(crate) fn checked_level(level: f64) -> Result<f64, Fault> {
    if level > 0.0 && level < 1.0 {
        return Ok(level);
    }
    Err(parameter(format!("`level` must be a number between 0 and 1, found {level}")))
}

/// The fields of a null.
pub(crate) fn null_dict<'py>(py: Python<'py>, null: &Null) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("n_permutations", null.n_permutations)?;
    let values = [
        ("mean", null.mean),
        ("sd", null.sd),
        ("lo", null.lo),
        ("hi", null.hi),
        ("z", null.z),
        ("p", null.p),
    ];
    for (name, value) in values {
        out.set_item(name, scalar(py, value)?)?;
    }
    Ok(out)
}

/// The fields of an interval.
pub(crate) fn interval_dict<'py>(py: Python<'py>, interval: &Interval) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("lo", scalar(py, interval.lo)?)?;
    out.set_item("hi", scalar(py, interval.hi)?)?;
    out.set_item("level", interval.level)?;
    out.set_item("method", interval.method.as_str())?;
    out.set_item("n_resamples", interval.n_resamples)?;
    Ok(out)
}

/// The fields of a paired test.
pub(crate) fn paired_dict<'py>(py: Python<'py>, test: &PairedTest) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("difference", scalar(py, test.difference)?)?;
    out.set_item("p", scalar(py, test.p)?)?;
    out.set_item("n_permutations", test.n_permutations)?;
    Ok(out)
}

fn correlation_dict<'py>(py: Python<'py>, found: &RankCorrelation) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("value", scalar(py, found.value)?)?;
    out.set_item("p", scalar(py, found.p)?)?;
    out.set_item("n_permutations", found.n_permutations)?;
    Ok(out)
}

/// Adjusted p values, in the order given.
#[pyfunction]
pub(crate) fn adjust<'py>(py: Python<'py>, p: Vec<f64>, method: &str) -> Result<Column<'py>, Fault> {
    let known = Adjustment::ALL.map(|a| (a.as_str(), a));
    let p: Vec<Measured> = p.into_iter().map(Measured::finite).collect();
    Ok(column(py, core::adjust(&p, choice("method", method, &known)?)))
}

/// Familywise p values of one-sided tests from the same permutations.
#[pyfunction]
pub(crate) fn max_t(py: Python<'_>, observed: Vec<f64>, draws: Vec<Vec<f64>>) -> Column<'_> {
    let observed: Vec<Measured> = observed.into_iter().map(Measured::finite).collect();
    column(py, core::max_t(&observed, &draws))
}

/// Where a value stands among draws.
#[pyfunction]
pub(crate) fn null<'py>(
    py: Python<'py>,
    observed: f64,
    draws: Vec<f64>,
    tail: &str,
) -> Result<Bound<'py, PyDict>, Fault> {
    let known = [("upper", Tail::Upper), ("lower", Tail::Lower), ("both", Tail::Both)];
    Ok(null_dict(py, &Null::of(observed, draws, choice("tail", tail, &known)?))?)
}

/// Whether the mean of differences is 0.
#[pyfunction]
pub(crate) fn sign_flip<'py>(
    py: Python<'py>,
    differences: Vec<f64>,
    n_permutations: usize,
    random_state: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let test = detached(py, || core::sign_flip(&differences, n_permutations, Seed::new(random_state)))?;
    paired_dict(py, &test)
}

/// Whether one of two answers to the same inputs is more often right.
#[pyfunction]
pub(crate) fn mcnemar(py: Python<'_>, first: Vec<bool>, second: Vec<bool>) -> PyResult<Bound<'_, PyDict>> {
    paired_dict(py, &core::mcnemar(&first, &second))
}

/// Spearman's rho (`spearman`) or Kendall's tau-b (`kendall`).
#[pyfunction]
pub(crate) fn rank_correlation<'py>(
    py: Python<'py>,
    name: &str,
    x: Vec<f64>,
    y: Vec<f64>,
    n_permutations: usize,
    random_state: u64,
) -> Result<Bound<'py, PyDict>, Fault> {
    type Correlation = fn(&[f64], &[f64], usize, Seed) -> RankCorrelation;
    let known: [(&str, Correlation); 2] = [("spearman", core::spearman), ("kendall", core::kendall)];
    let compute = choice("name", name, &known)?;
    let found = detached(py, || compute(&x, &y, n_permutations, Seed::new(random_state)))?;
    Ok(correlation_dict(py, &found)?)
}

/// Interval of a mean over inputs.
#[pyfunction]
pub(crate) fn mean_interval<'py>(
    py: Python<'py>,
    values: Vec<f64>,
    n_resamples: usize,
    level: f64,
    random_state: u64,
) -> Result<Bound<'py, PyDict>, Fault> {
    let level = checked_level(level)?;
    let seed = Seed::new(random_state);
    let found = detached(py, || core::mean_interval(&values, n_resamples, level, seed))?;
    Ok(interval_dict(py, &found)?)
}

/// Wilson's interval of a share.
#[pyfunction]
pub(crate) fn wilson(
    py: Python<'_>,
    n_true: usize,
    n: usize,
    level: f64,
) -> Result<Bound<'_, PyDict>, Fault> {
    if n_true > n {
        return Err(parameter(format!("`n_true` must be at most n = {n}, found {n_true}")));
    }
    Ok(interval_dict(py, &core::wilson(n_true, n, checked_level(level)?))?)
}
