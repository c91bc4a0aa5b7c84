//! The baseline: the `k` most similar inputs by cosine, `C_ij = cos(x_i, x_j)`.
//!
//! With `k = 3` and symmetrised, this is the graph of Lu et al., "Understanding the dynamics of DNNs using graph
//! modularity", ECCV 2022 (arXiv 2111.12485). Similarities of zero or below give no edge.

use subspect_linalg::Dictionary;

use crate::panel::{Row, for_each_panel};
use crate::target::{Target, Targets};
use crate::{Certificate, ExpressError, MethodInfo, Monitor, ParameterInfo, Solution, SolveStatus};

pub(crate) static INFO: MethodInfo = MethodInfo {
    name: "knn",
    summary: "the k most similar inputs by cosine; the baseline, no self-expression",
    reference: "Lu et al., ECCV 2022, arXiv 2111.12485",
    certified: false,
    dense: false,
    parameters: &[ParameterInfo {
        name: "n_neighbors",
        default: Some(3.0),
        min: 1.0,
        max: f64::INFINITY,
        open_min: false,
        integer: true,
        summary: "neighbours per input",
    }],
};

pub(crate) fn solve(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    n_neighbors: usize,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let n = dictionary.n_atoms();
    for_each_panel(dictionary, targets, monitor, |rows| {
        let mut panel = Vec::new();
        let targets = targets.panel(dictionary, rows, &mut panel);
        let cosines = panel.chunks_exact(n.max(1));
        targets.iter().zip(cosines).map(|(target, cosines)| nearest(target, cosines, n_neighbors)).collect()
    })
}

/// The strongest positive cosines of a target; ties go to the lower index.
fn nearest(target: &Target<'_, '_, '_>, cosines: &[f32], n_neighbors: usize) -> Row {
    let allowed = |j: u32| target.excluded() != Some(j as usize) && cosines[j as usize] > 0.0;
    let mut order: Vec<u32> = (0..cosines.len() as u32).filter(|&j| allowed(j)).collect();
    let by_cosine = |a: &u32, b: &u32| cosines[*b as usize].total_cmp(&cosines[*a as usize]).then(a.cmp(b));
    if order.len() > n_neighbors {
        order.select_nth_unstable_by(n_neighbors - 1, by_cosine);
        order.truncate(n_neighbors);
    }
    let status = if order.is_empty() { SolveStatus::Trivial } else { SolveStatus::Converged };
    let entries = order.into_iter().map(|j| (j, f64::from(cosines[j as usize]))).collect();
    Row { entries, certificate: Certificate::without_objective(status) }
}
