//! Linear CKA in the list of measures.

use crate::linear_cka;
use crate::measures::{Compare, Invariance, Kind, MeasureInfo};

pub(super) static LINEAR_CKA: MeasureInfo = MeasureInfo {
    name: "linear_cka",
    summary: "similarity of two layers' activations: CKA with linear kernels",
    reference: "Kornblith, Norouzi, Lee & Hinton, ICML 2019; debiased: Nguyen, Raghu & Kornblith, ICLR 2021",
    kind: Kind::Similarity,
    range: "0 to 1 (biased); -1 to 1 (debiased), 0 for independent activations",
    invariances: &[
        Invariance::JointPermutation,
        Invariance::IsotropicScaling,
        Invariance::Translation,
        Invariance::OrthogonalMap,
    ],
    compare: Compare::Activations(linear_cka),
};
