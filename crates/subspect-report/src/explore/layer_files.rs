//! What a run directory holds beside the record, for single inputs.

use std::path::Path;

use subspect_data::neighbours::Neighbours;
use subspect_data::record::{LayerRecord, RunRecord};
use subspect_linalg::Matrix;

/// What the run directory holds beside the record, layer by layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayerFiles {
    /// Where the layer's map shows the inputs, `n_inputs x 2`.
    pub(crate) layout: Option<Matrix<f32>>,
    /// Every input's strongest neighbours.
    pub(crate) neighbours: Option<Neighbours>,
    /// Largest coordinate of the map in all epochs of a training run, whose maps share one scale.
    pub(crate) reach: Option<f32>,
}

impl LayerFiles {
    /// Reads the files of every layer. What cannot be read is left out, with a note.
    pub(crate) fn read(run_dir: &Path, record: &RunRecord, notes: &mut Vec<String>) -> Vec<Self> {
        record.layers.iter().map(|layer| Self::of(run_dir, record.inputs.ids.len(), layer, notes)).collect()
    }

    /// Reads the files of one layer.
    pub(crate) fn of(run_dir: &Path, n_inputs: usize, layer: &LayerRecord, notes: &mut Vec<String>) -> Self {
        let mut keep = |what: &str, found: Result<usize, String>| match found {
            Ok(n) if n == n_inputs => true,
            Ok(n) => {
                notes.push(format!("{what} of layer {}: expected {n_inputs} inputs, found {n}", layer.name));
                false
            }
            Err(message) => {
                notes.push(format!("{what} of layer {}: {message}", layer.name));
                false
            }
        };
        let layout = layer.layout.as_ref().map(|file| read_layout(&run_dir.join(file)));
        let layout = layout.filter(|m| keep("map", m.as_ref().map(Matrix::n_rows).map_err(Clone::clone)));
        let neighbours = layer
            .neighbours
            .as_ref()
            .map(|file| Neighbours::load(&run_dir.join(file)).map_err(|e| e.to_string()));
        let neighbours = neighbours
            .filter(|n| keep("neighbours", n.as_ref().map(Neighbours::n_inputs).map_err(Clone::clone)));
        LayerFiles {
            layout: layout.and_then(Result::ok),
            neighbours: neighbours.and_then(Result::ok),
            reach: None,
        }
    }
}

fn read_layout(file: &Path) -> Result<Matrix<f32>, String> {
    let places = subspect_data::dense::read_f32(file).map_err(|e| e.to_string())?;
    let n = places.n_cols();
    if n == 2 { Ok(places) } else { Err(format!("expected 2 columns, found {n}")) }
}

/// Largest coordinate of a map, 0 without one.
pub(crate) fn reach(layout: Option<&Matrix<f32>>) -> f32 {
    layout.map_or(0.0, |m| m.data().iter().fold(0.0, |top, v| v.abs().max(top)))
}

/// The same of a layer's map on disk.
pub(crate) fn reach_of(run_dir: &Path, layer: &LayerRecord) -> f32 {
    let file = layer.layout.as_ref().and_then(|file| read_layout(&run_dir.join(file)).ok());
    reach(file.as_ref())
}
