//! The layer x layer maps, each kept under the keys of all layers it compares.
//!
//! Every cell of SSC-CKA has a null from random orders of the inputs, a p value for the whole map and an interval over
//! inputs. Linear CKA has its exact z and intervals; above [`EXACT_GRAM_MAX`] inputs, where they would cost several
//! times the map itself, the map stands alone. Every other similarity of the list is one map of plain values, and
//! `community_ami` compares the layers' detected communities. Every map is searched for blocks of layers.

use std::time::Instant;

use subspect_data::record::{RunRecord, SimilarityRecord};
use subspect_data::rundir::RunDir;
use subspect_linalg::{Csr, EXACT_GRAM_MAX, Measured, Seed};
use subspect_similarity::{
    Inference, InferenceOptions, MeasureInfo, Operand, Operands, Parameters, linear_cka_inference,
    similarity_matrix, ssc_cka_inference,
};

use super::LayerGraph;
use super::blocks::add_blocks;
use super::communities::{COMMUNITY_AMI, community_ami};
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
        let listed = subspect_similarity::measure(measure);
        let of_graphs = listed.is_none_or(|m| m.operands() == Operands::Graphs);
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
                let value = match (measure.as_str(), listed) {
                    ("ssc_cka", _) => ssc(plan, graphs, events)?,
                    ("linear_cka", _) => linear(plan, prepared, events)?,
                    (_, Some(info)) => vec![of_the_list(info, plan, prepared, graphs, events)?],
                    (COMMUNITY_AMI, None) => vec![community_ami(plan, graphs)?],
                    (other, None) => unreachable!("the plan refuses {other}"),
                };
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

/// A measure of the list at its default parameters.
fn of_the_list(
    info: &MeasureInfo,
    plan: &Plan,
    prepared: &Prepared,
    graphs: &[LayerGraph],
    events: &dyn Events,
) -> Result<SimilarityRecord, PipelineError> {
    let budget = usize::try_from(plan.memory).unwrap_or(usize::MAX);
    let map = |operands: &[Operand<'_>]| {
        similarity_matrix(info, &Parameters::defaults(info), operands, budget, &Percent::of(events))
    };
    let found = match info.operands() {
        Operands::Graphs => {
            map(&graphs.iter().map(|g| Operand::Graph(g.affinity.adjacency())).collect::<Vec<_>>())
        }
        Operands::Activations => {
            let layers: Vec<_> =
                prepared.layers.iter().map(|&l| prepared.store.layer(l)).collect::<Result<_, _>>()?;
            map(&layers.iter().map(|l| Operand::Single(l.as_ref())).collect::<Vec<_>>())
        }
    }?;
    Ok(plain(info.name, found.to_rows()))
}

/// A map without an estimator, a null or intervals.
pub(super) fn plain(measure: &str, values: Vec<Vec<Measured>>) -> SimilarityRecord {
    SimilarityRecord {
        measure: measure.to_owned(),
        estimator: String::new(),
        values,
        inference: None,
        blocks: None,
    }
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
