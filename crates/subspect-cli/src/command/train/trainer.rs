//! Trainings of a sweep: `[train]` takes the options of `subspect train`, by the same names with `_`, through the same
//! parser. A flag is true or false; `flip = false` is `--no-flip`, as in configurations of a run.

use std::path::Path;

use clap::{ArgAction, CommandFactory, Parser};
use subspect_data::training::TrainingRecord;
use subspect_pipeline::options::Options;
use subspect_pipeline::{PipelineError, Trainer, TrainingOutline};
use subspect_train::{TrainError, TrainOptions, train};

use super::progress::Progress;
use super::{Args, recipe};
use crate::failure::Failure;

/// Trains as `subspect train` does.
pub(crate) struct CommandTrainer {
    /// No progress.
    pub(crate) quiet: bool,
}

/// The arguments of a training without the rest of the command line.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Words {
    #[command(flatten)]
    args: Args,
}

/// Not an argument of the command alone.
const SEED: &str = "seed";
/// Each training has its own folder.
const OUTPUT: &str = "output";
/// What turns a flag's meaning round.
const NO: &str = "no_";

impl Trainer for CommandTrainer {
    fn names(&self) -> Vec<String> {
        let command = Words::command();
        let ids = command.get_arguments().map(|a| a.get_id().as_str()).filter(|id| *id != OUTPUT);
        let names = ids.map(|id| id.strip_prefix(NO).unwrap_or(id).to_owned());
        names.chain([SEED.to_owned()]).collect()
    }

    fn outline(&self, options: &Options, place: &str) -> Result<TrainingOutline, PipelineError> {
        let (args, training) = read(options).map_err(|reason| at(place, reason))?;
        training.check().map_err(|e| at(place, e.to_string()))?;
        let kept = (0..=training.epochs).filter(|&e| training.snapshots.keeps(e, training.epochs)).collect();
        Ok(TrainingOutline {
            arch: args.arch,
            normalize: args.normalize,
            data: args.data,
            data_format: args.data_format,
            test_data: args.test_data,
            epochs: training.epochs,
            kept,
        })
    }

    fn train(&self, options: &Options, folder: &Path) -> Result<TrainingRecord, PipelineError> {
        let place = folder.display().to_string();
        let (args, training) = read(options).map_err(|reason| at(&place, reason))?;
        let (data, held_out) = recipe::data(&args).map_err(|e| at(&place, reason(e)))?;
        let mut progress = Progress::new(self.quiet, training.epochs, data.len());
        let record = train(&training, &data, held_out.as_ref(), folder, &mut progress);
        progress.clear();
        record.map_err(|e| match e {
            TrainError::Interrupted { .. } => PipelineError::Interrupted,
            other => at(&place, reason(Failure::from_error(&other))),
        })
    }
}

fn at(place: &str, reason: String) -> PipelineError {
    PipelineError::Training { place: place.to_owned(), reason }
}

fn reason(failure: Failure) -> String {
    match failure {
        Failure::Error { message, .. } => message,
        _ => "interrupted".to_owned(),
    }
}

/// The arguments that options by name stand for, and the training that they describe.
fn read(options: &Options) -> Result<(Args, TrainOptions), String> {
    for (name, meaning) in [("arch", "the network"), ("data", "the data set")] {
        if !options.is_set(name) {
            return Err(format!("expected \"{name}\" in [train], {meaning} of the training, found none"));
        }
    }
    let command = Words::command();
    let mut words = Vec::new();
    for name in options.names().filter(|n| *n != SEED) {
        let value = options.list(name).join(",");
        let arg = |id: &str| command.get_arguments().find(|a| a.get_id().as_str() == id);
        let dashed = name.replace('_', "-");
        let turned = format!("{NO}{name}");
        match arg(name).or_else(|| arg(&turned)) {
            Some(a) if matches!(a.get_action(), ArgAction::SetTrue) => {
                let on = match value.as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(format!("{name}: expected true or false, found \"{value}\"")),
                };
                let is_turned = a.get_id().as_str() == turned;
                let long = if is_turned { format!("--no-{dashed}") } else { format!("--{dashed}") };
                words.extend((on != is_turned).then_some(long));
            }
            _ => words.push(format!("--{dashed}={value}")),
        }
    }
    let args = Words::try_parse_from(words).map_err(|e| first_line(&e))?.args;
    let seed = options.count(SEED).map_err(|e| e.to_string())?.unwrap_or(0);
    let training = recipe::options(&args, seed).map_err(reason)?;
    Ok((args, training))
}

fn first_line(e: &clap::Error) -> String {
    let text = e.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(pairs: &[(&str, &str)]) -> Result<(Args, TrainOptions), String> {
        read(&pairs.iter().fold(Options::default(), |options, (name, value)| options.with(name, value)))
    }

    #[test]
    fn every_argument_of_the_command_has_a_name() {
        let names = CommandTrainer { quiet: true }.names();
        for name in ["arch", "test_data", "epochs", "nesterov", "flip", "data_share", "label_noise", "seed"] {
            assert!(names.iter().any(|n| n == name), "{name} of {names:?}");
        }
        assert!(!names.iter().any(|n| n == "output"));
    }

    #[test]
    fn options_by_name_are_those_of_the_command() {
        let base = [("arch", "resnet8"), ("data", "d")];
        let (_, plain) = read_words(&base).unwrap();
        assert_eq!((plain.epochs, plain.flip, plain.seed), (20, true, 0));
        let more =
            [("epochs", "3"), ("flip", "false"), ("nesterov", "true"), ("seed", "7"), ("milestones", "2,3")];
        let (args, set) = read_words(&[&base[..], &more[..]].concat()).unwrap();
        assert_eq!((set.epochs, set.flip, set.seed, args.milestones), (3, false, 7, vec![2, 3]));
        for (name, value, part) in [
            ("epochs", "many", "--epochs"),
            ("flip", "maybe", "expected true or false"),
            ("optimizer", "sdg", "expected sgd, adam or adamw"),
            ("seed", "-1", "seed"),
            ("arch", "resnt8", "resnet8"),
        ] {
            let e = read_words(&[&base[..], &[(name, value)]].concat()).unwrap_err();
            assert!(e.contains(part), "{part}: {e}");
        }
        assert!(read_words(&[("arch", "resnet8")]).unwrap_err().contains("\"data\" in [train]"));
    }
}
