//! How similar two layers see the same inputs: HSIC and CKA over sparse graphs and dense activations.
//!
//! Everything rests on one accounting ([`KernelMoments`]): for symmetric kernels `K_1 .. K_L` over the same N inputs,
//! all pairs of inner products, row sums, totals and diagonals. From these both estimators of HSIC and CKA follow
//! without centring any matrix:
//!
//! - [`ssc_moments`]: affinity graphs of layers, sparse and never densified ([`ssc_cka`], [`ssc_cka_matrix`]);
//! - [`linear_moments`]: float32 activations of many layers within a memory budget, in panels of the Gram matrices
//!   and without any `N x N` array ([`linear_cka_matrix`]);
//! - [`kernel_moments`]: dense float64 kernels, for small problems and as a reference ([`cka`], [`hsic`],
//!   [`linear_cka`]).
//!
//! Rows are inputs. Values are never clamped; a value that cannot be computed carries its
//! [`subspect_linalg::Status`]. No I/O, no clock, no randomness; results do not depend on the number of threads.

mod blocks;
mod centering;
mod error;
mod estimator;
mod features;
mod kernel;
mod measures;
mod moments;
mod monitor;
mod panels;
mod sparse;
mod statistics;
mod tile;

pub use blocks::{BlockStructure, block_structure};
pub use error::SimilarityError;
pub use estimator::Estimator;
pub use kernel::{cka, hsic, kernel_moments, linear_cka};
pub use measures::{Compare, CompareActivations, CompareGraphs, Invariance, Kind, MEASURES, MeasureInfo};
pub use moments::KernelMoments;
pub use monitor::{Monitor, Silent};
pub use panels::{linear_cka_matrix, linear_moments};
pub use sparse::{ssc_cka, ssc_cka_matrix, ssc_moments};
pub use statistics::{
    Cell, Inference, InferenceMatrix, InferenceOptions, kernel_cka_inference, linear_cka_inference,
    linear_cka_inference_between, ssc_cka_inference, ssc_cka_inference_between,
};
