//! Finished runs: two of them compared, and the inputs of one ranked.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde_json::json;
use subspect_pipeline::{CompareSettings, Condition};

use crate::error::{Fault, parameter};
use crate::measured::from_json;
use crate::statistics::checked_level;
use crate::watch::watched;

/// `(n_permutations, n_resamples, level, random_state)`.
type Draws = (usize, usize, f64, u64);

/// Two runs over the same inputs: the record, and the page when there is a folder for it.
#[pyfunction]
#[pyo3(signature = (a, b, draws, resolution, memory, conditions, output, progress=None))]
#[expect(clippy::too_many_arguments, reason = "the Python side passes everything by name")]
pub(crate) fn compare_runs<'py>(
    py: Python<'py>,
    a: PathBuf,
    b: PathBuf,
    draws: Draws,
    resolution: f64,
    memory: u64,
    conditions: Vec<String>,
    output: Option<PathBuf>,
    progress: Option<Py<PyAny>>,
) -> Result<(Bound<'py, PyAny>, Option<PathBuf>), Fault> {
    if resolution.is_nan() || resolution <= 0.0 {
        return Err(parameter(format!("`resolution` must be a number above 0, found {resolution}")));
    }
    let conditions = conditions.iter().map(|text| Condition::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let (permutations, resamples, level, seed) = draws;
    let level = checked_level(level)?;
    let command = "subspect.compare".to_owned();
    let settings =
        CompareSettings { permutations, resamples, level, resolution, memory, seed, conditions, command };
    let record = watched(py, 0, progress.as_ref(), move |watch| {
        subspect_pipeline::compare_runs(&a, &b, &settings, watch)
    })??;
    let mut page = None;
    if let Some(folder) = output {
        subspect_pipeline::write_comparison(&record, &folder)?;
        page = Some(subspect_report::render_comparison(&record, &folder)?);
    }
    Ok((from_json(py, &record)?, page))
}

/// The inputs of a run, most suspicious first.
#[pyfunction]
#[pyo3(signature = (run, by, layer))]
pub(crate) fn rank<'py>(
    py: Python<'py>,
    run: PathBuf,
    by: &str,
    layer: Option<String>,
) -> Result<Bound<'py, PyAny>, Fault> {
    let by = by.to_owned();
    let found = watched(py, 0, None, move |_| subspect_pipeline::rank(&run, &by, layer.as_deref()))??;
    let all = json!({
        "score": found.score.name, "layer": found.score.layer, "votes": found.votes, "order": found.order,
        "values": found.score.values, "vote_layer": found.record.layers[found.layer].name,
    });
    Ok(from_json(py, &all)?)
}
