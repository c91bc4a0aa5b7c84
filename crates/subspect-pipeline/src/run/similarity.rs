//! The layer x layer maps, each kept under the keys of all layers it compares.

use std::time::Instant;

use subspect_data::record::{RunRecord, SimilarityRecord};
use subspect_data::rundir::RunDir;

use super::LayerGraph;
use super::log::Log;
use super::note::Note;
use super::prepare::Prepared;
use crate::compare::{linear_cka_maps, ssc_cka_maps};
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
        let key = KeyBuilder::new(measure, 1).list("layers", keys).finish();
        let path = dir.path(&format!("stages/similarity/{measure}.json"));
        let (note, outcome) = match Note::<Vec<SimilarityRecord>>::read(&path, &key) {
            Some(note) => (note, Outcome::Reused),
            None => {
                let start = Instant::now();
                let value = if of_graphs { ssc(graphs)? } else { linear(plan, prepared, events)? };
                let note = Note { key, seconds: start.elapsed().as_secs_f64(), value };
                note.write(&path)?;
                (note, Outcome::Computed)
            }
        };
        events.finished(Stage::Similarity, measure, outcome, note.seconds);
        *record.seconds.entry(Stage::Similarity.as_str().into()).or_insert(0.0) += note.seconds;
        record.similarity.extend(note.value);
        dir.write_record(record)?;
    }
    Ok(())
}

fn ssc(graphs: &[LayerGraph]) -> Result<Vec<SimilarityRecord>, PipelineError> {
    ssc_cka_maps(&graphs.iter().map(|g| &g.affinity).collect::<Vec<_>>())
}

fn linear(
    plan: &Plan,
    prepared: &Prepared,
    events: &dyn Events,
) -> Result<Vec<SimilarityRecord>, PipelineError> {
    let layers: Vec<_> =
        prepared.layers.iter().map(|&l| prepared.store.layer(l)).collect::<Result<_, _>>()?;
    let matrices: Vec<_> = layers.iter().map(|l| l.as_ref()).collect();
    linear_cka_maps(&matrices, plan.memory, events)
}
