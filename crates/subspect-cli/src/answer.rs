//! What a command answers: the same result for people and for programs.

use std::io::Write;

use crate::args::Format;
use crate::failure::Failure;

/// A result in both formats, and whether a requested condition failed.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// For people. Without a final line break.
    pub human: String,
    /// For programs.
    pub json: serde_json::Value,
    /// The requested condition that does not hold.
    pub unmet: Option<String>,
}

impl Answer {
    /// An answer without a condition.
    pub(crate) fn new(human: String, json: serde_json::Value) -> Self {
        Answer { human, json, unmet: None }
    }

    /// Writes it to stdout, in one piece.
    pub(crate) fn print(&self, format: Format) -> Result<(), Failure> {
        let mut text = match format {
            Format::Human => self.human.clone(),
            Format::Json => {
                serde_json::to_string_pretty(&self.json).map_err(|e| Failure::other(e.to_string()))?
            }
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::from_stdout)
    }
}
