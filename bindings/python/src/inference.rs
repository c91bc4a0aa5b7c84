//! Maps of CKA with what chance alone would give and how far every value depends on the inputs.

use std::sync::Arc;

use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use subspect_linalg::{Csr, MatRef, Measured, Seed};
use subspect_similarity::{
    Cell, Inference, InferenceMatrix, InferenceOptions, linear_cka_inference, ssc_cka_inference,
};

use crate::array::Held;
use crate::error::Fault;
use crate::graph::Graph;
use crate::measured::column;
use crate::statistics::checked_level;
use crate::watch::watched;

/// `(n_permutations, n_resamples, level, random_state)`.
type Draws = (usize, usize, f64, u64);

fn options((n_permutations, n_resamples, level, random_state): Draws) -> Result<InferenceOptions, Fault> {
    let seed = Seed::new(random_state).axis("similarity");
    let level = checked_level(level)?;
    Ok(InferenceOptions { n_permutations, n_resamples, level, ..InferenceOptions::new(seed) })
}

/// Every quantity as a column, row by row of the map.
fn columns<'py>(py: Python<'py>, map: &InferenceMatrix) -> PyResult<Bound<'py, PyDict>> {
    type Quantity = fn(&Cell) -> Measured;
    let quantities: [(&str, Quantity); 8] = [
        ("values", |c| c.value),
        ("null_mean", |c| c.null.mean),
        ("null_sd", |c| c.null.sd),
        ("z", |c| c.null.z),
        ("p", |c| c.null.p),
        ("p_familywise", |c| c.p_familywise),
        ("lo", |c| c.interval.lo),
        ("hi", |c| c.interval.hi),
    ];
    let out = PyDict::new(py);
    for (name, of) in quantities {
        out.set_item(name, column(py, map.cells.iter().map(of)))?;
    }
    Ok(out)
}

fn both<'py>(py: Python<'py>, found: &Inference) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for map in [&found.biased, &found.debiased] {
        out.set_item(map.estimator.as_str(), columns(py, map)?)?;
    }
    Ok(out)
}

/// SSC-CKA of all pairs of graphs, both estimators.
#[pyfunction]
#[pyo3(signature = (graphs, draws, progress=None))]
pub(crate) fn graph_inference<'py>(
    py: Python<'py>,
    graphs: Vec<PyRef<'py, Graph>>,
    draws: Draws,
    progress: Option<Py<PyAny>>,
) -> Result<Bound<'py, PyDict>, Fault> {
    let held: Vec<_> = graphs.iter().map(|g| Arc::clone(&g.affinity)).collect();
    let options = options(draws)?;
    let found = watched(py, 1000, progress.as_ref(), move |watch| {
        let matrices: Vec<&Csr> = held.iter().map(|g| g.adjacency()).collect();
        ssc_cka_inference(&matrices, &options, watch)
    })??;
    Ok(both(py, &found)?)
}

/// Linear CKA of all pairs of layers, both estimators.
#[pyfunction]
#[pyo3(signature = (layers, draws, memory, progress=None))]
pub(crate) fn activation_inference<'py>(
    py: Python<'py>,
    layers: Vec<PyReadonlyArray2<'py, f32>>,
    draws: Draws,
    memory: usize,
    progress: Option<Py<PyAny>>,
) -> Result<Bound<'py, PyDict>, Fault> {
    let held: Vec<Held<f32>> = layers.iter().map(Held::new).collect::<PyResult<_>>()?;
    let options = options(draws)?;
    let found = watched(py, 1000, progress.as_ref(), move |watch| {
        let matrices: Vec<MatRef<'_, f32>> = held.iter().map(Held::view).collect();
        linear_cka_inference(&matrices, memory, &options, watch)
    })??;
    Ok(both(py, &found)?)
}
