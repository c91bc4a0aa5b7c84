//! `subspect figures`: the figures of a run for a paper, one file each.

use std::path::PathBuf;

use serde_json::json;
use subspect_report::{FigureChoice, FigureFormat};

use crate::answer::Answer;
use crate::failure::Failure;

/// Write the figures of a run as SVG, PNG or PDF, one file each
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subspect figures RUN\n  subspect figures RUN --as svg,png --output paper/\n  \
                  subspect figures RUN --layer layer3.1 --input 751 --input 53"
)]
pub(crate) struct Args {
    /// Run directory
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// File formats: svg, png, pdf
    #[arg(long = "as", value_name = "FORMAT", value_delimiter = ',', default_value = "pdf", value_parser = parse)]
    formats: Vec<FigureFormat>,
    /// Layer of the map of the inputs and of the neighbourhoods [default: the deepest before the output]
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Inputs whose neighbourhoods are drawn, by id [default: the first recorded example]
    #[arg(long = "input", value_name = "ID")]
    inputs: Vec<String>,
    /// Folder for the files [default: figures in the run directory]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

fn parse(text: &str) -> Result<FigureFormat, String> {
    FigureFormat::ALL
        .into_iter()
        .find(|f| f.extension() == text)
        .ok_or_else(|| "expected svg, png or pdf".into())
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let folder = args.output.clone().unwrap_or_else(|| args.run.join("figures"));
    let choice = FigureChoice { layer: args.layer.clone(), inputs: args.inputs.clone() };
    let files = subspect_report::write_figures(&args.run, &choice, &args.formats, &folder)
        .map_err(|e| Failure::from_error(&e))?;
    let paths: Vec<String> = files.iter().map(|f| f.path.display().to_string()).collect();
    Ok(Answer::new(paths.join("\n"), json!({ "figures": paths })))
}
