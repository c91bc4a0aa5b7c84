//! What can go wrong between a run directory and its report.

use std::path::PathBuf;

/// Why no report was written. A report that exists already is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The directory has no run record.
    #[error("{} has no record.json: expected the directory of a finished run (the --output of `subspect run`)", dir.display())]
    NoRecord {
        /// The directory that was given.
        dir: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The record stops in the middle.
    #[error(
        "{} is cut short: the text ends at line {line}, column {column}; \
         run the same `subspect run` command again, it resumes and writes the record anew", path.display()
    )]
    Truncated {
        /// The record.
        path: PathBuf,
        /// Where the text ends.
        line: usize,
        /// Where the text ends.
        column: usize,
    },
    /// The record is not what its schema says.
    #[error("{} is not a run record: {source}", path.display())]
    Malformed {
        /// The record.
        path: PathBuf,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },
    /// The record was written by a later version.
    #[error(
        "{} has record schema {found}, this version of Subspect reads up to {known}: \
         it was written by Subspect {version}; update Subspect to read it", path.display()
    )]
    Newer {
        /// The record.
        path: PathBuf,
        /// Schema of the record.
        found: u64,
        /// Largest schema known here.
        known: u32,
        /// Version that wrote it, or `unknown`.
        version: String,
    },
    /// A record of a training that cannot be shown.
    #[error("{reason}")]
    Unusable {
        /// Why, with the file.
        reason: String,
    },
    /// Two parts of the record contradict each other.
    #[error("the run record contradicts itself: {what}: expected {expected}, found {found}")]
    Inconsistent {
        /// The field.
        what: String,
        /// What the rest of the record implies.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// A layer or an input that the run does not have.
    #[error("the run has no {what} {name:?}: expected {expected}")]
    Unknown {
        /// `layer` or `input`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        expected: String,
    },
    /// A folder of epochs that do not belong together, or of none.
    #[error(
        "{} holds {n} readable epochs in epochs/: expected at least one, all with the same layers and inputs; \
         run `subspect dynamics` again, it resumes", folder.display()
    )]
    Epochs {
        /// The folder that was given.
        folder: PathBuf,
        /// Epochs that could be read.
        n: usize,
    },
    /// The record of a comparison could not be read.
    #[error(transparent)]
    Data(subspect_data::DataError),
    /// The sprite atlas is not usable; the report is then written without pictures.
    #[error("the picture atlas is not usable: {reason}")]
    Atlas {
        /// Why.
        reason: String,
    },
    /// The page's data could not be written as JSON: a defect of this program.
    #[error("the page's data could not be written: {0}")]
    Payload(serde_json::Error),
    /// A template failed: a defect of this program.
    #[error("the page template failed: {0:#}")]
    Template(#[from] minijinja::Error),
    /// An SVG of ours could not be written as PDF: a defect of this program.
    #[error("figure {name} could not be written as PDF: {reason}")]
    Pdf {
        /// Name of the figure.
        name: String,
        /// What the writer said.
        reason: String,
    },
    /// An SVG of ours could not be drawn as PNG: a defect of this program.
    #[error("figure {name} could not be drawn as PNG: {reason}")]
    Png {
        /// Name of the figure.
        name: String,
        /// What the renderer said.
        reason: String,
    },
}
