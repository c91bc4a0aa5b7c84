//! `subspect capture`: activations only.

use serde_json::json;
use subspect_pipeline::{capture, network_source};

use crate::answer::Answer;
use crate::args::{Global, OptionArgs, OptionSet};
use crate::command::demo::LIBRARY;
use crate::command::run::{command_line, overlay_global, show};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::table::{count, shape, table};

/// Run a network and store the activations of its layers, one .npy file each
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    subspect capture --model m.onnx --data cifar10/ --normalize imagenet --inputs 2000 --output STORE\n  \
    subspect express STORE --layer layer3.2 --output c.npz")]
pub(crate) struct Args {
    #[command(flatten)]
    options: OptionArgs<CaptureOptions>,
}

#[derive(Debug)]
struct CaptureOptions;

impl OptionSet for CaptureOptions {
    const NAMES: &'static [&'static str] = &[
        "model",
        "arch",
        "data",
        "data_format",
        "split",
        "coarse_labels",
        "resize",
        "output",
        "inputs",
        "normalize",
        "layers",
        "pool",
        "batch_size",
        "engine",
    ];
    const REQUIRED: &'static [&'static str] = &["model", "data", "output"];
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let mut options = args.options.options.clone();
    overlay_global(&mut options, global);
    let source = network_source(&options)?;
    let inputs = options.count("inputs")?.map(|n| n as usize);
    let output = options.path("output").ok_or_else(|| Failure::other("--output is missing"))?;
    let progress = Progress::new(global.quiet);
    let result = capture(&source, inputs, options.count("seed")?.unwrap_or(0), &output, LIBRARY, &progress);
    progress.clear();
    let captured = result.map_err(|e| Failure::resumable(e, &command_line()))?;
    let manifest = captured.store.manifest();
    let rows: Vec<Vec<String>> = manifest
        .layers
        .iter()
        .map(|l| vec![l.name.clone(), l.kind.clone(), shape(&l.shape), count(l.n_features), l.file.clone()])
        .collect();
    let accuracy = manifest.model.as_ref().map(|m| m.accuracy);
    let human = format!(
        "{} inputs, network accuracy {}\n\n{}\n\nstore: {}",
        count(manifest.n_inputs),
        accuracy.map_or("unknown".to_owned(), |a| show(a, 4)),
        table(&["layer", "kind", "shape", "features", "file"], &rows, 2),
        output.display()
    );
    let json = json!({
        "store": output.display().to_string(), "n_inputs": manifest.n_inputs, "accuracy": accuracy,
        "layers": manifest.layers,
    });
    Ok(Answer::new(human, json))
}
