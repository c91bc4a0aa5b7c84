//! SSC-CKA in the list of measures.

use crate::measures::{Compare, Invariance, Kind, MeasureInfo};
use crate::ssc_cka;

pub(super) static SSC_CKA: MeasureInfo = MeasureInfo {
    name: "ssc_cka",
    summary: "similarity of two layers' affinity graphs: CKA with the affinity matrices as kernels",
    reference: "Saini, Devineni & Papalexakis, ECML-PKDD 2021",
    kind: Kind::Similarity,
    range: "0 to 1 (biased); -1 to 1 (debiased), 0 for unrelated graphs",
    invariances: &[Invariance::JointPermutation, Invariance::IsotropicScaling],
    compare: Compare::Graphs(ssc_cka),
};
