//! PWCCA: canonical correlations weighted by how much of the first layer each canonical direction explains,
//! `sum_i a_i rho_i / sum_i a_i`, `a_i = sum_j |h_i · x_j|` over the features x_j of the first layer
//! (Morcos, Raghu & Bengio 2018). Not symmetric: the weights are the first layer's.
//!
//! Keeps `8 r (N + D)` bytes per layer, and as much again for a pair.

use subspect_linalg::{Matrix, Measured, Status, thin_svd};

use crate::SimilarityError;
use crate::compare::Compute;
use crate::factor::{Factor, bytes, product, transposed};
use crate::measures::info::{Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::{Activations, Form, Rows};

pub(super) static PWCCA: MeasureInfo = MeasureInfo {
    name: "pwcca",
    summary: "canonical correlations weighted by what they explain of the first layer",
    reference: "Morcos, Raghu & Bengio, NeurIPS 2018",
    kind: Kind::Similarity,
    range: "0 to 1; needs more inputs than features",
    metric: false,
    symmetric: false,
    invariances: &[Invariance::JointPermutation, Invariance::IsotropicScaling, Invariance::Translation],
    parameters: &[],
    compute: Compute::Activations(grid),
};

struct Prepared {
    factor: Factor,
    /// `Xᵀ U`, `D x r`: every feature in the directions.
    features: Matrix<f64>,
}

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    Pairwise {
        n_layers: layers.len(),
        symmetric: false,
        bytes: &|l| {
            let (n, d) = (layers[l].n_rows(), layers[l].n_cols());
            bytes(&layers[l]) + 8 * d * (2 * n + 2 * n.min(d))
        },
        prepare: &|l| {
            let factor = Factor::of(layers[l])?.not_everything()?;
            let x = Rows::new(layers[l], Form::Centred)?.dense();
            let features = product(transposed(&x).as_ref(), factor.directions.as_ref());
            Ok(Prepared { factor, features })
        },
        compare: &weighted,
    }
    .run(task)
}

fn weighted(a: &Prepared, b: &Prepared) -> Measured {
    let Some(svd) = thin_svd(a.factor.overlap(&b.factor).as_ref()) else {
        return Status::NotConverged.into();
    };
    let explained = product(transposed(&svd.u).as_ref(), a.features.as_ref());
    let (mut total, mut sum) = (0.0, 0.0);
    for (i, rho) in svd.s.iter().enumerate() {
        let weight: f64 = explained.row(i).iter().map(|v| v.abs()).sum();
        total += weight;
        sum += weight * rho;
    }
    // Directions of the first layer that the second has not may be all that the first consists of.
    if total > 0.0 { Measured::finite(sum / total) } else { Status::ZeroVariance.into() }
}
