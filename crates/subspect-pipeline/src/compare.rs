//! Layer x layer maps: one pass per measure gives both estimators.

use std::sync::atomic::{AtomicU64, Ordering};

use subspect_data::record::SimilarityRecord;
use subspect_graph::AffinityGraph;
use subspect_linalg::MatRef;
use subspect_similarity::{Estimator, KernelMoments, Monitor, linear_moments, ssc_moments};

use crate::{Events, PipelineError, Stage};

/// SSC-CKA of all pairs of graphs, biased and debiased.
///
/// # Errors
/// When the graphs have different numbers of inputs.
pub fn ssc_cka_maps(graphs: &[&AffinityGraph]) -> Result<Vec<SimilarityRecord>, PipelineError> {
    Ok(maps("ssc_cka", &ssc_moments_of(graphs)?))
}

/// Linear CKA of all pairs of activation matrices, biased and debiased, within `memory` bytes.
///
/// # Errors
/// When the matrices have different numbers of inputs, the memory is too little, or
/// [`PipelineError::Interrupted`].
pub fn linear_cka_maps(
    layers: &[MatRef<'_, f32>],
    memory: u64,
    events: &dyn Events,
) -> Result<Vec<SimilarityRecord>, PipelineError> {
    Ok(maps("linear_cka", &linear_moments_of(layers, memory, events)?))
}

pub(crate) fn ssc_moments_of(graphs: &[&AffinityGraph]) -> Result<KernelMoments, PipelineError> {
    Ok(ssc_moments(&graphs.iter().map(|g| g.adjacency()).collect::<Vec<_>>())?)
}

pub(crate) fn linear_moments_of(
    layers: &[MatRef<'_, f32>],
    memory: u64,
    events: &dyn Events,
) -> Result<KernelMoments, PipelineError> {
    let monitor = Percent::of(events);
    Ok(linear_moments(layers, memory.try_into().unwrap_or(usize::MAX), &monitor)?)
}

fn maps(measure: &str, moments: &KernelMoments) -> Vec<SimilarityRecord> {
    Estimator::SHOWN
        .iter()
        .map(|&e| SimilarityRecord {
            measure: measure.to_owned(),
            estimator: e.as_str().to_owned(),
            values: moments.cka_matrix(e),
            inference: None,
            blocks: None,
        })
        .collect()
}

/// Passes progress on in steps of one percent.
pub(crate) struct Percent<'a> {
    events: &'a dyn Events,
    done: AtomicU64,
}

impl<'a> Percent<'a> {
    pub(crate) fn of(events: &'a dyn Events) -> Self {
        Percent { events, done: AtomicU64::new(0) }
    }
}

impl Monitor for Percent<'_> {
    fn progress(&self, fraction: f64) {
        let now = (100.0 * fraction) as u64;
        let before = self.done.fetch_max(now, Ordering::Relaxed);
        if now > before {
            self.events.advanced(Stage::Similarity, now - before);
        }
    }
    fn is_cancelled(&self) -> bool {
        self.events.is_cancelled()
    }
}
