//! Trained networks: the layers of an ONNX model by readable names, and their activations.
//!
//! [`Network::load`] reads a model and lists its layers in execution order; [`select()`] chooses among them;
//! [`Preprocess`] turns a data set's pictures into the model's input; [`capture()`] runs them through, or
//! [`capture_tokens()`] the [`Tokens`] of a text encoder, and hands one row per input and layer to an
//! [`ActivationSink`], memory-bounded.

mod architecture;
mod capture;
mod channels;
mod checkpoints;
mod choice;
mod composite;
mod embedding;
mod engine;
mod error;
mod from_weights;
mod input;
mod kind;
mod layer;
mod names;
mod network;
mod normalize;
mod onnx;
mod pool;
mod predict;
mod preprocess;
mod residual;
mod select;
mod structure;
mod tokens;
mod weights;
mod wire;

pub use architecture::{
    ARCHITECTURES, Architecture, ArchitectureInfo, ArchitectureOptions, ArchitectureSpec, BATCH_NORM_EPSILON,
    Initialization, Node, Op, Parameter, ParameterKind, architecture,
};
pub use capture::{
    ActivationSink, CaptureOptions, Captured, PixelSource, Progress, ReadPixels, capture, capture_tokens,
};
pub use channels::Channels;
pub use checkpoints::{Checkpoint, find_checkpoints};
pub use choice::Choice;
pub use engine::{ENGINES, Engine, EngineKind, Fed, FedData, ValueView, Visitor};
pub use error::{BoxError, NetsError};
pub use input::{ImageShape, InputSpec, Layout, NetworkInput};
pub use kind::LayerKind;
pub use layer::Layer;
pub use network::{LoadOptions, Network};
pub use normalize::{NORMALIZATIONS, Normalize};
pub use pool::{POOLS, Pool};
pub use preprocess::{PixelOrder, Preprocess, Resize};
pub use select::{DEFAULT_SELECTION, SELECTORS, select};
pub use tokens::{TokenSpec, Tokens};
pub use weights::{Tensor, Weights, WeightsProblem};
