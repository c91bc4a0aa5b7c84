//! `subspect layers M.onnx`: what there is to look at in a network.

use std::path::PathBuf;

use serde_json::json;
use subspect_linalg::Seed;
use subspect_nets::{
    ArchitectureOptions, ArchitectureSpec, ImageShape, Layer, LoadOptions, NetsError, Network, NetworkInput,
    SELECTORS, select,
};
use subspect_pipeline::PipelineError;

use crate::answer::Answer;
use crate::failure::{Failure, line};
use crate::table::{count, table};

/// List a network's layers in execution order, with kinds and shapes
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// ONNX classifier or text encoder, or weights together with --arch
    #[arg(value_name = "MODEL", required_unless_present = "arch")]
    model: Option<PathBuf>,
    /// Network that the weights are of: NAME or NAME:width=0.5,...; alone: what the network will have
    #[arg(long, value_name = "NAME")]
    arch: Option<String>,
    /// Mark the layers that these words select; all are listed anyway
    #[arg(long, value_name = "GLOB", num_args = 1.., default_value = subspect_nets::DEFAULT_SELECTION)]
    layers: Vec<String>,
    /// Only the selected layers
    #[arg(long)]
    selected: bool,
    /// Size of the pictures when the model leaves it open: CHANNELSxHEIGHTxWIDTH
    #[arg(long, value_name = "CxHxW", value_parser = parse_shape)]
    input_shape: Option<ImageShape>,
    /// Tokens per input when the model leaves their number open [default: 8]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..))]
    tokens: Option<u64>,
}

fn after_help() -> String {
    let words: Vec<String> = SELECTORS.iter().map(|s| format!("  {:<12}{}", s.name, s.summary)).collect();
    format!(
        "Words that select layers (besides names and globs such as layer1.*):\n{}\n\n\
         Examples:\n  subspect layers resnet20.onnx\n  subspect layers resnet20.onnx --layers block,logits --selected\n  \
         subspect layers checkpoint.pth --arch resnet20\n  subspect layers --arch wrn-28-10",
        words.join("\n")
    )
}

fn parse_shape(text: &str) -> Result<ImageShape, String> {
    let parts: Option<Vec<usize>> =
        text.split('x').map(|p| p.trim().parse().ok().filter(|&n| n > 0)).collect();
    match parts.as_deref() {
        Some(&[channels, height, width]) => Ok(ImageShape { channels, height, width }),
        _ => Err("expected three numbers such as 3x32x32".to_owned()),
    }
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let n_tokens = args.tokens.map(|t| t as usize);
    let options = LoadOptions { data_shape: args.input_shape, n_tokens, ..LoadOptions::default() };
    let network = load(args, &options).map_err(PipelineError::from)?;
    network.warnings().iter().for_each(|w| line("warning", w));
    let chosen = select(network.layers(), &args.layers).map_err(PipelineError::from)?;
    let is_chosen = |i: usize| chosen.binary_search(&i).is_ok();
    let listed: Vec<(usize, &Layer)> =
        network.layers().iter().enumerate().filter(|(i, _)| !args.selected || is_chosen(*i)).collect();
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|&(i, l)| {
            let mark = if is_chosen(i) { "*" } else { "" };
            let cells =
                [&l.name, l.kind.as_str(), &l.op_type, mark, &l.describe_shape(), &count(l.n_values())];
            cells.iter().map(|c| (*c).to_owned()).collect()
        })
        .collect();
    let input = network.input();
    let human = format!(
        "{}: input {}, {} layers, {} selected (*)\n\n{}",
        network.name(),
        input.describe(),
        network.layers().len(),
        chosen.len(),
        table(&["layer", "kind", "operator", "", "shape", "features"], &rows, 4)
    );
    let layer = |(i, l): &(usize, &Layer)| {
        json!({
            "index": i, "name": l.name, "kind": l.kind.as_str(), "op_type": l.op_type, "shape": l.shape,
            "n_features": l.n_values(), "is_logits": l.is_logits, "is_output": l.is_output,
            "token_axis": l.token_axis, "selected": is_chosen(*i),
        })
    };
    let json = json!({
        "model": network.name(), "producer": network.producer(), "engine": network.engine(),
        "n_classes": network.n_classes(),
        "input": input_json(input),
        "layers": listed.iter().map(layer).collect::<Vec<_>>(),
    });
    Ok(Answer::new(human, json))
}

/// The model, or an architecture as it begins.
fn load(args: &Args, options: &LoadOptions) -> Result<Network, NetsError> {
    let spec = args.arch.as_deref().map(str::parse::<ArchitectureSpec>).transpose()?;
    if let Some(model) = &args.model {
        return Network::load_any(model, spec.as_ref(), options);
    }
    let spec =
        spec.ok_or_else(|| NetsError::UnknownArchitecture { name: String::new(), nearest: Vec::new() })?;
    let default = ArchitectureOptions::default();
    let input = options.data_shape.unwrap_or(default.input);
    let architecture = spec.build(&ArchitectureOptions { input, ..default })?;
    let weights = architecture.initialise(Seed::new(0));
    Network::from_bytes(&spec.to_string(), architecture.to_onnx(&weights)?, None, options)
}

fn input_json(input: &NetworkInput) -> serde_json::Value {
    let mut json = json!({ "shape": input.shape(), "fixed_batch": input.fixed_batch() });
    match input {
        NetworkInput::Pictures(spec) => json["name"] = json!(spec.name),
        NetworkInput::Tokens(spec) => {
            let one = |(name, dtype): &(String, &str)| json!({ "name": name, "dtype": dtype });
            json["inputs"] = spec.inputs.iter().map(one).collect();
            json["is_open"] = json!(spec.is_open);
        }
    }
    json
}
