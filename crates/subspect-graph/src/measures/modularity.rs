//! Modularity of a partition: how much more affinity stays within classes than the degrees alone would give.
//!
//! `Q = 1/(2m) sum_ij (A_ij - gamma k_i k_j / 2m) [p_i = p_j] = sum_c (W_c / 2m - gamma (V_c / 2m)²)`, where `W_c` is
//! the mass inside class c (both directions), `V_c` the sum of its degrees and gamma the resolution
//! (Newman & Girvan 2004, eq. 5; resolution: Reichardt & Bornholdt 2006).

use subspect_linalg::{Measured, Status};

use crate::measures::{MeasureInfo, RESOLUTION};
use crate::{AffinityGraph, Partition};

pub(super) static MODULARITY: MeasureInfo = MeasureInfo {
    name: "modularity",
    summary: "affinity within classes beyond what the degrees alone would give",
    reference: "Newman & Girvan, Phys. Rev. E 69, 026113 (2004)",
    range: "-0.5 to 1; compare with modularity_floor and modularity_ceiling",
    parameters: &[RESOLUTION],
    compute: |s| s.with_partition(|p| modularity(s.graph, p, s.resolution)),
};

pub(super) static CEILING: MeasureInfo = MeasureInfo {
    name: "modularity_ceiling",
    summary: "modularity if no edge left its class and every class had mass in proportion to its size",
    reference: "closed form; 1 - 1/K for K balanced classes",
    range: "0 to 1",
    parameters: &[],
    compute: |s| s.with_partition(modularity_ceiling),
};

pub(super) static FLOOR: MeasureInfo = MeasureInfo {
    name: "modularity_floor",
    summary: "modularity of the complete graph, which is blind to classes",
    reference: "closed form; -(1 - 1/K)/(N - 1) for K balanced classes",
    range: "-0.5 to 0",
    parameters: &[],
    compute: |s| s.with_partition(modularity_floor),
};

/// Mass inside every class (both directions of every edge) and sum of degrees of every class.
pub(crate) struct ClassMass {
    pub(crate) within: Vec<f64>,
    pub(crate) volume: Vec<f64>,
}

impl ClassMass {
    pub(crate) fn of(graph: &AffinityGraph, partition: &Partition) -> Self {
        assert_eq!(graph.n_nodes(), partition.len(), "the partition is for another graph");
        let mut mass =
            Self { within: vec![0.0; partition.n_classes()], volume: vec![0.0; partition.n_classes()] };
        let classes = partition.classes();
        for i in 0..graph.n_nodes() {
            let (cols, values) = graph.neighbors(i);
            let own = classes[i];
            let same: f64 = cols
                .iter()
                .zip(values)
                .filter(|(j, _)| classes[**j as usize] == own)
                .map(|(_, &v)| f64::from(v))
                .sum();
            mass.within[own as usize] += same;
            mass.volume[own as usize] += graph.degrees()[i];
        }
        mass
    }
}

/// Why modularity cannot be computed, if it cannot.
pub(crate) fn obstacle(graph: &AffinityGraph, partition: &Partition) -> Option<Status> {
    if graph.is_empty() {
        Some(Status::EmptyGraph)
    } else if partition.n_present() < 2 {
        Some(Status::OneClass)
    } else {
        None
    }
}

/// Modularity of `partition` on `graph` at `resolution` (1 is the classical definition).
///
/// Undefined for a graph without edges and for fewer than two classes (where it would be 0 whatever the graph).
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn modularity(graph: &AffinityGraph, partition: &Partition, resolution: f64) -> Measured {
    match obstacle(graph, partition) {
        Some(status) => status.into(),
        None => Measured::finite(terms(graph, partition, resolution).sum()),
    }
}

/// The term of every class; their sum is the modularity. Undefined for an empty class.
///
/// # Panics
/// As [`modularity`].
pub fn modularity_by_class(graph: &AffinityGraph, partition: &Partition, resolution: f64) -> Vec<Measured> {
    if let Some(status) = obstacle(graph, partition) {
        return vec![status.into(); partition.n_classes()];
    }
    let sizes = partition.sizes();
    terms(graph, partition, resolution)
        .zip(sizes)
        .map(|(term, &size)| if size == 0 { Status::NTooSmall.into() } else { Measured::finite(term) })
        .collect()
}

fn terms(graph: &AffinityGraph, partition: &Partition, resolution: f64) -> impl Iterator<Item = f64> {
    let total = graph.total_mass();
    let mass = ClassMass::of(graph, partition);
    mass.within.into_iter().zip(mass.volume).map(move |(w, v)| {
        let share = v / total;
        w / total - resolution * share * share
    })
}

/// `1 - sum_c (n_c / N)²`: the modularity (resolution 1) of a graph all of whose edges stay within classes, with
/// mass in proportion to class sizes. `1 - 1/K` for K balanced classes. A graph whose mass is spread over unequal
/// classes more evenly than their sizes can exceed it, but never `1 - 1/K`.
pub fn modularity_ceiling(partition: &Partition) -> Measured {
    if partition.is_empty() {
        Status::NTooSmall.into()
    } else if partition.n_present() < 2 {
        Status::OneClass.into()
    } else {
        let n = partition.len() as f64;
        Measured::finite(1.0 - partition.sizes().iter().map(|&s| (s as f64 / n).powi(2)).sum::<f64>())
    }
}

/// `-(1 - sum_c (n_c / N)²) / (N - 1)`: the modularity (resolution 1) of the complete graph with equal weights,
/// and the mean under permuted labels of every graph with equal degrees.
pub fn modularity_floor(partition: &Partition) -> Measured {
    modularity_ceiling(partition).map(|ceiling| -ceiling / (partition.len() as f64 - 1.0))
}
