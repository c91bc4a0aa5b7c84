//! What runs recorded, in the shape that analyses take: the graph of a layer, the labels as a partition.

use subspect_data::record::LayerRecord;
use subspect_data::rundir::RunDir;
use subspect_data::sparse::load_csr;
use subspect_graph::{AffinityGraph, Partition};

use crate::PipelineError;

/// The affinity graph of a layer of the run in `dir`.
pub(crate) fn layer_graph(dir: &RunDir, layer: &LayerRecord) -> Result<AffinityGraph, PipelineError> {
    Ok(AffinityGraph::from_coefficients(&load_csr(&dir.path(&layer.graph))?)?)
}

/// The labels as a partition with every class of the data set; none without labels.
pub(crate) fn partition(labels: &[u32], n_classes: usize) -> Result<Option<Partition>, PipelineError> {
    match labels {
        [] => Ok(None),
        labels => Ok(Some(Partition::new(labels.to_vec(), n_classes)?)),
    }
}
