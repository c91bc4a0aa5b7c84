//! Connectivity of a class: whether its inputs hold together as one cluster.
//!
//! `lambda_2` of the normalised Laplacian `I - D^-1/2 A D^-1/2` of the class's own subgraph (Chung, Spectral Graph
//! Theory, 1997): 0 when the class falls apart, `n / (n - 1)` for a complete graph. Sparse self-expression favours
//! small values (Nasihatkon & Hartley, CVPR 2011; You, Robinson & Vidal, CVPR 2016 report it beside the error).

use rayon::prelude::*;
use subspect_linalg::{Csr, EigenOptions, Measured, Seed, Status, largest_eigenpairs};

use crate::components::{degrees, indicators, induced, normalized, of_matrix};
use crate::measures::MeasureInfo;
use crate::measures::workings::Workings;
use crate::{AffinityGraph, Partition};

pub(super) static MIN: MeasureInfo = MeasureInfo {
    name: "connectivity_min",
    summary: "lambda_2 of the normalised Laplacian of the class that holds together least",
    reference: "Chung, Spectral Graph Theory (1997); You, Robinson & Vidal, CVPR 2016",
    range: "0 (a class falls apart) to 2",
    parameters: &[],
    compute: |s| over_classes(s, |values| values.iter().copied().fold(f64::INFINITY, f64::min)),
};

pub(super) static MEAN: MeasureInfo = MeasureInfo {
    name: "connectivity_mean",
    summary: "lambda_2 of the normalised Laplacian within a class, mean over classes of two inputs and more",
    reference: "Chung, Spectral Graph Theory (1997); You, Robinson & Vidal, CVPR 2016",
    range: "0 (every class falls apart) to 2",
    parameters: &[],
    compute: |s| over_classes(s, |values| values.iter().sum::<f64>() / values.len() as f64),
};

/// `lambda_2` within every class: 0 when the class's subgraph is not connected, undefined for fewer than two inputs.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn connectivity(graph: &AffinityGraph, partition: &Partition) -> Vec<Measured> {
    assert_eq!(graph.n_nodes(), partition.len(), "the partition is for another graph");
    let mut members: Vec<Vec<usize>> = partition.sizes().iter().map(|&s| Vec::with_capacity(s)).collect();
    (0..partition.len()).for_each(|i| members[partition.class(i)].push(i));
    members.par_iter().map(|nodes| of_subgraph(&induced(graph.adjacency(), nodes))).collect()
}

fn of_subgraph(adjacency: &Csr) -> Measured {
    if adjacency.n_rows() < 2 {
        return Status::NTooSmall.into();
    }
    let parts = of_matrix(adjacency);
    if parts.sizes.len() > 1 {
        return Measured::Value(0.0);
    }
    let degrees = degrees(adjacency);
    // The value does not depend on the starting vector, so one fixed stream serves.
    let found = largest_eigenpairs(
        &normalized(adjacency, &degrees),
        &indicators(&parts, &degrees),
        1,
        // The eigenvalue's error is of the order of the square.
        &EigenOptions { tol: 1e-7, max_restarts: 1000 },
        Seed::new(0).axis("connectivity"),
    );
    if found.n_converged == 1 { Measured::finite(1.0 - found.values[0]) } else { Status::NotConverged.into() }
}

fn over_classes(workings: &Workings<'_>, summary: impl Fn(&[f64]) -> f64) -> Measured {
    workings.with_partition(|partition| {
        let all = workings.connectivity(partition);
        let values: Vec<f64> = all.iter().filter_map(|m| m.value()).collect();
        if all.iter().any(|m| m.status() == Some(Status::NotConverged)) {
            Status::NotConverged.into()
        } else if values.is_empty() {
            Status::NTooSmall.into()
        } else {
            Measured::finite(summary(&values))
        }
    })
}
