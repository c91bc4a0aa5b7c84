//! `subspect train`: a network of the list, with a snapshot of every epoch for `subspect dynamics`.

mod progress;
mod recipe;
mod trainer;

use std::path::{Path, PathBuf};

use serde_json::json;
use subspect_data::training::{TrainingRecord, TrainingState};
use subspect_linalg::Measured;
use subspect_train::{TrainError, train};

use crate::answer::Answer;
use crate::args::Global;
use crate::failure::Failure;
use crate::table::table;
pub(crate) use trainer::CommandTrainer;

/// Train a network from scratch and keep the weights of every epoch
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The folder holds training.json, tables/training.csv and checkpoints/epoch-0007.safetensors with PyTorch's names\n\
    (0: before training). Repeat the same command after an interruption to go on; the weights end up the same.\n\n\
    Examples:\n  \
    subspect train --arch resnet8 --data cifar10/ --normalize cifar10 --epochs 30 --output TRAINING\n  \
    subspect train --arch cnn:width=0.5 --data fashion-mnist/ --no-flip --output TRAINING\n  \
    subspect dynamics TRAINING --data cifar10/ --normalize cifar10 --output DYNAMICS"
)]
pub(crate) struct Args {
    /// Network: NAME[:width=X,depth=N,classes=K]; `subspect methods` lists the names
    #[arg(long, value_name = "NAME")]
    arch: String,
    /// Pictures with labels: CIFAR, IDX, folder of classes or .npz; its test part is held out
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Layout of the data, where its path hides it
    #[arg(long, value_name = "NAME")]
    data_format: Option<String>,
    /// Held-out pictures, when they are not part of the data
    #[arg(long, value_name = "PATH")]
    test_data: Option<PathBuf>,
    /// Folder of the training; an interrupted one is resumed
    #[arg(long, value_name = "DIR", default_value = "subspect-training")]
    output: PathBuf,
    /// How pixels become network input: imagenet, cifar10, none or MEAN:STD
    #[arg(long, value_name = "NAME", default_value = "none")]
    normalize: String,
    /// Passes over the data
    #[arg(long, value_name = "N", default_value_t = 20)]
    epochs: usize,
    /// Inputs per step
    #[arg(long, value_name = "N", default_value_t = 128)]
    batch_size: usize,
    /// Largest learning rate [default: 0.1; adam and adamw: 0.001]
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// How the rate changes: one_cycle, cosine, multi_step or constant
    #[arg(long, value_name = "NAME", default_value = "one_cycle")]
    schedule: String,
    /// Epochs after which multi_step lets the rate fall
    #[arg(long, value_name = "E1,E2,..", value_delimiter = ',', default_values_t = [30, 60, 90, 120])]
    milestones: Vec<usize>,
    /// What multi_step multiplies the rate with
    #[arg(long, value_name = "X", default_value_t = 0.2)]
    factor: f64,
    /// sgd, adam or adamw
    #[arg(long, value_name = "NAME", default_value = "sgd")]
    optimizer: String,
    /// Momentum of sgd
    #[arg(long, value_name = "X", default_value_t = 0.9)]
    momentum: f64,
    /// Nesterov's momentum
    #[arg(long)]
    nesterov: bool,
    /// Weight decay
    #[arg(long, value_name = "X", default_value_t = 5e-4)]
    weight_decay: f64,
    /// Black border in pixels from which crops are drawn; 0: no crops
    #[arg(long, value_name = "N", default_value_t = 4)]
    crop: usize,
    /// Do not mirror pictures (digits and letters)
    #[arg(long)]
    no_flip: bool,
    /// Share of the training labels drawn at random
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    label_noise: f64,
    /// Share of every class that is trained on
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    data_share: f64,
    /// Epochs whose weights are kept: every, geometric or last
    #[arg(long, value_name = "NAME", default_value = "every")]
    snapshots: String,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let options = recipe::options(args, global.seed.unwrap_or(0))?;
    let (data, held_out) = recipe::data(args)?;
    let mut progress = progress::Progress::new(global.quiet, options.epochs, data.len());
    let record = train(&options, &data, held_out.as_ref(), &args.output, &mut progress);
    progress.clear();
    Ok(answer(&record.map_err(failure)?, &args.output))
}

fn failure(e: TrainError) -> Failure {
    match e {
        TrainError::Interrupted { epoch, epochs } => Failure::Interrupted {
            resume: Some(format!("{epoch} of {epochs} epochs are kept; the same command goes on from there")),
        },
        other => Failure::from_error(&other),
    }
}

fn answer(record: &TrainingRecord, folder: &Path) -> Answer {
    let shown = |m: Measured, digits: usize| m.value().map_or("-".to_owned(), |v| format!("{v:.digits$}"));
    let rows: Vec<Vec<String>> = record
        .epochs
        .iter()
        .map(|e| {
            vec![
                e.epoch.to_string(),
                shown(e.loss, 4),
                shown(e.accuracy, 4),
                shown(e.test_loss, 4),
                shown(e.test_accuracy, 4),
                format!("{:.0}", e.images_per_second),
            ]
        })
        .collect();
    let mut text = table(&["epoch", "loss", "accuracy", "test loss", "test accuracy", "images/s"], &rows, 0);
    if record.state == TrainingState::Diverged {
        text += "\n\nThe loss was no longer finite: the training stopped, and the epochs above are kept. Choose a smaller \
                 --learning-rate and another folder.";
    }
    text += &format!("\n\ntraining: {}", folder.display());
    let value = json!({
        "training": folder, "state": record.state, "arch": record.arch, "epochs": record.epochs,
    });
    let unmet = (record.state == TrainingState::Diverged).then(|| "the training diverged".to_owned());
    Answer { unmet, ..Answer::new(text, value) }
}
