//! Similarity of layers: HSIC and CKA of kernels, and every listed measure of two layers or of all pairs of many.

use std::sync::Arc;

use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use subspect_linalg::{MatRef, Measured};
use subspect_similarity::{self as core, Estimator, MeasureInfo, Operand, Parameters, SimilarityError};

use crate::array::Held;
use crate::error::{Fault, parameter, unknown_measure};
use crate::graph::Graph;
use crate::measured::{Column, column, scalar};
use crate::watch::watched;

/// HSIC or CKA.
type KernelMeasure = fn(MatRef<'_, f64>, MatRef<'_, f64>, Estimator) -> Result<Measured, SimilarityError>;

/// Parameters of a measure by name, as text.
type Set = Vec<(String, String)>;

fn estimator(name: &str) -> Result<Estimator, Fault> {
    Estimator::from_name(name).ok_or_else(|| {
        let known = Estimator::ALL.map(Estimator::as_str).join(", ");
        parameter(format!("`estimator` must be one of {known}, found \"{name}\""))
    })
}

/// A measure and its parameters.
fn measure(name: &str, set: Set) -> Result<(&'static MeasureInfo, Parameters), Fault> {
    let info = core::measure(name).ok_or_else(|| unknown_measure(name))?;
    let parameters = set.iter().try_fold(Parameters::defaults(info), |p, (name, text)| p.with(name, text))?;
    Ok((info, parameters))
}

/// CKA of two dense kernels (`N x N`, symmetric).
#[pyfunction]
pub(crate) fn cka<'py>(
    py: Python<'py>,
    k: PyReadonlyArray2<'py, f64>,
    l: PyReadonlyArray2<'py, f64>,
    estimator_name: &str,
) -> Result<Bound<'py, PyAny>, Fault> {
    of_kernels(py, &k, &l, estimator_name, core::cka)
}

/// HSIC of two dense kernels.
#[pyfunction]
pub(crate) fn hsic<'py>(
    py: Python<'py>,
    k: PyReadonlyArray2<'py, f64>,
    l: PyReadonlyArray2<'py, f64>,
    estimator_name: &str,
) -> Result<Bound<'py, PyAny>, Fault> {
    of_kernels(py, &k, &l, estimator_name, core::hsic)
}

fn of_kernels<'py>(
    py: Python<'py>,
    k: &PyReadonlyArray2<'py, f64>,
    l: &PyReadonlyArray2<'py, f64>,
    name: &str,
    compute: KernelMeasure,
) -> Result<Bound<'py, PyAny>, Fault> {
    let (k, l, e) = (Held::new(k)?, Held::new(l)?, estimator(name)?);
    let value = watched(py, 0, None, move |_| compute(k.view(), l.view(), e))??;
    Ok(scalar(py, value)?)
}

/// A listed measure of two activation matrices over the same inputs.
#[pyfunction]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    y: PyReadonlyArray2<'py, f64>,
    name: &str,
    parameters: Set,
) -> Result<Bound<'py, PyAny>, Fault> {
    let (info, parameters) = measure(name, parameters)?;
    let (x, y) = (Held::new(&x)?, Held::new(&y)?);
    let value =
        watched(py, 0, None, move |_| core::compare(info, &parameters, x.view().into(), y.view().into()))??;
    Ok(scalar(py, value)?)
}

/// A listed measure of two affinity graphs over the same inputs.
#[pyfunction]
pub(crate) fn compare_graphs<'py>(
    py: Python<'py>,
    a: &Graph,
    b: &Graph,
    name: &str,
    parameters: Set,
) -> Result<Bound<'py, PyAny>, Fault> {
    let (info, parameters) = measure(name, parameters)?;
    let (a, b) = (Arc::clone(&a.affinity), Arc::clone(&b.affinity));
    let value = watched(py, 0, None, move |_| {
        core::compare(info, &parameters, a.adjacency().into(), b.adjacency().into())
    })??;
    Ok(scalar(py, value)?)
}

/// A listed measure of all pairs of layers, row after row, within `memory` bytes beside the layers.
#[pyfunction]
#[pyo3(signature = (layers, name, parameters, memory, progress=None))]
pub(crate) fn map_activations<'py>(
    py: Python<'py>,
    layers: Vec<PyReadonlyArray2<'py, f32>>,
    name: &str,
    parameters: Set,
    memory: usize,
    progress: Option<Py<PyAny>>,
) -> Result<Column<'py>, Fault> {
    let (info, parameters) = measure(name, parameters)?;
    let held: Vec<Held<f32>> = layers.iter().map(Held::new).collect::<PyResult<_>>()?;
    let found = watched(py, 1000, progress.as_ref(), move |watch| {
        let views: Vec<Operand<'_>> = held.iter().map(|x| x.view().into()).collect();
        core::similarity_matrix(info, &parameters, &views, memory, watch)
    })??;
    Ok(column(py, found.values))
}

/// The same of affinity graphs.
#[pyfunction]
#[pyo3(signature = (graphs, name, parameters, memory, progress=None))]
pub(crate) fn map_graphs<'py>(
    py: Python<'py>,
    graphs: Vec<PyRef<'py, Graph>>,
    name: &str,
    parameters: Set,
    memory: usize,
    progress: Option<Py<PyAny>>,
) -> Result<Column<'py>, Fault> {
    let (info, parameters) = measure(name, parameters)?;
    let held: Vec<_> = graphs.iter().map(|g| Arc::clone(&g.affinity)).collect();
    let found = watched(py, 1000, progress.as_ref(), move |watch| {
        let views: Vec<Operand<'_>> = held.iter().map(|g| g.adjacency().into()).collect();
        core::similarity_matrix(info, &parameters, &views, memory, watch)
    })??;
    Ok(column(py, found.values))
}
