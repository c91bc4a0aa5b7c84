//! Where the affinity of every class goes: the class x class mass matrix.
//!
//! `M_cd = sum_{i in c, j in d} A_ij / V_c`, with `V_c` the sum of the degrees of class c: row c sums to 1.

use subspect_linalg::{Measured, Status};

use crate::measures::MeasureInfo;
use crate::{AffinityGraph, Partition};

pub(super) static SAME_CLASS_MASS: MeasureInfo = MeasureInfo {
    name: "same_class_mass",
    summary: "share of the affinity mass that joins inputs of one class",
    reference: "coverage: Fortunato, Physics Reports 486 (2010)",
    range: "0 to 1; about 1/K when the graph is blind to K classes",
    parameters: &[],
    compute: |s| {
        s.with_partition(|p| {
            if s.graph.is_empty() {
                return Status::EmptyGraph.into();
            }
            Measured::finite(s.class_mass(p).within.iter().sum::<f64>() / s.graph.total_mass())
        })
    },
};

/// Share of the affinity of class c (row) that goes to class d (column). A row sums to 1, or is all 0 when its
/// class has no edge. `n_classes x n_classes`.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn class_affinity(graph: &AffinityGraph, partition: &Partition) -> Vec<Vec<f64>> {
    assert_eq!(graph.n_nodes(), partition.len(), "the partition is for another graph");
    let k = partition.n_classes();
    let mut mass = vec![vec![0.0; k]; k];
    for i in 0..graph.n_nodes() {
        let row = &mut mass[partition.class(i)];
        let (cols, values) = graph.neighbors(i);
        for (&j, &v) in cols.iter().zip(values) {
            row[partition.class(j as usize)] += f64::from(v);
        }
    }
    for row in &mut mass {
        let sum: f64 = row.iter().sum();
        if sum > 0.0 {
            row.iter_mut().for_each(|v| *v /= sum);
        }
    }
    mass
}
