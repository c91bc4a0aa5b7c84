//! `subspect demo`: the main job with nothing to install.
//!
//! Handwritten digits are built into the program: 797 to train a small network on while one watches, 1,000 held out to
//! analyse it with, and a network that was trained before; see `assets/demo/README.md` for where they come from.

#[cfg(feature = "train")]
mod live;

use std::io::Read;
use std::path::PathBuf;

use subspect_data::DataError;
use subspect_data::dataset::{Dataset, EmbeddedImages};
use subspect_pipeline::options::Options;
use subspect_pipeline::{Builtin, Plan};

use crate::answer::Answer;
use crate::args::Global;
use crate::command::run::{carry_out, command_line, overlay_global};
use crate::failure::Failure;

/// Everything that is built in: `--model builtin:digits --data builtin:digits`.
pub(crate) static LIBRARY: &[Builtin] = &[Builtin {
    name: "digits",
    model_name: "digits_resnet.onnx",
    model: include_bytes!("../../assets/demo/digits_resnet.onnx"),
    dataset: digits,
}];

static DIGITS: &[u8] = include_bytes!("../../assets/demo/digits.bin.gz");
const SIDE: usize = 8;
const RECORD: usize = 1 + SIDE * SIDE;
/// The first records were held out from training.
const HELD_OUT: usize = 1000;

/// Train a small network on built-in handwritten digits and analyse it: nothing to install or download
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The output is the run directory of the trained network; training/ in it has the snapshots of every epoch, and\n\
                  dynamics/ how its layers settle.\n\n\
                  Examples:\n  subspect demo\n  subspect demo --output my-first-run\n  subspect demo --pretrained"
)]
pub(crate) struct Args {
    /// Run directory
    #[arg(long, value_name = "DIR", default_value = "subspect-demo")]
    output: PathBuf,
    /// Do not train: analyse the network that is built in
    #[arg(long)]
    pretrained: bool,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    #[cfg(feature = "train")]
    if !args.pretrained {
        return live::run(&args.output, global);
    }
    let mut options = Options::default()
        .with("model", "builtin:digits")
        .with("data", "builtin:digits")
        .with("output", &args.output.to_string_lossy());
    overlay_global(&mut options, global);
    let plan = Plan::from_options(&options, &command_line())?;
    carry_out(&plan, LIBRARY, true, global)
}

/// The held-out digits.
fn digits() -> Result<Dataset, DataError> {
    part(0..HELD_OUT)
}

/// The digits of the records in `range`.
fn part(range: std::ops::Range<usize>) -> Result<Dataset, DataError> {
    let mut records = Vec::new();
    flate2::read::GzDecoder::new(DIGITS)
        .read_to_end(&mut records)
        .map_err(|e| DataError::Argument(format!("the built-in digits are damaged: {e}")))?;
    let chosen = records.chunks_exact(RECORD).skip(range.start).take(range.len());
    EmbeddedImages {
        name: "digits".to_owned(),
        image_shape: [SIDE, SIDE, 1],
        pixels: chosen.clone().flat_map(|r| r[1..].iter().copied()).collect::<Vec<u8>>().into(),
        labels: chosen.map(|r| u32::from(r[0])).collect(),
        classes: (0..10).map(|c| c.to_string()).collect(),
        citation: Some(
            "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, \
             1998, https://doi.org/10.24432/C50P49, CC BY 4.0"
                .to_owned(),
        ),
    }
    .into_dataset()
}
