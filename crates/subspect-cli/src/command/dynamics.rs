//! `subspect dynamics`: a training watched through its snapshots.

use std::path::{Path, PathBuf};

use serde_json::json;
use subspect_data::dynamics::{Censored, DynamicsRecord, SettlingEpoch, SettlingRecord};
use subspect_linalg::Measured;
use subspect_pipeline::{DynamicsSettings, SETTLED, dynamics, dynamics_table, n_unconverged_epochs};

use crate::answer::Answer;
use crate::args::{Global, OptionArgs, OptionSet};
use crate::command::demo::LIBRARY;
use crate::command::run::{command_line, overlay_global, show, shown, unconverged};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::table::table;

/// Follow a training through its snapshots: when does each layer settle, and do shallower layers first?
#[derive(Debug, clap::Args)]
#[command(
    after_help = "TRAINING is a folder with one checkpoint per epoch (.onnx, or .safetensors/.pth with --arch), or one activation\n\
    store per epoch, named by the epoch: epoch-2.onnx. A folder `checkpoints` in it is taken, and a training.json read.\n\
    Several folders are the same training from several seeds: intervals are then over seeds.\n\n\
    The output holds dynamics.json, one run directory per epoch, tables/, figures/ and report.html. Repeat the same\n\
    command after an interruption, or when there are new epochs, to go on.\n\n\
    Examples:\n  \
    subspect dynamics training/ --data cifar10/ --normalize cifar10 --output DYNAMICS\n  \
    subspect dynamics recorded/ --layers conv --output DYNAMICS\n  \
    subspect dynamics seed1/ seed2/ seed3/ --data cifar10/ --output DYNAMICS"
)]
pub(crate) struct Args {
    /// Folders of the snapshots, one per training
    #[arg(value_name = "TRAINING", required = true)]
    trainings: Vec<PathBuf>,
    /// Folder of the results; an interrupted one is resumed
    #[arg(long, value_name = "DIR", default_value = "subspect-dynamics")]
    output: PathBuf,
    /// Similarity to the final state from which on a layer counts as settled
    #[arg(long, value_name = "SHARE", default_value_t = SETTLED)]
    threshold: f64,
    /// Keep every epoch's activations; without, only those that are needed next
    #[arg(long)]
    keep_activations: bool,
    /// Do not write the page
    #[arg(long)]
    no_report: bool,
    #[command(flatten)]
    options: OptionArgs<DynamicsOptions>,
}

#[derive(Debug)]
struct DynamicsOptions;

impl OptionSet for DynamicsOptions {
    const NAMES: &'static [&'static str] = &[
        "arch",
        "data",
        "data_format",
        "split",
        "coarse_labels",
        "resize",
        "labels",
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
        "memory",
        "engine",
    ];
    const PARAMETERS: bool = true;
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let mut options = args.options.options.clone();
    overlay_global(&mut options, global);
    let settings = DynamicsSettings {
        options,
        output: args.output.clone(),
        threshold: args.threshold,
        keep_activations: args.keep_activations,
        command: command_line(),
    };
    let progress = Progress::new(global.quiet);
    let result = dynamics(&args.trainings, &settings, LIBRARY, &progress);
    progress.clear();
    let record = result.map_err(|e| Failure::resumable(e, &settings.command))?;
    let rendered =
        (!args.no_report).then(|| shown(subspect_report::render_dynamics(&args.output))).transpose()?;
    let page = rendered.map(|files| files.page.path);
    let json = to_json(&record, &args.output, page.as_deref());
    let mut answer =
        Answer::new(human(&record, page.as_deref()), json).with_table(&dynamics_table(&record))?;
    if global.strict {
        answer.unmet = unconverged(n_unconverged_epochs(&record));
    }
    Ok(answer)
}

fn human(record: &DynamicsRecord, page: Option<&Path>) -> String {
    let over = if record.series.len() > 1 { "seeds" } else { "inputs" };
    let mut parts = vec![
        record.summary.join("\n"),
        format!(
            "Settling epoch of every layer, with its {:.0} % interval over {over}\n{}",
            100.0 * record.level,
            settling(record)
        ),
    ];
    if !record.warnings.is_empty() {
        parts.push(record.warnings.iter().map(|w| format!("note: {w}")).collect::<Vec<_>>().join("\n"));
    }
    parts.extend(page.map(|p| format!("page: {}", p.display())));
    parts.join("\n\n")
}

fn biased<'a>(record: &'a DynamicsRecord, measure: &str) -> Option<&'a SettlingRecord> {
    record.settling.iter().find(|s| s.measure == measure && s.estimator == "biased")
}

fn settling(record: &DynamicsRecord) -> String {
    let maps = [biased(record, "ssc_cka"), biased(record, "linear_cka")];
    let last = record.series.first().and_then(|s| s.epochs.last());
    let rows: Vec<Vec<String>> = record
        .layers
        .iter()
        .enumerate()
        .map(|(l, layer)| {
            let of = |name: &str| {
                last.and_then(|e| e.layers[l].measures.get(name)).map_or("-".into(), |m| show(*m, 3))
            };
            let mut row = vec![layer.name.clone()];
            for map in maps {
                row.push(map.map_or("-".into(), |m| epoch(&m.layers[l])));
                row.push(map.map_or(String::new(), |m| interval(&m.layers[l])));
            }
            row.extend([of("modularity"), of("vote_accuracy")]);
            row
        })
        .collect();
    let header = ["layer", "SSC-CKA", "interval", "linear CKA", "interval", "final modularity", "final vote"];
    let order: Vec<Vec<String>> = record
        .settling
        .iter()
        .map(|s| {
            let o = &s.order;
            let ends = format!("{} to {}", show(o.spearman.lo, 2), show(o.spearman.hi, 2));
            let values = [show(o.spearman.value, 3), ends, p_value(o.spearman_p), show(o.kendall.value, 3)];
            let name = format!("{} {}", s.measure, s.estimator);
            std::iter::once(name).chain(values).chain([p_value(o.kendall_p)]).collect()
        })
        .collect();
    let head = ["depth against settling epoch", "Spearman", "interval", "p", "Kendall", "p"];
    format!("{}\n\n{}", table(&header, &rows, 1), table(&head, &order, 1))
}

/// Never 0: what four digits do not show is below them.
fn p_value(p: Measured) -> String {
    if p.value().is_some_and(|v| v < 1e-4) { "< 0.0001".into() } else { show(p, 4) }
}

fn epoch(s: &SettlingEpoch) -> String {
    let value = show(s.epoch, 1);
    match s.censored {
        Censored::No => value,
        Censored::ByFirst => format!("<= {value}"),
        Censored::AtLast => format!(">= {value}"),
        Censored::Mixed => format!("~ {value}"),
    }
}

fn interval(s: &SettlingEpoch) -> String {
    match (s.lo.value(), s.hi.value()) {
        (Some(lo), Some(hi)) => format!("{lo:.1} to {hi:.1}"),
        _ => show(s.lo, 1),
    }
}

fn to_json(record: &DynamicsRecord, output: &Path, page: Option<&Path>) -> serde_json::Value {
    let settling: Vec<_> = record
        .settling
        .iter()
        .map(|s| {
            let layers: Vec<_> = record
                .layers
                .iter()
                .zip(&s.layers)
                .map(|(layer, e)| json!({ "layer": layer.name, "settling": e }))
                .collect();
            json!({ "measure": s.measure, "estimator": s.estimator, "over": s.over, "layers": layers,
                    "order": s.order })
        })
        .collect();
    let series: Vec<_> = record
        .series
        .iter()
        .map(|s| {
            let epochs: Vec<u64> = s.epochs.iter().map(|e| e.epoch).collect();
            json!({ "name": s.name, "source": s.source, "epochs": epochs })
        })
        .collect();
    json!({
        "output": output.display().to_string(),
        "page": page.map(|p| p.display().to_string()),
        "n_inputs": record.ids.len(),
        "threshold": record.threshold,
        "series": series,
        "settling": settling,
        "n_unconverged": n_unconverged_epochs(record),
        "summary": record.summary,
        "warnings": record.warnings,
    })
}
