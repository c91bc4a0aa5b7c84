//! SVCCA: mean canonical correlation of the leading singular directions that hold 99 % of each layer's variance
//! (Raghu et al. 2017). As [`super::cca`], with fewer directions: also defined for wide layers whose leading
//! directions are fewer than N - 1.

use crate::compare::Compute;
use crate::measures::cca;
use crate::measures::info::{EUCLIDEAN, Kind, MeasureInfo};
use crate::pairs::{Grid, Task};
use crate::rows::Activations;
use crate::{Domain, ParameterInfo, SimilarityError, Value};

const VARIANCE_SHARE: ParameterInfo = ParameterInfo {
    name: "variance_share",
    default: Value::Number(0.99),
    domain: Domain::SHARE,
    summary: "share of a layer's variance that the kept directions hold",
};

pub(super) static SVCCA: MeasureInfo = MeasureInfo {
    name: "svcca",
    summary: "mean canonical correlation of the leading directions of the activations",
    reference: "Raghu, Gilmer, Yosinski & Sohl-Dickstein, NeurIPS 2017",
    kind: Kind::Similarity,
    range: "0 to 1; needs more inputs than leading directions",
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[VARIANCE_SHARE],
    compute: Compute::Activations(grid),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let share = task.parameters.number(&VARIANCE_SHARE);
    cca::grid(layers, task, &|f| f.leading(share).not_everything())
}
