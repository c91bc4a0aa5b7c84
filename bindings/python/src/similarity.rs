//! Similarity of layers: HSIC and CKA of kernels, every listed measure of two operands, maps of many layers.

use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use subspect_linalg::Measured;
use subspect_similarity::{self as core, Compare, Estimator, KernelMoments, MEASURES, MeasureInfo};

use crate::array::Held;
use crate::error::{Fault, parameter, shape};
use crate::graph::Graph;
use crate::measured::{Column, column, scalar};
use crate::watch::watched;

fn estimator(name: &str) -> Result<Estimator, Fault> {
    Estimator::from_name(name).ok_or_else(|| {
        let known = Estimator::ALL.map(Estimator::as_str).join(", ");
        parameter(format!("`estimator` must be one of {known}, found \"{name}\""))
    })
}

fn measure(name: &str) -> Result<&'static MeasureInfo, Fault> {
    MEASURES.iter().copied().find(|m| m.name == name).ok_or_else(|| {
        let known: Vec<&str> = MEASURES.iter().map(|m| m.name).collect();
        parameter(format!("no similarity measure is called \"{name}\": expected one of {}", known.join(", ")))
    })
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
    compute: core::CompareActivations,
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
    estimator_name: &str,
) -> Result<Bound<'py, PyAny>, Fault> {
    match measure(name)?.compare {
        Compare::Activations(compute) => of_kernels(py, &x, &y, estimator_name, compute),
        Compare::Graphs(_) => Err(shape(format!("{name} compares affinity graphs, found activations"))),
    }
}

/// A listed measure of two affinity graphs over the same inputs.
#[pyfunction]
pub(crate) fn compare_graphs<'py>(
    py: Python<'py>,
    a: &Graph,
    b: &Graph,
    name: &str,
    estimator_name: &str,
) -> Result<Bound<'py, PyAny>, Fault> {
    let e = estimator(estimator_name)?;
    match measure(name)?.compare {
        Compare::Graphs(compute) => {
            let value = compute(a.affinity.adjacency(), b.affinity.adjacency(), e)?;
            Ok(scalar(py, value)?)
        }
        Compare::Activations(_) => Err(shape(format!("{name} compares activations, found graphs"))),
    }
}

/// Biased and debiased, each the entries of an `L x L` map row after row.
type Maps<'py> = (Column<'py>, Column<'py>);

fn maps<'py>(py: Python<'py>, moments: &KernelMoments) -> Maps<'py> {
    let flat = |e| moments.cka_matrix(e).into_iter().flatten().collect::<Vec<Measured>>();
    (column(py, flat(Estimator::Biased)), column(py, flat(Estimator::Debiased)))
}

/// Linear CKA of all pairs of layers, within `memory` bytes beside the layers.
#[pyfunction]
#[pyo3(signature = (layers, memory, progress=None))]
pub(crate) fn linear_cka_maps<'py>(
    py: Python<'py>,
    layers: Vec<PyReadonlyArray2<'py, f32>>,
    memory: usize,
    progress: Option<Py<PyAny>>,
) -> Result<Maps<'py>, Fault> {
    let held: Vec<Held<f32>> = layers.iter().map(Held::new).collect::<PyResult<_>>()?;
    let moments = watched(py, 1000, progress.as_ref(), move |watch| {
        let views: Vec<_> = held.iter().map(Held::view).collect();
        core::linear_moments(&views, memory, watch)
    })??;
    Ok(maps(py, &moments))
}

/// SSC-CKA of all pairs of graphs.
#[pyfunction]
pub(crate) fn ssc_cka_maps<'py>(py: Python<'py>, graphs: Vec<PyRef<'py, Graph>>) -> Result<Maps<'py>, Fault> {
    let held: Vec<_> = graphs.iter().map(|g| std::sync::Arc::clone(&g.affinity)).collect();
    let moments = watched(py, 0, None, move |_| {
        let views: Vec<_> = held.iter().map(|g| g.adjacency()).collect();
        core::ssc_moments(&views)
    })??;
    Ok(maps(py, &moments))
}
