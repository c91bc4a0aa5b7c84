//! The algebra under Subspect: what every other crate means by a matrix, a sparse matrix, a Gram matrix, a
//! seed, and a value that may be undefined.
//!
//! Rows are inputs everywhere: an activation matrix `X` is `n_inputs x n_features`, row-major, and its Gram
//! matrix `K = X Xᵀ` is `n_inputs x n_inputs`.
//!
//! This is the only crate that names the dense-algebra library (faer). It does no I/O, reads no clock and no
//! environment, and never prints; parallel loops run in the rayon pool that the caller has installed, and
//! no result depends on how many threads that pool has.

mod csr;
mod dictionary;
mod eigen;
mod eigenpairs;
mod error;
mod inverse;
mod matrix;
mod measured;
mod product;
mod seed;
pub mod simd;
mod svd;

pub use csr::{Csr, CsrBuilder, CsrValue};
pub use dictionary::{Dictionary, EXACT_GRAM_MAX, MemoryMode, Queries, RowScale};
pub use eigen::symmetric_eigen;
pub use eigenpairs::{EigenOptions, Eigenpairs, ScaledCsr, largest_eigenpairs};
pub use error::LinalgError;
pub use inverse::{product_abt_f64, spd_inverse};
pub use matrix::{MatRef, Matrix};
pub use measured::{Measured, Status};
pub use product::{gram_f64, product_abt, symmetric_product};
pub use seed::Seed;
pub use simd::{axpy, axpy_f64, dot, dot_f32_in_f64, dot_f64, dot_four, dot_mixed, sum_of_squares};
pub use svd::{Svd, singular_values, thin_svd};
