//! What can go wrong with something on disk: where, what was expected, what was found, how to mend it.

use std::path::{Path, PathBuf};

/// Every failure of this crate. The messages are written for the person who typed the path.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The operating system refused: missing file, no permission, disk full.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read`, `write`, `create`, ...
        action: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A file whose content is not what its format says.
    #[error("{}{}: expected {expected}, found {found}; {mend}", path.display(), at(place))]
    Malformed {
        /// The file or folder.
        path: PathBuf,
        /// Byte, array, record or line; empty when the whole file is meant.
        place: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
        /// What the user can do.
        mend: String,
    },
    /// A name that is in none of our lists.
    #[error("no {what} is called '{name}'; known: {known}")]
    UnknownName {
        /// `data format`, `split`, ...
        what: &'static str,
        /// As given.
        name: String,
        /// All names, comma separated.
        known: String,
    },
    /// A subset larger than the data.
    #[error("asked for {asked} inputs, but {name} has {available}; ask for at most {available}")]
    TooFewInputs {
        /// Name of the data set.
        name: String,
        /// Inputs wanted.
        asked: usize,
        /// Inputs there.
        available: usize,
    },
    /// Two arrays that should have one row per input have different numbers of rows.
    #[error(
        "'{first}' has shape {first_shape:?} and '{second}' has shape {second_shape:?}: the first axis counts the inputs and must agree"
    )]
    Mismatch {
        /// Name of one array.
        first: String,
        /// Its shape.
        first_shape: Vec<usize>,
        /// Name of the other.
        second: String,
        /// Its shape.
        second_shape: Vec<usize>,
    },
    /// A NaN, an infinity, or a value too large for float32 among activations.
    #[error(
        "layer '{layer}', input {input}, column {column}: expected finite float32 activations, found {value}; leave this layer or input out, or check the network and its input normalisation"
    )]
    NotFinite {
        /// Layer name.
        layer: String,
        /// Id of the input.
        input: String,
        /// Feature after pooling.
        column: usize,
        /// `NaN`, `inf` or `-inf`.
        value: f32,
    },
    /// An activation store whose writing was interrupted.
    #[error("{}: the activation store is incomplete: {}; capture or import again into the same folder", path.display(), unfinished(layers))]
    PartialStore {
        /// The store's folder.
        path: PathBuf,
        /// Layers that were not finished.
        layers: Vec<String>,
    },
    /// Written by a later version.
    #[error("{}: its {what} has schema {found}, but this version of Subspect reads up to {known}; use the version that wrote it, or a newer one", path.display())]
    NewerSchema {
        /// `activation store` or `run record`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Schema in the file.
        found: u32,
        /// Newest schema known here.
        known: u32,
    },
    /// A call that contradicts itself or what is already written.
    #[error("{0}")]
    Argument(String),
}

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, DataError>;

fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(", {place}") }
}

fn unfinished(layers: &[String]) -> String {
    match layers {
        [] => "its writing was never completed".into(),
        [one] => format!("layer '{one}' was not finished"),
        [first, ..] => format!("{} layers were not finished, from '{first}' on", layers.len()),
    }
}

impl DataError {
    /// An I/O failure at `path`.
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        DataError::Io { action, path: path.to_owned(), source }
    }

    /// A file whose content is not what its format says.
    pub fn malformed(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        DataError::Malformed {
            path: path.to_owned(),
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
            mend: mend.into(),
        }
    }
}
