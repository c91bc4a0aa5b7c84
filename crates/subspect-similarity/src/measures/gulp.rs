//! GULP: how differently ridge regressions on two layers predict, at worst over targets of unit size,
//!
//! `GULP = |C_X - C_Y|_F`, `C = K (K + N lambda I)⁻¹`,
//!
//! with K the Gram matrix of centred activations of mean squared length 1 (Boix-Adserà et al. 2022). C is the ridge
//! self-expression of the layer at penalty `N lambda` without the diagonal constraint. `4 N²` bytes per layer kept.

use subspect_linalg::Measured;

use crate::SimilarityError;
use crate::compare::Compute;
use crate::filter::{LAMBDA, bytes, ridge};
use crate::measures::info::{EUCLIDEAN, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::Activations;
use crate::unit::{packed, squared_distance};

pub(super) static GULP: MeasureInfo = MeasureInfo {
    name: "gulp",
    summary: "largest difference between ridge predictions from two layers",
    reference: "Boix-Adserà, Lawrence, Stepaniants & Rigollet, NeurIPS 2022",
    kind: Kind::Distance,
    range: "0 to sqrt(2 N)",
    metric: true,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[LAMBDA],
    compute: Compute::Activations(grid),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let lambda = task.parameters.number(&LAMBDA);
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| bytes(&layers[l]),
        prepare: &|l| Ok(packed(&ridge(layers[l], lambda)?)),
        compare: &|a: &Vec<f64>, b| Measured::finite(squared_distance(a, b).sqrt()),
    }
    .run(task)
}
