//! Angular CKA: `arccos CKA` with linear kernels and the biased estimator, the angle between the centred Gram matrices,
//! a metric on them (Williams et al. 2021). Computed from sums and differences of the normalised matrices, so that
//! equal layers have distance 0. `4 N²` bytes per layer kept.

use crate::compare::Compute;
use crate::kernel_vector::{bytes, kernel_vector};
use crate::measures::info::{EUCLIDEAN, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::{Activations, Form, Rows};
use crate::unit::angle;
use crate::{Estimator, SimilarityError};

pub(super) static ANGULAR_CKA: MeasureInfo = MeasureInfo {
    name: "angular_cka",
    summary: "angle between centred linear kernels: the arc cosine of biased linear CKA",
    reference: "Williams, Kunz, Kornblith & Linderman, NeurIPS 2021",
    kind: Kind::Distance,
    range: "0 to pi/2",
    metric: true,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[],
    compute: Compute::Activations(grid),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| bytes(&layers[l]),
        prepare: &|l| kernel_vector(Rows::new(layers[l], Form::Centred)?.gram(), Estimator::Biased),
        compare: &|a: &Vec<f64>, b| angle(a, b),
    }
    .run(task)
}
