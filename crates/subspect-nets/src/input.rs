//! What a model wants to see: pictures, or tokens.

use crate::structure::{Declared, Structure};
use crate::{LoadOptions, NetsError, TokenSpec};

/// The inputs of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkInput {
    /// One array of pictures.
    Pictures(InputSpec),
    /// One or several arrays of tokens.
    Tokens(TokenSpec),
}

impl NetworkInput {
    /// Finds out what the inputs of a graph are.
    pub(crate) fn find(file: &str, structure: &Structure, options: &LoadOptions) -> Result<Self, NetsError> {
        match TokenSpec::find(file, structure, options.n_tokens)? {
            Some(tokens) => Ok(NetworkInput::Tokens(tokens)),
            None => InputSpec::find(file, structure, options.data_shape).map(NetworkInput::Pictures),
        }
    }

    /// `Some` when the model takes batches of exactly that many inputs.
    #[must_use]
    pub fn fixed_batch(&self) -> Option<usize> {
        match self {
            NetworkInput::Pictures(spec) => spec.fixed_batch,
            NetworkInput::Tokens(spec) => spec.fixed_batch,
        }
    }

    pub(crate) fn set_fixed_batch(&mut self, n: usize) {
        match self {
            NetworkInput::Pictures(spec) => spec.fixed_batch = Some(n),
            NetworkInput::Tokens(spec) => spec.fixed_batch = Some(n),
        }
    }

    /// Names of the inputs whose content becomes activations.
    pub(crate) fn content(&self) -> Vec<&str> {
        match self {
            NetworkInput::Pictures(spec) => vec![&spec.name],
            NetworkInput::Tokens(spec) => spec.content(),
        }
    }

    /// Values of one input.
    pub(crate) fn n_values(&self) -> usize {
        match self {
            NetworkInput::Pictures(spec) => spec.shape.len(),
            NetworkInput::Tokens(spec) => spec.inputs.len() * spec.n_tokens,
        }
    }

    /// Shape of one input, for records: `[3, 32, 32]`, or the number of tokens.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        match self {
            NetworkInput::Pictures(spec) => vec![spec.shape.channels, spec.shape.height, spec.shape.width],
            NetworkInput::Tokens(spec) => vec![spec.n_tokens],
        }
    }

    /// `3x32x32`, or the token arrays.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            NetworkInput::Pictures(spec) => spec.shape.describe(),
            NetworkInput::Tokens(spec) => spec.describe(),
        }
    }
}

/// Order of the axes behind the batch axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// N x C x H x W, the order of PyTorch.
    Nchw,
    /// N x H x W x C, the order of TensorFlow.
    Nhwc,
    /// N x D with D = C H W, channels first: a network without spatial axes.
    Flat,
}

/// Size of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Channels: 1 for grey, 3 for RGB.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// Values of one picture.
    #[must_use]
    pub fn len(self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether a picture holds no value.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// `3x32x32`: channels x height x width.
    #[must_use]
    pub fn describe(self) -> String {
        format!("{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// The model's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// Name of the value.
    pub name: String,
    /// Size of one picture.
    pub shape: ImageShape,
    /// Order of the axes.
    pub layout: Layout,
    /// `Some` when the model takes batches of exactly that many pictures.
    pub fixed_batch: Option<usize>,
}

impl InputSpec {
    /// Shape of a batch of `n`, in the model's order.
    #[must_use]
    pub fn batch_shape(&self, n: usize) -> Vec<usize> {
        let s = self.shape;
        match self.layout {
            Layout::Nchw => vec![n, s.channels, s.height, s.width],
            Layout::Nhwc => vec![n, s.height, s.width, s.channels],
            Layout::Flat => vec![n, s.len()],
        }
    }

    /// Finds the one picture input of a graph. `data` fills sizes that the model leaves open; it never overrides
    /// a declared one.
    pub(crate) fn find(
        file: &str,
        structure: &Structure,
        data: Option<ImageShape>,
    ) -> Result<Self, NetsError> {
        let all = || structure.inputs.iter().map(Declared::describe).collect::<Vec<_>>().join(", ");
        let [input] = structure.inputs.as_slice() else {
            let found = if structure.inputs.is_empty() { "no input".to_owned() } else { all() };
            return Err(NetsError::NoImageInput { file: file.to_owned(), found });
        };
        let none = || NetsError::NoImageInput { file: file.to_owned(), found: all() };
        let dims = input.dims.as_ref().ok_or_else(none)?;
        if !input.is_float() {
            return Err(none());
        }
        let open = || NetsError::OpenInputShape { file: file.to_owned(), found: input.describe() };
        let (layout, shape) = match dims.as_slice() {
            [_, c, h, w] => {
                let (layout, [c, h, w]) = if is_channels_last(*c, *w) {
                    (Layout::Nhwc, [*w, *c, *h])
                } else {
                    (Layout::Nchw, [*c, *h, *w])
                };
                let size = |own: Option<usize>, from: fn(ImageShape) -> usize| {
                    own.or(data.map(from)).ok_or_else(open)
                };
                let channels = size(c, |d| d.channels)?;
                (
                    layout,
                    ImageShape { channels, height: size(h, |d| d.height)?, width: size(w, |d| d.width)? },
                )
            }
            [_, d] => (Layout::Flat, flat_shape(*d, data).ok_or_else(open)?),
            _ => return Err(none()),
        };
        if !(1..=4).contains(&shape.channels) && layout != Layout::Flat {
            return Err(none());
        }
        Ok(Self { name: input.name.clone(), shape, layout, fixed_batch: dims[0] })
    }
}

/// Channels come last when the second axis cannot be one and the last can.
fn is_channels_last(second: Option<usize>, last: Option<usize>) -> bool {
    let can_be_channels = |v: Option<usize>| v.is_some_and(|v| (1..=4).contains(&v));
    !can_be_channels(second) && can_be_channels(last)
}

/// A flat input takes pictures of the data's shape if they have as many values, else one row of grey values.
fn flat_shape(declared: Option<usize>, data: Option<ImageShape>) -> Option<ImageShape> {
    match (declared, data) {
        (None, data) => data,
        (Some(d), Some(data)) if data.len() == d => Some(data),
        (Some(d), _) => Some(ImageShape { channels: 1, height: 1, width: d }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::FLOAT;

    fn find(dims: &[Option<usize>], data: Option<ImageShape>) -> Result<InputSpec, NetsError> {
        let input = Declared { name: "x".into(), elem_type: FLOAT, dims: Some(dims.to_vec()) };
        let mut structure = Structure::default();
        structure.inputs.push(input);
        InputSpec::find("m", &structure, data)
    }

    #[test]
    fn layouts_and_open_sizes() {
        let rgb = ImageShape { channels: 3, height: 8, width: 9 };
        let s = find(&[None, Some(3), Some(32), Some(30)], Some(rgb)).unwrap();
        assert_eq!((s.layout, s.shape.describe().as_str(), s.fixed_batch), (Layout::Nchw, "3x32x30", None));
        let s = find(&[Some(4), Some(32), Some(30), Some(3)], None).unwrap();
        assert_eq!(
            (s.layout, s.shape.describe().as_str(), s.fixed_batch),
            (Layout::Nhwc, "3x32x30", Some(4))
        );
        assert_eq!(s.batch_shape(4), [4, 32, 30, 3]);
        assert_eq!(find(&[None, Some(3), None, None], Some(rgb)).unwrap().shape, rgb);
        assert_eq!(find(&[None, Some(216)], Some(rgb)).unwrap().shape, rgb);
        assert_eq!(find(&[None, Some(64)], None).unwrap().shape.describe(), "1x1x64");
        let open = find(&[None, Some(3), None, None], None).unwrap_err().to_string();
        assert!(open.contains("x: float32[?, 3, ?, ?]"), "{open}");
    }

    #[test]
    fn inputs_that_are_no_pictures_are_described() {
        let e = find(&[None, Some(7), Some(9)], None).unwrap_err().to_string();
        assert!(e.contains("found x: float32[?, 7, 9]"), "{e}");
        let e = find(&[None, Some(64), Some(9), Some(9)], None).unwrap_err().to_string();
        assert!(e.contains("no image input"), "{e}");
        let e = InputSpec::find("m", &Structure::default(), None).unwrap_err().to_string();
        assert!(e.contains("found no input"), "{e}");
    }
}
