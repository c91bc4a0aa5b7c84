//! The commands: one file each, and this list.

mod capture;
mod check;
mod cluster;
mod compare;
mod demo;
mod dynamics;
mod export;
mod express;
mod figures;
mod import;
mod layers;
mod measure;
mod methods;
mod neighbors;
mod rank;
mod report;
mod run;
mod serve;
mod similarity;
mod sweep;
#[cfg(feature = "train")]
mod train;
mod vote;

use clap::Subcommand;

use crate::answer::Answer;
use crate::args::Global;
use crate::failure::Failure;

/// Every command, in the order of the help text.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Args),
    Run(run::Args),
    Layers(layers::Args),
    Capture(capture::Args),
    Import(import::Args),
    Express(express::Args),
    Measure(measure::Args),
    Vote(vote::Args),
    Cluster(cluster::Args),
    Similarity(similarity::Args),
    Compare(compare::Args),
    Sweep(sweep::Args),
    #[cfg(feature = "train")]
    Train(train::Args),
    Dynamics(dynamics::Args),
    Neighbors(neighbors::Args),
    Rank(rank::Args),
    Report(report::Args),
    Serve(serve::Args),
    Figures(figures::Args),
    Export(export::Args),
    Methods(methods::Args),
    Check(check::Args),
}

/// Carries out a command.
pub(crate) fn run(command: Command, global: &Global) -> Result<Answer, Failure> {
    match command {
        Command::Demo(args) => demo::run(&args, global),
        Command::Run(args) => run::run(&args, global),
        Command::Layers(args) => layers::run(&args),
        Command::Capture(args) => capture::run(&args, global),
        Command::Import(args) => import::run(&args),
        Command::Express(args) => express::run(&args, global),
        Command::Measure(args) => measure::run(&args, global),
        Command::Vote(args) => vote::run(&args),
        Command::Cluster(args) => cluster::run(&args, global),
        Command::Similarity(args) => similarity::run(&args, global),
        Command::Compare(args) => compare::run(&args, global),
        Command::Sweep(args) => sweep::run(&args, global),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(&args, global),
        Command::Dynamics(args) => dynamics::run(&args, global),
        Command::Rank(args) => rank::run(&args),
        Command::Neighbors(args) => neighbors::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Serve(args) => serve::run(&args, global),
        Command::Figures(args) => figures::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Methods(args) => methods::run(&args),
        Command::Check(args) => check::run(&args, global),
    }
}
