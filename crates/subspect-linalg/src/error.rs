//! What can be wrong with a matrix handed to this crate.

/// A matrix that cannot be used as given. Every message says what was expected, what was found, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LinalgError {
    /// The buffer's length is not the product of the stated dimensions.
    #[error("expected {n_rows} x {n_cols} = {expected} values, found {found}")]
    Shape {
        /// Stated rows.
        n_rows: usize,
        /// Stated columns.
        n_cols: usize,
        /// `n_rows * n_cols`.
        expected: usize,
        /// Length of the buffer.
        found: usize,
    },
    /// A NaN or an infinity.
    #[error("expected finite values, found {value} at row {row}, column {col}")]
    NotFinite {
        /// Row (input) of the first offending value.
        row: usize,
        /// Column (feature) of the first offending value.
        col: usize,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
    },
    /// A sparse matrix whose parts contradict each other.
    #[error("not a valid CSR matrix: {reason}")]
    Csr {
        /// Which rule is broken, and where.
        reason: String,
    },
}
