//! A sweep: one run per cell of a grid, and a score of block structure for each of their layer x layer maps.
//!
//! Every cell is a run directory below `cells/`, reused by its keys as any run is; a cell whose network is trained first
//! has its training below `trainings/`, shared with cells of the same training. `sweep.json` and the tables are written
//! anew after each cell, so an interrupted sweep can be looked at and goes on where it stopped.

mod cell;
mod config;
mod epoch;
mod order;
mod seeds;
mod table;
mod trainer;
mod trend;

use std::path::Path;

use subspect_data::record::{LayerRecord, RunRecord, SimilarityRecord};
use subspect_data::sweep::{CellTraining, SWEEP_SCHEMA, SweepCell, SweepFailure, SweepRecord};
use subspect_data::training::TrainingRecord;
use subspect_linalg::Status;

use crate::summary::{focus_layer, is_output};
use crate::{Builtin, Events, PipelineError, Plan, run};

pub use cell::CellPlan;
pub use config::{SweepPlan, is_sweep, read_sweep};
pub use table::sweep_table;
pub use trainer::{PlannedTraining, Snapshot, Trainer, TrainingOutline};

/// Confidence level of intervals over seeds.
const LEVEL: f64 = 0.95;

/// Carries out every cell, or what is left of it. `finished` is called with each cell's record as soon as it is there
/// (the command line writes the run's page then). A cell whose training diverges is a failure in the record.
///
/// # Errors
/// The first cell's error, with the name of the cell; cells before it stay.
pub fn sweep(
    plan: &SweepPlan,
    trainer: Option<&dyn Trainer>,
    library: &[Builtin],
    events: &dyn Events,
    finished: &mut dyn FnMut(&Plan) -> Result<(), PipelineError>,
) -> Result<SweepRecord, PipelineError> {
    let mut record = SweepRecord {
        schema: SWEEP_SCHEMA,
        subspect_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: plan.command.clone(),
        name: plan.name.clone(),
        axes: plan.axes.clone(),
        n_cells: plan.cells.len(),
        cells: Vec::new(),
        failures: Vec::new(),
        seeds: Vec::new(),
        trends: Vec::new(),
    };
    let mut trained: Vec<Option<TrainingRecord>> = vec![None; plan.trainings.len()];
    for (i, cell) in plan.cells.iter().enumerate() {
        let training = match (cell.snapshot, trainer) {
            (None, _) => None,
            (Some(snapshot), Some(trainer)) => {
                let known = &mut trained[snapshot.training];
                if known.is_none() {
                    *known = Some(train(plan, snapshot.training, trainer, events)?);
                }
                known.as_ref().map(|record| (snapshot, record))
            }
            (Some(_), None) => {
                let reason = "expected something that trains, found none".to_owned();
                return Err(PipelineError::Training { place: cell.name.clone(), reason });
            }
        };
        if let Some(reason) = training.and_then(|(snapshot, record)| without(snapshot.epoch, record)) {
            events.warning(&format!("{}: {reason}", cell.name));
            record.failures.push(SweepFailure { name: cell.name.clone(), reason });
        } else {
            events.message(&format!("cell {} of {}: {}", i + 1, plan.cells.len(), cell.name));
            let run_record = run(&cell.plan, library, events)?;
            finished(&cell.plan)?;
            let training = training.map(|(snapshot, record)| of_training(plan, snapshot, record));
            record.cells.push(SweepCell { training, ..of_run(cell, &run_record) });
        }
        record.seeds = seeds::over_seeds(&record, LEVEL);
        record.trends = trend::trends(&record);
        write(&record, &plan.output)?;
    }
    Ok(record)
}

fn write(record: &SweepRecord, folder: &Path) -> Result<(), PipelineError> {
    record.write(folder)?;
    let tables = folder.join("tables");
    std::fs::create_dir_all(&tables).map_err(|e| PipelineError::io("create", &tables, e))?;
    sweep_table(record).write(&tables.join("cells.csv"))?;
    if !record.seeds.is_empty() {
        seeds::seed_table(record).write(&tables.join("seeds.csv"))?;
    }
    if !record.trends.is_empty() {
        trend::trend_table(record).write(&tables.join("trends.csv"))?;
    }
    Ok(())
}

fn train(
    plan: &SweepPlan,
    index: usize,
    trainer: &dyn Trainer,
    events: &dyn Events,
) -> Result<TrainingRecord, PipelineError> {
    let training = &plan.trainings[index];
    events.message(&format!("training {} of {}: {}", index + 1, plan.trainings.len(), training.name));
    trainer.train(&training.options, &plan.output.join(&training.folder))
}

/// Why there is no snapshot of an epoch.
fn without(epoch: usize, record: &TrainingRecord) -> Option<String> {
    if record.epochs.iter().any(|e| e.epoch == epoch && e.checkpoint.is_some()) {
        return None;
    }
    let last = record.epochs.last().map_or(0, |e| e.epoch);
    Some(format!("no weights of epoch {epoch}: the training diverged after epoch {last}"))
}

fn of_training(plan: &SweepPlan, snapshot: Snapshot, record: &TrainingRecord) -> CellTraining {
    let planned = &plan.trainings[snapshot.training];
    let epoch = record.epochs.iter().find(|e| e.epoch == snapshot.epoch);
    CellTraining {
        folder: planned.folder.clone(),
        epoch: snapshot.epoch,
        epochs: planned.outline.epochs,
        n_train: record.data.n_train,
        accuracy: epoch.map_or(Status::NotExecuted.into(), |e| e.accuracy),
        test_accuracy: epoch.map_or(Status::NotExecuted.into(), |e| e.test_accuracy),
    }
}

fn of_run(cell: &CellPlan, record: &RunRecord) -> SweepCell {
    let focus = focus_layer(&record.layers, is_output(record)).map(|l| &record.layers[l]);
    let measure = |name: &str| {
        let value = |layer: &LayerRecord| layer.measures.get(name).copied();
        focus.and_then(value).unwrap_or(Status::NotExecuted.into())
    };
    SweepCell {
        name: cell.name.clone(),
        values: cell.values.clone(),
        run: cell.folder.clone(),
        n_inputs: record.inputs.ids.len(),
        accuracy: record.model.as_ref().map_or(Status::NotExecuted.into(), |m| m.accuracy),
        modularity: measure("modularity"),
        vote: measure("vote_accuracy"),
        agreement: measure("vote_agreement"),
        layer: focus.map_or_else(String::new, |l| l.name.clone()),
        layers: record.layers.iter().map(|l| l.name.clone()).collect(),
        maps: record.similarity.iter().map(|m| SimilarityRecord { inference: None, ..m.clone() }).collect(),
        training: None,
    }
}
