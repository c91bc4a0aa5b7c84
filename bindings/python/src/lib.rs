//! The compiled half of the Python package `subspect`: the core's functions over NumPy arrays.
//!
//! The core crates know nothing of Python. Each file here mirrors one of them and does four things only: takes arrays
//! in ([`array`]), runs the core off the interpreter's lock while the calling thread watches for Ctrl-C ([`watch`]),
//! turns results into arrays and [`subspect_linalg::Measured`] values into Python's ([`measured`]), and errors into
//! exceptions by kind ([`error`]). Everything that can be written in Python lives in `python/subspect`.

mod agreement;
mod array;
mod dictionary;
mod dynamics;
mod error;
mod graph;
mod inference;
mod lists;
mod measured;
mod options;
mod run;
mod runs;
mod similarity;
mod solution;
mod statistics;
mod store;
mod threads;
mod watch;

use pyo3::prelude::*;

/// `subspect._core`.
#[pymodule(name = "_core")]
fn core_module(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_class::<dictionary::Dictionary>()?;
    m.add_class::<graph::Graph>()?;
    m.add_class::<store::StoreWriter>()?;
    m.add_function(wrap_pyfunction!(lists::lists, m)?)?;
    m.add_function(wrap_pyfunction!(dictionary::approximate, m)?)?;
    m.add_function(wrap_pyfunction!(dictionary::log_grid, m)?)?;
    m.add_function(wrap_pyfunction!(dictionary::panel_height, m)?)?;
    m.add_function(wrap_pyfunction!(agreement::agreement, m)?)?;
    m.add_function(wrap_pyfunction!(agreement::best_matching, m)?)?;
    m.add_function(wrap_pyfunction!(graph::vote_outside, m)?)?;
    m.add_function(wrap_pyfunction!(similarity::cka, m)?)?;
    m.add_function(wrap_pyfunction!(similarity::hsic, m)?)?;
    m.add_function(wrap_pyfunction!(similarity::compare, m)?)?;
    m.add_function(wrap_pyfunction!(similarity::compare_graphs, m)?)?;
    m.add_function(wrap_pyfunction!(similarity::activation_map, m)?)?;
    m.add_function(wrap_pyfunction!(similarity::graph_map, m)?)?;
    m.add_function(wrap_pyfunction!(inference::graph_inference, m)?)?;
    m.add_function(wrap_pyfunction!(inference::activation_inference, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::adjust, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::max_t, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::null, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::sign_flip, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::mcnemar, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::rank_correlation, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::mean_interval, m)?)?;
    m.add_function(wrap_pyfunction!(statistics::wilson, m)?)?;
    m.add_function(wrap_pyfunction!(store::check_store, m)?)?;
    m.add_function(wrap_pyfunction!(run::run, m)?)?;
    m.add_function(wrap_pyfunction!(run::capture, m)?)?;
    m.add_function(wrap_pyfunction!(run::layers, m)?)?;
    m.add_function(wrap_pyfunction!(run::render, m)?)?;
    m.add_function(wrap_pyfunction!(run::compare_files, m)?)?;
    m.add_function(wrap_pyfunction!(runs::compare_runs, m)?)?;
    m.add_function(wrap_pyfunction!(runs::rank, m)?)?;
    m.add_function(wrap_pyfunction!(dynamics::dynamics, m)?)?;
    m.add_function(wrap_pyfunction!(threads::set_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(threads::get_num_threads, m)?)?;
    Ok(())
}
