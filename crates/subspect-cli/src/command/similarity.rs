//! `subspect similarity`: how alike two layers, stores or runs see the same inputs.

use std::path::PathBuf;

use serde_json::json;
use subspect_linalg::Measured;
use subspect_pipeline::{Comparison, similarity};

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
    subspect similarity RUN1 RUN2 --format json")]
pub(crate) struct Args {
    /// .npy, .npz of coefficients, store or run
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The same
    #[arg(value_name = "B")]
    b: PathBuf,
    /// ssc_cka or linear_cka [default: ssc_cka where both have graphs]
    #[arg(long, value_name = "NAME")]
    measure: Option<String>,
    #[command(flatten)]
    options: OptionArgs<SimilarityOptions>,
}

#[derive(Debug)]
struct SimilarityOptions;

impl OptionSet for SimilarityOptions {
    const NAMES: &'static [&'static str] = &["memory"];
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let memory = args.options.options.bytes("memory")?;
    let progress = Progress::new(global.quiet);
    let result = similarity(&args.a, &args.b, args.measure.as_deref(), memory, &progress);
    progress.clear();
    let found = result?;
    let json = json!({
        "measure": found.measure, "n_inputs": found.n_inputs, "rows": found.rows, "columns": found.columns,
        "biased": found.biased, "debiased": found.debiased,
    });
    Ok(Answer::new(human(&found), json))
}

fn human(found: &Comparison) -> String {
    if let ([row], [column]) = (found.rows.as_slice(), found.columns.as_slice()) {
        return format!(
            "{} of {row} and {column} over {} inputs: {} (debiased {})",
            found.measure,
            found.n_inputs,
            show(found.biased[0][0], 4),
            show(found.debiased[0][0], 4)
        );
    }
    format!(
        "{} over {} inputs\n\nbiased\n{}\n\ndebiased\n{}",
        found.measure,
        found.n_inputs,
        map(found, &found.biased),
        map(found, &found.debiased)
    )
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
