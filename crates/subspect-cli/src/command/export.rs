//! `subspect export`: a run for other programs.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;
use subspect_pipeline::{ExportFormat, export};

use crate::answer::Answer;
use crate::failure::Failure;

/// Write a run's tables as CSV or its graphs as GraphML
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subspect export RUN --to csv --output tables/\n  subspect export RUN --to graphml --output graphs/"
)]
pub(crate) struct Args {
    /// Run directory
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// What to write: csv (layers, inputs, similarity maps) or graphml (one graph per layer)
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    to: To,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    Csv,
    Graphml,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let format = match args.to {
        To::Csv => ExportFormat::Csv,
        To::Graphml => ExportFormat::Graphml,
    };
    let files: Vec<String> =
        export(&args.run, format, &args.output)?.iter().map(|f| f.display().to_string()).collect();
    Ok(Answer::new(files.join("\n"), json!({ "files": files })))
}
