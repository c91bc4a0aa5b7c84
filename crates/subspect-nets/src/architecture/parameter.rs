//! The tensors of a network, by PyTorch's names.

/// What a tensor is to its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Weights of a convolution or a matrix product.
    Weight,
    /// The constant that goes with them.
    Bias,
    /// Factor of a normalised channel.
    Scale,
    /// What is added to a normalised channel.
    Shift,
    /// Mean of a channel over the training, kept and not trained.
    RunningMean,
    /// Variance of a channel over the training, kept and not trained.
    RunningVariance,
}

impl ParameterKind {
    /// The tensors of batch normalisation.
    pub(super) const OF_NORM: [Self; 4] =
        [Self::Scale, Self::Shift, Self::RunningMean, Self::RunningVariance];

    /// The last part of PyTorch's name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Weight | Self::Scale => "weight",
            Self::Bias | Self::Shift => "bias",
            Self::RunningMean => "running_mean",
            Self::RunningVariance => "running_var",
        }
    }

    /// Whether a gradient step changes it.
    #[must_use]
    pub fn is_trained(self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVariance)
    }
}

/// One tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// `layer1.0.conv1.weight`.
    pub name: String,
    /// Its shape, outputs first.
    pub shape: Vec<usize>,
    /// What it is.
    pub kind: ParameterKind,
    /// Values that each output of its operator sums up.
    pub fan_in: usize,
}

impl Parameter {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
