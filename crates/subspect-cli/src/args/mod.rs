//! Arguments: what is common to all commands, and those that are made from the lists of options and methods.

mod options;

use clap::{Args, Parser, ValueEnum};

pub(crate) use options::{OptionArgs, OptionSet, default_text};

use crate::command::Command;

/// What has this network learned, layer by layer?
#[derive(Debug, Parser)]
#[command(
    name = "subspect",
    version,
    propagate_version = true,
    max_term_width = 110,
    after_help = "Subspect captures every layer's activations for a set of inputs, learns one sparse self-expressive\n\
                  affinity graph per layer, and answers from those graphs: how much class structure does each layer\n\
                  hold, which layers do the same work, and why was this input classified so.\n\n\
                  Start with `subspect demo`: it needs no files.\n\
                  Exit codes: 0 done, 1 done but a requested condition failed, 2 error, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// How the result is written to stdout: human, json, or csv for tables
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t = Format::Human,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub format: Format,
    /// No progress, messages or warnings on stderr
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Worker threads; 0: one per core [default: 0]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// Seed of everything random [default: 0]
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Exit with 1 when a row of a self-expression did not converge
    #[arg(long, global = true)]
    pub strict: bool,
}

/// Output for people, programs or spreadsheets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // Text and tables.
    Human,
    // One JSON document.
    Json,
    // The main table, where a command has one.
    Csv,
}
