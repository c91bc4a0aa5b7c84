//! Network definitions as data: what a network computes, without anything that trains it.
//!
//! An [`Architecture`] is a list of operators in execution order. Together with [`Weights`] it is written as an ONNX
//! model ([`Architecture::to_onnx`]), which [`crate::Network`] runs like any other, so that a snapshot of a training
//! and a file from elsewhere take the same way. Names are PyTorch's module paths (`layer1.0.conv1`), so that weights
//! that PyTorch has saved fit by name.
//!
//! The stems are those for small pictures (a 3x3 convolution, no pooling), as in the networks' CIFAR versions.

mod builder;
mod cnn;
mod family;
mod fold;
mod initialise;
mod mlp;
mod op;
mod parameter;
mod resnet;
mod resnet_cifar;
mod spec;
mod to_onnx;
mod vgg;
mod wide_resnet;

pub use family::{ARCHITECTURES, ArchitectureInfo, architecture};
pub use initialise::Initialization;
pub use op::{BATCH_NORM_EPSILON, Op};
pub use parameter::{Parameter, ParameterKind};
pub use spec::{ArchitectureOptions, ArchitectureSpec};

use crate::ImageShape;

/// A network without its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// `resnet20`.
    pub name: String,
    /// The picture that it takes.
    pub input: ImageShape,
    /// Length of the last node's value.
    pub n_classes: usize,
    /// The operators in execution order; the first one is the input, the last one gives the logits.
    pub nodes: Vec<Node>,
    /// Names of the few values that tell the network's coarse course: stem, stages, pool, logits.
    pub taps: Vec<String>,
}

/// One operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Module path, unique: `layer1.0.conv1`; an operator that is no module of its own has the path of the module that
    /// runs it and its operator (`layer1.0.add`, `layer1.0.relu_1`).
    pub name: String,
    /// What it does.
    pub op: Op,
    /// Positions of the nodes whose values it takes.
    pub inputs: Vec<usize>,
    /// Shape of its value for one input: `[C, H, W]` or `[D]`.
    pub shape: Vec<usize>,
}

impl Architecture {
    /// Every tensor that the network needs, in execution order, named as in PyTorch's `state_dict()`.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        self.nodes.iter().flat_map(|node| node.op.parameters(&node.name)).collect()
    }

    /// Number of trained values, without the running statistics of batch normalisation (PyTorch's count).
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.parameters().iter().filter(|p| p.kind.is_trained()).map(Parameter::len).sum()
    }

    /// Position of a node by its name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|n| n.name == name)
    }
}
