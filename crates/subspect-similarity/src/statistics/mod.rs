//! Is a similarity more than chance, and how far can it be trusted?
//!
//! For every cell of a layer x layer map of CKA, biased and debiased:
//!
//! - **the null**: input i of the first layer meets input `π(i)` of the second, for random orders `π`. Mean and standard
//!   deviation over all `N!` orders are exact ([`exact`]), so that z needs no draws; p and quantiles come from draws
//!   ([`draws`]). Every draw uses one order for all cells, which makes the familywise p of the whole map possible
//!   ([`subspect_statistics::max_t`]);
//! - **the interval**: over inputs, from the influence of every input on the cell ([`influence`], [`interval`]).
//!
//! Draws cost one lookup per entry above the diagonal of the first kernel and eight layers; dense kernels have
//! `N²/2` of them, so [`InferenceOptions::max_lookups`] bounds how many orders are drawn.

mod cells;
mod dense;
mod drawn;
mod draws;
mod exact;
mod inference;
mod inferred;
mod influence;
mod interval;
mod linear;
mod sparse;

pub use drawn::CkaDraws;
pub use inference::{Cell, Inference, InferenceMatrix, InferenceOptions};
pub use linear::{
    kernel_cka_inference, linear_cka_draws, linear_cka_inference, linear_cka_inference_between,
};
pub use sparse::{ssc_cka_draws, ssc_cka_inference, ssc_cka_inference_between};
