//! `subspect sweep CONFIG.toml`: one run per cell of a grid.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use subspect_data::dynamics::Estimate;
use subspect_data::sweep::{SweepRecord, Trend};
use subspect_pipeline::options::Options;
use subspect_pipeline::{PipelineError, PlannedTraining, SweepPlan, Trainer, read_sweep, sweep};

use crate::answer::Answer;
use crate::args::Global;
use crate::command::check::{check_file, files};
use crate::command::demo::LIBRARY;
use crate::command::run::{command_line, overlay_global, show};
use crate::failure::{Failure, line};
use crate::progress::Progress;
use crate::table::table;

/// Run the cells of a grid (networks, sizes, options) and compare their layer x layer maps on one page
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The configuration has [options] of `subspect run` for all cells, and a [grid] of lists, [[cell]] tables, or both;\n\
    {arch} in a text stands for the value of that option. With [train], options of `subspect train`, the cells' networks\n\
    are trained first; [grid.train] varies these, and the axis epoch (first, 1/3, last, or numbers) chooses snapshots.\n\
    Repeat the command after an interruption to go on.\n\n\
    Examples:\n  subspect sweep depth.toml\n  subspect sweep depth.toml --output sweeps/depth --format json"
)]
pub(crate) struct Args {
    /// Configuration in TOML
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Folder of the sweep [default: output in the configuration]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Only check the configuration and list its cells
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let mut overlay = Options::default();
    if let Some(output) = &args.output {
        overlay.set("output", vec![output.to_string_lossy().into_owned()], "--output");
    }
    overlay_global(&mut overlay, global);
    let trainer = trainer(global);
    let plan = read_sweep(&args.config, &overlay, trainer.as_deref(), &command_line())?;
    if args.dry_run {
        return Ok(listed(&plan));
    }
    check_files(&plan)?;
    let progress = Progress::new(global.quiet);
    let mut page = |plan: &subspect_pipeline::Plan| -> Result<(), PipelineError> {
        // A page that cannot be drawn is no reason to lose the runs that follow.
        if let Err(e) = subspect_report::render(&plan.output) {
            line("note", &format!("{}: no page ({e})", plan.output.display()));
        }
        Ok(())
    };
    let result = sweep(&plan, trainer.as_deref(), LIBRARY, &progress, &mut page);
    progress.clear();
    let record = result.map_err(|e| Failure::resumable(e, &plan.command))?;
    let page = subspect_report::render_sweep(&record, &plan.output).map_err(|e| Failure::from_error(&e))?;
    let human = format!("{}\n\npage: {}", human(&record), page.display());
    let json = json!({ "output": plan.output, "report": page, "sweep": record });
    Ok(Answer::new(human, json))
}

/// What trains the networks of a sweep; nothing in a build without training.
pub(crate) fn trainer(global: &Global) -> Option<Box<dyn Trainer>> {
    #[cfg(feature = "train")]
    return Some(Box::new(super::train::CommandTrainer { quiet: global.quiet }));
    #[cfg(not(feature = "train"))]
    {
        let _ = global;
        None
    }
}

/// The trainings and cells of a plan.
pub(crate) fn listed(plan: &SweepPlan) -> Answer {
    let names: Vec<&str> = plan.cells.iter().map(|c| c.name.as_str()).collect();
    let mut human = String::new();
    if !plan.trainings.is_empty() {
        let line =
            |t: &PlannedTraining| format!("\n  {} ({}, {} epochs)", t.name, t.outline.arch, t.outline.epochs);
        human += &format!("{}:", number(plan.trainings.len(), "training"));
        human.extend(plan.trainings.iter().map(line));
        human += "\n\n";
    }
    human += &format!("{}:\n  {}", number(names.len(), "cell"), names.join("\n  "));
    let trainings: Vec<_> = plan
        .trainings
        .iter()
        .map(|t| json!({ "name": t.name, "folder": t.folder, "arch": t.outline.arch, "epochs": t.outline.epochs }))
        .collect();
    let json = json!({ "output": plan.output, "axes": plan.axes, "trainings": trainings, "cells": names });
    Answer::new(human, json)
}

/// `1 cell`, `2 cells`.
fn number(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Refuses a sweep whose networks or data are not there, before the first cell is computed.
pub(crate) fn check_files(plan: &SweepPlan) -> Result<(), Failure> {
    for training in &plan.trainings {
        let data = std::iter::once(&training.outline.data).chain(&training.outline.test_data);
        data.map(|path| ("data", path.as_path()))
            .try_for_each(|(name, path)| check_file(&training.options.origin(name), path))?;
    }
    for cell in &plan.cells {
        let files = files(&cell.plan);
        let known = files.iter().filter(|(name, _)| cell.snapshot.is_none() || *name != "model");
        known
            .into_iter()
            .try_for_each(|(name, path)| check_file(&format!("{name} of {}", cell.name), path))?;
    }
    Ok(())
}

fn human(record: &SweepRecord) -> String {
    let header = [
        "run",
        "map",
        "estimator",
        "layers",
        "accuracy",
        "test accuracy",
        "vote",
        "block score",
        "chance",
        "p",
        "blocks",
    ];
    let rows: Vec<Vec<String>> = record
        .cells
        .iter()
        .flat_map(|cell| {
            cell.maps.iter().filter_map(|m| {
                let blocks = m.blocks.as_ref()?;
                Some(vec![
                    cell.name.clone(),
                    m.measure.clone(),
                    m.estimator.clone(),
                    cell.layers.len().to_string(),
                    show(cell.accuracy, 3),
                    cell.training.as_ref().map_or_else(String::new, |t| show(t.test_accuracy, 3)),
                    show(cell.vote, 3),
                    show(blocks.score, 3),
                    show(blocks.null.hi, 3),
                    show(blocks.null.p, 3),
                    blocks.starts.len().to_string(),
                ])
            })
        })
        .collect();
    let mut parts = vec![table(&header, &rows, 3)];
    if !record.seeds.is_empty() {
        parts.push(seeds(record));
    }
    if !record.trends.is_empty() {
        // The page and the table have the debiased maps, too.
        let shown = record.trends.iter().filter(|t| t.estimator != "debiased");
        parts.push(shown.map(trend).collect::<Vec<_>>().join("\n"));
    }
    parts.extend(record.failures.iter().map(|f| format!("not analysed: {}: {}", f.name, f.reason)));
    parts.join("\n\n")
}

/// Means over seeds with their intervals.
fn seeds(record: &SweepRecord) -> String {
    let level = record.seeds.first().map_or(0.95, |s| s.level);
    let shown = |e: &Estimate| match (e.lo.value(), e.hi.value()) {
        (Some(lo), Some(hi)) => format!("{} ({lo:.3} to {hi:.3})", show(e.value, 3)),
        _ => show(e.value, 3),
    };
    let header =
        ["over seeds", "seeds", "map", "estimator", "test accuracy", "vote", "modularity", "block score"];
    let rows: Vec<Vec<String>> = record
        .seeds
        .iter()
        .flat_map(|s| {
            s.blocks.iter().map(|b| {
                vec![
                    place(&s.values),
                    s.n_seeds.to_string(),
                    b.measure.clone(),
                    b.estimator.clone(),
                    shown(&s.test_accuracy),
                    shown(&s.vote),
                    shown(&s.modularity),
                    shown(&b.score),
                ]
            })
        })
        .collect();
    format!("Mean over seeds with its {:.0} % interval\n{}", 100.0 * level, table(&header, &rows, 4))
}

fn trend(trend: &Trend) -> String {
    match trend.fixed.is_empty() {
        true => trend.sentence.clone(),
        false => format!("{}: {}", place(&trend.fixed), trend.sentence),
    }
}

/// `arch=resnet8, epochs=5`; `all` without axes.
fn place(values: &BTreeMap<String, String>) -> String {
    let parts: Vec<String> = values.iter().map(|(k, v)| format!("{k}={v}")).collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join(", ") }
}
