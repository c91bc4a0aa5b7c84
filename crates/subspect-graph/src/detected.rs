//! Detected communities, described in one way whatever found them. A new detector is one line in [`DETECTORS`] and
//! a variant of [`Detector`].

use std::collections::BTreeMap;

use subspect_linalg::{Measured, Seed};

use crate::measures::{ParameterInfo, RESOLUTION};
use crate::{
    AffinityGraph, Communities, GraphError, LeidenOptions, Partition, SpectralClustering, SpectralOptions,
    agreement, leiden, modularity, spectral_clustering,
};

/// One detector: what it is called, what it does, where it comes from.
#[derive(Debug)]
pub struct DetectorInfo {
    /// Name in every interface.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Where it was defined.
    pub reference: &'static str,
    /// Parameters with their defaults.
    pub parameters: &'static [ParameterInfo],
}

/// Every detector.
pub static DETECTORS: &[DetectorInfo] = &[
    DetectorInfo {
        name: "leiden",
        summary: "as many connected communities as maximise modularity or CPM",
        reference: "Traag, Waltman & van Eck, Scientific Reports 9 (2019)",
        parameters: &[
            RESOLUTION,
            ParameterInfo {
                name: "theta",
                default: LEIDEN.theta,
                range: "0 and up",
                summary: "randomness of the refinement, in units of the mean edge weight",
            },
            ParameterInfo {
                name: "n_iterations",
                default: LEIDEN.n_iterations as f64,
                range: "1 and up",
                summary: "largest number of passes of one search",
            },
            ParameterInfo {
                name: "n_seeds",
                default: LEIDEN.n_seeds as f64,
                range: "1 and up",
                summary: "searches; the best is kept",
            },
        ],
    },
    DetectorInfo {
        name: "spectral",
        summary: "a given number of clusters by the normalised cut, relaxed",
        reference: "Ng, Jordan & Weiss, NIPS 2001",
        parameters: &[
            ParameterInfo {
                name: "min_component",
                default: SPECTRAL.min_component as f64,
                range: "2 and up",
                summary: "inputs in smaller connected components take no part",
            },
            ParameterInfo {
                name: "n_init",
                default: SPECTRAL.kmeans.n_init as f64,
                range: "1 and up",
                summary: "restarts of k-means; the best is kept",
            },
        ],
    },
];

const LEIDEN: LeidenOptions = LeidenOptions::DEFAULT;
const SPECTRAL: SpectralOptions = SpectralOptions::DEFAULT;

/// A way to find communities, with its options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detector {
    /// [`leiden`].
    Leiden(LeidenOptions),
    /// [`spectral_clustering`].
    Spectral {
        /// Clusters to find.
        n_clusters: usize,
        /// How the graph is cut.
        options: SpectralOptions,
    },
}

impl Detector {
    /// The spelling used in every interface.
    pub fn name(&self) -> &'static str {
        match self {
            Detector::Leiden(_) => "leiden",
            Detector::Spectral { .. } => "spectral",
        }
    }
}

/// What is particular to the detector.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Of [`Detector::Leiden`].
    Leiden(Communities),
    /// Of [`Detector::Spectral`].
    Spectral(SpectralClustering),
}

/// Detected communities, and how far they are the classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Detected {
    /// Name of the detector.
    pub detector: &'static str,
    /// Community of every input, numbered by first appearance. Its sizes are the communities'.
    pub partition: Partition,
    /// Communities of a single input.
    pub n_singletons: usize,
    /// Inputs of the largest community.
    pub largest: usize,
    /// [`modularity`] at resolution 1, whatever was maximised.
    pub modularity: Measured,
    /// Every measure of [`crate::AGREEMENTS`] with the labels, by name; empty without labels.
    pub agreement: BTreeMap<String, Measured>,
    /// `converged`, or why the communities are not quite what was asked for.
    pub status: &'static str,
    /// What is particular to the detector.
    pub detail: Detail,
}

/// Finds communities in `graph` and compares them with `labels`, in the current thread pool.
///
/// # Errors
/// As [`leiden`] and [`spectral_clustering`], and [`GraphError::Length`] when the labels are for other inputs.
pub fn detect(
    graph: &AffinityGraph,
    detector: &Detector,
    labels: Option<&Partition>,
    seed: Seed,
) -> Result<Detected, GraphError> {
    if let Some(labels) = labels {
        labels.check(graph)?;
    }
    let (partition, status, detail) = match detector {
        Detector::Leiden(options) => {
            let found = leiden(graph, options, seed)?;
            (found.partition.clone(), found.status.as_str(), Detail::Leiden(found))
        }
        Detector::Spectral { n_clusters, options } => {
            let found = spectral_clustering(graph, *n_clusters, options, seed)?;
            let partition = Partition::numbered(found.labels.clone(), found.n_clusters);
            (partition, found.status.as_str(), Detail::Spectral(found))
        }
    };
    Ok(Detected {
        detector: detector.name(),
        n_singletons: n_singletons(&partition),
        largest: partition.sizes().iter().copied().max().unwrap_or(0),
        modularity: modularity(graph, &partition, 1.0),
        agreement: labels.map_or(Ok(BTreeMap::new()), |labels| agreement(labels, &partition))?,
        partition,
        status,
        detail,
    })
}

/// Communities of a single input.
pub(crate) fn n_singletons(partition: &Partition) -> usize {
    partition.sizes().iter().filter(|&&s| s == 1).count()
}
