//! CKA of the ridge self-expressions of two layers: the kernel is `C = K (K + N lambda I)⁻¹`, the Gram matrix with its
//! eigenvalues filtered by `s / (s + N lambda)`. Between linear CKA (large lambda) and mean squared canonical
//! correlation (lambda to 0). `4 N²` bytes per layer kept.

use crate::compare::Compute;
use crate::filter::{self, LAMBDA, ridge};
use crate::measures::info::{EUCLIDEAN, Kind, MeasureInfo};

pub(super) static RIDGE_CKA: MeasureInfo = MeasureInfo {
    name: "ridge_cka",
    summary: "CKA of the layers' ridge self-expressions, a spectral filter of linear CKA",
    reference: "filter of Boix-Adserà et al., NeurIPS 2022, in the CKA of Kornblith et al., ICML 2019",
    kind: Kind::Similarity,
    range: "0 to 1",
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[LAMBDA],
    compute: Compute::Activations(|layers, task| filter::grid(layers, task, ridge)),
};
