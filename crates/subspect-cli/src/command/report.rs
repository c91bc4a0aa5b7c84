//! `subspect report`: the page of a run that is there.

use std::path::PathBuf;

use serde_json::json;

use crate::answer::Answer;
use crate::command::run::shown;
use crate::failure::{Failure, line};

/// Write the page and figures of a run again, from its record; or one page of several runs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subspect report RUN\n  subspect report RUN --open\n  \
                        subspect report A B --comparison COMPARISON --output both.html")]
pub(crate) struct Args {
    /// Run directories, or the folder of a training run
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The page; needed for several runs, otherwise report.html in the run directory
    #[arg(long, value_name = "PAGE.html")]
    output: Option<PathBuf>,
    /// What `subspect compare` wrote for two of the runs: adds the maps between their layers
    #[arg(long, value_name = "DIR")]
    comparison: Option<PathBuf>,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let files = match (&args.runs[..], &args.output) {
        ([run], None) if args.comparison.is_none() => subspect_report::render(run),
        (_, None) => {
            return Err(Failure::other(
                "several runs make one page: expected --output PAGE.html, found none",
            ));
        }
        (runs, Some(output)) => subspect_report::render_several(runs, args.comparison.as_deref(), output),
    };
    let files = shown(files)?;
    if args.open {
        open(&files.page.path);
    }
    let figures: Vec<String> = files.figures.iter().map(|f| f.path.display().to_string()).collect();
    let mut human = format!("page: {} ({})", files.page.path.display(), budget(&files));
    if !figures.is_empty() {
        human += &format!("\n{} figures in {}", figures.len(), args.runs[0].join("figures").display());
    }
    let [pictures, data, all] = files.sizes;
    Ok(Answer::new(
        human,
        json!({
            "report": files.page.path.display().to_string(),
            "figures": figures,
            "bytes": { "pictures": pictures, "data": data, "page": all, "most": subspect_report::MAX_PAGE_BYTES },
        }),
    ))
}

/// Where the bytes of the page go.
fn budget(files: &subspect_report::ReportFiles) -> String {
    let megabytes = |bytes: usize| format!("{:.1} MB", bytes as f64 / 1e6);
    let [pictures, data, all] = files.sizes;
    format!(
        "{} of at most {}: pictures {}, single inputs {}",
        megabytes(all),
        megabytes(subspect_report::MAX_PAGE_BYTES),
        megabytes(pictures),
        megabytes(data)
    )
}

/// Asks the desktop to show a file or an address; a machine without one is told so.
pub(super) fn open(page: impl AsRef<std::ffi::OsStr>) {
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
