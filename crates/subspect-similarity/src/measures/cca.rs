//! Mean canonical correlation of two layers: the mean singular value of `U_Xᵀ U_Y`, where U spans the centred
//! activations (Raghu et al. 2017; Hotelling 1936).
//!
//! A layer whose activations span everything that N inputs can be (D at least N - 1, as a rule) correlates perfectly
//! with any other: that is a status, not a 1. Keeps `8 N r` bytes per layer; `O(min(N, D)³)` per layer and per pair.

use subspect_linalg::{Measured, Status, singular_values};

use crate::SimilarityError;
use crate::compare::Compute;
use crate::factor::{Factor, bytes};
use crate::measures::info::{AFFINE, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::Activations;

pub(super) static CCA: MeasureInfo = MeasureInfo {
    name: "cca",
    summary: "mean canonical correlation of the activations",
    reference: "Hotelling, Biometrika 1936; Raghu, Gilmer, Yosinski & Sohl-Dickstein, NeurIPS 2017",
    kind: Kind::Similarity,
    range: "0 to 1; needs more inputs than features",
    metric: false,
    symmetric: true,
    invariances: AFFINE,
    parameters: &[],
    compute: Compute::Activations(|layers, task| grid(layers, task, &|f| f.not_everything())),
};

/// Mean correlations of the directions that `keep` leaves of every layer.
pub(super) fn grid(
    layers: &[Activations<'_>],
    task: &Task<'_>,
    keep: &(dyn Fn(Factor) -> Result<Factor, Status> + Sync),
) -> Result<Grid, SimilarityError> {
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| bytes(&layers[l]),
        prepare: &|l| keep(Factor::of(layers[l])?),
        compare: &mean_correlation,
    }
    .run(task)
}

fn mean_correlation(a: &Factor, b: &Factor) -> Measured {
    match singular_values(a.overlap(b).as_ref()) {
        Some(s) => Measured::finite(s.iter().sum::<f64>() / s.len() as f64),
        None => Status::NotConverged.into(),
    }
}
