//! CKA of the low-rank self-expressions of two layers: the Gram matrix with its eigenvalues filtered by
//! `1 - N lambda / s` above `N lambda` and 0 below (LRSC with tau = 1 / (N lambda), Favaro, Vidal & Ravichandran 2011).
//! Directions with less than the share lambda of the variance do not count. `4 N²` bytes per layer kept.

use crate::compare::Compute;
use crate::filter::{self, LAMBDA, low_rank};
use crate::measures::info::{EUCLIDEAN, Kind, MeasureInfo};

pub(super) static LRSC_CKA: MeasureInfo = MeasureInfo {
    name: "lrsc_cka",
    summary: "CKA of the layers' low-rank self-expressions, a spectral filter of linear CKA",
    reference: "filter of Favaro, Vidal & Ravichandran, CVPR 2011, in the CKA of Kornblith et al., ICML 2019",
    kind: Kind::Similarity,
    range: "0 to 1",
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[LAMBDA],
    compute: Compute::Activations(|layers, task| filter::grid(layers, task, low_rank)),
};
