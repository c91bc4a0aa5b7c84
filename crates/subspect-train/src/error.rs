//! Why a training cannot start or go on. That it diverged is not among them: that is a state of its record.

use subspect_data::DataError;
use subspect_nets::NetsError;

/// What a training can stumble over.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The architecture, or weights that do not fit it.
    #[error(transparent)]
    Nets(Box<NetsError>),
    /// Reading the inputs or writing the record.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An option that cannot be used.
    #[error("{option}: expected {expected}, found {found}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What it takes.
        expected: String,
        /// What it was.
        found: String,
    },
    /// The folder holds a training with other options.
    #[error(
        "{folder}: expected the training that these options describe, found one with another {what} ({found}); repeat its options to resume it, or choose another folder"
    )]
    OtherTraining {
        /// The folder.
        folder: String,
        /// The first option that differs.
        what: String,
        /// Its value there.
        found: String,
    },
    /// Stopped by the user; finished epochs are kept.
    #[error("stopped after epoch {epoch} of {epochs}; the same command goes on from there")]
    Interrupted {
        /// Last finished epoch.
        epoch: usize,
        /// Epochs asked for.
        epochs: usize,
    },
}

impl From<NetsError> for TrainError {
    fn from(error: NetsError) -> Self {
        TrainError::Nets(Box::new(error))
    }
}
