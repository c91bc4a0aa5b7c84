//! Inputs ranked by how much they deserve a look: label errors, brittle inputs, inputs that change company.
//!
//! A score is larger where the input is more suspicious. Scores of one layer are taken from its affinity graph alone;
//! [`SCORES`] says what each needs; those of [`EPOCH_SCORES`] are taken from the graphs of one layer at all epochs of a
//! training.

mod epochs;
mod score;
mod table;

use std::path::Path;

use subspect_data::dynamics::DynamicsRecord;
use subspect_data::record::{RunRecord, ScoreRecord};
use subspect_data::rundir::RunDir;
use subspect_graph::AffinityGraph;

use crate::look::layer_index;
use crate::options::nearest;
use crate::recorded::{layer_graph, partition};
use crate::{PipelineError, focus_layer, is_output};

pub use epochs::EPOCH_SCORES;
pub use score::{SCORES, ScoreInfo};
pub use table::ranking_table;

/// A run's inputs, ranked.
#[derive(Debug)]
pub struct Ranking {
    /// The run.
    pub record: RunRecord,
    /// The layer whose votes stand beside the score.
    pub layer: usize,
    /// The score.
    pub score: ScoreRecord,
    /// Affinity votes in that layer; empty without labels.
    pub votes: Vec<Option<u32>>,
    /// Positions of the inputs, most suspicious first; inputs without a score last.
    pub order: Vec<usize>,
}

/// Ranks the inputs of the run in `run` by the score called `by`, in `layer` or the deepest before the output. The folder
/// of a training that was followed is taken as well: scores over epochs need it, others are those of its last epoch.
///
/// # Errors
/// When there is no such run, score or layer (the nearest names are given), or a graph file is broken.
pub fn rank(run: &Path, by: &str, layer: Option<&str>) -> Result<Ranking, PipelineError> {
    let (info, over_epochs) = score(by)?;
    match (over_epochs, epochs::is_dynamics(run)) {
        (true, true) => epochs::rank(run, info, layer),
        (true, false) => Err(PipelineError::Input {
            what: run.display().to_string(),
            expected: format!("the folder of `subspect dynamics`, because {} is over epochs", info.name),
            found: "no dynamics.json".into(),
            mend: format!("give that folder, or another --by: {}", names(SCORES)),
        }),
        (false, true) => rank_run(&epochs::last_run(run, &DynamicsRecord::read(run)?)?, info, layer),
        (false, false) => rank_run(run, info, layer),
    }
}

fn rank_run(run: &Path, info: &ScoreInfo, layer: Option<&str>) -> Result<Ranking, PipelineError> {
    let dir = RunDir::open(run)?;
    let record = dir.read_record()?;
    let index = layer_index(run, &record, layer)?;
    let graphs: Vec<AffinityGraph> =
        record.layers.iter().map(|l| layer_graph(&dir, l)).collect::<Result<_, _>>()?;
    let graphs: Vec<&AffinityGraph> = graphs.iter().collect();
    let score = one(info, &record, &graphs, index, layer.is_some())?;
    let votes = record.layers[index].votes.clone();
    let order = order(&score);
    Ok(Ranking { record, layer: index, score, votes, order })
}

/// Every score of a run in its deepest layer before the output, for its record.
pub(crate) fn scores(
    record: &RunRecord,
    graphs: &[&AffinityGraph],
) -> Result<Vec<ScoreRecord>, PipelineError> {
    let Some(layer) = focus_layer(&record.layers, is_output(record)) else { return Ok(Vec::new()) };
    SCORES.iter().map(|info| one(info, record, graphs, layer, false)).collect()
}

/// `chosen`: whether the layer was asked for; otherwise a score over all layers is over all of them.
fn one(
    info: &ScoreInfo,
    record: &RunRecord,
    graphs: &[&AffinityGraph],
    layer: usize,
    chosen: bool,
) -> Result<ScoreRecord, PipelineError> {
    let partition = partition(&record.inputs.labels, record.dataset.classes.len())?;
    if let Some(p) = &partition {
        graphs.iter().try_for_each(|g| p.check(g))?;
    }
    let subject = score::Subject {
        graphs,
        partition: partition.as_ref(),
        predictions: &record.inputs.predictions,
        layer: (chosen || !info.over_layers).then_some(layer),
    };
    Ok(ScoreRecord {
        name: info.name.to_owned(),
        layer: subject.layer.map(|l| record.layers[l].name.clone()),
        values: (info.compute)(&subject),
    })
}

/// The score of that name, and whether it is over epochs.
fn score(by: &str) -> Result<(&'static ScoreInfo, bool), PipelineError> {
    let wanted = by.replace('-', "_");
    let in_list = |list: &'static [ScoreInfo], over_epochs| {
        list.iter().find(|s| s.name == wanted).map(|info| (info, over_epochs))
    };
    in_list(SCORES, false).or_else(|| in_list(EPOCH_SCORES, true)).ok_or_else(|| {
        let all = SCORES.iter().chain(EPOCH_SCORES).map(|s| s.name);
        PipelineError::Input {
            what: "--by".into(),
            expected: format!("one of {}, {}", names(SCORES), names(EPOCH_SCORES)),
            found: format!("\"{by}\""),
            mend: nearest(&wanted, all).map_or(String::new(), |n| format!("did you mean \"{n}\"?")),
        }
    })
}

fn names(list: &[ScoreInfo]) -> String {
    list.iter().map(|s| s.name).collect::<Vec<_>>().join(", ")
}

fn order(score: &ScoreRecord) -> Vec<usize> {
    let key = |i: &usize| score.values[*i].value().unwrap_or(f64::NEG_INFINITY);
    let mut order: Vec<usize> = (0..score.values.len()).collect();
    order.sort_by(|a, b| key(b).total_cmp(&key(a)));
    order
}
