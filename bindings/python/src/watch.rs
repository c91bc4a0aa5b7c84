//! Long work off the interpreter's lock: a thread of its own does it in the pool, while the calling thread looks for
//! signals and passes progress on, twenty times a second. After Ctrl-C (or an exception in the progress callback) the
//! work is told to stop; if it is inside a product that cannot stop, the call returns without it and the thread ends
//! by itself.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use subspect_pipeline::{Events, Outcome, Stage};

use crate::threads::pool;

/// Between two looks at signals and progress.
const LOOK: Duration = Duration::from_millis(50);
/// How long stopped work is waited for.
const PATIENCE: Duration = Duration::from_millis(300);

/// What is known about work while it runs.
pub(crate) struct Watch {
    stopped: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    notes: Mutex<VecDeque<(&'static str, String)>>,
}

impl Watch {
    fn new(total: u64) -> Self {
        Self {
            stopped: AtomicBool::new(false),
            done: AtomicU64::new(0),
            total: AtomicU64::new(total),
            notes: Mutex::default(),
        }
    }

    fn note(&self, kind: &'static str, text: &str) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push_back((kind, text.to_owned()));
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Passes what is new on to `progress(kind, text, done, total)`.
    fn report(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) -> PyResult<()> {
        let Some(progress) = progress else { return Ok(()) };
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        loop {
            let note = self.notes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((kind, text)) = note else { break };
            progress.call1(py, (kind, text, done, total))?;
        }
        progress.call1(py, ("advanced", "", done, total))?;
        Ok(())
    }
}

impl subspect_express::Monitor for Watch {
    fn rows_done(&self, n: usize) {
        self.done.fetch_add(n as u64, Ordering::Relaxed);
    }
    fn is_cancelled(&self) -> bool {
        self.is_stopped()
    }
}

impl subspect_similarity::Monitor for Watch {
    fn progress(&self, fraction: f64) {
        let total = self.total.load(Ordering::Relaxed);
        self.done.fetch_max((fraction * total as f64) as u64, Ordering::Relaxed);
    }
    fn is_cancelled(&self) -> bool {
        self.is_stopped()
    }
}

impl Events for Watch {
    fn started(&self, stage: Stage, label: &str, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.note("started", &format!("{} {label}", stage.as_str()));
    }
    fn advanced(&self, _stage: Stage, n: u64) {
        self.done.fetch_add(n, Ordering::Relaxed);
    }
    fn finished(&self, stage: Stage, label: &str, outcome: Outcome, _seconds: f64) {
        let kind = if outcome == Outcome::Computed { "computed" } else { "reused" };
        self.note(kind, &format!("{} {label}", stage.as_str()));
    }
    fn message(&self, text: &str) {
        self.note("message", text);
    }
    fn warning(&self, text: &str) {
        self.note("warning", text);
    }
    fn is_cancelled(&self) -> bool {
        self.is_stopped()
    }
}

/// Runs `work` in the pool, watched. `total` is what its progress counts up to.
pub(crate) fn watched<T: Send + 'static>(
    py: Python<'_>,
    total: u64,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&Watch) -> T + Send + 'static,
) -> PyResult<T> {
    let watch = Arc::new(Watch::new(total));
    let (sender, receiver) = channel();
    let (pool, seen) = (pool()?, Arc::clone(&watch));
    let start = std::thread::Builder::new().name("subspect".into()).spawn(move || {
        // The receiver is gone when the caller did not wait after Ctrl-C.
        let _ = sender.send(pool.install(|| work(&seen)));
    });
    start.map_err(|e| PyRuntimeError::new_err(format!("cannot start a thread: {e}")))?;
    let receiver = Mutex::new(receiver);
    let receive = |wait: Duration| {
        py.detach(|| receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(wait))
    };
    loop {
        match receive(LOOK) {
            Ok(result) => {
                watch.report(py, progress)?;
                return Ok(result);
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("the solver panicked: this is a bug, please report it"));
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(e) = py.check_signals().and_then(|()| watch.report(py, progress)) {
                    watch.stopped.store(true, Ordering::Relaxed);
                    let _ = receive(PATIENCE);
                    return Err(e);
                }
            }
        }
    }
}

/// Runs short work in the pool, off the interpreter's lock.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let pool = pool()?;
    Ok(py.detach(|| pool.install(work)))
}
