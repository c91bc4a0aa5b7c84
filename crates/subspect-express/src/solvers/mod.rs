//! The solvers, one file each, and the list that the command line, the documents and the contract tests walk.
//!
//! To add one: a new file with an `INFO` and a `solve`, a line in [`METHODS`], a variant in
//! [`crate::Method`] and its arm in [`crate::solve`].

use crate::MethodInfo;

mod active_set;
pub(crate) mod admm;
pub(crate) mod affine;
mod cholesky;
mod correlations;
mod dense;
mod exact_row;
#[cfg(test)]
mod identities;
pub(crate) mod knn;
pub(crate) mod lasso;
pub(crate) mod lrsc;
pub(crate) mod omp;
mod positive_omp;
mod published_admm;
mod quadratic;
pub(crate) mod ridge;
pub(crate) mod saini2021;

pub(crate) use active_set::Weights;
pub(crate) use affine::SUM_TOLERANCE;

/// All methods, the default first.
pub static METHODS: &[&MethodInfo] = &[
    &lasso::LASSO,
    &lasso::ELASTIC_NET,
    &omp::INFO,
    &ridge::INFO,
    &lrsc::INFO,
    &knn::INFO,
    &admm::INFO,
    &saini2021::INFO,
];
