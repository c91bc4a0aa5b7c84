//! `subspect report`: the page of a run that is there.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::answer::Answer;
use crate::failure::{Failure, line};

/// Write the page and figures of a run again, from its record
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subspect report RUN\n  subspect report RUN --open")]
pub(crate) struct Args {
    /// Run directory
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let files = subspect_report::render(&args.run).map_err(|e| Failure::from_error(&e))?;
    files.notes.iter().for_each(|note| line("note", note));
    if args.open {
        open(&files.page.path);
    }
    let figures: Vec<String> = files.figures.iter().map(|f| f.path.display().to_string()).collect();
    let human = format!(
        "page: {}\n{} figures in {}",
        files.page.path.display(),
        figures.len(),
        args.run.join("figures").display()
    );
    Ok(Answer::new(human, json!({ "report": files.page.path.display().to_string(), "figures": figures })))
}

/// Asks the desktop to show a file; a machine without one is told so.
fn open(page: &Path) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    if std::process::Command::new(program).arg(page).spawn().is_err() {
        line("note", &format!("cannot start {program}: open the page yourself"));
    }
}
