//! What can go wrong between a model file and its activations. Every message says what was expected, what was
//! found and where, and how to mend it.

use std::path::PathBuf;

use thiserror::Error;

use crate::WeightsProblem;

/// An error of a caller's own source or sink.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Errors of this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NetsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The file is of another kind.
    #[error("{file} is not an ONNX model: found {found}")]
    NotOnnx {
        /// The file.
        file: String,
        /// What it is instead.
        found: String,
    },
    /// The file ends early.
    #[error(
        "{file} is truncated: expected at least {needed} bytes, found {found}; copy or download it again"
    )]
    Truncated {
        /// The file.
        file: String,
        /// Bytes that what was read promises.
        needed: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The file decodes, but does not describe a usable network.
    #[error("{file} holds no usable network: {reason}")]
    BadGraph {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// No input takes pictures.
    #[error(
        "{file} has no image input: expected one float32 input of shape N x C x H x W (or N x H x W x C, N x D), or \
         integer inputs of shape N x T (tokens), found {found}"
    )]
    NoImageInput {
        /// The file.
        file: String,
        /// The inputs there are.
        found: String,
    },
    /// The model takes another kind of input than the data offer.
    #[error("{file} takes {expected}, the data are {found}; {mend}")]
    OtherInput {
        /// The file.
        file: String,
        /// What it takes.
        expected: String,
        /// What the data are.
        found: String,
        /// What to do.
        mend: String,
    },
    /// The model has a fixed number of tokens, and the data another.
    #[error(
        "{file} takes {expected} tokens per input, the data have {found}; pad or cut them to {expected}, or export the \
         model with a dynamic sequence axis"
    )]
    TokenLength {
        /// The file.
        file: String,
        /// Tokens of the model.
        expected: usize,
        /// Tokens of the data.
        found: usize,
    },
    /// The model has an input that the data lack.
    #[error(
        "the model has an input {name} ({dtype}, N x T), the data have {found}; add an array of that name{}",
        token_hint(.name)
    )]
    MissingTokens {
        /// The input.
        name: String,
        /// Its element type.
        dtype: String,
        /// The arrays of the data.
        found: String,
    },
    /// Token arrays that contradict each other, or an input that is all padding.
    #[error("{what}: expected {expected}, found {found}")]
    BadTokens {
        /// The array, and the input.
        what: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The model leaves its picture size open and nobody gave one.
    #[error("{file} leaves its input size open ({found}); give the data's shape when loading it")]
    OpenInputShape {
        /// The file.
        file: String,
        /// The declared input.
        found: String,
    },
    /// An operator that the engine does not have.
    #[error(
        "operator {operator} of node {node} is not supported by {engine}; export the model with standard ONNX \
         operators{alternative}"
    )]
    UnknownOperator {
        /// Operator type.
        operator: String,
        /// Node name, or the value that it makes.
        node: String,
        /// The engine.
        engine: String,
        /// Another way out, beginning with a comma, or empty.
        alternative: String,
    },
    /// The engine refused the model.
    #[error("{engine} cannot load {file}: {reason}")]
    EngineLoad {
        /// The file.
        file: String,
        /// The engine.
        engine: String,
        /// Its reason.
        reason: String,
    },
    /// The engine failed while it ran the model.
    #[error("{engine} failed on a batch of {batch}: {reason}")]
    EngineRun {
        /// The engine.
        engine: String,
        /// Inputs in the batch.
        batch: usize,
        /// Its reason.
        reason: String,
    },
    /// The engine is not part of this build, or its library was not found.
    #[error("engine {engine} is not available: {reason}")]
    EngineMissing {
        /// The engine.
        engine: String,
        /// Why, and how to get it.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file of weights that cannot be used.
    #[error("{file} holds no usable weights: {reason}")]
    BadWeights {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A folder that is no series of snapshots.
    #[error("{} is no series of snapshots: {reason}", folder.display())]
    Checkpoints {
        /// The folder.
        folder: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Weights of another network.
    #[error("the weights are not those of {architecture}: {problem}{}", fitting(.fits))]
    Weights {
        /// The architecture.
        architecture: String,
        /// What differs.
        problem: Box<WeightsProblem>,
        /// The architectures that they would fit.
        fits: Vec<String>,
    },
    /// Weights without an architecture.
    #[error("{file} holds weights without a graph: say with --arch what network they are of{}", fitting(.fits))]
    NeedsArchitecture {
        /// The file.
        file: String,
        /// The architectures that they fit.
        fits: Vec<String>,
    },
    /// A model with a graph, and an architecture beside it.
    #[error(
        "{file} is expected to hold weights (.safetensors, .pth, .pt, .ckpt) because --arch {architecture} is given, found \
         another ending; an ONNX model has its own graph: leave --arch out"
    )]
    OwnArchitecture {
        /// The file.
        file: String,
        /// The architecture.
        architecture: String,
    },
    /// No architecture is called so.
    #[error(
        "no architecture is called {name:?}{}; `subspect methods` lists them",
        nearest_architectures(.nearest)
    )]
    UnknownArchitecture {
        /// The name.
        name: String,
        /// The most similar names.
        nearest: Vec<String>,
    },
    /// An architecture that cannot be built with these options.
    #[error("cannot build {name}: {reason}")]
    BadArchitecture {
        /// The architecture.
        name: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// An architecture in words that does not parse.
    #[error(
        "cannot read the architecture {found:?}: {reason}; expected NAME or NAME:KEY=VALUE,... with the keys width, depth, \
         classes, input, for instance resnet20:width=0.5"
    )]
    BadArchitectureSpec {
        /// The words.
        found: String,
        /// What is wrong.
        reason: String,
    },
    /// A layer that does not exist.
    #[error("no layer matches {pattern:?}{}", nearest_names(.nearest))]
    UnknownLayer {
        /// The name or glob.
        pattern: String,
        /// The most similar names.
        nearest: Vec<String>,
    },
    /// A glob that does not parse.
    #[error("{pattern:?} is not a valid glob: {reason}; use *, ? and [abc], or a layer's exact name")]
    BadGlob {
        /// The glob.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// The selection holds nothing.
    #[error(
        "the selection {selection:?} matches none of the model's {n_layers} layers; `all` selects every layer"
    )]
    EmptySelection {
        /// The selection.
        selection: String,
        /// Layers of the model.
        n_layers: usize,
    },
    /// A normalisation that does not parse.
    #[error(
        "cannot read the normalisation {found:?}: {reason}; expected imagenet, cifar10, none or MEAN:STD with comma-\
         separated numbers for pixels in 0..1, for instance 0.5:0.25 or 0.485,0.456,0.406:0.229,0.224,0.225"
    )]
    BadNormalize {
        /// The argument.
        found: String,
        /// What is wrong.
        reason: String,
    },
    /// Number of channels of the statistics.
    #[error(
        "the normalisation {normalize} has {found} channels, the model wants {expected}; give MEAN:STD with 1 or {expected} values"
    )]
    NormalizeChannels {
        /// The normalisation.
        normalize: String,
        /// Channels of the model.
        expected: usize,
        /// Channels of the statistics.
        found: usize,
    },
    /// Pictures of the wrong size.
    #[error(
        "the model wants images of {expected} (channels x height x width), the data have {found}; {mend}"
    )]
    ImageShape {
        /// `3x32x32`.
        expected: String,
        /// `1x28x28`.
        found: String,
        /// What to do.
        mend: String,
    },
    /// Colour pictures for a grey model.
    #[error(
        "the model wants grey images, and input {input} has colours; grey conversion is a choice, so make it in the \
         data (images whose three channels agree are taken as they are)"
    )]
    Colour {
        /// Position of the first such input.
        input: usize,
    },
    /// A pool that does not exist.
    #[error("no pooling is called {found:?}; expected flatten, avg, max, cls, mean or last")]
    UnknownPool {
        /// The name.
        found: String,
    },
    /// One token of a layer that has none.
    #[error(
        "--pool {pool} takes one token, and layer {layer} of {shape} has no tokens; pool it by flatten, avg or max, or \
         leave it out"
    )]
    PoolNeedsTokens {
        /// The pooling.
        pool: &'static str,
        /// The layer.
        layer: String,
        /// Its shape.
        shape: String,
    },
    /// A NaN or an infinity came out of the network.
    #[error(
        "layer {layer} gave {value} for input {input}; check the model's weights and the normalisation, or leave the \
         layer out"
    )]
    NotFinite {
        /// The layer.
        layer: String,
        /// Position of the input.
        input: usize,
        /// The value.
        value: f32,
    },
    /// A layer changed its shape between batches.
    #[error(
        "layer {layer} gave shape {found:?}, expected {expected:?}; the model's batch axis is not free: export it with a dynamic batch"
    )]
    LayerShape {
        /// The layer.
        layer: String,
        /// Shape when the model was loaded.
        expected: Vec<usize>,
        /// Shape now.
        found: Vec<usize>,
    },
    /// The caller's pixel source failed.
    #[error("cannot read inputs {first}..{last}: {source}")]
    Source {
        /// First input of the batch.
        first: usize,
        /// One past the last.
        last: usize,
        /// Its reason.
        source: BoxError,
    },
    /// The caller's sink failed.
    #[error("cannot store layer {layer}: {source}")]
    Sink {
        /// The layer.
        layer: String,
        /// Its reason.
        source: BoxError,
    },
    /// The caller cancelled.
    #[error("cancelled after {done} of {total} inputs")]
    Cancelled {
        /// Inputs that the sink has.
        done: usize,
        /// Inputs there are.
        total: usize,
    },
}

/// What usually stands in an input of that name.
fn token_hint(name: &str) -> &'static str {
    match name {
        n if n.contains("mask") => ": 1 for tokens, 0 for padding",
        n if n.contains("type") => ": the segment of every token, usually all 0",
        n if n.contains("position") => ": 0, 1, 2, ... in every row",
        _ => "",
    }
}

fn fitting(fits: &[String]) -> String {
    if fits.is_empty() {
        return String::new();
    }
    format!("; they fit {}", fits.join(", "))
}

fn nearest_architectures(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return String::new();
    }
    format!("; the nearest names are {}", nearest.join(", "))
}

fn nearest_names(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return String::from("; `subspect layers` lists the names");
    }
    format!("; the nearest names are {}", nearest.join(", "))
}
