//! One layer: activations -> coefficients -> graph file -> class structure.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use subspect_data::record::{LayerRecord, SolveRecord};
use subspect_data::rundir::RunDir;
use subspect_data::sparse::{load_csr, save_csr};
use subspect_data::store::StoredLayer;
use subspect_graph::{AffinityGraph, IntervalOptions};
use subspect_linalg::{Csr, LinalgError, Seed};

use super::LayerGraph;
use super::log::Log;
use super::note::{Note, file_hash, written_hash};
use super::prepare::Prepared;
use crate::express::{express, memory_mode};
use crate::measure::{ClassStructure, MeasureSettings, measure};
use crate::recorded::partition;
use crate::{Events, KeyBuilder, Outcome, PipelineError, Plan, Stage};

/// Seconds that the two stages of a layer took when they were computed.
pub(crate) struct LayerSeconds {
    pub(crate) solve: f64,
    pub(crate) measure: f64,
}

/// What lies beside a graph file.
#[derive(Debug, Serialize, Deserialize)]
struct GraphNote {
    /// BLAKE3 of the graph file: a note is never trusted for another file.
    file_hash: String,
    solve: SolveRecord,
}

/// One layer of a run.
pub(crate) struct LayerWork<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) dir: &'a RunDir,
    pub(crate) prepared: &'a Prepared,
    pub(crate) events: &'a Log<'a>,
    /// Index in [`Prepared::layers`].
    pub(crate) index: usize,
}

impl LayerWork<'_> {
    /// Does the work, or finds what was done before.
    pub(crate) fn carry_out(&self) -> Result<(LayerRecord, LayerGraph, LayerSeconds), PipelineError> {
        let stored = self.stored();
        let key = self.graph_key();
        let (coefficients, solve) = self.coefficients(&key)?;
        let affinity = AffinityGraph::from_coefficients(&coefficients)?;
        let (structure, measure_seconds) = self.structure(&key, &coefficients, &affinity)?;
        let seconds = LayerSeconds { solve: solve.seconds, measure: measure_seconds };
        let record = LayerRecord {
            name: stored.name.clone(),
            kind: stored.kind.clone(),
            shape: stored.shape.clone(),
            n_features: stored.n_features,
            pool: stored.pool.clone(),
            graph: RunDir::graph_file(&stored.name),
            solve,
            nnz: structure.nnz,
            n_edges: structure.n_edges,
            n_isolated: structure.n_isolated,
            measures: structure.measures,
            modularity_null: structure.modularity_null,
            nulls: structure.nulls,
            intervals: structure.intervals,
            class_affinity: structure.class_affinity,
            votes: structure.votes,
            layout: None,
            neighbours: None,
        };
        Ok((record, LayerGraph { affinity, key }, seconds))
    }

    fn stored(&self) -> &StoredLayer {
        self.prepared.stored(self.index)
    }

    fn graph_key(&self) -> String {
        let mode = memory_mode(self.prepared.store.n_inputs(), self.stored().n_features, self.plan.memory);
        let layer = &self.prepared.keys[self.index];
        let mut key = KeyBuilder::new("graph", 1).text("layer", layer).text("mode", mode.as_str());
        for (name, value) in self.plan.expression.values() {
            key = key.text(&name, &value.to_string());
        }
        key.finish()
    }

    fn coefficients(&self, key: &str) -> Result<(Csr, SolveRecord), PipelineError> {
        let (prepared, name) = (self.prepared, &self.stored().name);
        let path = self.dir.graph_path(name);
        let note_path = path.with_extension("json");
        self.events.started(Stage::Graph, name, prepared.store.n_inputs() as u64);
        let note = Note::<GraphNote>::read(&note_path, key);
        let is_whole = |note: &Note<GraphNote>| file_hash(&path).is_some_and(|h| h == note.value.file_hash);
        if let Some(note) = note.filter(is_whole) {
            let coefficients = load_csr(&path)?;
            self.events.finished(Stage::Graph, name, Outcome::Reused, note.seconds);
            return Ok((coefficients, note.value.solve));
        }
        let activations = prepared.store.layer(prepared.layers[self.index])?;
        let expressed = express(activations.as_ref(), &self.plan.expression, self.plan.memory, self.events)
            .map_err(|e| located(e, name, &prepared.inputs.ids))?;
        let coefficients = expressed.solution.coefficients.to_f32();
        save_csr(&path, &coefficients)?;
        let hash = written_hash(&path)?;
        let seconds = expressed.record.seconds;
        let value = GraphNote { file_hash: hash, solve: expressed.record };
        let note = Note { key: key.to_owned(), seconds, value };
        note.write(&note_path)?;
        self.events.finished(Stage::Graph, name, Outcome::Computed, seconds);
        Ok((coefficients, note.value.solve))
    }

    fn structure(
        &self,
        graph_key: &str,
        coefficients: &Csr,
        affinity: &AffinityGraph,
    ) -> Result<(ClassStructure, f64), PipelineError> {
        let (plan, inputs, name) = (self.plan, &self.prepared.inputs, &self.stored().name);
        let key = KeyBuilder::new("measures", 2)
            .text("graph", graph_key)
            .numbers("labels", &inputs.labels)
            .numbers("predictions", &inputs.predictions)
            .count("classes", self.prepared.dataset.classes.len() as u64)
            .number("resolution", plan.resolution)
            .count("permutations", plan.permutations as u64)
            .count("resamples", plan.resamples as u64)
            .number("level", plan.level)
            .count("seed", plan.seed)
            .finish();
        let path = self.dir.path(&format!("stages/measures/{}.json", subspect_data::file_stem(name)));
        self.events.started(Stage::Measures, name, 1);
        if let Some(note) = Note::<ClassStructure>::read(&path, &key) {
            self.events.finished(Stage::Measures, name, Outcome::Reused, note.seconds);
            return Ok((note.value, note.seconds));
        }
        let start = Instant::now();
        let settings = MeasureSettings {
            partition: partition(&self.prepared.inputs.labels, self.prepared.dataset.classes.len())?,
            predictions: inputs.predictions.clone(),
            resolution: plan.resolution,
            permutations: plan.permutations,
            seed: Seed::new(plan.seed).axis("permutations").axis(name),
            // One stream for all layers: their intervals are of the same resampled inputs.
            intervals: IntervalOptions {
                n_resamples: plan.resamples,
                level: plan.level,
                seed: Seed::new(plan.seed).axis("inputs"),
            },
        };
        let value = measure(coefficients, affinity, &settings)?;
        let seconds = start.elapsed().as_secs_f64();
        let note = Note { key, seconds, value };
        note.write(&path)?;
        self.events.finished(Stage::Measures, name, Outcome::Computed, seconds);
        Ok((note.value, seconds))
    }
}

/// Gives a bad value the name of its layer and input.
fn located(e: PipelineError, layer: &str, ids: &[String]) -> PipelineError {
    match e {
        PipelineError::Linalg(LinalgError::NotFinite { row, col, value }) => PipelineError::Input {
            what: format!("layer {layer}, input {}, feature {col}", ids.get(row).map_or("?", String::as_str)),
            expected: "finite activations".into(),
            found: value.to_string(),
            mend: "leave the layer or the input out, or mend the activations".into(),
        },
        other => other,
    }
}
