//! One batch after the other of what a network wants to see, in buffers that are used again.

use std::borrow::Cow;

use super::PixelSource;
use crate::engine::{Fed, FedData};
use crate::{NetsError, NetworkInput, Preprocess, Tokens};

/// Where batches come from.
enum Origin<'a, 'p> {
    Pictures {
        source: &'a mut PixelSource<'p>,
        preprocess: &'a Preprocess,
    },
    Tokens(Cow<'a, Tokens>),
    /// Black pictures.
    Black,
}

/// Makes batches.
pub(crate) struct Feeder<'a, 'p> {
    origin: Origin<'a, 'p>,
    pixels: Vec<u8>,
    floats: Vec<f32>,
    integers: Vec<Vec<i64>>,
    shape: Vec<usize>,
}

impl<'a, 'p> Feeder<'a, 'p> {
    fn of(origin: Origin<'a, 'p>) -> Self {
        Feeder { origin, pixels: Vec::new(), floats: Vec::new(), integers: Vec::new(), shape: Vec::new() }
    }

    pub(crate) fn pictures(source: &'a mut PixelSource<'p>, preprocess: &'a Preprocess) -> Self {
        Self::of(Origin::Pictures { source, preprocess })
    }

    pub(crate) fn tokens(tokens: &'a Tokens) -> Self {
        Self::of(Origin::Tokens(Cow::Borrowed(tokens)))
    }

    /// Inputs without content, for finding out shapes; `n_tokens` replaces the number of the spec.
    pub(crate) fn blank(input: &NetworkInput, batch: usize, n_tokens: Option<usize>) -> Self {
        Self::of(match input {
            NetworkInput::Pictures(_) => Origin::Black,
            NetworkInput::Tokens(spec) => {
                Origin::Tokens(Cow::Owned(Tokens::blank(spec, batch, n_tokens.unwrap_or(spec.n_tokens))))
            }
        })
    }

    /// The inputs `first..first + rows`; the last one is repeated until there are `fed`.
    pub(crate) fn batch<'s>(
        &'s mut self,
        input: &'s NetworkInput,
        first: usize,
        rows: usize,
        fed: usize,
    ) -> Result<Vec<Fed<'s>>, NetsError> {
        match (&mut self.origin, input) {
            (Origin::Tokens(tokens), NetworkInput::Tokens(spec)) => {
                let n_tokens = tokens.n_tokens();
                let arrays = tokens.of_spec(spec)?;
                self.integers.resize(arrays.len(), Vec::new());
                for (buffer, (_, values)) in self.integers.iter_mut().zip(&arrays) {
                    buffer.clear();
                    buffer.extend_from_slice(&values[first * n_tokens..(first + rows) * n_tokens]);
                    pad(buffer, rows, fed);
                }
                self.shape = vec![fed, n_tokens];
                let names = spec.inputs.iter().map(|(name, _)| name.as_str());
                let one = |(name, data): (&'s str, &'s Vec<i64>)| Fed {
                    name,
                    shape: &self.shape,
                    data: FedData::Integers(data),
                };
                Ok(names.zip(&self.integers).map(one).collect())
            }
            (origin, NetworkInput::Pictures(spec)) => {
                match origin {
                    Origin::Pictures { source, preprocess } => {
                        self.pixels.resize(rows * preprocess.image_len(), 0);
                        (source.read)(first..first + rows, &mut self.pixels)
                            .map_err(|e| NetsError::Source { first, last: first + rows, source: e })?;
                        preprocess.apply(first, &self.pixels, &mut self.floats)?;
                        pad(&mut self.floats, rows, fed);
                    }
                    Origin::Black => {
                        self.floats.clear();
                        self.floats.resize(fed * spec.shape.len(), 0.0);
                    }
                    Origin::Tokens(_) => return Err(mismatch(input, "tokens")),
                }
                self.shape = spec.batch_shape(fed);
                let data = FedData::Floats(&self.floats);
                Ok(vec![Fed { name: &spec.name, shape: &self.shape, data }])
            }
            (_, NetworkInput::Tokens(_)) => Err(mismatch(input, "pictures")),
        }
    }
}

fn mismatch(input: &NetworkInput, found: &str) -> NetsError {
    NetsError::OtherInput {
        file: "the model".to_owned(),
        expected: input.describe(),
        found: found.to_owned(),
        mend: "choose the data that it was made for".to_owned(),
    }
}

/// Repeats the last input until the batch is full.
fn pad<T: Copy>(input: &mut Vec<T>, rows: usize, fed: usize) {
    if fed > rows {
        let len = input.len() / rows;
        for _ in rows..fed {
            input.extend_from_within((rows - 1) * len..rows * len);
        }
    }
}
