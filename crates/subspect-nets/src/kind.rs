//! What an operator is to the analysis.

use std::fmt;

use crate::structure::Structure;

/// Kinds of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerKind {
    /// A convolution.
    Conv,
    /// The output of a residual block, after the addition.
    Block,
    /// Tokens that have become vectors.
    Embedding,
    /// A matrix product with a weight, its bias included.
    Linear,
    /// A normalisation.
    Norm,
    /// An activation function.
    Activation,
    /// Pooling over space.
    Pool,
    /// Anything else that holds activations.
    Other,
}

impl LayerKind {
    /// All kinds.
    pub const ALL: [LayerKind; 8] = [
        LayerKind::Conv,
        LayerKind::Block,
        LayerKind::Embedding,
        LayerKind::Linear,
        LayerKind::Norm,
        LayerKind::Activation,
        LayerKind::Pool,
        LayerKind::Other,
    ];

    /// The spelling in records and selections.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LayerKind::Conv => "conv",
            LayerKind::Block => "block",
            LayerKind::Embedding => "embedding",
            LayerKind::Linear => "linear",
            LayerKind::Norm => "norm",
            LayerKind::Activation => "activation",
            LayerKind::Pool => "pool",
            LayerKind::Other => "other",
        }
    }

    /// Whether layers of this kind are modules with weights of their own.
    pub(crate) fn has_weights(self) -> bool {
        matches!(self, LayerKind::Conv | LayerKind::Linear | LayerKind::Norm)
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Convolutions, and matrix products of an activation with something that does not depend on the input.
pub(crate) fn is_weighted(structure: &Structure, i: usize) -> bool {
    is_conv(&structure.nodes[i].op_type) || is_linear(structure, i)
}

fn is_conv(op: &str) -> bool {
    matches!(op, "Conv" | "ConvTranspose" | "FusedConv" | "DeformConv")
}

fn is_linear(structure: &Structure, i: usize) -> bool {
    let node = &structure.nodes[i];
    matches!(node.op_type.as_str(), "Gemm" | "MatMul" | "FusedGemm" | "FusedMatMul")
        && node.inputs.iter().take(2).filter(|v| structure.is_active(v)).count() == 1
}

/// Normalisation over the features of each place.
pub(crate) fn is_layer_norm(op: &str) -> bool {
    matches!(
        op,
        "LayerNormalization" | "RMSNormalization" | "SimplifiedLayerNormalization" | "SkipLayerNormalization"
    )
}

pub(crate) fn is_norm(op: &str) -> bool {
    is_layer_norm(op)
        || matches!(
            op,
            "BatchNormalization"
                | "InstanceNormalization"
                | "GroupNormalization"
                | "LRN"
                | "LpNormalization"
                | "MeanVarianceNormalization"
        )
}

pub(crate) fn is_activation(op: &str) -> bool {
    matches!(
        op,
        "Relu"
            | "LeakyRelu"
            | "PRelu"
            | "Elu"
            | "Selu"
            | "Celu"
            | "Gelu"
            | "FastGelu"
            | "QuickGelu"
            | "BiasGelu"
            | "Sigmoid"
            | "HardSigmoid"
            | "HardSwish"
            | "Swish"
            | "Mish"
            | "Tanh"
            | "Clip"
            | "Softplus"
            | "Softsign"
            | "Softmax"
            | "LogSoftmax"
            | "ThresholdedRelu"
    )
}

fn is_pool(op: &str) -> bool {
    matches!(
        op,
        "MaxPool" | "AveragePool" | "GlobalAveragePool" | "GlobalMaxPool" | "LpPool" | "GlobalLpPool"
    )
}

/// Operators that move values about and compute nothing.
fn is_plumbing(op: &str) -> bool {
    matches!(
        op,
        "Reshape"
            | "Flatten"
            | "Transpose"
            | "Squeeze"
            | "Unsqueeze"
            | "Identity"
            | "Dropout"
            | "Cast"
            | "CastLike"
            | "Constant"
            | "ConstantOfShape"
            | "Shape"
            | "Size"
            | "Slice"
            | "Gather"
            | "GatherND"
            | "GatherElements"
            | "Pad"
            | "Split"
            | "Expand"
            | "Tile"
            | "Range"
            | "Where"
            | "Equal"
            | "Greater"
            | "Less"
            | "Not"
            | "And"
            | "Or"
            | "NonZero"
            | "SpaceToDepth"
            | "DepthToSpace"
            | "QuantizeLinear"
            | "DequantizeLinear"
            | "DynamicQuantizeLinear"
    )
}

/// The kind of node `i`; `None` for plumbing. Blocks are told by [`crate::residual`].
pub(crate) fn kind_of(structure: &Structure, i: usize) -> Option<LayerKind> {
    let op = structure.nodes[i].op_type.as_str();
    if is_plumbing(op) {
        None
    } else if is_conv(op) {
        Some(LayerKind::Conv)
    } else if is_linear(structure, i) {
        Some(LayerKind::Linear)
    } else if is_norm(op) {
        Some(LayerKind::Norm)
    } else if is_activation(op) {
        Some(LayerKind::Activation)
    } else if is_pool(op) {
        Some(LayerKind::Pool)
    } else {
        Some(LayerKind::Other)
    }
}
