//! `subspect serve`: runs too large for one file, looked at through a socket of this machine only.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use subspect_report::Viewer;

use super::report::open;
use crate::answer::Answer;
use crate::args::{Format, Global};
use crate::failure::{Failure, line};
use crate::http;
use crate::interrupt;

/// How long a Ctrl-C may go unnoticed.
const PATIENCE: Duration = Duration::from_millis(100);

/// Look at runs of any size: the page at full detail, from this machine to itself, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subspect serve RUN --open\n  subspect serve TRAINING --port 8100\n  \
                        subspect serve A B --comparison COMPARISON")]
pub(crate) struct Args {
    /// Run directories, or the folder of a training run
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// What `subspect compare` wrote for two of the runs: adds the maps between their layers
    #[arg(long, value_name = "DIR")]
    comparison: Option<PathBuf>,
    /// Port of 127.0.0.1; 0: one that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Show the page in the browser
    #[arg(long)]
    open: bool,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    if global.format == Format::Csv {
        return Answer::default().print(Format::Csv).map(|()| Answer::default());
    }
    let viewer = Viewer::open(&args.runs, args.comparison.as_deref()).map_err(|e| Failure::from_error(&e))?;
    if !global.quiet {
        viewer.notes.iter().for_each(|note| line("warning", note));
    }
    let listener = listen(args.port)?;
    let port = listener.local_addr().map_err(|e| Failure::other(format!("no address: {e}")))?.port();
    let url = format!("http://127.0.0.1:{port}/");
    Answer::new(url.clone(), json!({ "url": url, "port": port })).print(global.format)?;
    if !global.quiet {
        line("note", "only programs of this machine can see the page; Ctrl-C stops it");
    }
    if args.open {
        open(&url);
    }
    // The threads of the socket end with the process.
    std::thread::spawn(move || http::serve(&listener, &viewer));
    while !interrupt::asked() {
        std::thread::sleep(PATIENCE);
    }
    Ok(Answer::default())
}

fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => Failure::with_help(
            format!("port {port} of 127.0.0.1 is taken by another program"),
            "leave --port out, and a free one is chosen",
        ),
        _ => Failure::other(format!("cannot listen at port {port} of 127.0.0.1: {e}")),
    })
}
