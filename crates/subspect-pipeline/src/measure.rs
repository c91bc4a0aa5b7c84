//! Class structure of one layer's graph: measures, null, votes and class affinity, as the record holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use subspect_data::record::{IntervalRecord, NullRecord};
use subspect_graph::{
    AffinityGraph, Interval, IntervalOptions, Null, Partition, Subject, affinity_votes, class_affinity,
    class_nulls, measure_all, modularity_interval, sre_interval, vote_interval,
};
use subspect_linalg::{Csr, Measured, Seed};

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
    /// Label permutations for the nulls.
    pub permutations: usize,
    /// Stream of the permutations.
    pub seed: Seed,
    /// How intervals over inputs are made.
    pub intervals: IntervalOptions,
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
    /// Permuted labels, for the vote's accuracy, the subspace-preserving error and the one-class rows.
    pub nulls: BTreeMap<String, NullRecord>,
    /// Intervals over inputs of the modularity, the vote's accuracy and the subspace-preserving error.
    pub intervals: BTreeMap<String, IntervalRecord>,
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
    let nulls = class_nulls(&subject, settings.permutations, settings.seed)?;
    let votes = partition.map_or_else(Vec::new, |p| affinity_votes(graph, p));
    Ok(ClassStructure {
        nnz: coefficients.nnz(),
        n_edges: graph.n_edges(),
        n_isolated: graph.n_isolated(),
        measures: measure_all(&subject)?,
        modularity_null: record_null(nulls.modularity),
        nulls: [
            ("vote_accuracy", nulls.vote_accuracy),
            ("sre", nulls.sre),
            ("one_class_rows", nulls.one_class_rows),
        ]
        .map(|(name, null)| (name.to_owned(), record_null(null)))
        .into(),
        intervals: partition
            .map_or_else(BTreeMap::new, |p| intervals(coefficients, graph, p, &votes, settings)),
        class_affinity: partition.map_or_else(Vec::new, |p| class_affinity(graph, p)),
        votes,
    })
}

/// A null as records hold it.
pub(crate) fn record_null(null: Null) -> NullRecord {
    let Null { n_permutations, mean, sd, lo, hi, z, p } = null;
    NullRecord { n_permutations, mean, sd, lo, hi, z, p }
}

fn intervals(
    coefficients: &Csr,
    graph: &AffinityGraph,
    partition: &Partition,
    votes: &[Option<u32>],
    settings: &MeasureSettings,
) -> BTreeMap<String, IntervalRecord> {
    let options = &settings.intervals;
    let mut found = vec![("vote_accuracy", vote_interval(votes, partition, options.level))];
    if options.n_resamples > 0 {
        found.push(("modularity", modularity_interval(graph, partition, settings.resolution, options)));
        found.push(("sre", sre_interval(coefficients, partition, options)));
    }
    found.into_iter().map(|(name, interval)| (name.to_owned(), record_interval(interval))).collect()
}

fn record_interval(interval: Interval) -> IntervalRecord {
    let Interval { lo, hi, level, method, n_resamples } = interval;
    IntervalRecord { lo, hi, level, method: method.as_str().to_owned(), n_resamples }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::{CsrBuilder, Status};

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
            intervals: IntervalOptions { n_resamples: 49, ..IntervalOptions::new(Seed::new(0)) },
        }
    }

    #[test]
    fn labels_are_optional() {
        let (c, graph) = two_pairs();
        let with = measure(&c, &graph, &settings(Some(vec![0, 0, 1, 1]))).unwrap();
        assert_eq!(with.measures["modularity"], Measured::Value(0.5));
        assert_eq!(with.votes, [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(with.modularity_null.n_permutations, 19);
        assert_eq!(with.nulls["vote_accuracy"].n_permutations, 19);
        assert_eq!(with.intervals["vote_accuracy"].hi, Measured::Value(1.0));
        assert_eq!(with.intervals["modularity"].n_resamples, 49);
        let without = measure(&c, &graph, &settings(None)).unwrap();
        assert_eq!(without.measures["modularity"].status(), Some(Status::NoLabels));
        assert_eq!(without.n_edges, 2);
        assert!(
            without.votes.is_empty() && without.class_affinity.is_empty() && without.intervals.is_empty()
        );
        assert_eq!(without.modularity_null.p.status(), Some(Status::NoLabels));
        assert!(measure(&c, &graph, &settings(Some(vec![0, 1, 1]))).is_err());
    }
}
