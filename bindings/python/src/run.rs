//! Whole runs: what the command line's `run`, `capture`, `layers`, `report` and `similarity` do.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde_json::json;
use subspect_nets::{LoadOptions, Network};
use subspect_pipeline::options::{Options, all_names, nearest};
use subspect_pipeline::{Plan, network_source};

use crate::error::{Fault, parameter};
use crate::measured::from_json;
use crate::watch::watched;

/// Options by name, each as words, as the command line has them.
pub(crate) type Words = Vec<(String, Vec<String>)>;

/// The options that words name.
pub(crate) fn options(words: Words) -> Result<Options, Fault> {
    let mut options = Options::default();
    for (name, words) in words {
        if !all_names().contains(&name.as_str()) {
            let hint =
                nearest(&name, all_names()).map_or(String::new(), |n| format!(": did you mean `{n}`?"));
            return Err(parameter(format!("there is no option `{name}`{hint}")));
        }
        let origin = format!("`{name}`");
        options.set(&name, words, &origin);
    }
    Ok(options)
}

/// Carries out a run, or what is left of it, in its run directory.
#[pyfunction]
#[pyo3(signature = (words, command, progress=None))]
pub(crate) fn run(
    py: Python<'_>,
    words: Words,
    command: &str,
    progress: Option<Py<PyAny>>,
) -> Result<(), Fault> {
    let plan = Plan::from_options(&options(words)?, command)?;
    watched(py, 0, progress.as_ref(), move |watch| subspect_pipeline::run(&plan, &[], watch).map(|_| ()))??;
    Ok(())
}

/// Runs an ONNX network over a data set and stores its layers' activations in `output`.
#[pyfunction]
#[pyo3(signature = (words, output, progress=None))]
pub(crate) fn capture(
    py: Python<'_>,
    words: Words,
    output: PathBuf,
    progress: Option<Py<PyAny>>,
) -> Result<(), Fault> {
    let options = options(words)?;
    let source = network_source(&options)?;
    let inputs = options.count("inputs")?.map(|n| n as usize);
    let seed = options.count("seed")?.unwrap_or(0);
    watched(py, 0, progress.as_ref(), move |watch| {
        subspect_pipeline::capture(&source, inputs, seed, &output, &[], watch).map(|_| ())
    })??;
    Ok(())
}

/// Layers of an ONNX network in execution order.
#[pyfunction]
pub(crate) fn layers(py: Python<'_>, model: PathBuf) -> Result<Bound<'_, PyAny>, Fault> {
    let loaded = watched(py, 0, None, move |_| Network::load(&model, &LoadOptions::default()))?;
    let network = loaded.map_err(subspect_pipeline::PipelineError::from)?;
    let listed: Vec<serde_json::Value> = network
        .layers()
        .iter()
        .map(|l| {
            json!({
                "name": l.name, "kind": l.kind.as_str(), "op_type": l.op_type, "shape": l.shape,
                "n_features": l.n_values(), "is_logits": l.is_logits,
            })
        })
        .collect();
    Ok(from_json(py, &listed)?)
}

/// Writes the page and figures of a finished run or training; gives the page's path and notes.
#[pyfunction]
pub(crate) fn render(py: Python<'_>, run: PathBuf) -> Result<(PathBuf, Vec<String>), Fault> {
    let files = watched(py, 0, None, move |_| subspect_report::render(&run))??;
    Ok((files.page.path, files.notes))
}

/// Similarity of every layer of one thing on disk with every layer of another.
#[pyfunction]
#[pyo3(signature = (a, b, measure, set, memory, progress=None))]
pub(crate) fn compare_files<'py>(
    py: Python<'py>,
    a: PathBuf,
    b: PathBuf,
    measure: Option<String>,
    set: Vec<(String, String)>,
    memory: u64,
    progress: Option<Py<PyAny>>,
) -> Result<Bound<'py, PyAny>, Fault> {
    let found = watched(py, 100, progress.as_ref(), move |watch| {
        subspect_pipeline::similarity(&a, &b, measure.as_deref(), &set, memory, watch)
    })??;
    let estimator = match found.parameters.get("estimator") {
        Some(subspect_similarity::Value::Word(word)) => word,
        _ => "",
    };
    let all = json!({
        "estimator": estimator, "measure": found.measure.name, "rows": found.rows, "columns": found.columns, "n_inputs": found.n_inputs,
        "values": found.values,
    });
    Ok(from_json(py, &all)?)
}
