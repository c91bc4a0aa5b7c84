//! Every input's strongest neighbours and class affinity, one file per layer: what the page's views of single inputs
//! and other programs read. Cheap beside the graphs, so it is written anew by every run.

use rayon::prelude::*;
use subspect_data::neighbours::Neighbours;
use subspect_data::record::{NeighbourhoodRecord, RunRecord};
use subspect_data::rundir::RunDir;
use subspect_data::sparse::load_csr;
use subspect_linalg::Matrix;

use super::LayerGraph;
use super::examples::one;
use super::prepare::Prepared;
use crate::recorded::partition;
use crate::{PipelineError, Plan};

/// Writes the file of every layer and names it in the record.
pub(crate) fn neighbours(
    plan: &Plan,
    dir: &RunDir,
    prepared: &Prepared,
    graphs: &[LayerGraph],
    record: &mut RunRecord,
) -> Result<(), PipelineError> {
    let folder = dir.path("neighbours");
    std::fs::create_dir_all(&folder).map_err(|e| PipelineError::io("create", &folder, e))?;
    let partition = partition(&prepared.inputs.labels, prepared.dataset.classes.len())?;
    for (layer, graph) in graphs.iter().enumerate() {
        let coefficients = load_csr(&dir.path(&record.layers[layer].graph))?;
        let rows: Vec<NeighbourhoodRecord> = (0..graph.affinity.n_nodes())
            .into_par_iter()
            .map(|i| one(&graph.affinity, &coefficients, partition.as_ref(), i, layer, plan.neighbours))
            .collect::<Result<_, _>>()?;
        let file = RunDir::neighbours_file(&record.layers[layer].name);
        table(&rows).save(&dir.path(&file))?;
        record.layers[layer].neighbours = Some(file);
    }
    Ok(())
}

fn table(rows: &[NeighbourhoodRecord]) -> Neighbours {
    let all = || rows.iter().flat_map(|r| &r.neighbours);
    let mut indptr = vec![0];
    let mut end = 0;
    for row in rows {
        end += row.neighbours.len();
        indptr.push(end);
    }
    let n_classes = rows.first().map_or(0, |r| r.class_affinity.len());
    Neighbours {
        indptr,
        indices: all().map(|n| n.input as u32).collect(),
        affinity: all().map(|n| n.affinity as f32).collect(),
        coefficient: all().map(|n| n.coefficient as f32).collect(),
        reverse_coefficient: all().map(|n| n.reverse_coefficient as f32).collect(),
        class_affinity: Matrix::from_fn(rows.len(), n_classes, |i, c| rows[i].class_affinity[c] as f32),
    }
}
