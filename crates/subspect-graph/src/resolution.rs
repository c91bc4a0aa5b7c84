//! Communities over a range of resolutions: a partition that persists over many is more than the choice of one.

use std::collections::BTreeMap;

use rayon::prelude::*;
use subspect_linalg::{Measured, Seed};

use crate::detected::n_singletons;
use crate::{
    AffinityGraph, GraphError, LeidenOptions, Partition, Stability, agreement, leiden, modularity, stability,
};

/// What Leiden finds at one resolution.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolutionPoint {
    /// The resolution.
    pub resolution: f64,
    /// The best search's communities.
    pub partition: Partition,
    /// Communities of a single input.
    pub n_singletons: usize,
    /// Their quality at this resolution: not comparable with that at another.
    pub quality: Measured,
    /// Their [`modularity`] at resolution 1, which is comparable.
    pub modularity: Measured,
    /// Whether the searches from different seeds agree.
    pub stability: Stability,
    /// Every measure of [`crate::AGREEMENTS`] with the labels, by name; empty without labels.
    pub agreement: BTreeMap<String, Measured>,
}

/// [`leiden`] at every one of `resolutions`, in their order; `options.resolution` is not used. Every resolution draws
/// from the same seeds.
///
/// # Errors
/// As [`leiden`], and [`GraphError::Length`] when the labels are for other inputs.
pub fn resolution_profile(
    graph: &AffinityGraph,
    options: &LeidenOptions,
    resolutions: &[f64],
    labels: Option<&Partition>,
    seed: Seed,
) -> Result<Vec<ResolutionPoint>, GraphError> {
    if let Some(labels) = labels {
        labels.check(graph)?;
    }
    resolutions.par_iter().map(|&resolution| point(graph, options, resolution, labels, seed)).collect()
}

fn point(
    graph: &AffinityGraph,
    options: &LeidenOptions,
    resolution: f64,
    labels: Option<&Partition>,
    seed: Seed,
) -> Result<ResolutionPoint, GraphError> {
    let found = leiden(graph, &LeidenOptions { resolution, ..*options }, seed)?;
    let all: Vec<&Partition> = found.runs.iter().map(|r| &r.partition).collect();
    Ok(ResolutionPoint {
        resolution,
        n_singletons: n_singletons(&found.partition),
        quality: found.quality,
        modularity: modularity(graph, &found.partition, 1.0),
        stability: stability(&all)?,
        agreement: labels.map_or(Ok(BTreeMap::new()), |labels| agreement(labels, &found.partition))?,
        partition: found.partition,
    })
}
