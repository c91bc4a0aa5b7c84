//! SSC-CKA: CKA with the affinity graphs themselves as kernels (see [`crate::ssc_moments`]).

use subspect_linalg::Csr;

use crate::compare::Compute;
use crate::estimator::ESTIMATOR;
use crate::measures::info::{Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Task};
use crate::{SimilarityError, ssc_moments};

pub(super) static SSC_CKA: MeasureInfo = MeasureInfo {
    name: "ssc_cka",
    summary: "affinity graphs as the kernels of CKA",
    reference: "Saini, Devineni & Papalexakis, ECML-PKDD 2021",
    kind: Kind::Similarity,
    range: "0 to 1 (biased); -1 to 1 (debiased, lange), 0 for unrelated graphs",
    metric: false,
    symmetric: true,
    invariances: &[Invariance::JointPermutation, Invariance::IsotropicScaling],
    parameters: &[ESTIMATOR],
    compute: Compute::Graphs(grid),
};

fn grid(graphs: &[&Csr], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let estimator = crate::estimator::chosen(task.parameters);
    let moments = ssc_moments(graphs)?;
    Ok(Grid::from_fn(graphs.len(), task, |l, m| moments.cka(l.min(m), l.max(m), estimator)))
}
