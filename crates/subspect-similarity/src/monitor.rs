//! How a long comparison tells how far it is, and how it is stopped.

/// Watches a long computation. Called from the thread that started it, between pieces of work.
pub trait Monitor: Sync {
    /// `fraction` of the work, from 0 to 1, is done.
    fn progress(&self, fraction: f64);

    /// Whether to stop; asked before every piece of work.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Watches nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn progress(&self, _fraction: f64) {}
}
