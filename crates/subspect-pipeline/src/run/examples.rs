//! Inputs worth looking at first, with their neighbourhoods, and the pictures of all inputs.

use subspect_data::record::{NeighbourRecord, NeighbourhoodRecord, RunRecord, Thumbnails};
use subspect_data::rundir::{RunDir, write_thumbnails};
use subspect_data::sparse::load_csr;
use subspect_graph::{AffinityGraph, AffinityVote, Partition, neighbourhood};
use subspect_linalg::Csr;

use super::LayerGraph;
use super::prepare::Prepared;
use crate::recorded::partition;
use crate::{Events, PipelineError, Plan, focus_layer, is_output};

/// The neighbourhoods that the record keeps: in the deepest layer before the output, of misclassified inputs,
/// most confident first; then of inputs whose vote differs from their label; then of the first inputs.
pub(crate) fn neighbourhoods(
    plan: &Plan,
    dir: &RunDir,
    prepared: &Prepared,
    graphs: &[LayerGraph],
    record: &RunRecord,
) -> Result<Vec<NeighbourhoodRecord>, PipelineError> {
    let Some(layer) = focus_layer(&record.layers, is_output(record)) else { return Ok(Vec::new()) };
    let coefficients = load_csr(&dir.path(&record.layers[layer].graph))?;
    let partition = partition(&prepared.inputs.labels, prepared.dataset.classes.len())?;
    chosen_inputs(record, layer, plan.examples)
        .into_iter()
        .map(|i| one(&graphs[layer].affinity, &coefficients, partition.as_ref(), i, layer, plan.neighbours))
        .collect()
}

/// The neighbourhood of one input in one layer.
pub(crate) fn one(
    graph: &AffinityGraph,
    coefficients: &Csr,
    partition: Option<&Partition>,
    input: usize,
    layer: usize,
    n_neighbours: usize,
) -> Result<NeighbourhoodRecord, PipelineError> {
    let near = neighbourhood(graph, coefficients, input, n_neighbours)?;
    let vote = partition.map(|p| AffinityVote::of_node(graph, p, input));
    let neighbours = near
        .neighbours
        .iter()
        .map(|n| NeighbourRecord {
            input: n.input,
            affinity: n.affinity,
            coefficient: n.coefficient,
            reverse_coefficient: n.reverse_coefficient,
        })
        .collect();
    Ok(NeighbourhoodRecord {
        input,
        layer,
        neighbours,
        class_affinity: vote.as_ref().map_or_else(Vec::new, |v| v.class_affinity.clone()),
        vote: vote.and_then(|v| v.vote),
    })
}

fn chosen_inputs(record: &RunRecord, layer: usize, count: usize) -> Vec<usize> {
    let inputs = &record.inputs;
    let n = inputs.ids.len();
    let differs =
        |of: &[u32], i: usize| matches!((of.get(i), inputs.labels.get(i)), (Some(p), Some(l)) if p != l);
    let confidence = |i: usize| inputs.confidence.get(i).copied().unwrap_or(0.0);
    let mut wrong: Vec<usize> = (0..n).filter(|&i| differs(&inputs.predictions, i)).collect();
    wrong.sort_by(|&a, &b| confidence(b).total_cmp(&confidence(a)));
    let votes = &record.layers[layer].votes;
    let outvoted =
        |i: &usize| matches!((votes.get(*i), inputs.labels.get(*i)), (Some(Some(v)), Some(l)) if v != l);
    let mut out: Vec<usize> = Vec::new();
    for i in wrong.into_iter().chain((0..n).filter(outvoted)).chain(0..n) {
        if out.len() == count {
            break;
        }
        if !out.contains(&i) {
            out.push(i);
        }
    }
    out
}

/// The sprite atlas. Pictures that cannot be drawn cost the page its pictures, not the run.
pub(crate) fn thumbnails(dir: &RunDir, prepared: &Prepared, events: &dyn Events) -> Option<Thumbnails> {
    let pictures = prepared.pictures.as_ref().filter(|p| p.dataset.tokens().is_none())?;
    match write_thumbnails(&dir.thumbnails_path(), &pictures.dataset, &pictures.chosen) {
        Ok(thumbnails) => Some(thumbnails),
        Err(e) => {
            events.warning(&format!("no thumbnails: {e}"));
            None
        }
    }
}
