//! What one operator computes, its shapes and its parameters.

use super::parameter::{Parameter, ParameterKind};

/// What batch normalisation adds to the variance (PyTorch's default).
pub const BATCH_NORM_EPSILON: f32 = 1e-5;

/// One operator. Kernels, strides and padding are the same along both axes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// The pictures, C x H x W.
    Input,
    /// Cross-correlation with weights `out_channels x in_channels x kernel x kernel`.
    Conv {
        /// Channels in.
        in_channels: usize,
        /// Channels out.
        out_channels: usize,
        /// Side of the kernel.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Zeros around the picture.
        padding: usize,
        /// Whether a constant is added per channel.
        bias: bool,
    },
    /// `(x - mean) / sqrt(variance + epsilon) * weight + bias` per channel.
    BatchNorm {
        /// Channels.
        n_features: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// The sum of two values.
    Add,
    /// The largest value under each window.
    MaxPool {
        /// Side of the window.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Places around the picture that never win.
        padding: usize,
    },
    /// The mean under each window, padding counted as zeros.
    AvgPool {
        /// Side of the window.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Zeros around the picture.
        padding: usize,
    },
    /// The mean over all places: C x 1 x 1.
    GlobalAvgPool,
    /// C x H x W becomes one axis.
    Flatten,
    /// `x W^T + b` with weights `out_features x in_features`.
    Linear {
        /// Values in.
        in_features: usize,
        /// Values out.
        out_features: usize,
    },
    /// A shortcut without parameters (He et al. 2016, option A): every `stride`-th row and column, and zeros for the new
    /// channels, half of them (rounded down) before the old ones.
    Subsample {
        /// Step.
        stride: usize,
        /// Channels in.
        in_channels: usize,
        /// Channels out.
        out_channels: usize,
    },
}

impl Op {
    /// The ONNX operator that stands for it (for [`Op::Subsample`] the last of two).
    #[must_use]
    pub fn op_type(&self) -> &'static str {
        match self {
            Op::Input => "Input",
            Op::Conv { .. } => "Conv",
            Op::BatchNorm { .. } => "BatchNormalization",
            Op::Relu => "Relu",
            Op::Add => "Add",
            Op::MaxPool { .. } => "MaxPool",
            Op::AvgPool { .. } => "AveragePool",
            Op::GlobalAvgPool => "GlobalAveragePool",
            Op::Flatten => "Flatten",
            Op::Linear { .. } => "Gemm",
            Op::Subsample { .. } => "Pad",
        }
    }

    /// Shape of the result for one input.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub(super) fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        let found = || inputs.iter().map(|s| format!("{s:?}")).collect::<Vec<_>>().join(" and ");
        let picture = |channels: Option<usize>| match inputs {
            [[c, h, w]] if channels.is_none_or(|expected| expected == *c) => Ok((*c, *h, *w)),
            _ => Err(format!("expected a value of {} x H x W, found {}", text(channels), found())),
        };
        match *self {
            Op::Input => Err("an input takes no value".to_owned()),
            Op::Conv { in_channels, out_channels, kernel, stride, padding, .. } => {
                let (_, h, w) = picture(Some(in_channels))?;
                let side = |n| slid(n, kernel, stride, padding);
                Ok(vec![out_channels, side(h)?, side(w)?])
            }
            Op::BatchNorm { n_features } => {
                let (c, h, w) = picture(Some(n_features))?;
                Ok(vec![c, h, w])
            }
            Op::Relu => match inputs {
                [shape] => Ok(shape.to_vec()),
                _ => Err(format!("expected one value, found {}", inputs.len())),
            },
            Op::Add => match inputs {
                [a, b] if a == b => Ok(a.to_vec()),
                _ => Err(format!("expected two values of one shape, found {}", found())),
            },
            Op::MaxPool { kernel, stride, padding } | Op::AvgPool { kernel, stride, padding } => {
                let (c, h, w) = picture(None)?;
                let side = |n| slid(n, kernel, stride, padding);
                Ok(vec![c, side(h)?, side(w)?])
            }
            Op::GlobalAvgPool => picture(None).map(|(c, ..)| vec![c, 1, 1]),
            Op::Flatten => Ok(vec![inputs.iter().flat_map(|s| s.iter()).product()]),
            Op::Linear { in_features, out_features } => match inputs {
                [[d]] if *d == in_features => Ok(vec![out_features]),
                _ => Err(format!("expected {in_features} values, found {}", found())),
            },
            Op::Subsample { stride, in_channels, out_channels }
                if out_channels >= in_channels && stride > 0 =>
            {
                let (_, h, w) = picture(Some(in_channels))?;
                Ok(vec![out_channels, h.div_ceil(stride), w.div_ceil(stride)])
            }
            Op::Subsample { in_channels, out_channels, .. } => {
                Err(format!("expected at least {in_channels} channels out, found {out_channels}"))
            }
        }
    }

    /// The tensors that it needs.
    pub(super) fn parameters(&self, name: &str) -> Vec<Parameter> {
        let one = |kind: ParameterKind, shape: &[usize], fan_in: usize| Parameter {
            name: format!("{name}.{}", kind.suffix()),
            shape: shape.to_vec(),
            kind,
            fan_in,
        };
        match *self {
            Op::Conv { in_channels, out_channels, kernel, bias, .. } => {
                let fan_in = in_channels * kernel * kernel;
                let mut all =
                    vec![one(ParameterKind::Weight, &[out_channels, in_channels, kernel, kernel], fan_in)];
                if bias {
                    all.push(one(ParameterKind::Bias, &[out_channels], fan_in));
                }
                all
            }
            Op::Linear { in_features, out_features } => vec![
                one(ParameterKind::Weight, &[out_features, in_features], in_features),
                one(ParameterKind::Bias, &[out_features], in_features),
            ],
            Op::BatchNorm { n_features } => {
                ParameterKind::OF_NORM.into_iter().map(|kind| one(kind, &[n_features], n_features)).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn text(channels: Option<usize>) -> String {
    channels.map_or_else(|| "C".to_owned(), |c| c.to_string())
}

/// Places of a window of `kernel` along `n`.
fn slid(n: usize, kernel: usize, stride: usize, padding: usize) -> Result<usize, String> {
    let padded = n + 2 * padding;
    if kernel == 0 || stride == 0 || padded < kernel {
        return Err(format!("expected at least {kernel} rows and columns, found {n} and padding {padding}"));
    }
    Ok((padded - kernel) / stride + 1)
}
