//! Subspace clustering as a task: coefficients to clusters, and how far these agree with known classes.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;
use subspect_graph::{
    Partition, Postprocess, SpectralClustering, SpectralOptions, agreement, spectral_clustering,
};
use subspect_linalg::{Csr, Measured, Seed};

use crate::PipelineError;

/// How coefficients become clusters.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// What is done to the coefficients' absolute values before they are made symmetric.
    pub postprocess: Postprocess,
    /// Clusters to find.
    pub n_clusters: usize,
    /// How the graph is cut.
    pub spectral: SpectralOptions,
    /// Classes to compare with, if known.
    pub labels: Option<Partition>,
    /// Stream of the eigenvectors' start and of the k-means restarts.
    pub seed: Seed,
}

/// Clusters, and what is known about them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clustered {
    /// Cluster of every input, numbered by first appearance.
    #[serde(skip)]
    pub labels: Vec<u32>,
    /// Clusters that exist.
    pub n_clusters: usize,
    /// Number of inputs of every cluster.
    pub sizes: Vec<usize>,
    /// `converged`, or why the clustering is not quite what was asked for.
    pub status: &'static str,
    /// Undirected edges of the graph.
    pub n_edges: usize,
    /// Its connected components, isolated inputs included.
    pub n_components: usize,
    /// Inputs that took no part and joined the largest cluster.
    pub n_unplaced: usize,
    /// The smallest eigenvalues of the normalised Laplacian.
    pub eigenvalues: Vec<f64>,
    /// How many of them are within the tolerance.
    pub n_converged: usize,
    /// Inertia of the best k-means restart.
    pub inertia: Measured,
    /// Every measure of [`subspect_graph::AGREEMENTS`] by name; empty without labels.
    pub agreement: BTreeMap<String, Measured>,
    /// Seconds it took.
    pub seconds: f64,
}

/// Clusters the inputs that `coefficients` express (row i expresses input i), in the current thread pool.
///
/// # Errors
/// When the coefficients are no square matrix with a zero diagonal, when there are not that many clusters to be had,
/// or when the labels are for another number of inputs.
pub fn cluster(coefficients: &Csr, settings: &ClusterSettings) -> Result<Clustered, PipelineError> {
    let start = Instant::now();
    let graph = settings.postprocess.affinity(coefficients)?;
    if let Some(labels) = &settings.labels {
        labels.check(&graph)?;
    }
    let found = spectral_clustering(&graph, settings.n_clusters, &settings.spectral, settings.seed)?;
    let seconds = start.elapsed().as_secs_f64();
    let SpectralClustering { labels, n_clusters, .. } = found;
    let partition = Partition::new(labels, n_clusters)?;
    let agreement = match &settings.labels {
        Some(classes) => agreement(classes, &partition)?,
        None => BTreeMap::new(),
    };
    Ok(Clustered {
        labels: partition.classes().to_vec(),
        n_clusters,
        sizes: partition.sizes().to_vec(),
        status: found.status.as_str(),
        n_edges: graph.n_edges(),
        n_components: found.n_components,
        n_unplaced: found.n_unplaced,
        eigenvalues: found.eigenvalues,
        n_converged: found.n_converged,
        inertia: found.inertia,
        agreement,
        seconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::{CsrBuilder, Status};

    #[test]
    fn labels_are_optional_and_must_fit() {
        let mut b = CsrBuilder::new(4);
        for partner in [1, 0, 3, 2] {
            b.push_row(&mut [(partner, 0.5)]);
        }
        let c = b.finish();
        let settings = |labels: Option<Vec<u32>>| ClusterSettings {
            postprocess: Postprocess::None,
            n_clusters: 2,
            spectral: SpectralOptions::default(),
            labels: labels.map(|l| Partition::new(l, 2).unwrap()),
            seed: Seed::new(0),
        };
        let found = cluster(&c, &settings(Some(vec![1, 1, 0, 0]))).unwrap();
        assert_eq!((found.labels, found.sizes), (vec![0, 0, 1, 1], vec![2, 2]));
        assert_eq!(found.agreement["accuracy"], Measured::Value(1.0));
        assert_eq!(found.inertia.status(), Some(Status::NotApplicable));
        assert!(cluster(&c, &settings(None)).unwrap().agreement.is_empty());
        assert!(cluster(&c, &settings(Some(vec![0, 1, 1]))).is_err());
    }
}
