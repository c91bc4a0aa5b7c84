//! Whether like joins like: inputs of one class, and inputs of equal degree. Edges count by their weight.
//!
//! Labels: with `e_cd` the share of the mass between classes c and d (both directions) and `a_c = sum_d e_cd`,
//! `r = (sum_c e_cc - sum_c a_c²) / (1 - sum_c a_c²)` (Newman, Phys. Rev. E 67, 026126, 2003, eq. 2): modularity at
//! resolution 1 over the largest value it could have with these degrees.
//!
//! Degrees: Pearson's correlation of `k_i` and `k_j` over the edges (ibid., eq. 21; weighted: Leung & Chau 2007),
//! `r = (<k k'> - <k>²) / (<k²> - <k>²)` with `<f> = sum_ij A_ij f(i, j) / 2m`.
//!
//! Homophily: mean over inputs with neighbours of the share of their affinity that goes to their own class (Pei et
//! al., ICLR 2020); every input counts alike, whereas in `same_class_mass` it counts by its degree.

use subspect_linalg::{Measured, Status};

use crate::measures::MeasureInfo;
use crate::measures::modularity::{ClassMass, obstacle};
use crate::{AffinityGraph, Partition};

pub(super) static LABELS: MeasureInfo = MeasureInfo {
    name: "label_assortativity",
    summary: "modularity over the largest value that it could have with these degrees",
    reference: "Newman, Phys. Rev. E 67, 026126 (2003); weighted",
    range: "-1 to 1 (classes apart); 0 when edges do not know the classes",
    parameters: &[],
    compute: |s| {
        s.with_partition(|p| match obstacle(s.graph, p) {
            Some(status) => status.into(),
            None => of_mass(s.class_mass(p), s.graph.total_mass()),
        })
    },
};

pub(super) static DEGREES: MeasureInfo = MeasureInfo {
    name: "degree_assortativity",
    summary: "correlation of the degrees of the two ends of an edge, edges by their weight",
    reference: "Newman, Phys. Rev. E 67, 026126 (2003); weighted: Leung & Chau, Physica A 378 (2007)",
    range: "-1 (hubs join the poor) to 1 (hubs join hubs)",
    parameters: &[],
    compute: |s| degree_assortativity(s.graph),
};

pub(super) static HOMOPHILY: MeasureInfo = MeasureInfo {
    name: "homophily",
    summary: "share of an input's affinity that goes to its own class, mean over inputs with neighbours",
    reference: "Pei, Wei, Chang, Lei & Yang, ICLR 2020; weighted",
    range: "0 to 1; about 1/K when the graph is blind to K classes",
    parameters: &[],
    compute: |s| s.with_partition(|p| homophily(s.graph, p)),
};

/// Assortativity by class. Undefined where modularity is, and when all mass is in one class.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn label_assortativity(graph: &AffinityGraph, partition: &Partition) -> Measured {
    match obstacle(graph, partition) {
        Some(status) => status.into(),
        None => of_mass(&ClassMass::of(graph, partition), graph.total_mass()),
    }
}

fn of_mass(mass: &ClassMass, total: f64) -> Measured {
    if mass.volume.iter().filter(|&&v| v > 0.0).count() < 2 {
        // All edges are within one class: every partition of these degrees is like this one.
        return Status::OneClass.into();
    }
    let same: f64 = mass.within.iter().sum::<f64>() / total;
    let expected: f64 = mass.volume.iter().map(|v| (v / total).powi(2)).sum();
    Measured::finite((same - expected) / (1.0 - expected))
}

/// Assortativity by weighted degree. Undefined without edges, and when all degrees at edges are equal.
pub fn degree_assortativity(graph: &AffinityGraph) -> Measured {
    if graph.is_empty() {
        return Status::EmptyGraph.into();
    }
    let (degrees, total) = (graph.degrees(), graph.total_mass());
    // <f(i)> = sum_i k_i f(i) / 2m. Deviations from the mean: squares of the degrees themselves would cancel.
    let mean = degrees.iter().map(|k| k * k).sum::<f64>() / total;
    let variance = degrees.iter().map(|k| k * (k - mean).powi(2)).sum::<f64>() / total;
    if variance.sqrt() <= 1e-12 * mean {
        return Status::ZeroVariance.into();
    }
    let row = |i: usize| {
        let (cols, values) = graph.neighbors(i);
        let ends: f64 =
            cols.iter().zip(values).map(|(&j, &w)| f64::from(w) * (degrees[j as usize] - mean)).sum();
        (degrees[i] - mean) * ends
    };
    let covariance = (0..graph.n_nodes()).map(row).sum::<f64>() / total;
    Measured::finite(covariance / variance)
}

/// Mean share of an input's affinity on its own class. Undefined where modularity is.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn homophily(graph: &AffinityGraph, partition: &Partition) -> Measured {
    if let Some(status) = obstacle(graph, partition) {
        return status.into();
    }
    let share = |i: usize| {
        let (cols, values) = graph.neighbors(i);
        let own =
            cols.iter().zip(values).filter(|(j, _)| partition.class(**j as usize) == partition.class(i));
        own.map(|(_, &w)| f64::from(w)).sum::<f64>() / graph.degrees()[i]
    };
    let connected = (0..graph.n_nodes()).filter(|&i| graph.n_neighbors(i) > 0);
    Measured::finite(connected.map(share).sum::<f64>() / (graph.n_nodes() - graph.n_isolated()) as f64)
}
