//! What can be wrong with kernels or activations handed to this crate.

/// Input that cannot be compared: what was expected, what was found, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimilarityError {
    /// A kernel is a matrix between inputs.
    #[error("expected kernel {index} to be square (inputs x inputs), found {n_rows} x {n_cols}")]
    NotSquare {
        /// Position among the kernels passed.
        index: usize,
        /// Rows found.
        n_rows: usize,
        /// Columns found.
        n_cols: usize,
    },
    /// All operands must have the same inputs, in the same order.
    #[error(
        "expected the same inputs (rows) everywhere: operand 0 has {expected}, operand {index} has {found}"
    )]
    InputCount {
        /// Position among the operands passed.
        index: usize,
        /// Inputs of the first operand.
        expected: usize,
        /// Inputs of this operand.
        found: usize,
    },
    /// A kernel must equal its transpose.
    #[error("expected kernel {index} to be symmetric, but ({row}, {col}) and ({col}, {row}) differ")]
    NotSymmetric {
        /// Position among the kernels passed.
        index: usize,
        /// Row of the first difference.
        row: usize,
        /// Column of the first difference.
        col: usize,
    },
    /// A NaN or an infinity.
    #[error("expected finite values, found {value} in operand {index} at row {row}, column {col}")]
    NotFinite {
        /// Position among the operands passed.
        index: usize,
        /// Row (input).
        row: usize,
        /// Column (feature or input).
        col: usize,
        /// `NaN`, `inf` or `-inf`.
        value: f64,
    },
    /// The memory budget is below the smallest possible panel.
    #[error(
        "expected a budget of at least {needed} bytes for {n_layers} layers, found {found}; raise it or compare fewer layers at once"
    )]
    Budget {
        /// Bytes of the smallest panel.
        needed: usize,
        /// Bytes allowed.
        found: usize,
        /// Layers to compare.
        n_layers: usize,
    },
    /// A measure compares either graphs or activations.
    #[error("{measure} compares {expected}, found {found} as operand {index}")]
    OperandKind {
        /// The measure.
        measure: &'static str,
        /// Position among the operands passed.
        index: usize,
        /// `graphs` or `activations`.
        expected: &'static str,
        /// The other.
        found: &'static str,
    },
    /// No measure has this name.
    #[error("expected a measure of similarity ({known}), found \"{name}\"")]
    UnknownMeasure {
        /// Name found.
        name: String,
        /// All names.
        known: String,
    },
    /// The measure has no parameter of this name.
    #[error("expected a parameter of {measure} ({known}), found \"{name}\"")]
    UnknownParameter {
        /// The measure.
        measure: &'static str,
        /// Name found.
        name: String,
        /// All names.
        known: String,
    },
    /// A value outside its range.
    #[error("{name}: expected {expected}, found \"{found}\"")]
    ParameterValue {
        /// The parameter.
        name: &'static str,
        /// Admissible values, in words.
        expected: String,
        /// Text found.
        found: String,
    },
    /// The monitor asked to stop.
    #[error("stopped on request")]
    Cancelled,
}
