//! Similarity of layers: HSIC and CKA of kernels, every listed measure of two operands, maps of many layers.

use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use subspect_linalg::{MatRef, Measured};
use subspect_similarity::{
    self as core, Estimator, MEASURES, MeasureInfo, Operand, Parameters, SimilarityError,
};

use crate::array::Held;
use crate::error::{Fault, parameter};
use crate::graph::Graph;
use crate::measured::{Column, column, scalar};
use crate::watch::watched;

fn estimator(name: &str) -> Result<Estimator, Fault> {
    Estimator::from_name(name).ok_or_else(|| {
        let known = Estimator::ALL.map(Estimator::as_str).join(", ");
        parameter(format!("`estimator` must be one of {known}, found \"{name}\""))
    })
}

/// Parameters of a measure by name, as text.
type Set = Vec<(String, String)>;

fn measure(name: &str, set: &Set) -> Result<(&'static MeasureInfo, Parameters), Fault> {
    let info = core::measure(name).ok_or_else(|| {
        let known: Vec<&str> = MEASURES.iter().map(|m| m.name).collect();
        parameter(format!("no similarity measure is called \"{name}\": expected one of {}", known.join(", ")))
    })?;
    let mut parameters = Parameters::defaults(info);
    for (name, text) in set {
        parameters = parameters.with(name, text)?;
    }
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

/// A function of two kernels.
type OfKernels = fn(MatRef<'_, f64>, MatRef<'_, f64>, Estimator) -> Result<Measured, SimilarityError>;

fn of_kernels<'py>(
    py: Python<'py>,
    k: &PyReadonlyArray2<'py, f64>,
    l: &PyReadonlyArray2<'py, f64>,
    name: &str,
    compute: OfKernels,
) -> Result<Bound<'py, PyAny>, Fault> {
    let (k, l, e) = (Held::new(k)?, Held::new(l)?, estimator(name)?);
    let value = watched(py, 0, None, move |_| compute(k.view(), l.view(), e))??;
    Ok(scalar(py, value)?)
}

/// A listed measure of two activation matrices over the same inputs, in float64.
#[pyfunction]
pub(crate) fn compare<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'py, f64>,
    y: PyReadonlyArray2<'py, f64>,
    name: &str,
    set: Set,
) -> Result<Bound<'py, PyAny>, Fault> {
    let (x, y) = (Held::new(&x)?, Held::new(&y)?);
    let (info, parameters) = measure(name, &set)?;
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
    set: Set,
) -> Result<Bound<'py, PyAny>, Fault> {
    let (info, parameters) = measure(name, &set)?;
    let (a, b) = (a.affinity.adjacency(), b.affinity.adjacency());
    Ok(scalar(py, core::compare(info, &parameters, a.into(), b.into())?)?)
}

/// A listed measure of all pairs of layers, within `memory` bytes beside the layers: `L x L`, row after row.
#[pyfunction]
#[pyo3(signature = (layers, name, set, memory, progress=None))]
pub(crate) fn activation_map<'py>(
    py: Python<'py>,
    layers: Vec<PyReadonlyArray2<'py, f32>>,
    name: &str,
    set: Set,
    memory: usize,
    progress: Option<Py<PyAny>>,
) -> Result<Column<'py>, Fault> {
    let held: Vec<Held<f32>> = layers.iter().map(Held::new).collect::<PyResult<_>>()?;
    let (info, parameters) = measure(name, &set)?;
    let found = watched(py, 1000, progress.as_ref(), move |watch| {
        let operands: Vec<Operand<'_>> = held.iter().map(|x| x.view().into()).collect();
        core::similarity_matrix(info, &parameters, &operands, memory, watch)
    })??;
    Ok(column(py, found.values))
}

/// A listed measure of all pairs of graphs: `L x L`, row after row.
#[pyfunction]
pub(crate) fn graph_map<'py>(
    py: Python<'py>,
    graphs: Vec<PyRef<'py, Graph>>,
    name: &str,
    set: Set,
) -> Result<Column<'py>, Fault> {
    let held: Vec<_> = graphs.iter().map(|g| std::sync::Arc::clone(&g.affinity)).collect();
    let (info, parameters) = measure(name, &set)?;
    let found = watched(py, 0, None, move |watch| {
        let operands: Vec<Operand<'_>> = held.iter().map(|g| g.adjacency().into()).collect();
        core::similarity_matrix(info, &parameters, &operands, usize::MAX, watch)
    })??;
    Ok(column(py, found.values))
}
