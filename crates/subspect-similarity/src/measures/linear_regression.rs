//! Share of the second layer's variance that a linear regression on the first explains,
//! `R² = |U_Xᵀ Y|² / |Y|²` (Kornblith et al. 2019). Not symmetric.
//!
//! A first layer that spans everything that N inputs can be predicts anything: a status, as in [`super::cca`].
//! Keeps `8 N r` bytes per layer.

use subspect_linalg::{Measured, Status};

use crate::SimilarityError;
use crate::compare::Compute;
use crate::factor::{Factor, bytes};
use crate::measures::info::{EUCLIDEAN, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::Activations;

pub(super) static LINEAR_REGRESSION: MeasureInfo = MeasureInfo {
    name: "linear_regression",
    summary: "share of the second layer's variance that is linear in the first (R2)",
    reference: "Kornblith, Norouzi, Lee & Hinton, ICML 2019, section 2",
    kind: Kind::Similarity,
    range: "0 to 1; needs more inputs than features of the first layer",
    metric: false,
    symmetric: false,
    invariances: EUCLIDEAN,
    parameters: &[],
    compute: Compute::Activations(grid),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    Pairwise {
        n_layers: layers.len(),
        symmetric: false,
        bytes: &|l| bytes(&layers[l]),
        prepare: &|l| Factor::of(layers[l]),
        compare: &explained,
    }
    .run(task)
}

fn explained(a: &Factor, b: &Factor) -> Measured {
    if a.rank() + 1 >= a.directions.n_cols() {
        return Status::NTooSmall.into();
    }
    let overlap = a.overlap(b);
    let mut explained = 0.0;
    for k in 0..a.rank() {
        explained += overlap.row(k).iter().zip(&b.s).map(|(v, s)| (v * s) * (v * s)).sum::<f64>();
    }
    Measured::finite(explained / b.s.iter().map(|s| s * s).sum::<f64>())
}
