//! `subspect train`: a network of the list, with a snapshot of every epoch for `subspect dynamics`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use subspect_data::dataset::{Dataset, OpenOptions, Split, open};
use subspect_data::training::{EpochRecord, TrainingRecord, TrainingState};
use subspect_linalg::Measured;
use subspect_nets::{ArchitectureSpec, Normalize};
use subspect_train::{Optimizer, Schedule, Snapshots, TrainError, TrainMonitor, TrainOptions, train};

use crate::answer::Answer;
use crate::args::Global;
use crate::failure::Failure;
use crate::interrupt;
use crate::table::table;

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
    let options = options(args, global)?;
    let (data, held_out) = data(args)?;
    let mut progress = Progress::new(global.quiet, options.epochs, data.len());
    let record = train(&options, &data, held_out.as_ref(), &args.output, &mut progress);
    progress.bar.finish_and_clear();
    Ok(answer(&record.map_err(failure)?, &args.output))
}

/// The training part and the held-out part, if there is one.
fn data(args: &Args) -> Result<(Dataset, Option<Dataset>), Failure> {
    let part = |path: &Path, split: Option<Split>| {
        open(path, &OpenOptions { format: args.data_format.clone(), split, ..OpenOptions::default() })
    };
    // Data that do not come in parts are trained on as a whole.
    let (train, test) = match part(&args.data, Some(Split::Train)) {
        Ok(train) => (train, part(&args.data, Some(Split::Test)).ok()),
        Err(in_parts) => (part(&args.data, None).map_err(|_| Failure::from_error(&in_parts))?, None),
    };
    let Some(path) = &args.test_data else { return Ok((train, test)) };
    let test = part(path, Some(Split::Test)).or_else(|_| part(path, None));
    Ok((train, Some(test.map_err(|e| Failure::from_error(&e))?)))
}

fn failure(e: TrainError) -> Failure {
    match e {
        TrainError::Interrupted { epoch, epochs } => Failure::Interrupted {
            resume: Some(format!("{epoch} of {epochs} epochs are kept; the same command goes on from there")),
        },
        other => Failure::from_error(&other),
    }
}

fn options(args: &Args, global: &Global) -> Result<TrainOptions, Failure> {
    let bad = |flag: &str, expected: &str, found: &str| {
        Failure::other(format!("--{flag}: expected {expected}, found \"{found}\""))
    };
    let named = |name: &str| name.trim().to_ascii_lowercase().replace('-', "_");
    let arch: ArchitectureSpec =
        args.arch.parse().map_err(|e: subspect_nets::NetsError| Failure::from_error(&e))?;
    let normalize: Normalize =
        args.normalize.parse().map_err(|e: subspect_nets::NetsError| Failure::from_error(&e))?;
    let optimizer = match named(&args.optimizer).as_str() {
        "sgd" => Optimizer::Sgd { momentum: args.momentum, nesterov: args.nesterov },
        "adam" => Optimizer::Adam,
        "adamw" => Optimizer::AdamW,
        _ => return Err(bad("optimizer", "sgd, adam or adamw", &args.optimizer)),
    };
    let schedule = match named(&args.schedule).as_str() {
        "one_cycle" => Schedule::OneCycle,
        "cosine" => Schedule::Cosine,
        "constant" => Schedule::Constant,
        "multi_step" => Schedule::MultiStep { milestones: args.milestones.clone(), factor: args.factor },
        _ => return Err(bad("schedule", "one_cycle, cosine, multi_step or constant", &args.schedule)),
    };
    let snapshots = match named(&args.snapshots).as_str() {
        "every" => Snapshots::Every,
        "geometric" => Snapshots::Geometric,
        "last" => Snapshots::Last,
        _ => return Err(bad("snapshots", "every, geometric or last", &args.snapshots)),
    };
    let usual = if matches!(optimizer, Optimizer::Sgd { .. }) { 0.1 } else { 1e-3 };
    Ok(TrainOptions {
        normalize,
        normalize_name: args.normalize.clone(),
        epochs: args.epochs,
        batch_size: args.batch_size,
        learning_rate: args.learning_rate.unwrap_or(usual),
        schedule,
        optimizer,
        weight_decay: args.weight_decay,
        crop: args.crop,
        flip: !args.no_flip,
        label_noise: args.label_noise,
        data_share: args.data_share,
        snapshots,
        seed: global.seed.unwrap_or(0),
        ..TrainOptions::new(arch, &args.arch)
    })
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

/// Epoch, rate, loss so far and the time that is left, on a terminal only.
struct Progress {
    bar: ProgressBar,
    epochs: usize,
    n_train: usize,
    start: Instant,
    done: usize,
    last: String,
}

impl Progress {
    fn new(quiet: bool, epochs: usize, n_train: usize) -> Self {
        let visible = !quiet && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some((epochs * n_train) as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {msg} eta {eta}") {
            bar.set_style(style);
        }
        if visible {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, epochs, n_train, start: Instant::now(), done: 0, last: String::new() }
    }
}

impl TrainMonitor for Progress {
    fn stepped(&mut self, epoch: usize, n: usize) {
        self.done += n;
        let rate = self.done as f64 / self.start.elapsed().as_secs_f64().max(1e-9);
        self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
        self.bar.set_message(format!("{rate:.0} images/s{}", self.last));
        self.bar.inc(n as u64);
    }

    fn finished(&mut self, epoch: &EpochRecord) {
        let share = |m: Measured| m.value().map_or("-".to_owned(), |v| format!("{v:.3}"));
        let accuracy = share(epoch.test_accuracy);
        self.last =
            format!(", loss {}, accuracy {}, held out {accuracy}", share(epoch.loss), share(epoch.accuracy));
        self.bar.set_position((epoch.epoch * self.n_train) as u64);
    }

    fn is_cancelled(&self) -> bool {
        interrupt::asked()
    }
}
