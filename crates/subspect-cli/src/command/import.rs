//! `subspect import`: activations made elsewhere.

use std::path::PathBuf;

use serde_json::json;
use subspect_data::import::{ImportOptions, SOURCES, import};

use crate::answer::Answer;
use crate::failure::Failure;
use crate::table::{count, shape, table};

/// Take activations made elsewhere into a store
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// File or folder
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Activation store to write
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Class index of every input (.npy); replaces labels in the source
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

fn after_help() -> String {
    let sources: Vec<String> = SOURCES.iter().map(|s| format!("  {:<13}{}", s.name, s.summary)).collect();
    format!(
        "Sources:\n{}\n\nExamples:\n  subspect import activations.npz --output STORE\n  \
         subspect import layer4.npy --labels y.npy --output STORE\n  \
         subspect import tables/ --output STORE\n  subspect run --store STORE --output RUN\n  \
         subspect run --store layer4.csv --output RUN",
        sources.join("\n")
    )
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let options = ImportOptions { labels: args.labels.clone() };
    let store = import(&args.source, &options, &args.output, &mut |_, _, _| {})
        .map_err(|e| Failure::from_error(&e))?;
    let manifest = store.manifest();
    let rows: Vec<Vec<String>> =
        manifest.layers.iter().map(|l| vec![l.name.clone(), shape(&l.shape), count(l.n_features)]).collect();
    let labels = if manifest.inputs.labels.is_empty() { "no labels" } else { "labels" };
    let human = format!(
        "{} inputs, {labels}\n\n{}\n\nstore: {}",
        count(manifest.n_inputs),
        table(&["layer", "shape", "features"], &rows, 1),
        args.output.display()
    );
    let json = json!({
        "store": args.output.display().to_string(), "n_inputs": manifest.n_inputs,
        "has_labels": !manifest.inputs.labels.is_empty(), "layers": manifest.layers,
    });
    Ok(Answer::new(human, json))
}
