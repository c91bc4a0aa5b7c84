//! `subspect demo`: the main job with nothing to install.
//!
//! A small residual network and 1,000 handwritten digits it was not trained on are built into the program; see
//! `assets/demo/README.md` for where they come from.

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

/// Analyse a small network on built-in handwritten digits: nothing to install or download
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  subspect demo\n  subspect demo --output my-first-run")]
pub(crate) struct Args {
    /// Run directory
    #[arg(long, value_name = "DIR", default_value = "subspect-demo")]
    output: PathBuf,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
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
    let mut records = Vec::new();
    flate2::read::GzDecoder::new(DIGITS)
        .read_to_end(&mut records)
        .map_err(|e| DataError::Argument(format!("the built-in digits are damaged: {e}")))?;
    let held_out = records.chunks_exact(RECORD).take(HELD_OUT);
    EmbeddedImages {
        name: "digits".to_owned(),
        image_shape: [SIDE, SIDE, 1],
        pixels: held_out.clone().flat_map(|r| r[1..].iter().copied()).collect::<Vec<u8>>().into(),
        labels: held_out.map(|r| u32::from(r[0])).collect(),
        classes: (0..10).map(|c| c.to_string()).collect(),
        citation: Some(
            "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, \
             1998, https://doi.org/10.24432/C50P49, CC BY 4.0"
                .to_owned(),
        ),
    }
    .into_dataset()
}
