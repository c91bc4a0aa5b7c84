//! Class structure of one layer's graph: measures, null, votes and class affinity, as the record holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use subspect_data::record::NullRecord;
use subspect_graph::{
    AffinityGraph, Null, Partition, Subject, affinity_votes, class_affinity, measure_all, modularity_null,
};
use subspect_linalg::{Csr, Measured, Seed, Status};

use crate::PipelineError;

/// What is known about the inputs, and how it is used.
#[derive(Clone, Debug)]
pub struct MeasureSettings {
    /// Classes of the inputs, if known.
    pub partition: Option<Partition>,
    /// The network's own choices; empty when unknown.
    pub predictions: Vec<u32>,
    /// Resolution of the modularity.
    pub resolution: f64,
    /// Label permutations for the null.
    pub permutations: usize,
    /// Stream of the permutations.
    pub seed: Seed,
}

/// Class structure of one graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassStructure {
    /// Stored coefficients.
    pub nnz: usize,
    /// Undirected edges.
    pub n_edges: usize,
    /// Inputs without any edge.
    pub n_isolated: usize,
    /// Every measure of [`subspect_graph::MEASURES`] by name.
    pub measures: BTreeMap<String, Measured>,
    /// Permuted labels.
    pub modularity_null: NullRecord,
    /// Class x class share of the affinity mass; empty without labels.
    pub class_affinity: Vec<Vec<f64>>,
    /// Affinity vote of every input; empty without labels.
    pub votes: Vec<Option<u32>>,
}

/// Measures a coefficient matrix (row i expresses input i) and its graph.
///
/// # Errors
/// When the labels or predictions are for another number of inputs.
pub fn measure(
    coefficients: &Csr,
    graph: &AffinityGraph,
    settings: &MeasureSettings,
) -> Result<ClassStructure, PipelineError> {
    let partition = settings.partition.as_ref();
    let subject = Subject {
        predictions: (!settings.predictions.is_empty()).then_some(settings.predictions.as_slice()),
        resolution: settings.resolution,
        ..Subject::new(coefficients, graph, partition)
    };
    let null = match partition {
        Some(p) => {
            p.check(graph)?;
            record_null(modularity_null(graph, p, settings.resolution, settings.permutations, settings.seed))
        }
        None => undefined_null(Status::NoLabels),
    };
    Ok(ClassStructure {
        nnz: coefficients.nnz(),
        n_edges: graph.n_edges(),
        n_isolated: graph.n_isolated(),
        measures: measure_all(&subject)?,
        modularity_null: null,
        class_affinity: partition.map_or_else(Vec::new, |p| class_affinity(graph, p)),
        votes: partition.map_or_else(Vec::new, |p| affinity_votes(graph, p)),
    })
}

fn record_null(null: Null) -> NullRecord {
    let Null { n_permutations, mean, sd, lo, hi, z, p } = null;
    NullRecord { n_permutations, mean, sd, lo, hi, z, p }
}

fn undefined_null(status: Status) -> NullRecord {
    let m = Measured::from(status);
    NullRecord { n_permutations: 0, mean: m, sd: m, lo: m, hi: m, z: m, p: m }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::CsrBuilder;

    fn two_pairs() -> (Csr, AffinityGraph) {
        let mut b = CsrBuilder::new(4);
        for partner in [1, 0, 3, 2] {
            b.push_row(&mut [(partner, 0.5)]);
        }
        let c = b.finish();
        let graph = AffinityGraph::from_coefficients(&c).unwrap();
        (c, graph)
    }

    fn settings(labels: Option<Vec<u32>>) -> MeasureSettings {
        MeasureSettings {
            partition: labels.map(|l| Partition::new(l, 2).unwrap()),
            predictions: Vec::new(),
            resolution: 1.0,
            permutations: 19,
            seed: Seed::new(0),
        }
    }

    #[test]
    fn labels_are_optional() {
        let (c, graph) = two_pairs();
        let with = measure(&c, &graph, &settings(Some(vec![0, 0, 1, 1]))).unwrap();
        assert_eq!(with.measures["modularity"], Measured::Value(0.5));
        assert_eq!(with.votes, [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(with.modularity_null.n_permutations, 19);
        let without = measure(&c, &graph, &settings(None)).unwrap();
        assert_eq!(without.measures["modularity"].status(), Some(Status::NoLabels));
        assert_eq!(without.n_edges, 2);
        assert!(without.votes.is_empty() && without.class_affinity.is_empty());
        assert!(measure(&c, &graph, &settings(Some(vec![0, 1, 1]))).is_err());
    }
}
