//! Affinity graphs of layers, and how much class structure they hold.
//!
//! A layer's self-expression coefficients `C` (`N x N`, row i expresses input i) become the undirected graph
//! `A = |C| + |C|ᵀ` ([`AffinityGraph`]). Against a [`Partition`] of the inputs, usually the class labels, the
//! graph is measured ([`modularity`], [`measure_all`] and the list [`MEASURES`]), compared with permuted labels
//! ([`modularity_null`]), and read at one input ([`neighbourhood`], [`AffinityVote`]). The other way round,
//! [`spectral_clustering`] finds a partition in a graph ([`Postprocess`] makes it ready), and [`agreement`] compares
//! two partitions.
//!
//! Pure mathematics: no I/O, no clock, no environment, no printing. Randomness comes from a passed
//! [`subspect_linalg::Seed`], and no result depends on the number of threads.
//!
//! ```
//! use subspect_graph::{AffinityGraph, Partition, modularity};
//! use subspect_linalg::CsrBuilder;
//!
//! // Two pairs of inputs, each expressed by its partner.
//! let mut c = CsrBuilder::new(4);
//! for partner in [1, 0, 3, 2] {
//!     c.push_row(&mut [(partner, 0.5)]);
//! }
//! let graph = AffinityGraph::from_coefficients(&c.finish())?;
//! let (classes, _) = Partition::from_labels(&["cat", "cat", "dog", "dog"]);
//! assert_eq!(modularity(&graph, &classes, 1.0).value(), Some(0.5));
//! # Ok::<(), subspect_graph::GraphError>(())
//! ```

mod affinity;
mod agreement;
mod bootstrap;
mod class_nulls;
mod components;
mod detected;
mod error;
mod influence;
mod kmeans;
mod lanes;
mod layout;
mod leiden;
mod measures;
mod neighbourhood;
mod null;
mod partition;
mod postprocess;
mod resolution;
mod spectral;
mod stability;
mod vote;

pub use affinity::AffinityGraph;
pub use agreement::{AGREEMENTS, AgreementInfo, Contingency, agreement, best_matching};
pub use bootstrap::{
    Difference, IntervalOptions, modularity_difference, modularity_interval, sre_interval, vote_difference,
    vote_interval,
};
pub use class_nulls::{ClassNulls, class_nulls};
pub use components::{Components, components};
pub use detected::{DETECTORS, Detail, Detected, Detector, DetectorInfo, detect};
pub use error::GraphError;
pub use kmeans::KMeansOptions;
pub use layout::{align, layout};
pub use leiden::{
    Communities, LeidenOptions, LeidenRun, LeidenStatus, QUALITY_FUNCTIONS, QualityFunction, QualityInfo,
    diff_move, leiden, mean_affinity, quality,
};
pub use measures::assortativity::{degree_assortativity, homophily, label_assortativity};
pub use measures::class_affinity::class_affinity;
pub use measures::conductance::conductance;
pub use measures::connectivity::connectivity;
pub use measures::modularity::{modularity, modularity_by_class, modularity_ceiling, modularity_floor};
pub use measures::preservation::{one_class_rows, subspace_preserving_error};
pub use measures::{MEASURES, MeasureInfo, ParameterInfo, RESOLUTION, Subject, measure_all};
pub use neighbourhood::{Neighbour, Neighbourhood, neighbourhood};
pub use null::modularity_null;
pub use partition::Partition;
pub use postprocess::{POSTPROCESSES, Postprocess, PostprocessInfo};
pub use resolution::{ResolutionPoint, resolution_profile};
pub use spectral::{Embedding, SpectralClustering, SpectralOptions, SpectralStatus, spectral_clustering};
pub use stability::{Stability, stability};
pub use subspect_statistics::{Interval, Null, PairedTest};
pub use vote::{AffinityVote, affinity_votes, vote_accuracy, vote_agreement};
