//! `subspect`: what has this network learned, layer by layer?
//!
//! stdout is the result, stderr is progress and messages. Exit code 0: done; 1: done, but a requested condition
//! failed (`--strict`); 2: error; 130: interrupted, finished work kept.

mod answer;
mod args;
mod command;
mod failure;
mod http;
mod interrupt;
mod progress;
mod table;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return failure::usage(&e),
    };
    match run(cli) {
        Ok(code) => code,
        Err(e) => e.report(),
    }
}

/// Sets the number of worker threads, before the first of them is needed; 0 leaves one per core.
pub(crate) fn install_pool(threads: usize) {
    if threads > 0 {
        // Refused only when there is a pool already, which then stays.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    interrupt::install();
    let format = cli.global.format;
    if let Some(threads) = cli.global.threads {
        install_pool(threads);
    }
    let answer = command::run(cli.command, &cli.global)?;
    answer.print(format)?;
    Ok(match answer.unmet {
        None => ExitCode::SUCCESS,
        Some(condition) => {
            failure::line("failed", &condition);
            ExitCode::from(1)
        }
    })
}
