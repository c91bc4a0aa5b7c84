//! Conductance of a class: the share of its affinity that leaves it.
//!
//! `phi(c) = cut(c) / min(V_c, 2m - V_c)`, where `V_c` is the sum of the class's degrees and `cut(c)` the mass of the
//! edges that leave it (Kannan, Vempala & Vetta, J. ACM 2004).

use subspect_linalg::{Measured, Status};

use crate::measures::MeasureInfo;
use crate::measures::modularity::{ClassMass, obstacle};
use crate::measures::workings::Workings;
use crate::{AffinityGraph, Partition};

pub(super) static MEAN: MeasureInfo = MeasureInfo {
    name: "conductance_mean",
    summary: "share of a class's affinity that leaves it, mean over classes with edges",
    reference: "Kannan, Vempala & Vetta, J. ACM 51 (2004)",
    range: "0 (classes apart) to 1",
    parameters: &[],
    compute: |s| over_classes(s, |values| values.iter().sum::<f64>() / values.len() as f64),
};

pub(super) static MAX: MeasureInfo = MeasureInfo {
    name: "conductance_max",
    summary: "share of its affinity that leaves the least separated class",
    reference: "Kannan, Vempala & Vetta, J. ACM 51 (2004)",
    range: "0 (classes apart) to 1",
    parameters: &[],
    compute: |s| over_classes(s, |values| values.iter().copied().fold(0.0, f64::max)),
};

/// Conductance of every class. Undefined for a class without edges, and for one that holds all edges.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn conductance(graph: &AffinityGraph, partition: &Partition) -> Vec<Measured> {
    if let Some(status) = obstacle(graph, partition) {
        return vec![status.into(); partition.n_classes()];
    }
    let mass = ClassMass::of(graph, partition);
    let sum: f64 = mass.volume.iter().sum();
    mass.within
        .iter()
        .zip(&mass.volume)
        .map(|(&within, &volume)| {
            let smaller = volume.min(sum - volume);
            if smaller > 0.0 {
                Measured::finite((volume - within) / smaller)
            } else {
                Status::EmptyGraph.into()
            }
        })
        .collect()
}

fn over_classes(workings: &Workings<'_>, summary: impl Fn(&[f64]) -> f64) -> Measured {
    workings.with_partition(|partition| {
        let all = workings.conductance(partition);
        let defined: Vec<f64> = all.iter().filter_map(|m| m.value()).collect();
        match (defined.is_empty(), obstacle(workings.graph, partition)) {
            (_, Some(status)) => status.into(),
            (true, None) => Status::EmptyGraph.into(),
            (false, None) => Measured::finite(summary(&defined)),
        }
    })
}
