//! What a command answers: the same result for people and for programs.

use std::io::Write;

use subspect_data::rundir::Table;
use subspect_pipeline::PipelineError;

use crate::args::Format;
use crate::failure::Failure;

/// A result in both formats, and whether a requested condition failed.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// For people. Without a final line break.
    pub human: String,
    /// For programs; null where everything is said already.
    pub json: serde_json::Value,
    /// The main table, for commands that have one.
    pub csv: Option<String>,
    /// The requested condition that does not hold.
    pub unmet: Option<String>,
}

impl Answer {
    /// An answer without a condition.
    pub(crate) fn new(human: String, json: serde_json::Value) -> Self {
        Answer { human, json, csv: None, unmet: None }
    }

    /// The same with a table.
    pub(crate) fn with_table(mut self, table: &Table) -> Result<Self, Failure> {
        self.csv = Some(table.to_csv().map_err(PipelineError::from)?);
        Ok(self)
    }

    /// Writes it to stdout, in one piece.
    pub(crate) fn print(&self, format: Format) -> Result<(), Failure> {
        let mut text = match format {
            Format::Human => self.human.clone(),
            Format::Json if self.json.is_null() => String::new(),
            Format::Json => {
                serde_json::to_string_pretty(&self.json).map_err(|e| Failure::other(e.to_string()))?
            }
            Format::Csv => self.csv.clone().ok_or_else(|| {
                Failure::with_help(
                    "--format csv: this command has no table",
                    "use --format json; `subspect compare` and `subspect rank` have tables, `subspect export` writes those of a run",
                )
            })?,
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::from_stdout)
    }
}
