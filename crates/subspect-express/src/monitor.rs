//! How a caller follows and stops a long solve.

/// Told after every panel of rows; asked before every panel whether to go on. Called from several threads.
pub trait Monitor: Sync {
    /// `n` more rows are finished.
    fn rows_done(&self, n: usize);

    /// True to stop: the solve returns [`crate::ExpressError::Cancelled`] within one panel.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Follows nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn rows_done(&self, _n: usize) {}
}
