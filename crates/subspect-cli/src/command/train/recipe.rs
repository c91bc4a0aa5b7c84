//! From the arguments of a training to what the training library takes.

use std::path::Path;

use subspect_data::dataset::{Dataset, OpenOptions, Split, open};
use subspect_nets::{ArchitectureSpec, NetsError, Normalize};
use subspect_train::{Optimizer, Schedule, Snapshots, TrainOptions};

use super::Args;
use crate::failure::Failure;

/// The training part and the held-out part, if there is one.
pub(super) fn data(args: &Args) -> Result<(Dataset, Option<Dataset>), Failure> {
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

/// Checked but for what only the data can tell.
pub(super) fn options(args: &Args, seed: u64) -> Result<TrainOptions, Failure> {
    let bad = |flag: &str, expected: &str, found: &str| {
        Failure::other(format!("--{flag}: expected {expected}, found \"{found}\""))
    };
    let named = |name: &str| name.trim().to_ascii_lowercase().replace('-', "_");
    let arch: ArchitectureSpec = args.arch.parse().map_err(|e: NetsError| Failure::from_error(&e))?;
    let normalize: Normalize = args.normalize.parse().map_err(|e: NetsError| Failure::from_error(&e))?;
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
        seed: seed,
        ..TrainOptions::new(arch, &args.arch)
    })
}
