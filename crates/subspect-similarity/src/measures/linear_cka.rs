//! Linear CKA: kernels `X Xᵀ` of centred activations (see [`crate::linear_moments`]). Float32 layers go through
//! panels within the budget; float64 ones are compared in float64, `4 N²` bytes per layer kept.

use crate::compare::{Compute, all_single};
use crate::estimator::ESTIMATOR;
use crate::kernel_vector::kernel_cka;
use crate::measures::info::{EUCLIDEAN, Kind, MeasureInfo};
use crate::pairs::{Grid, Task};
use crate::rows::{Activations, Form, Rows};
use crate::{SimilarityError, linear_moments};

pub(super) static LINEAR_CKA: MeasureInfo = MeasureInfo {
    name: "linear_cka",
    summary: "CKA with linear kernels of the activations",
    reference: "Kornblith, Norouzi, Lee & Hinton, ICML 2019; debiased: Nguyen, Raghu & Kornblith, ICLR 2021",
    kind: Kind::Similarity,
    range: "0 to 1 (biased); -1 to 1 (debiased, lange), 0 for independent activations",
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[ESTIMATOR],
    compute: Compute::Activations(grid),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let estimator = crate::estimator::chosen(task.parameters);
    if let Some(single) = all_single(layers) {
        let moments = linear_moments(&single, task.budget_bytes, task.monitor)?;
        return Ok(Grid::from_fn(layers.len(), task, |l, m| moments.cka(l.min(m), l.max(m), estimator)));
    }
    kernel_cka(layers, estimator, task, &|l| Ok(Rows::new(layers[l], Form::Centred)?.gram()))
}
