//! Clustering as a task: coefficients to clusters or communities, and how far these agree with known classes.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;
use subspect_graph::{
    AffinityGraph, Communities, Detail, Detected, Detector, LeidenOptions, Partition, Postprocess,
    ResolutionPoint, SpectralClustering, Stability, components, detect, resolution_profile, stability,
};
use subspect_linalg::{Csr, Measured, Seed};

use crate::PipelineError;

/// How coefficients become clusters.
#[derive(Clone, Debug)]
pub struct ClusterSettings {
    /// What is done to the coefficients' absolute values before they are made symmetric.
    pub postprocess: Postprocess,
    /// What finds the clusters. Its own resolution is not used.
    pub detector: Detector,
    /// Resolution of Leiden; none: [`subspect_graph::QualityFunction::default_resolution`] of the graph.
    pub resolution: Option<f64>,
    /// Resolutions of Leiden to look at beside.
    pub resolutions: Vec<f64>,
    /// Classes to compare with, if known.
    pub labels: Option<Partition>,
    /// Stream of everything random.
    pub seed: Seed,
}

/// Clusters, and what is known about them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clustered {
    /// Cluster of every input, numbered by first appearance.
    #[serde(skip)]
    pub labels: Vec<u32>,
    /// One of [`subspect_graph::DETECTORS`].
    pub method: &'static str,
    /// Clusters that exist.
    pub n_clusters: usize,
    /// Clusters of a single input.
    pub n_singletons: usize,
    /// Number of inputs of every cluster.
    pub sizes: Vec<usize>,
    /// Their modularity at resolution 1.
    pub modularity: Measured,
    /// `converged`, or why the clustering is not quite what was asked for.
    pub status: &'static str,
    /// Undirected edges of the graph.
    pub n_edges: usize,
    /// Its connected components, isolated inputs included.
    pub n_components: usize,
    /// What is particular to spectral clustering.
    #[serde(flatten)]
    pub spectral: Option<SpectralRecord>,
    /// What is particular to Leiden.
    #[serde(flatten)]
    pub leiden: Option<LeidenRecord>,
    /// Leiden at the other resolutions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<ProfileRecord>,
    /// Every measure of [`subspect_graph::AGREEMENTS`] by name; empty without labels.
    pub agreement: BTreeMap<String, Measured>,
    /// Seconds it took.
    pub seconds: f64,
}

/// What is particular to spectral clustering.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpectralRecord {
    /// Inputs that took no part and joined the largest cluster.
    pub n_unplaced: usize,
    /// The smallest eigenvalues of the normalised Laplacian.
    pub eigenvalues: Vec<f64>,
    /// How many of them are within the tolerance.
    pub n_converged: usize,
    /// Inertia of the best k-means restart.
    pub inertia: Measured,
}

/// What is particular to Leiden.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeidenRecord {
    /// One of [`subspect_graph::QUALITY_FUNCTIONS`].
    pub quality_function: &'static str,
    /// Its resolution.
    pub resolution: f64,
    /// What the best search reached.
    pub quality: Measured,
    /// Passes of the best search.
    pub n_iterations: usize,
    /// What every search reached, by seed.
    pub qualities: Vec<Measured>,
    /// Whether the searches agree.
    pub stability: StabilityRecord,
}

/// Agreement of the searches from several seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StabilityRecord {
    /// Partitions that differ.
    pub n_distinct: usize,
    /// Mean normalised mutual information of two searches.
    pub nmi_mean: Measured,
    /// Smallest.
    pub nmi_min: Measured,
    /// Mean variation of information of two searches.
    pub vi_mean: Measured,
    /// Largest.
    pub vi_max: Measured,
}

impl From<Stability> for StabilityRecord {
    fn from(s: Stability) -> Self {
        let Stability { n_distinct, nmi_mean, nmi_min, vi_mean, vi_max, n_pairs: _ } = s;
        Self { n_distinct, nmi_mean, nmi_min, vi_mean, vi_max }
    }
}

/// Leiden at one resolution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProfileRecord {
    /// The resolution.
    pub resolution: f64,
    /// Communities found.
    pub n_clusters: usize,
    /// Those of a single input.
    pub n_singletons: usize,
    /// Quality at this resolution.
    pub quality: Measured,
    /// Modularity at resolution 1.
    pub modularity: Measured,
    /// Whether the searches agree.
    pub stability: StabilityRecord,
    /// Agreement with the labels; empty without them.
    pub agreement: BTreeMap<String, Measured>,
}

impl From<ResolutionPoint> for ProfileRecord {
    fn from(p: ResolutionPoint) -> Self {
        Self {
            resolution: p.resolution,
            n_clusters: p.partition.n_classes(),
            n_singletons: p.n_singletons,
            quality: p.quality,
            modularity: p.modularity,
            stability: p.stability.into(),
            agreement: p.agreement,
        }
    }
}

/// Clusters the inputs that `coefficients` express (row i expresses input i), in the current thread pool.
///
/// # Errors
/// When the coefficients are no square matrix with a zero diagonal, when there are not that many clusters to be had,
/// for a parameter out of range, or when the labels are for another number of inputs.
pub fn cluster(coefficients: &Csr, settings: &ClusterSettings) -> Result<Clustered, PipelineError> {
    let start = Instant::now();
    let graph = settings.postprocess.affinity(coefficients)?;
    let labels = settings.labels.as_ref();
    let detector = resolved(&graph, settings);
    let found = detect(&graph, &detector, labels, settings.seed)?;
    let profile = match &detector {
        Detector::Leiden(options) => {
            resolution_profile(&graph, options, &settings.resolutions, labels, settings.seed)?
        }
        Detector::Spectral { .. } => Vec::new(),
    };
    let (spectral, leiden) = match (&found.detail, &detector) {
        (Detail::Leiden(c), Detector::Leiden(options)) => (None, Some(leiden_record(c, options)?)),
        (Detail::Spectral(s), _) => (Some(spectral_record(s)), None),
        (Detail::Leiden(_), Detector::Spectral { .. }) => (None, None),
    };
    let Detected { partition, n_singletons, modularity, agreement, status, .. } = found;
    Ok(Clustered {
        labels: partition.classes().to_vec(),
        method: detector.name(),
        n_clusters: partition.n_classes(),
        n_singletons,
        sizes: partition.sizes().to_vec(),
        modularity,
        status,
        n_edges: graph.n_edges(),
        n_components: components(&graph).sizes.len(),
        spectral,
        leiden,
        profile: profile.into_iter().map(ProfileRecord::from).collect(),
        agreement,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// The detector at the resolution that is asked for, or that suits the graph.
fn resolved(graph: &AffinityGraph, settings: &ClusterSettings) -> Detector {
    match settings.detector {
        Detector::Leiden(options) => {
            let default = || options.quality.default_resolution(graph);
            Detector::Leiden(LeidenOptions {
                resolution: settings.resolution.unwrap_or_else(default),
                ..options
            })
        }
        spectral @ Detector::Spectral { .. } => spectral,
    }
}

fn spectral_record(found: &SpectralClustering) -> SpectralRecord {
    SpectralRecord {
        n_unplaced: found.n_unplaced,
        eigenvalues: found.eigenvalues.clone(),
        n_converged: found.n_converged,
        inertia: found.inertia,
    }
}

fn leiden_record(found: &Communities, options: &LeidenOptions) -> Result<LeidenRecord, PipelineError> {
    let all: Vec<&Partition> = found.runs.iter().map(|r| &r.partition).collect();
    Ok(LeidenRecord {
        quality_function: options.quality.as_str(),
        resolution: options.resolution,
        quality: found.quality,
        n_iterations: found.n_iterations,
        qualities: found.runs.iter().map(|r| r.quality).collect(),
        stability: stability(&all)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_graph::{QualityFunction, SpectralOptions};
    use subspect_linalg::{CsrBuilder, Status};

    #[test]
    fn labels_are_optional_and_must_fit() {
        let mut b = CsrBuilder::new(4);
        for partner in [1, 0, 3, 2] {
            b.push_row(&mut [(partner, 0.5)]);
        }
        let c = b.finish();
        let spectral = Detector::Spectral { n_clusters: 2, options: SpectralOptions::default() };
        let settings = |labels: Option<Vec<u32>>| ClusterSettings {
            postprocess: Postprocess::None,
            detector: spectral,
            resolution: None,
            resolutions: Vec::new(),
            labels: labels.map(|l| Partition::new(l, 2).unwrap()),
            seed: Seed::new(0),
        };
        let found = cluster(&c, &settings(Some(vec![1, 1, 0, 0]))).unwrap();
        assert_eq!((found.labels, found.sizes), (vec![0, 0, 1, 1], vec![2, 2]));
        assert_eq!(found.agreement["accuracy"], Measured::Value(1.0));
        assert_eq!(found.spectral.unwrap().inertia.status(), Some(Status::NotApplicable));
        assert!(cluster(&c, &settings(None)).unwrap().agreement.is_empty());
        assert!(cluster(&c, &settings(Some(vec![0, 1, 1]))).is_err());

        let quality = QualityFunction::Cpm;
        let detector = Detector::Leiden(LeidenOptions { quality, ..Default::default() });
        let leiden =
            ClusterSettings { detector, resolutions: vec![0.1, 2.0], ..settings(Some(vec![1, 1, 0, 0])) };
        let found = cluster(&c, &leiden).unwrap();
        assert_eq!((found.labels, found.method), (vec![0, 0, 1, 1], "leiden"));
        // Two edges of 1 among six pairs.
        assert_eq!(found.leiden.unwrap().resolution, 1.0 / 3.0);
        assert_eq!(found.profile.iter().map(|p| p.n_clusters).collect::<Vec<_>>(), [2, 4]);
    }
}
