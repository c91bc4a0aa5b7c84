//! Maps of the inputs turned from epoch to epoch, so that going through the epochs shows movement and not rotation.
//!
//! Every layer's map is turned onto the same layer's map at the next epoch, from the last epoch backwards.

use std::path::Path;

use subspect_data::dense::{read_f32, write_f32};
use subspect_data::record::RunRecord;
use subspect_graph::align;
use subspect_linalg::Matrix;

use crate::PipelineError;

/// One epoch's maps by layer; `None` where a layer has none.
pub(crate) type Maps = Vec<Option<Vec<[f32; 2]>>>;

/// Turns the maps of the run in `folder` onto `next`, writes them where they were, and gives them.
pub(crate) fn turned(folder: &Path, record: &RunRecord, next: Option<&Maps>) -> Result<Maps, PipelineError> {
    let mut maps = Vec::with_capacity(record.layers.len());
    for (l, layer) in record.layers.iter().enumerate() {
        let Some(file) = &layer.layout else {
            maps.push(None);
            continue;
        };
        let path = folder.join(file);
        let stored = read_f32(&path)?;
        let mut map: Vec<[f32; 2]> =
            (0..stored.n_rows()).map(|i| [stored.row(i)[0], stored.row(i)[1]]).collect();
        if let Some(target) = next.and_then(|n| n.get(l)).and_then(Option::as_ref) {
            map = align(&map, target);
            write_f32(&path, Matrix::from_fn(map.len(), 2, |i, a| map[i][a]).as_ref())?;
        }
        maps.push(Some(map));
    }
    Ok(maps)
}
