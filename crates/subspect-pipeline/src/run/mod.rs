//! A whole run: capture, one graph per layer, measures, similarity, neighbourhoods, record.
//!
//! Layers are worked on one after the other, so memory holds one layer's dictionary at a time (activations are
//! memory-mapped). Every stage writes its output as soon as it exists, under a key of everything it depends on
//! ([`crate::KeyBuilder`]), and the record is rewritten after every layer. A run that was interrupted, even by
//! SIGKILL, goes on where it stopped; after a changed option only what depends on it is computed again.

mod blocks;
pub(crate) mod communities;
pub(crate) mod examples;
mod graphs;
mod layouts;
mod log;
mod long_tables;
mod nearest;
pub(crate) mod note;
mod prepare;
mod similarity;
pub(crate) mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use subspect_data::record::{Machine, RECORD_SCHEMA, RunRecord, RunState};
use subspect_data::rundir::RunDir;
use subspect_graph::AffinityGraph;

use crate::builtin::Builtin;
use crate::summary::summary;
use crate::warnings::{of_inputs, of_layers, undefined};
use crate::{Events, Outcome, PipelineError, Plan, Stage, now_rfc3339};
use graphs::LayerWork;
use log::Log;
use prepare::Prepared;

/// Carries out a plan, or what is left of it, in its run directory. `library` is what `builtin:` names mean.
///
/// # Errors
/// Anything that keeps a stage from finishing; what was finished before stays, and the record says
/// [`RunState::Partial`].
pub fn run(plan: &Plan, library: &[Builtin], events: &dyn Events) -> Result<RunRecord, PipelineError> {
    let dir = RunDir::create(&plan.output)?;
    let log = Log::append(&dir.log_path(), events)?;
    log.line(&format!("subspect {} starts: {}", env!("CARGO_PKG_VERSION"), plan.command));
    // The plan marks the folder as ours; an earlier one stays until this one is known to work.
    if !dir.plan_path().is_file() {
        write_plan(plan, &dir)?;
    }
    let result = stages(plan, &dir, library, &log);
    log.line(&match &result {
        Ok(_) => "complete".to_owned(),
        Err(e) => format!("stopped: {e}"),
    });
    result
}

fn write_plan(plan: &Plan, dir: &RunDir) -> Result<(), PipelineError> {
    Ok(subspect_data::atomic::write_bytes(&dir.plan_path(), plan.to_toml().as_bytes())?)
}

fn stages(
    plan: &Plan,
    dir: &RunDir,
    library: &[Builtin],
    events: &Log<'_>,
) -> Result<RunRecord, PipelineError> {
    let start = Instant::now();
    let prepared = prepare::prepare(plan, dir, library, events)?;
    write_plan(plan, dir)?;
    let mut record = first_record(plan, &prepared);
    record.seconds.insert(Stage::Capture.as_str().into(), start.elapsed().as_secs_f64());
    of_inputs(&record).iter().for_each(|w| events.warning(w));
    record.warnings = events.warnings();
    dir.write_record(&record)?;
    let graphs = all_layers(plan, dir, &prepared, &mut record, events)?;
    similarity::maps(plan, dir, &prepared, &graphs, &mut record, events)?;
    layouts::layouts(plan, dir, &graphs, &mut record, events)?;
    finish(plan, dir, &prepared, &graphs, &mut record, events)?;
    if !plan.keep_activations {
        remove_activations(dir.root())?;
    }
    Ok(record)
}

/// Removes the activations that a run captured or imported. A store that lies elsewhere is nobody's but its owner's.
pub(crate) fn remove_activations(run: &Path) -> Result<(), PipelineError> {
    let folder = run.join("activations");
    match std::fs::remove_dir_all(&folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(PipelineError::io("remove", &folder, e)),
        _ => Ok(()),
    }
}

/// A graph as the later stages need it.
pub(crate) struct LayerGraph {
    /// `|C| + |C|ᵀ`.
    pub(crate) affinity: AffinityGraph,
    /// Key of the coefficients.
    pub(crate) key: String,
}

fn all_layers(
    plan: &Plan,
    dir: &RunDir,
    prepared: &Prepared,
    record: &mut RunRecord,
    events: &Log<'_>,
) -> Result<Vec<LayerGraph>, PipelineError> {
    let mut graphs = Vec::with_capacity(prepared.layers.len());
    for index in 0..prepared.layers.len() {
        if events.is_cancelled() {
            return Err(PipelineError::Interrupted);
        }
        let work = LayerWork { plan, dir, prepared, events, index };
        let (layer, graph, seconds) = work.carry_out()?;
        record.layers.push(layer);
        *record.seconds.entry(Stage::Graph.as_str().into()).or_insert(0.0) += seconds.solve;
        *record.seconds.entry(Stage::Measures.as_str().into()).or_insert(0.0) += seconds.measure;
        dir.write_record(record)?;
        graphs.push(graph);
    }
    Ok(graphs)
}

fn finish(
    plan: &Plan,
    dir: &RunDir,
    prepared: &Prepared,
    graphs: &[LayerGraph],
    record: &mut RunRecord,
    events: &Log<'_>,
) -> Result<(), PipelineError> {
    let start = Instant::now();
    events.started(Stage::Record, "", 3);
    nearest::neighbours(plan, dir, prepared, graphs, record)?;
    record.neighbourhoods = examples::neighbourhoods(plan, dir, prepared, graphs, record)?;
    events.advanced(Stage::Record, 1);
    record.thumbnails = examples::thumbnails(dir, prepared, events);
    events.advanced(Stage::Record, 1);
    let affinities: Vec<&AffinityGraph> = graphs.iter().map(|g| &g.affinity).collect();
    record.scores = crate::rank::scores(record, &affinities)?;
    record.summary = summary(record);
    of_layers(record).iter().for_each(|w| events.warning(w));
    record.warnings = events.warnings();
    tables::write(dir, record)?;
    record.seconds.insert(Stage::Record.as_str().into(), start.elapsed().as_secs_f64());
    record.state = RunState::Complete;
    dir.write_record(record)?;
    undefined(record).iter().for_each(|line| events.line(&format!("undefined: {line}")));
    events.finished(Stage::Record, "", Outcome::Computed, start.elapsed().as_secs_f64());
    Ok(())
}

fn first_record(plan: &Plan, prepared: &Prepared) -> RunRecord {
    let manifest = prepared.store.manifest();
    RunRecord {
        schema: RECORD_SCHEMA,
        subspect_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now_rfc3339(),
        command: plan.command.clone(),
        state: RunState::Partial,
        machine: Machine {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            threads: rayon::current_num_threads(),
        },
        model: manifest.model.clone(),
        dataset: prepared.dataset.clone(),
        settings: plan.settings(),
        inputs: prepared.inputs.clone(),
        layers: Vec::new(),
        similarity: Vec::new(),
        neighbourhoods: Vec::new(),
        scores: Vec::new(),
        thumbnails: None,
        summary: Vec::new(),
        warnings: Vec::new(),
        seconds: BTreeMap::new(),
    }
}
