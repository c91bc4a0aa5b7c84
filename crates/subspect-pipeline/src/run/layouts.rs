//! The maps of the inputs, one per layer, each turned onto the next deeper one so that inputs can be followed by eye.
//!
//! Layers are laid out side by side in the thread pool (each on one thread), each kept under its graph's key; turning
//! them is cheap and is done anew.

use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use subspect_data::dense::{read_f32, write_f32};
use subspect_data::record::RunRecord;
use subspect_data::rundir::RunDir;
use subspect_graph::{align, layout};
use subspect_linalg::{Matrix, Seed};

use super::LayerGraph;
use super::log::Log;
use super::note::{Note, file_hash, written_hash};
use crate::{Events, KeyBuilder, Outcome, PipelineError, Plan, Stage};

/// Above this many inputs no map is drawn: points would hide each other, and the layout would take longer than the graph.
const MAX_INPUTS: usize = 50_000;

/// Lays out every layer of the record that can be.
pub(crate) fn layouts(
    plan: &Plan,
    dir: &RunDir,
    graphs: &[LayerGraph],
    record: &mut RunRecord,
    events: &Log<'_>,
) -> Result<(), PipelineError> {
    if plan.layout_epochs == 0 || record.inputs.ids.len() > MAX_INPUTS {
        return Ok(());
    }
    let start = Instant::now();
    events.started(Stage::Layouts, "", graphs.len() as u64);
    let done: Vec<(Vec<[f32; 2]>, Outcome)> = (0..graphs.len())
        .into_par_iter()
        .map(|index| {
            if events.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            let one = one(plan, dir, &graphs[index], &record.layers[index].name);
            events.advanced(Stage::Layouts, 1);
            one
        })
        .collect::<Result<_, _>>()?;
    let is_new = done.iter().any(|(_, outcome)| *outcome == Outcome::Computed);
    let mut below: Option<Vec<[f32; 2]>> = None;
    for (layer, (map, _)) in record.layers.iter_mut().zip(done).rev() {
        let turned = below.as_ref().map_or_else(|| map.clone(), |target| align(&map, target));
        let file = RunDir::layout_file(&layer.name);
        save(&dir.path(&file), &turned)?;
        layer.layout = Some(file);
        below = Some(turned);
    }
    dir.write_record(record)?;
    let (seconds, outcome) =
        (start.elapsed().as_secs_f64(), if is_new { Outcome::Computed } else { Outcome::Reused });
    record.seconds.insert(Stage::Layouts.as_str().into(), seconds);
    events.finished(Stage::Layouts, "", outcome, seconds);
    Ok(())
}

/// One layer's map before it is turned, kept in `stages/layouts`.
fn one(
    plan: &Plan,
    dir: &RunDir,
    graph: &LayerGraph,
    name: &str,
) -> Result<(Vec<[f32; 2]>, Outcome), PipelineError> {
    let key = KeyBuilder::new("layout", 1)
        .text("graph", &graph.key)
        .count("epochs", plan.layout_epochs as u64)
        .count("seed", plan.seed)
        .finish();
    let path = dir.path(&format!("stages/{}", RunDir::layout_file(name)));
    let note_path = path.with_extension("json");
    if let Some(note) = Note::<String>::read(&note_path, &key)
        && file_hash(&path).is_some_and(|hash| hash == note.value)
    {
        let map = read_f32(&path)?;
        return Ok(((0..map.n_rows()).map(|i| [map.row(i)[0], map.row(i)[1]]).collect(), Outcome::Reused));
    }
    let start = Instant::now();
    let map = layout(&graph.affinity, plan.layout_epochs, Seed::new(plan.seed).axis("layout").axis(name));
    save(&path, &map)?;
    let value = written_hash(&path)?;
    Note { key, seconds: start.elapsed().as_secs_f64(), value }.write(&note_path)?;
    Ok((map, Outcome::Computed))
}

fn save(path: &Path, map: &[[f32; 2]]) -> Result<(), PipelineError> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|e| PipelineError::io("create", parent, e))?;
    }
    Ok(write_f32(path, Matrix::from_fn(map.len(), 2, |i, a| map[i][a]).as_ref())?)
}
