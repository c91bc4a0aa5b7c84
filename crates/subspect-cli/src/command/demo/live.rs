//! The demo as it is without `--pretrained`: train, follow the training, analyse the trained network.
//!
//! ```text
//! subspect-demo/            run directory of the trained network; report.html goes through the epochs
//! subspect-demo/training/   training.json, checkpoints/epoch-0000.safetensors ...
//! subspect-demo/dynamics/   dynamics.json, epochs/0000 ..., report.html: when each layer settles
//! ```

use std::path::Path;

use serde_json::json;
use subspect_data::training::TrainingRecord;
use subspect_linalg::Status;
use subspect_pipeline::options::Options;
use subspect_pipeline::{DynamicsSettings, Plan, SETTLED, dynamics};
use subspect_train::{TrainOptions, train};

use super::{HELD_OUT, LIBRARY, digits, part};
use crate::answer::Answer;
use crate::args::Global;
use crate::command::run::{carry_out, command_line, overlay_global, show, shown};
use crate::command::train::{Progress, training_failure};
use crate::failure::{Failure, line};
use crate::progress::Progress as Stages;

/// A residual network of 8 layers for pictures of 8 x 8.
const ARCH: &str = "resnet8:width=0.5";
const EPOCHS: usize = 12;
/// Records beyond those held out.
const TRAINED: usize = 797;

pub(super) fn run(output: &Path, global: &Global) -> Result<Answer, Failure> {
    let training = trained(&output.join("training"), global)?;
    let last = output.join("training").join(TrainingRecord::checkpoint_file(EPOCHS));
    let options = probe(global)
        .with("arch", ARCH)
        .with("model", &last.to_string_lossy())
        .with("output", &output.to_string_lossy());
    let settled = followed(output, global)?;
    let plan = Plan::from_options(&options, &command_line())?;
    let mut answer = carry_out(&plan, LIBRARY, true, global)?;
    let accuracy = training.epochs.last().map_or(Status::NotExecuted.into(), |e| e.test_accuracy);
    answer.human += &format!(
        "\ntraining: {}, {} digits, {EPOCHS} epochs, {} % of the held-out digits right; page: {}",
        ARCH,
        training.data.n_train,
        show(accuracy.map(|a| 100.0 * a), 1),
        settled.display()
    );
    answer.json["training"] =
        json!({ "folder": output.join("training"), "page": settled, "accuracy": accuracy.value() });
    Ok(answer)
}

/// What the network is looked at with.
fn probe(global: &Global) -> Options {
    let mut options = Options::default().with("data", "builtin:digits");
    overlay_global(&mut options, global);
    options
}

fn trained(folder: &Path, global: &Global) -> Result<TrainingRecord, Failure> {
    let spec = ARCH.parse().map_err(|e: subspect_nets::NetsError| Failure::from_error(&e))?;
    let options = TrainOptions {
        epochs: EPOCHS,
        batch_size: 32,
        crop: 0,
        flip: false,
        seed: global.seed.unwrap_or(0),
        ..TrainOptions::new(spec, ARCH)
    };
    let read = |range| part(range).map_err(|e| Failure::from_error(&e));
    let (data, held_out) =
        (read(HELD_OUT..HELD_OUT + TRAINED)?, digits().map_err(|e| Failure::from_error(&e))?);
    let mut progress = Progress::new(global.quiet, options.epochs, data.len());
    let record = train(&options, &data, Some(&held_out), folder, &mut progress);
    progress.clear();
    record.map_err(training_failure)
}

/// Follows the training and gives its page.
fn followed(output: &Path, global: &Global) -> Result<std::path::PathBuf, Failure> {
    let folder = output.join("dynamics");
    let settings = DynamicsSettings {
        options: probe(global),
        output: folder.clone(),
        threshold: SETTLED,
        keep_activations: false,
        command: command_line(),
    };
    let progress = Stages::new(global.quiet);
    let found = dynamics(&[output.join("training")], &settings, LIBRARY, &progress);
    progress.clear();
    let record = found.map_err(|e| Failure::resumable(e, &settings.command))?;
    let files = shown(subspect_report::render_dynamics(&folder))?;
    if !global.quiet {
        record.summary.iter().for_each(|s| line("training", s));
    }
    Ok(files.page.path)
}
