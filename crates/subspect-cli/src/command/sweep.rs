//! `subspect sweep CONFIG.toml`: one run per cell of a grid.

use std::path::PathBuf;

use serde_json::json;
use subspect_data::sweep::SweepRecord;
use subspect_pipeline::options::Options;
use subspect_pipeline::{PipelineError, read_sweep, sweep};

use crate::answer::Answer;
use crate::args::Global;
use crate::command::demo::LIBRARY;
use crate::command::run::{command_line, overlay_global, show};
use crate::failure::{Failure, line};
use crate::progress::Progress;
use crate::table::table;

/// Run the cells of a grid (networks, sizes, options) and compare their layer x layer maps on one page
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The configuration has [options] of `subspect run` for all cells, and a [grid] of lists, [[cell]] tables, or both;\n\
    {arch} in a text stands for the value of that option. Repeat the command after an interruption to go on.\n\n\
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
    let plan = read_sweep(&args.config, &overlay, &command_line())?;
    if args.dry_run {
        let names: Vec<&str> = plan.cells.iter().map(|c| c.name.as_str()).collect();
        let human = format!("{} cells:\n  {}", names.len(), names.join("\n  "));
        return Ok(Answer::new(human, json!({ "output": plan.output, "axes": plan.axes, "cells": names })));
    }
    let progress = Progress::new(global.quiet);
    let mut page = |plan: &subspect_pipeline::Plan| -> Result<(), PipelineError> {
        // A page that cannot be drawn is no reason to lose the runs that follow.
        if let Err(e) = subspect_report::render(&plan.output) {
            line("note", &format!("{}: no page ({e})", plan.output.display()));
        }
        Ok(())
    };
    let result = sweep(&plan, LIBRARY, &progress, &mut page);
    progress.clear();
    let record = result.map_err(|e| Failure::resumable(e, &plan.command))?;
    let page = subspect_report::render_sweep(&record, &plan.output).map_err(|e| Failure::from_error(&e))?;
    let human = format!("{}\n\npage: {}", human(&record), page.display());
    let json = json!({ "output": plan.output, "report": page, "sweep": record });
    Ok(Answer::new(human, json))
}

fn human(record: &SweepRecord) -> String {
    let header =
        ["run", "map", "estimator", "layers", "accuracy", "vote", "block score", "chance", "p", "blocks"];
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
                    show(cell.vote, 3),
                    show(blocks.score, 3),
                    show(blocks.null.hi, 3),
                    show(blocks.null.p, 3),
                    blocks.starts.len().to_string(),
                ])
            })
        })
        .collect();
    table(&header, &rows, 3)
}
