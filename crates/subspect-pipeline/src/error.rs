//! What can go wrong in a run. Every message says what was expected, what was found and where; [`PipelineError::help`]
//! says how to mend it when the message does not.

use std::path::{Path, PathBuf};

/// A run or a single command that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// An option's value cannot be used.
    #[error("{origin}: expected {expected}, found \"{found}\"")]
    Option {
        /// Flag or file and key.
        origin: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// An option that the chosen method does not use.
    #[error("{origin}: {method} has no such parameter")]
    ForeignParameter {
        /// Flag or file and key.
        origin: String,
        /// The chosen method.
        method: &'static str,
        /// What it takes, and which methods take this option.
        mend: String,
    },
    /// An option that is needed was not given.
    #[error("{what} is missing")]
    Missing {
        /// What is missing.
        what: String,
        /// How to give it.
        mend: String,
    },
    /// Two options that exclude each other.
    #[error("{first} and {second} exclude each other")]
    Conflict {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A key of a configuration that nothing is called.
    #[error("{file}: there is no option \"{key}\"")]
    UnknownKey {
        /// The configuration.
        file: String,
        /// The key.
        key: String,
        /// The known name that is closest.
        nearest: Option<String>,
    },
    /// A configuration that is not TOML.
    #[error("{file}, line {line}: not valid TOML: {reason}")]
    ConfigSyntax {
        /// The configuration.
        file: String,
        /// Line, from 1.
        line: usize,
        /// The parser's reason.
        reason: String,
    },
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Something that was asked for is not there.
    #[error("{what}: expected {expected}, found {found}")]
    Input {
        /// File, layer or input.
        what: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
        /// How to mend it; may be empty.
        mend: String,
    },
    /// A network that a sweep trains: its options, its data, or the training itself.
    #[error("{place}: {reason}")]
    Training {
        /// File and cell, or the training's folder.
        place: String,
        /// What was expected and found.
        reason: String,
    },
    /// The run was interrupted; everything finished is kept.
    #[error("interrupted")]
    Interrupted,
    /// Data on disk.
    #[error(transparent)]
    Data(#[from] subspect_data::DataError),
    /// The network.
    #[error(transparent)]
    Net(#[from] subspect_nets::NetsError),
    /// Self-expression.
    #[error(transparent)]
    Express(subspect_express::ExpressError),
    /// Graphs.
    #[error(transparent)]
    Graph(#[from] subspect_graph::GraphError),
    /// Similarity.
    #[error(transparent)]
    Similarity(subspect_similarity::SimilarityError),
    /// Matrices.
    #[error(transparent)]
    Linalg(#[from] subspect_linalg::LinalgError),
}

impl PipelineError {
    /// An [`PipelineError::Io`].
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        PipelineError::Io { action, path: path.to_owned(), source }
    }

    /// How to mend it, when there is something to add to the message.
    pub fn help(&self) -> Option<String> {
        match self {
            PipelineError::Missing { mend, .. } | PipelineError::ForeignParameter { mend, .. } => {
                Some(mend.clone())
            }
            PipelineError::Input { mend, .. } if !mend.is_empty() => Some(mend.clone()),
            PipelineError::UnknownKey { nearest: Some(name), .. } => {
                Some(format!("did you mean \"{name}\"?"))
            }
            PipelineError::UnknownKey { .. } => Some("`subspect methods` lists all options".to_owned()),
            PipelineError::Conflict { .. } => Some("give one of them".to_owned()),
            PipelineError::Io { action, .. }
            | PipelineError::Data(subspect_data::DataError::Io { action, .. })
                if ["write", "create", "replace"].contains(action) =>
            {
                Some("choose a place you may write to with --output, or free some space".to_owned())
            }
            _ => None,
        }
    }
}

impl From<subspect_express::ExpressError> for PipelineError {
    /// A solve stops early only when the user asked for it.
    fn from(e: subspect_express::ExpressError) -> Self {
        match e {
            subspect_express::ExpressError::Cancelled => PipelineError::Interrupted,
            other => PipelineError::Express(other),
        }
    }
}

impl From<subspect_similarity::SimilarityError> for PipelineError {
    /// A comparison stops early only when the user asked for it.
    fn from(e: subspect_similarity::SimilarityError) -> Self {
        match e {
            subspect_similarity::SimilarityError::Cancelled => PipelineError::Interrupted,
            other => PipelineError::Similarity(other),
        }
    }
}
