//! What can be wrong with a graph or a partition handed to this crate.

use subspect_linalg::LinalgError;

/// Input that cannot be used as given: what was expected, what was found, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// A matrix between inputs must be square.
    #[error("expected a square matrix (inputs x inputs), found {n_rows} x {n_cols}")]
    NotSquare {
        /// Rows found.
        n_rows: usize,
        /// Columns found.
        n_cols: usize,
    },
    /// An input that expresses itself.
    #[error(
        "expected a zero diagonal, found {value} at ({node}, {node}): no input may express itself; drop the diagonal"
    )]
    SelfLoop {
        /// The input.
        node: usize,
        /// Its entry on the diagonal.
        value: f32,
    },
    /// An affinity that is negative, or whose mirror entry differs.
    #[error(
        "expected a symmetric matrix without negative entries, found {value} at ({row}, {col}) and {mirror} at ({col}, {row}); build the graph from its coefficients instead"
    )]
    NotAffinity {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        col: usize,
        /// The entry.
        value: f32,
        /// The entry on the other side of the diagonal.
        mirror: f32,
    },
    /// `|C_ij| + |C_ji|` does not fit into a float32.
    #[error("|C_ij| + |C_ji| overflows float32 at ({row}, {col}); rescale the coefficients")]
    Overflow {
        /// Row of the entry.
        row: usize,
        /// Column of the entry.
        col: usize,
    },
    /// Labels or predictions for another number of inputs.
    #[error("expected {expected} {what}, one per input of the graph, found {found}")]
    Length {
        /// `labels`, `predictions`, `coefficient rows`.
        what: &'static str,
        /// Inputs of the graph.
        expected: usize,
        /// Entries found.
        found: usize,
    },
    /// A class index that is not below the number of classes.
    #[error("expected class indices below {n_classes}, found {class} at input {position}")]
    ClassOutOfRange {
        /// Where.
        position: usize,
        /// The index found.
        class: u32,
        /// The stated number of classes.
        n_classes: usize,
    },
    /// An input that is not in the graph.
    #[error("expected an input below {n_nodes}, found {node}")]
    NodeOutOfRange {
        /// The input asked for.
        node: usize,
        /// Inputs of the graph.
        n_nodes: usize,
    },
    /// A number of clusters that the graph cannot be cut into.
    #[error("expected a number of clusters from 1 to {n_nodes}, one per input at most, found {n_clusters}")]
    ClusterCount {
        /// Clusters asked for.
        n_clusters: usize,
        /// Inputs of the graph.
        n_nodes: usize,
    },
    /// A name that is not in the list.
    #[error("there is no {what} \"{found}\"; expected one of {known}")]
    Name {
        /// Which list.
        what: &'static str,
        /// The name given.
        found: String,
        /// The names of the list.
        known: String,
    },
    /// A parameter that cannot have this value.
    #[error("{parameter}: expected {expected}, found {found}")]
    Parameter {
        /// Name.
        parameter: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The sparse matrix itself is broken.
    #[error(transparent)]
    Matrix(#[from] LinalgError),
}
