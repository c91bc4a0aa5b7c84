//! `.npz` with the inputs of a text encoder: integer or bool arrays of N inputs x T tokens, each called like an input of
//! the model (`input_ids`, `attention_mask`, `token_type_ids`); optionally `labels`, `classes` and `ids` as for
//! pictures, where ids may be the sentences themselves.

use std::path::Path;
use std::sync::OnceLock;

use super::npz::{Beside, beside};
use super::set::{Layout, Pixels};
use super::{Dataset, OpenOptions};
use crate::dense::{Header, Npz, is_zip, row_major};
use crate::error::{DataError, Result};
use crate::names::{has_extension, short_name};

/// Arrays that say something about the inputs instead of being one.
const BESIDE: [&str; 3] = ["labels", "classes", "ids"];

/// One array of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenArray {
    /// Name of the model's input.
    pub name: String,
    /// N x T values.
    pub values: Vec<i64>,
}

/// All arrays of a token data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenArrays {
    /// Tokens of every input, T.
    pub n_tokens: usize,
    /// The arrays, in the archive's order.
    pub arrays: Vec<TokenArray>,
}

impl TokenArrays {
    /// The rows of the chosen inputs, array after array.
    #[must_use]
    pub fn chosen(&self, chosen: &[usize]) -> Vec<TokenArray> {
        let t = self.n_tokens;
        let rows =
            |a: &TokenArray| chosen.iter().flat_map(|&i| &a.values[i * t..(i + 1) * t]).copied().collect();
        self.arrays.iter().map(|a| TokenArray { name: a.name.clone(), values: rows(a) }).collect()
    }
}

pub(super) fn detect(path: &Path) -> bool {
    let is_npz = path.is_file() && (has_extension(path, &["npz"]) || is_zip(path));
    is_npz && Npz::open(path).is_ok_and(|mut npz| !npz.contains("images") && has_tokens(&mut npz))
}

fn has_tokens(npz: &mut Npz) -> bool {
    let names: Vec<String> = npz.names().into_iter().map(str::to_owned).collect();
    let mut others = names.iter().filter(|n| !BESIDE.contains(&n.as_str()));
    others.any(|n| npz.header(n).is_ok_and(|h| h.dtype.is_integer() && h.shape.len() == 2))
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    options.refuse_split(path)?;
    let mut npz = Npz::open(path)?;
    let names: Vec<String> =
        npz.names().into_iter().filter(|n| !BESIDE.contains(n)).map(str::to_owned).collect();
    let mut shape: Option<(String, [usize; 2])> = None;
    let mut arrays = Vec::with_capacity(names.len());
    for name in names {
        let (header, bytes) = npz.array(&name)?;
        let own = token_shape(path, &name, &header)?;
        match &shape {
            Some((first, expected)) if *expected != own => {
                return Err(DataError::malformed(
                    path,
                    format!("array '{name}'"),
                    format!("shape {expected:?}, that of '{first}'"),
                    format!("{own:?}"),
                    "save all arrays from the same, equally padded batch",
                ));
            }
            Some(_) => {}
            None => shape = Some((name.clone(), own)),
        }
        let mut values = Vec::with_capacity(header.n_elements());
        // Token ids of more than 63 bits are no vocabulary's: they are cut to the largest, which no table holds.
        header.dtype.each_integer(&bytes, |v| values.push(i64::try_from(v).unwrap_or(i64::MAX)));
        arrays.push(TokenArray { name, values: row_major(&header, values) });
    }
    let Some((_, [n_inputs, n_tokens])) = shape else {
        let expected = "at least one integer array of N inputs x T tokens, called like an input of the model";
        return Err(DataError::malformed(path, "", expected, "none", "numpy.savez(file, input_ids=...)"));
    };
    let Beside { ids, labels, classes } = beside(path, &mut npz, n_inputs)?;
    Ok(Dataset {
        name: short_name(path),
        format: "tokens",
        image_shape: [0; 3],
        n_inputs,
        ids,
        labels,
        classes,
        citation: None,
        pixels: Box::new(TokenArrays { n_tokens, arrays }),
        positions: OnceLock::new(),
    })
}

fn token_shape(path: &Path, name: &str, header: &Header) -> Result<[usize; 2]> {
    let bad = |expected: &str, found: String, mend: &str| {
        Err(DataError::malformed(path, format!("array '{name}'"), expected, found, mend))
    };
    if !header.dtype.is_integer() {
        let mend = "save it as int64, or leave it out; sentences go into an array 'ids'";
        return bad("integers or bool", header.dtype.name(), mend);
    }
    match header.shape[..] {
        [n, t] if n > 0 && t > 0 => Ok([n, t]),
        _ => {
            let mend = "save one row of tokens per input, or leave the array out";
            bad("N inputs x T tokens, neither of them 0", format!("shape {:?}", header.shape), mend)
        }
    }
}

impl Pixels for TokenArrays {
    fn layout(&self) -> Layout {
        Layout::Hwc
    }

    fn read(&self, _: usize, _: &mut [u8]) -> Result<()> {
        Err(DataError::Argument("tokens are no pictures".to_owned()))
    }

    fn tokens(&self) -> Option<&TokenArrays> {
        Some(self)
    }
}
