//! The list of similarity measures. A new measure is one file here plus its line in [`MEASURES`]; the command
//! line's help, the tables and the contract tests walk the list.

mod angular_cka;
mod cca;
mod edge_overlap;
mod gulp;
mod info;
mod knn_jaccard;
mod linear_cka;
mod linear_regression;
mod lrsc_cka;
mod minibatch_cka;
mod procrustes;
mod pwcca;
mod rbf_cka;
mod ridge_cka;
mod rsa;
mod ssc_cka;
mod svcca;

pub use info::{Invariance, Kind, MeasureInfo};

/// Every measure, in the order in which tables show them.
pub static MEASURES: &[&MeasureInfo] = &[
    &ssc_cka::SSC_CKA,
    &edge_overlap::EDGE_JACCARD,
    &edge_overlap::WEIGHTED_JACCARD,
    &linear_cka::LINEAR_CKA,
    &minibatch_cka::MINIBATCH_CKA,
    &angular_cka::ANGULAR_CKA,
    &rbf_cka::RBF_CKA,
    &rbf_cka::RBF_CKA_ABSOLUTE,
    &ridge_cka::RIDGE_CKA,
    &lrsc_cka::LRSC_CKA,
    &gulp::GULP,
    &procrustes::SCORE,
    &procrustes::SQUARED,
    &procrustes::ANGULAR,
    &procrustes::UNSCALED,
    &rsa::CORRELATION,
    &rsa::COSINE,
    &rsa::EUCLIDEAN,
    &knn_jaccard::KNN_JACCARD,
    &cca::CCA,
    &svcca::SVCCA,
    &pwcca::PWCCA,
    &linear_regression::LINEAR_REGRESSION,
];

/// The measure of that name.
pub fn measure(name: &str) -> Option<&'static MeasureInfo> {
    MEASURES.iter().copied().find(|m| m.name == name)
}
