//! The layer x layer maps, each kept under the keys of all layers it compares.
//!
//! Every cell of SSC-CKA has a null from random orders of the inputs, a p value for the whole map and an interval over
//! inputs. Linear CKA has its exact z and intervals; above [`EXACT_GRAM_MAX`] inputs, where they would cost several
//! times the map itself, the map stands alone. Every map is searched for blocks of layers.

use std::time::Instant;

use subspect_data::record::{RunRecord, SimilarityRecord};
use subspect_data::rundir::RunDir;
use subspect_linalg::{Csr, EXACT_GRAM_MAX, Seed};
use subspect_similarity::{Inference, InferenceOptions, linear_cka_inference, ssc_cka_inference};

use super::LayerGraph;
use super::blocks::add_blocks;
use super::log::Log;
use super::note::Note;
use super::prepare::Prepared;
use crate::compare::{Percent, linear_cka_maps};
use crate::runs::maps::{inference, table};
use crate::{Events, KeyBuilder, Outcome, PipelineError, Plan, Stage};

/// Adds every planned map to the record.
pub(crate) fn maps(
    plan: &Plan,
    dir: &RunDir,
    prepared: &Prepared,
    graphs: &[LayerGraph],
    record: &mut RunRecord,
    events: &Log<'_>,
) -> Result<(), PipelineError> {
    for measure in &plan.similarity {
        if events.is_cancelled() {
            return Err(PipelineError::Interrupted);
        }
        events.started(Stage::Similarity, measure, 100);
        let of_graphs = measure == "ssc_cka";
        let keys: Vec<&str> = if of_graphs {
            graphs.iter().map(|g| g.key.as_str()).collect()
        } else {
            prepared.keys.iter().map(String::as_str).collect()
        };
        let key = KeyBuilder::new(measure, 2)
            .list("layers", keys)
            // The null of linear CKA is exact: no permutations are drawn for it.
            .count("permutations", if of_graphs { plan.permutations as u64 } else { 0 })
            .count("resamples", plan.resamples as u64)
            .number("level", plan.level)
            .count("seed", plan.seed)
            .finish();
        let path = dir.path(&format!("stages/similarity/{measure}.json"));
        let (note, outcome) = match Note::<Vec<SimilarityRecord>>::read(&path, &key) {
            Some(note) => (note, Outcome::Reused),
            None => {
                let start = Instant::now();
                let value =
                    if of_graphs { ssc(plan, graphs, events)? } else { linear(plan, prepared, events)? };
                let note = Note { key, seconds: start.elapsed().as_secs_f64(), value };
                note.write(&path)?;
                (note, Outcome::Computed)
            }
        };
        events.finished(Stage::Similarity, measure, outcome, note.seconds);
        *record.seconds.entry(Stage::Similarity.as_str().into()).or_insert(0.0) += note.seconds;
        let mut maps = note.value;
        add_blocks(&mut maps, plan)?;
        record.similarity.extend(maps);
        dir.write_record(record)?;
    }
    Ok(())
}

fn options(plan: &Plan) -> InferenceOptions {
    InferenceOptions {
        n_permutations: plan.permutations,
        n_resamples: plan.resamples,
        level: plan.level,
        ..InferenceOptions::new(Seed::new(plan.seed).axis("similarity"))
    }
}

fn ssc(
    plan: &Plan,
    graphs: &[LayerGraph],
    events: &dyn Events,
) -> Result<Vec<SimilarityRecord>, PipelineError> {
    let adjacency: Vec<&Csr> = graphs.iter().map(|g| g.affinity.adjacency()).collect();
    let options = options(plan);
    Ok(records("ssc_cka", &ssc_cka_inference(&adjacency, &options, &Percent::of(events))?, &options))
}

fn linear(
    plan: &Plan,
    prepared: &Prepared,
    events: &dyn Events,
) -> Result<Vec<SimilarityRecord>, PipelineError> {
    let layers: Vec<_> =
        prepared.layers.iter().map(|&l| prepared.store.layer(l)).collect::<Result<_, _>>()?;
    let matrices: Vec<_> = layers.iter().map(|l| l.as_ref()).collect();
    if prepared.store.n_inputs() > EXACT_GRAM_MAX {
        return linear_cka_maps(&matrices, plan.memory, events);
    }
    let options = InferenceOptions { n_permutations: 0, ..options(plan) };
    let budget = usize::try_from(plan.memory).unwrap_or(usize::MAX);
    let found = linear_cka_inference(&matrices, budget, &options, &Percent::of(events))?;
    Ok(records("linear_cka", &found, &options))
}

fn records(measure: &str, found: &Inference, options: &InferenceOptions) -> Vec<SimilarityRecord> {
    [&found.biased, &found.debiased]
        .map(|map| SimilarityRecord {
            measure: measure.to_owned(),
            estimator: map.estimator.as_str().to_owned(),
            values: table(map, |c| c.value),
            inference: Some(inference(map, options)),
            blocks: None,
        })
        .into()
}
