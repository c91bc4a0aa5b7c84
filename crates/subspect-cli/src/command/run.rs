//! `subspect run`: from a network and data to graphs, answers and a page.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use subspect_data::record::{LayerRecord, RunRecord};
use subspect_linalg::Measured;
use subspect_pipeline::options::{Options, read_config};
use subspect_pipeline::{Builtin, Plan, n_unconverged};
use subspect_report::{ReportError, ReportFiles};

use crate::answer::Answer;
use crate::args::{Global, OptionArgs, OptionSet};
use crate::command::demo::LIBRARY;
use crate::failure::{Failure, line};
use crate::progress::Progress;
use crate::table::{count, table};

/// Capture, graphs, measures, similarity and the page: the whole analysis of one network
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The run directory holds plan.toml, record.json, graphs/, tables/, report.html and log.txt. Repeat the same\n\
    command after an interruption to go on; after a changed option only what depends on it is computed again.\n\n\
    Examples:\n  \
    subspect run --model resnet20.onnx --data cifar10/ --normalize imagenet --output RUN\n  \
    subspect run --model m.onnx --data photos/ --resize --layers block,logits --method omp --output RUN\n  \
    subspect run --model checkpoint.pth --arch resnet20 --data cifar10/ --output RUN\n  \
    subspect run --model encoder.onnx --data tokens.npz --pool mean --output RUN\n  \
    subspect run --store activations.npz --output RUN\n  \
    subspect run --config RUN/plan.toml --alpha-ratio 0.05"
)]
pub(crate) struct Args {
    #[command(flatten)]
    options: OptionArgs<RunOptions>,
    /// Options from a TOML file; those on the command line go first
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Do not write the page
    #[arg(long)]
    no_report: bool,
}

#[derive(Debug)]
struct RunOptions;

impl OptionSet for RunOptions {
    const NAMES: &'static [&'static str] = &[
        "model",
        "arch",
        "data",
        "data_format",
        "split",
        "coarse_labels",
        "resize",
        "store",
        "labels",
        "output",
        "inputs",
        "normalize",
        "layers",
        "pool",
        "method",
        "unit_rows",
        "tol",
        "max_iter",
        "permutations",
        "resamples",
        "level",
        "resolution",
        "similarity",
        "layout_epochs",
        "examples",
        "neighbours",
        "batch_size",
        "keep_activations",
        "memory",
        "engine",
    ];
    const PARAMETERS: bool = true;
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let mut options = match &args.config {
        Some(file) => read_config(file)?,
        None => Options::default(),
    };
    options.overlay(args.options.options.clone());
    overlay_global(&mut options, global);
    if let (None, Some(threads)) = (global.threads, options.count("threads")?) {
        crate::install_pool(threads as usize);
    }
    let plan = Plan::from_options(&options, &command_line())?;
    carry_out(&plan, LIBRARY, !args.no_report, global)
}

/// Seed and threads are global arguments and options of a run.
pub(crate) fn overlay_global(options: &mut Options, global: &Global) {
    if let Some(seed) = global.seed {
        options.set("seed", vec![seed.to_string()], "--seed");
    }
}

/// Runs a plan, writes the page and answers.
pub(crate) fn carry_out(
    plan: &Plan,
    library: &[Builtin],
    page: bool,
    global: &Global,
) -> Result<Answer, Failure> {
    let progress = Progress::new(global.quiet);
    let result = subspect_pipeline::run(plan, library, &progress);
    progress.clear();
    let record = result.map_err(|e| Failure::resumable(e, &plan.command))?;
    let report = if page { Some(render(&plan.output)?) } else { None };
    let mut answer = Answer::new(
        human(&record, &plan.output, report.as_deref()),
        to_json(&record, &plan.output, report.as_deref()),
    );
    if global.strict {
        answer.unmet = unconverged(n_unconverged(&record));
    }
    Ok(answer)
}

/// The condition of `--strict`.
pub(crate) fn unconverged(rows: usize) -> Option<String> {
    (rows > 0).then(|| format!("{} rows did not converge (--strict); raise --max-iter or --tol", count(rows)))
}

/// Writes the page of a run and gives its path.
pub(crate) fn render(run: &Path) -> Result<PathBuf, Failure> {
    Ok(shown(subspect_report::render(run))?.page.path)
}

/// Tells the notes of a page that was written.
pub(crate) fn shown(files: Result<ReportFiles, ReportError>) -> Result<ReportFiles, Failure> {
    let files = files.map_err(|e| Failure::from_error(&e))?;
    files.notes.iter().for_each(|note| line("note", note));
    Ok(files)
}

/// The command as it was typed, quoted for a shell.
pub(crate) fn command_line() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    let quote = |arg: String| {
        if !arg.is_empty() && arg.chars().all(plain) {
            arg
        } else {
            format!("'{}'", arg.replace('\'', "'\\''"))
        }
    };
    let args = std::env::args_os().skip(1).map(|a| quote(a.to_string_lossy().into_owned()));
    std::iter::once("subspect".to_owned()).chain(args).collect::<Vec<_>>().join(" ")
}

fn human(record: &RunRecord, output: &Path, report: Option<&Path>) -> String {
    let mut out = heading(record);
    out.push_str("\n\n");
    out.push_str(&layer_table(record));
    out.push('\n');
    for sentence in &record.summary {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n{sentence}");
    }
    match report {
        Some(page) => {
            let _ = write!(out, "\n\npage: {}", page.display());
        }
        None => {
            let _ = write!(out, "\n\nrun: {}", output.display());
        }
    }
    out
}

fn heading(record: &RunRecord) -> String {
    let n = count(record.inputs.ids.len());
    let classes = match record.dataset.classes.len() {
        0 => "no labels".to_owned(),
        k => format!("{k} classes"),
    };
    let data = &record.dataset.name;
    match &record.model {
        Some(model) => match model.accuracy.value() {
            Some(a) => format!(
                "{} on {data}: {n} inputs, {classes}, network accuracy {:.1} %",
                model.name,
                100.0 * a
            ),
            None => format!("{} on {data}: {n} inputs, {classes}", model.name),
        },
        None => format!("{data}: {n} inputs, {classes}"),
    }
}

fn layer_table(record: &RunRecord) -> String {
    let header = [
        "layer",
        "kind",
        "features",
        "neighbours",
        "modularity",
        "chance",
        "sre",
        "vote",
        "agreement",
        "seconds",
    ];
    let rows: Vec<Vec<String>> = record.layers.iter().map(layer_row).collect();
    table(&header, &rows, 2)
}

fn layer_row(l: &LayerRecord) -> Vec<String> {
    let show =
        |name: &str, digits: usize| l.measures.get(name).map_or("-".to_owned(), |m| format!("{m:.digits$}"));
    vec![
        l.name.clone(),
        l.kind.clone(),
        count(l.n_features),
        show("mean_neighbors", 1),
        show("modularity", 3),
        format!("{:.3}", l.modularity_null.hi),
        show("sre", 3),
        show("vote_accuracy", 3),
        show("vote_agreement", 3),
        format!("{:.1}", l.solve.seconds),
    ]
}

fn to_json(record: &RunRecord, output: &Path, report: Option<&Path>) -> Value {
    let layer = |l: &LayerRecord| {
        json!({
            "name": l.name, "kind": l.kind, "n_features": l.n_features, "graph": l.graph, "solve": l.solve,
            "measures": l.measures, "modularity_null": l.modularity_null,
        })
    };
    json!({
        "output": output.display().to_string(),
        "record": output.join("record.json").display().to_string(),
        "report": report.map(|p| p.display().to_string()),
        "state": record.state,
        "n_inputs": record.inputs.ids.len(),
        "accuracy": record.model.as_ref().map(|m| m.accuracy),
        "layers": record.layers.iter().map(layer).collect::<Vec<_>>(),
        "summary": record.summary,
        "warnings": record.warnings,
        "seconds": record.seconds,
    })
}

/// A measured value for people: the number with `digits`, or its status.
pub(crate) fn show(value: Measured, digits: usize) -> String {
    format!("{value:.digits$}")
}
