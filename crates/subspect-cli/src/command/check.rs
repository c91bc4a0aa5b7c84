//! `subspect check CONFIG.toml`: whether a configuration can be run, without running it.

use std::path::{Path, PathBuf};

use serde_json::json;
use subspect_pipeline::options::{Options, read_config};
use subspect_pipeline::{PipelineError, Plan, Source, is_sweep, read_sweep};

use crate::answer::Answer;
use crate::args::Global;
use crate::command::demo::LIBRARY;
use crate::command::sweep;
use crate::failure::Failure;

/// Check a configuration of a run or a sweep: unknown keys, values out of range, files that are not there
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subspect check experiment.toml\n  subspect check RUN/plan.toml --format json"
)]
pub(crate) struct Args {
    /// Configuration in TOML, as `subspect run --config` or `subspect sweep` takes it
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    if is_sweep(&args.config)? {
        return check_sweep(&args.config, global);
    }
    let mut options = read_config(&args.config)?;
    // A configuration may leave the place of the run to the command line.
    let mut defaults = unplaced();
    defaults.overlay(options);
    options = defaults;
    let plan = Plan::from_options(&options, "")?;
    files(&plan).into_iter().try_for_each(|(name, path)| check_file(&options.origin(name), path))?;
    let human = format!("{} can be run. Every effective value:\n{}", args.config.display(), plan.to_toml());
    Ok(Answer::new(human, json!({ "ok": true, "settings": plan.settings() })))
}

/// An output for configurations that have none.
fn unplaced() -> Options {
    Options::default().with("output", "RUN")
}

fn check_sweep(config: &Path, global: &Global) -> Result<Answer, Failure> {
    let trainer = sweep::trainer(global);
    let read = |overlay: &Options| read_sweep(config, overlay, trainer.as_deref(), "");
    let plan = match read(&Options::default()) {
        Err(PipelineError::Missing { .. }) => read(&unplaced()),
        other => other,
    }?;
    sweep::check_files(&plan)?;
    let listed = sweep::listed(&plan);
    let human = format!("{} can be run.\n\n{}", config.display(), listed.human);
    let mut json = json!({ "ok": true });
    if let (Some(json), Some(more)) = (json.as_object_mut(), listed.json.as_object()) {
        json.extend(more.clone());
    }
    Ok(Answer::new(human, json))
}

/// What a run reads, by the names of its options.
pub(crate) fn files(plan: &Plan) -> Vec<(&'static str, &Path)> {
    match &plan.source {
        Source::Network(n) => vec![("model", n.model.as_path()), ("data", n.data.as_path())],
        Source::Store(s) => {
            let labels = s.labels.iter().map(|l| ("labels", l.as_path()));
            std::iter::once(("store", s.store.as_path())).chain(labels).collect()
        }
    }
}

/// Refuses a file or folder that is not there; `origin` is where it was named.
pub(crate) fn check_file(origin: &str, path: &Path) -> Result<(), Failure> {
    let is_builtin = LIBRARY.iter().any(|b| path.as_os_str() == format!("builtin:{}", b.name).as_str());
    if is_builtin || path.exists() {
        return Ok(());
    }
    let message =
        format!("{origin}: expected an existing file or folder, found nothing at {}", path.display());
    Err(Failure::with_help(message, "paths in a configuration are relative to where the command runs"))
}
