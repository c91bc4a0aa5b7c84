//! `subspect check CONFIG.toml`: whether a configuration can be run, without running it.

use std::path::{Path, PathBuf};

use serde_json::json;
use subspect_pipeline::options::{Options, read_config};
use subspect_pipeline::{Plan, Source};

use crate::answer::Answer;
use crate::command::demo::LIBRARY;
use crate::failure::Failure;

/// Check a configuration: unknown keys, values out of range, files that are not there
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subspect check experiment.toml\n  subspect check RUN/plan.toml --format json"
)]
pub(crate) struct Args {
    /// Configuration in TOML, as `subspect run --config` takes it
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let mut options = read_config(&args.config)?;
    // A configuration may leave the place of the run to the command line.
    let mut defaults = Options::default();
    defaults.set("output", vec!["RUN".into()], "--output");
    defaults.overlay(options);
    options = defaults;
    let plan = Plan::from_options(&options, "")?;
    let files = match &plan.source {
        Source::Network(n) => vec![("model", &n.model), ("data", &n.data)],
        Source::Store(s) => {
            std::iter::once(("store", &s.store)).chain(s.labels.iter().map(|l| ("labels", l))).collect()
        }
    };
    let is_builtin =
        |path: &Path| LIBRARY.iter().any(|b| path.as_os_str() == format!("builtin:{}", b.name).as_str());
    let is_there = |path: &Path| is_builtin(path) || path.exists();
    if let Some((name, path)) = files.iter().find(|(_, path)| !is_there(path)) {
        let message = format!(
            "{}: expected an existing file or folder, found nothing at {}",
            options.origin(name),
            path.display()
        );
        return Err(Failure::with_help(
            message,
            "paths in a configuration are relative to where the command runs",
        ));
    }
    let human = format!("{} can be run. Every effective value:\n{}", args.config.display(), plan.to_toml());
    Ok(Answer::new(human, json!({ "ok": true, "settings": plan.settings() })))
}
