//! How similar two layers see the same inputs, by every measure of the list [`MEASURES`].
//!
//! [`compare`] gives the value of one measure for two layers, [`similarity_matrix`] for all pairs of layers and
//! [`cross_similarity`] for the layers of two networks. Each measure is one file under `measures/` that declares its
//! direction, range, invariances and parameters; what a layer is compared by is made once per layer.
//!
//! CKA and HSIC rest on one accounting ([`KernelMoments`]): for symmetric kernels `K_1 .. K_L` over the same N inputs,
//! all pairs of inner products, row sums, totals and diagonals. From these all estimators of HSIC and CKA follow
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
mod compare;
mod error;
mod estimator;
mod factor;
mod features;
mod filter;
mod kernel;
mod kernel_vector;
mod measures;
mod moments;
mod monitor;
mod operand;
mod pairs;
mod panels;
mod parameter;
mod rows;
mod sparse;
mod statistics;
mod tile;
mod unit;

pub use blocks::{BlockStructure, block_structure};
pub use compare::{SimilarityMatrix, compare, cross_similarity, similarity_matrix};
pub use error::SimilarityError;
pub use estimator::Estimator;
pub use kernel::{cka, hsic, kernel_moments, linear_cka};
pub use measures::{Invariance, Kind, MEASURES, MeasureInfo, measure};
pub use moments::KernelMoments;
pub use monitor::{Monitor, Silent};
pub use operand::{Operand, Operands};
pub use panels::{linear_cka_matrix, linear_moments};
pub use parameter::{Domain, ParameterInfo, Parameters, Value};
pub use sparse::{ssc_cka, ssc_cka_matrix, ssc_moments};
pub use statistics::{
    Cell, CkaDraws, Inference, InferenceMatrix, InferenceOptions, kernel_cka_inference, linear_cka_draws,
    linear_cka_inference, linear_cka_inference_between, ssc_cka_draws, ssc_cka_inference,
    ssc_cka_inference_between,
};
