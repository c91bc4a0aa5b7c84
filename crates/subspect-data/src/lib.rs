//! Everything that Subspect keeps on disk: data sets, the activation store, graphs, tables and the run record.
//!
//! | module | holds |
//! |---|---|
//! | [`dataset`] | labelled pictures in the layouts people have, read on demand |
//! | [`subset`] | a class-balanced, seeded choice of inputs |
//! | [`store`] | the activation store: one `.npy` per layer and a manifest |
//! | [`import`] | activations made elsewhere, into a store |
//! | [`dense`], [`sparse`] | NumPy and SciPy files |
//! | [`neighbours`] | every input's strongest neighbours in one layer |
//! | [`rundir`], [`record`] | the run directory and its record |
//! | [`training`] | what was trained, on what, and how it went |
//! | [`comparison`] | what two runs have in common and where they differ |
//! | [`sweep`] | the runs of a grid and the blocks of their maps |
//! | [`dynamics`] | how a network's layers move and settle over its training |
//!
//! A file that is not what it should be gives a [`DataError`] that says where, what was expected, what was found,
//! and what to do. Files are written under a temporary name and renamed, see [`atomic`].

pub mod atomic;
mod bytes;
pub mod comparison;
pub mod dataset;
pub mod dense;
pub mod dynamics;
mod error;
pub mod import;
mod json;
mod names;
pub mod neighbours;
pub mod record;
pub mod rundir;
pub mod sparse;
pub mod store;
pub mod subset;
pub mod sweep;
pub mod training;

pub use error::{DataError, Result};
pub use names::{file_stem, natural_order};
