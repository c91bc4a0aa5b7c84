//! The tokens that a text encoder wants, and those that the data offer.
//!
//! A text encoder takes one or several integer arrays of N inputs x T tokens: ids, an attention mask (1 for tokens, 0
//! for padding), segments, positions. The data bring one array per input of the model, of its name. The mask also
//! tells which positions count when tokens are pooled.

use crate::NetsError;
use crate::onnx::{BOOL, INT32, INT64, data_type_name};
use crate::structure::{Declared, Structure};

/// Tokens per input for models that leave it open, when no data say how many: enough to tell the axes apart.
const DEFAULT_TOKENS: usize = 8;

/// The model's inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSpec {
    /// Every input with its element type: `input_ids`, `int64`.
    pub inputs: Vec<(String, &'static str)>,
    /// Tokens of every input of the data, T.
    pub n_tokens: usize,
    /// Whether the model takes any number of tokens.
    pub is_open: bool,
    /// `Some` when the model takes batches of exactly that many inputs.
    pub fixed_batch: Option<usize>,
}

impl TokenSpec {
    /// The spec of a graph whose inputs are all integers of two axes; `None` for other graphs.
    pub(crate) fn find(
        file: &str,
        structure: &Structure,
        n_tokens: Option<usize>,
    ) -> Result<Option<Self>, NetsError> {
        let inputs = &structure.inputs;
        let is_tokens = |d: &Declared| {
            [INT32, INT64, BOOL].contains(&d.elem_type) && d.dims.as_ref().is_none_or(|dims| dims.len() == 2)
        };
        if inputs.is_empty() || !inputs.iter().all(is_tokens) {
            return Ok(None);
        }
        let axis = |k: usize| inputs.iter().find_map(|d| d.dims.as_ref()?[k]);
        let declared = axis(1);
        if let (Some(expected), Some(found)) = (declared, n_tokens)
            && expected != found
        {
            return Err(NetsError::TokenLength { file: file.to_owned(), expected, found });
        }
        Ok(Some(Self {
            inputs: inputs.iter().map(|d| (d.name.clone(), data_type_name(d.elem_type))).collect(),
            n_tokens: declared.or(n_tokens).unwrap_or(DEFAULT_TOKENS),
            is_open: declared.is_none(),
            fixed_batch: axis(0),
        }))
    }

    /// The inputs whose content becomes activations: all but masks.
    pub(crate) fn content(&self) -> Vec<&str> {
        self.inputs.iter().map(|(name, _)| name.as_str()).filter(|name| !is_mask(name)).collect()
    }

    /// `input_ids, attention_mask: N x 128 int64`.
    #[must_use]
    pub fn describe(&self) -> String {
        let names: Vec<&str> = self.inputs.iter().map(|(name, _)| name.as_str()).collect();
        let dtype = self.inputs.first().map_or("int64", |(_, dtype)| dtype);
        let open = if self.is_open { " (any number)" } else { "" };
        format!("{}: {} tokens{open} of {dtype}", names.join(", "), self.n_tokens)
    }
}

/// Masks are told by their name, as all exporters and tokenizers call them.
fn is_mask(name: &str) -> bool {
    name.to_lowercase().contains("mask")
}

/// The tokens of all inputs: one N x T array per input of the model, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    n_inputs: usize,
    n_tokens: usize,
    arrays: Vec<(String, Vec<i64>)>,
    mask: Option<Vec<bool>>,
}

impl Tokens {
    /// Takes arrays of `n_inputs x n_tokens` values each. One whose name holds `mask` tells padding.
    ///
    /// # Errors
    /// [`NetsError::BadTokens`] for an array of another size, and for an input whose mask leaves no token.
    pub fn new(n_inputs: usize, n_tokens: usize, arrays: Vec<(String, Vec<i64>)>) -> Result<Self, NetsError> {
        for (name, values) in &arrays {
            if values.len() != n_inputs * n_tokens {
                return Err(NetsError::BadTokens {
                    what: name.clone(),
                    expected: format!("{n_inputs} x {n_tokens} values"),
                    found: values.len().to_string(),
                });
            }
        }
        let mask = arrays.iter().find(|(name, _)| is_mask(name));
        if let Some((name, values)) = mask
            && let Some(input) = values.chunks(n_tokens.max(1)).position(|row| row.iter().all(|&v| v == 0))
        {
            return Err(NetsError::BadTokens {
                what: format!("{name}, input {}", input + 1),
                expected: "at least one token (1)".to_owned(),
                found: "only padding (0)".to_owned(),
            });
        }
        let mask = mask.map(|(_, values)| values.iter().map(|&v| v != 0).collect());
        Ok(Self { n_inputs, n_tokens, arrays, mask })
    }

    /// Inputs of no content for finding out shapes: ids 0, nothing masked.
    pub(crate) fn blank(spec: &TokenSpec, n_inputs: usize, n_tokens: usize) -> Self {
        let fill = |name: &str| vec![i64::from(is_mask(name)); n_inputs * n_tokens];
        let arrays = spec.inputs.iter().map(|(name, _)| (name.clone(), fill(name))).collect();
        Self { n_inputs, n_tokens, arrays, mask: None }
    }

    /// Number of inputs, N.
    #[must_use]
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// Tokens of every input, T.
    #[must_use]
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// Which of the positions `first..first + rows` (times T) hold tokens; `None` when all do.
    pub(crate) fn mask(&self, first: usize, rows: usize) -> Option<&[bool]> {
        self.mask.as_ref().map(|m| &m[first * self.n_tokens..(first + rows) * self.n_tokens])
    }

    /// The arrays in the model's order.
    ///
    /// # Errors
    /// [`NetsError::MissingTokens`] when the model has an input that the data lack.
    pub(crate) fn of_spec<'a>(&'a self, spec: &'a TokenSpec) -> Result<Vec<(&'a str, &'a [i64])>, NetsError> {
        let one = |(name, dtype): &'a (String, &'static str)| {
            let found = self.arrays.iter().find(|(n, _)| n == name);
            found.map(|(n, values)| (n.as_str(), values.as_slice())).ok_or_else(|| NetsError::MissingTokens {
                name: name.clone(),
                dtype: (*dtype).to_owned(),
                found: self.arrays.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join(", "),
            })
        };
        spec.inputs.iter().map(one).collect()
    }

    /// Arrays that are neither an input of the model nor its mask.
    #[must_use]
    pub fn unused(&self, spec: &TokenSpec) -> Vec<&str> {
        let is_input = |name: &str| spec.inputs.iter().any(|(n, _)| n == name);
        self.arrays.iter().map(|(n, _)| n.as_str()).filter(|n| !is_input(n) && !is_mask(n)).collect()
    }
}
