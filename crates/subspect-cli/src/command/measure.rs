//! `subspect measure`: class structure of a coefficient file.

use std::path::{Path, PathBuf};

use serde_json::json;
use subspect_data::dense::read_labels;
use subspect_data::sparse::load_csr;
use subspect_graph::{AffinityGraph, IntervalOptions, MEASURES, Partition};
use subspect_linalg::{Measured, Seed};
use subspect_pipeline::{ClassStructure, MeasureSettings, PipelineError, measure};

use crate::answer::Answer;
use crate::args::{Global, OptionArgs, OptionSet};
use crate::command::run::show;
use crate::failure::Failure;
use crate::table::table;

/// Measure the class structure of coefficients: modularity with its null, votes, sparsity
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subspect measure c.npz --labels y.npy\n  subspect measure c.npz --labels y.npy --format json\n  subspect measure c.npz"
)]
pub(crate) struct Args {
    /// Coefficients (SciPy CSR .npz; row i expresses input i)
    #[arg(value_name = "COEFFICIENTS")]
    coefficients: PathBuf,
    /// Class index of every input (.npy)
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// The network's own class for every input (.npy)
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    #[command(flatten)]
    options: OptionArgs<MeasureOptions>,
}

#[derive(Debug)]
struct MeasureOptions;

impl OptionSet for MeasureOptions {
    const NAMES: &'static [&'static str] = &["permutations", "resamples", "level", "resolution"];
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let coefficients = load_csr(&args.coefficients).map_err(PipelineError::from)?;
    let graph = AffinityGraph::from_coefficients(&coefficients).map_err(PipelineError::from)?;
    let read = |path: &Option<PathBuf>| {
        path.as_deref().map(|p| classes(p, &args.coefficients, graph.n_nodes())).transpose()
    };
    let labels = read(&args.labels)?;
    let predictions = read(&args.predictions)?.unwrap_or_default();
    let partition = labels.map(|labels| {
        let n_classes = labels.iter().chain(&predictions).max().map_or(0, |&l| l as usize + 1);
        Partition::new(labels, n_classes)
    });
    let options = &args.options.options;
    let settings = MeasureSettings {
        partition: partition.transpose().map_err(PipelineError::from)?,
        predictions,
        resolution: options.number("resolution")?.unwrap_or(1.0),
        permutations: options.count("permutations")?.unwrap_or(0) as usize,
        seed: Seed::new(global.seed.unwrap_or(0)).axis("permutations"),
        intervals: IntervalOptions {
            n_resamples: options.count("resamples")?.unwrap_or(0) as usize,
            level: options.level()?,
            seed: Seed::new(global.seed.unwrap_or(0)).axis("inputs"),
        },
    };
    let found = measure(&coefficients, &graph, &settings)?;
    let json = json!({
        "coefficients": args.coefficients.display().to_string(), "n_inputs": graph.n_nodes(), "structure": found,
    });
    Ok(Answer::new(human(&found, graph.n_nodes()), json))
}

/// Class indices from a file, one per row of the coefficients.
pub(crate) fn classes(path: &Path, coefficients: &Path, n: usize) -> Result<Vec<u32>, Failure> {
    let classes = read_labels(path).map_err(PipelineError::from)?;
    if classes.len() == n {
        return Ok(classes);
    }
    let message = format!(
        "{}: expected {n} classes, one per row of {}, found {}",
        path.display(),
        coefficients.display(),
        classes.len()
    );
    Err(Failure::with_help(message, "give the classes of the same inputs, in the same order"))
}

/// Counts without decimals.
fn brief(value: Measured) -> String {
    let whole = value.value().is_some_and(|v| v.fract() == 0.0 && v >= 2.0);
    show(value, if whole { 0 } else { 4 })
}

fn human(found: &ClassStructure, n: usize) -> String {
    let rows: Vec<Vec<String>> = MEASURES
        .iter()
        .map(|m| {
            let value = found.measures.get(m.name).map_or("-".to_owned(), |v| brief(*v));
            vec![m.name.to_owned(), value, m.summary.to_owned()]
        })
        .collect();
    let null = &found.modularity_null;
    let mut out = format!(
        "{n} inputs, {} edges\n\n{}",
        found.n_edges,
        table(&["measure", "value", "meaning"], &rows, 3)
    );
    if null.n_permutations > 0 {
        out += &format!(
            "\n\nmodularity of {} permuted labels: mean {}, 95 % within {} and {}; z {}, p {}",
            null.n_permutations,
            show(null.mean, 4),
            show(null.lo, 4),
            show(null.hi, 4),
            show(null.z, 1),
            show(null.p, 4)
        );
    }
    out
}
