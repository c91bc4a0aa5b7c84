//! A sweep: one run per cell of a grid, and a score of block structure for each of their layer x layer maps.
//!
//! Every cell is a run directory below `cells/`, reused by its keys as any run is; `sweep.json` and the tables are
//! written anew after each cell, so an interrupted sweep can be looked at and goes on where it stopped.

mod config;
mod table;

use subspect_data::record::{LayerRecord, RunRecord, SimilarityRecord};
use subspect_data::sweep::{SWEEP_SCHEMA, SweepCell, SweepRecord};
use subspect_linalg::Status;

use crate::summary::{focus_layer, is_output};
use crate::{Builtin, Events, PipelineError, Plan, run};

pub use config::{CellPlan, SweepPlan, read_sweep};
pub use table::sweep_table;

/// Carries out every cell, or what is left of it. `finished` is called with each cell's record as soon as it is there
/// (the command line writes the run's page then).
///
/// # Errors
/// The first cell's error, with the name of the cell; cells before it stay.
pub fn sweep(
    plan: &SweepPlan,
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
    };
    for (i, cell) in plan.cells.iter().enumerate() {
        events.message(&format!("cell {} of {}: {}", i + 1, plan.cells.len(), cell.name));
        let run_record = run(&cell.plan, library, events)?;
        finished(&cell.plan)?;
        record.cells.push(of_run(cell, &run_record));
        record.write(&plan.output)?;
        let tables = plan.output.join("tables");
        std::fs::create_dir_all(&tables).map_err(|e| PipelineError::io("create", &tables, e))?;
        sweep_table(&record).write(&tables.join("cells.csv"))?;
    }
    Ok(record)
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
    }
}
