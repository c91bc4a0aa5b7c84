//! `subspect similarity`: how alike two layers, stores or runs see the same inputs.

use std::path::PathBuf;

use serde_json::json;
use subspect_linalg::Measured;
use subspect_pipeline::{Comparison, similarity};
use subspect_similarity::{MEASURES, Value};

use crate::answer::Answer;
use crate::args::{Global, OptionArgs, OptionSet};
use crate::command::run::show;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::table::table;

/// Compare two activation files, coefficient files, stores or runs over the same inputs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    subspect similarity x.npy y.npy\n  \
    subspect similarity c1.npz c2.npz --measure ssc_cka\n  \
    subspect similarity x.npy y.npy --measure knn_jaccard --set n_neighbors=20\n  \
    subspect similarity RUN1 RUN2 --format json")]
pub(crate) struct Args {
    /// .npy, .npz of coefficients, store or run
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The same
    #[arg(value_name = "B")]
    b: PathBuf,
    #[arg(long, value_name = "NAME", help = measure_help())]
    measure: Option<String>,
    /// A parameter of the measure (repeatable; see `subspect methods`)
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    options: OptionArgs<SimilarityOptions>,
}

#[derive(Debug)]
struct SimilarityOptions;

impl OptionSet for SimilarityOptions {
    const NAMES: &'static [&'static str] = &["memory"];
}

fn measure_help() -> String {
    let names: Vec<&str> = MEASURES.iter().map(|m| m.name).collect();
    format!("{} [default: ssc_cka where both have graphs, else linear_cka]", names.join(", "))
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE, such as n_neighbors=20")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let memory = args.options.options.bytes("memory")?;
    let progress = Progress::new(global.quiet);
    let result = similarity(&args.a, &args.b, args.measure.as_deref(), &args.set, memory, &progress);
    progress.clear();
    let found = result?;
    let parameter = |(name, value): (&str, Value)| {
        let value = match value {
            Value::Number(v) => json!(v),
            Value::Word(w) => json!(w),
        };
        (name.to_owned(), value)
    };
    let parameters: serde_json::Map<_, _> = found.parameters.iter().map(parameter).collect();
    let mut json = json!({
        "measure": found.measure.name, "kind": found.measure.kind.as_str(), "parameters": parameters,
        "n_inputs": found.n_inputs, "rows": found.rows, "columns": found.columns, "values": found.values,
    });
    if let Some(debiased) = &found.debiased {
        json["biased"] = json!(found.values);
        json["debiased"] = json!(debiased);
    }
    Ok(Answer::new(human(&found), json))
}

fn human(found: &Comparison) -> String {
    let what = found.measure.name;
    if let ([row], [column]) = (found.rows.as_slice(), found.columns.as_slice()) {
        let debiased = found.debiased.as_ref().map(|d| format!(" (debiased {})", show(d[0][0], 4)));
        return format!(
            "{what} of {row} and {column} over {} inputs: {}{}",
            found.n_inputs,
            show(found.values[0][0], 4),
            debiased.unwrap_or_default()
        );
    }
    let title = format!("{what} over {} inputs", found.n_inputs);
    match &found.debiased {
        None => format!("{title}\n\n{}", map(found, &found.values)),
        Some(debiased) => {
            format!("{title}\n\nbiased\n{}\n\ndebiased\n{}", map(found, &found.values), map(found, debiased))
        }
    }
}

fn map(found: &Comparison, values: &[Vec<Measured>]) -> String {
    let mut header = vec![""];
    header.extend(found.columns.iter().map(String::as_str));
    let rows: Vec<Vec<String>> = found
        .rows
        .iter()
        .zip(values)
        .map(|(name, row)| std::iter::once(name.clone()).chain(row.iter().map(|&v| show(v, 3))).collect())
        .collect();
    table(&header, &rows, 1)
}
