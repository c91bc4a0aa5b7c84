//! The solvers, one file each, and the list that the command line, the documents and the contract tests walk.
//!
//! To add one: a new file with an `INFO` and a `solve`, a line in [`METHODS`], a variant in
//! [`crate::Method`] and its arm in [`crate::solve`].

use crate::MethodInfo;

mod active_set;
mod admm;
mod cholesky;
mod correlations;
mod exact_row;
pub(crate) mod knn;
pub(crate) mod lasso;
pub(crate) mod omp;
mod positive_omp;
pub(crate) mod saini2021;

/// All methods, the default first.
pub static METHODS: &[&MethodInfo] =
    &[&lasso::LASSO, &lasso::ELASTIC_NET, &omp::INFO, &knn::INFO, &saini2021::INFO];
