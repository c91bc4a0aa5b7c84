//! What can go wrong before a row is solved.

/// A problem that cannot be started, or was stopped.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExpressError {
    /// The monitor asked to stop. Nothing is returned for the unfinished matrix.
    #[error("stopped before all rows were solved")]
    Cancelled,
    /// No method has this name.
    #[error("unknown method `{name}`: expected one of {known}")]
    UnknownMethod {
        /// The name that was given.
        name: String,
        /// All names, comma-separated.
        known: String,
    },
    /// The method has no such parameter.
    #[error("method `{method}` has no parameter `{parameter}`: it takes {known}")]
    UnknownParameter {
        /// The method.
        method: &'static str,
        /// The parameter that was given.
        parameter: String,
        /// Its parameters, comma-separated.
        known: String,
    },
    /// A parameter out of its range.
    #[error("`{parameter}` of method `{method}` must be {expected}, found {found}")]
    Parameter {
        /// The method.
        method: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// The admissible range.
        expected: String,
        /// The value that was given.
        found: f64,
    },
    /// Two parameters that exclude each other.
    #[error("`alpha` and `alpha_ratio` exclude each other: give one of them")]
    BothAlphas,
    /// A dense method on too many inputs.
    #[error(
        "method `{method}` needs dense N x N arrays and takes at most {limit} inputs, found {found}: \
         take fewer inputs, or a sparse method such as `lasso`, which has no such limit"
    )]
    TooManyInputs {
        /// The method.
        method: &'static str,
        /// Most inputs it takes.
        limit: usize,
        /// Inputs given.
        found: usize,
    },
    /// Something that only problems with an alpha have.
    #[error("{what} needs lasso or elastic_net, found method `{method}`")]
    NeedsAlpha {
        /// What was asked for.
        what: &'static str,
        /// The method.
        method: &'static str,
    },
    /// Something that is not there for coefficients that sum to one.
    #[error("{what} does not take `affine`: leave it out of method `{method}`")]
    NotAffine {
        /// What was asked for.
        what: &'static str,
        /// The method.
        method: &'static str,
    },
    /// A number that was asked for beside the method's parameters.
    #[error("{what} must be {expected}, found {found}")]
    Range {
        /// What was asked for.
        what: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        found: f64,
    },
    /// No approximation has this name.
    #[error("unknown approximation `{name}`: expected one of {known}")]
    UnknownApproximation {
        /// The name that was given.
        name: String,
        /// All names, comma-separated.
        known: String,
    },
    /// Activations that cannot be used.
    #[error(transparent)]
    Linalg(#[from] subspect_linalg::LinalgError),
    /// A method that cannot express inputs outside the dictionary.
    #[error(
        "method `{method}` expresses only the dictionary's own inputs: use lasso, elastic_net, omp or knn"
    )]
    InSampleOnly {
        /// The method.
        method: &'static str,
    },
}
