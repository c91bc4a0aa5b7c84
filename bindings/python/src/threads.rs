//! The thread pool that solves run in: one per process, made when first needed and again after a fork (the threads of
//! a pool do not survive it).

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

struct Shared {
    process: u32,
    n_threads: usize,
    pool: Option<Arc<ThreadPool>>,
}

static SHARED: Mutex<Shared> = Mutex::new(Shared { process: 0, n_threads: 0, pool: None });

/// The pool of this process.
pub(crate) fn pool() -> PyResult<Arc<ThreadPool>> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some(pool) = shared.pool.as_ref().filter(|_| shared.process == process) {
        return Ok(Arc::clone(pool));
    }
    let built = ThreadPoolBuilder::new().num_threads(shared.n_threads).build();
    let pool = Arc::new(built.map_err(|e| PyRuntimeError::new_err(format!("cannot start threads: {e}")))?);
    shared.process = process;
    // After a fork the old pool's threads are gone: joining them would wait for ever.
    std::mem::forget(shared.pool.replace(Arc::clone(&pool)));
    Ok(pool)
}

/// Threads that solves use from now on; 0: one per core (or RAYON_NUM_THREADS). Results do not depend on it.
#[pyfunction]
pub(crate) fn set_num_threads(n_threads: usize) {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.n_threads = n_threads;
    if shared.process == std::process::id() {
        shared.pool = None;
    }
}

/// Threads that solves use.
#[pyfunction]
pub(crate) fn get_num_threads() -> PyResult<usize> {
    Ok(pool()?.current_num_threads())
}
