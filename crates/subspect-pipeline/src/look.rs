//! One input of a finished run, in one layer: neighbours and class affinity.

use std::path::Path;

use subspect_data::record::{NeighbourhoodRecord, RunRecord};
use subspect_data::rundir::RunDir;
use subspect_data::sparse::load_csr;
use subspect_graph::AffinityGraph;

use crate::options::nearest;
use crate::recorded::partition;
use crate::run::examples::one;
use crate::{PipelineError, focus_layer, is_output};

/// A neighbourhood and the record that its positions point into.
#[derive(Debug)]
pub struct Look {
    /// The run.
    pub record: RunRecord,
    /// The neighbourhood.
    pub neighbourhood: NeighbourhoodRecord,
}

/// The `n_neighbours` strongest neighbours of the input called `id` in `layer`, or in the deepest layer before
/// the output.
///
/// # Errors
/// When there is no such run, input or layer (the nearest names are given), or a graph file is broken.
pub fn look(run: &Path, id: &str, layer: Option<&str>, n_neighbours: usize) -> Result<Look, PipelineError> {
    let dir = RunDir::open(run)?;
    let record = dir.read_record()?;
    let input = record.inputs.ids.iter().position(|i| i == id).ok_or_else(|| {
        absent(
            &format!("{}: input {id}", run.display()),
            record.inputs.ids.iter(),
            id,
            "record.json lists all ids",
        )
    })?;
    let index = layer_index(run, &record, layer)?;
    let coefficients = load_csr(&dir.path(&record.layers[index].graph))?;
    let graph = AffinityGraph::from_coefficients(&coefficients)?;
    let partition = partition(&record.inputs.labels, record.dataset.classes.len())?;
    if let Some(p) = &partition {
        p.check(&graph)?;
    }
    let neighbourhood = one(&graph, &coefficients, partition.as_ref(), input, index, n_neighbours)?;
    Ok(Look { record, neighbourhood })
}

pub(crate) fn layer_index(
    run: &Path,
    record: &RunRecord,
    layer: Option<&str>,
) -> Result<usize, PipelineError> {
    let what = |name: &str| format!("{}: layer {name}", run.display());
    match layer {
        Some(name) => record.layers.iter().position(|l| l.name == name).ok_or_else(|| {
            absent(
                &what(name),
                record.layers.iter().map(|l| &l.name),
                name,
                "the run's record lists its layers",
            )
        }),
        None => focus_layer(&record.layers, is_output(record)).ok_or_else(|| {
            absent(
                &what("graphs"),
                [].iter(),
                "",
                "the run was interrupted before its first graph: run it again",
            )
        }),
    }
}

fn absent<'a>(what: &str, known: impl Iterator<Item = &'a String>, name: &str, mend: &str) -> PipelineError {
    let close = nearest(name, known.map(String::as_str));
    PipelineError::Input {
        what: what.to_owned(),
        expected: "one of the run".into(),
        found: "none of that name".into(),
        mend: close.map_or_else(|| mend.to_owned(), |n| format!("did you mean \"{n}\"?")),
    }
}
