//! An opened data set: what every layout offers alike.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::resize::Resized;
use super::tokens::TokenArrays;
use crate::error::{DataError, Result};
use crate::record::{DatasetInfo, Inputs};

/// Longest side that pictures can be resized to.
pub const MAX_SIDE: usize = 8192;

/// Order of the bytes of one picture in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Pixel after pixel, channels together.
    Hwc,
    /// Channel after channel.
    Chw,
}

/// Where the pixels come from. Reads are on demand: nothing but the answer is kept.
pub(super) trait Pixels: Send + Sync {
    /// Order of the bytes that `read` gives.
    fn layout(&self) -> Layout;
    /// Fills `out` with picture `i`.
    fn read(&self, i: usize, out: &mut [u8]) -> Result<()>;
    /// Tokens instead of pictures.
    fn tokens(&self) -> Option<&TokenArrays> {
        None
    }
}

/// How inputs are named.
pub(super) enum Ids {
    /// `0`, `1`, ...: the record number.
    Number,
    /// Relative file name, or `part:record`.
    Names(Vec<String>),
}

/// A labelled set of pictures of one size, 8 bits per channel, or of token sequences of one length.
pub struct Dataset {
    pub(super) name: String,
    pub(super) format: &'static str,
    pub(super) image_shape: [usize; 3],
    pub(super) n_inputs: usize,
    pub(super) ids: Ids,
    pub(super) labels: Vec<u32>,
    pub(super) classes: Vec<String>,
    pub(super) citation: Option<String>,
    pub(super) pixels: Box<dyn Pixels>,
    pub(super) positions: OnceLock<HashMap<String, usize>>,
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dataset({}, {}, {} x {:?})", self.name, self.format, self.n_inputs, self.image_shape)
    }
}

impl Dataset {
    /// Short name, for instance the folder's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of the layout in [`FORMATS`](super::FORMATS), or `embedded`.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// Number of inputs.
    pub fn len(&self) -> usize {
        self.n_inputs
    }

    /// Never true for a set that could be opened.
    pub fn is_empty(&self) -> bool {
        self.n_inputs == 0
    }

    /// The tokens, when the inputs are no pictures.
    pub fn tokens(&self) -> Option<&TokenArrays> {
        self.pixels.tokens()
    }

    /// `[height, width, channels]` of every picture; zeros for tokens.
    pub fn image_shape(&self) -> [usize; 3] {
        self.image_shape
    }

    /// Bytes of one picture.
    pub fn n_pixels(&self) -> usize {
        self.image_shape.iter().product()
    }

    /// Class names; empty without labels.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Class index of every input; empty without labels.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Licence and citation, where known.
    pub fn citation(&self) -> Option<&str> {
        self.citation.as_deref()
    }

    /// Stable name of input `i`: record number, `part:record` when the set has several files, or relative file
    /// name.
    pub fn id(&self, i: usize) -> String {
        match &self.ids {
            Ids::Number => i.to_string(),
            Ids::Names(names) => names[i].clone(),
        }
    }

    /// Position of the input of that name.
    pub fn position(&self, id: &str) -> Option<usize> {
        match &self.ids {
            Ids::Number => id.parse().ok().filter(|&i| i < self.n_inputs),
            Ids::Names(names) => {
                let index = || names.iter().enumerate().map(|(i, n)| (n.clone(), i)).collect();
                self.positions.get_or_init(index).get(id).copied()
            }
        }
    }

    /// Fills `out` with picture `i`, pixel after pixel (height, width, channel).
    ///
    /// # Errors
    /// When `out` is not [`Self::n_pixels`] long, or the picture cannot be read.
    pub fn read_hwc(&self, i: usize, out: &mut [u8]) -> Result<()> {
        self.read_as(Layout::Hwc, i, out)
    }

    /// Fills `out` with picture `i`, channel after channel (channel, height, width).
    ///
    /// # Errors
    /// When `out` is not [`Self::n_pixels`] long, or the picture cannot be read.
    pub fn read_chw(&self, i: usize, out: &mut [u8]) -> Result<()> {
        self.read_as(Layout::Chw, i, out)
    }

    fn read_as(&self, wanted: Layout, i: usize, out: &mut [u8]) -> Result<()> {
        if i >= self.n_inputs {
            return Err(DataError::Argument(format!(
                "no input {i}: {} has {} inputs",
                self.name, self.n_inputs
            )));
        }
        if out.len() != self.n_pixels() {
            let (expected, found) = (self.n_pixels(), out.len());
            return Err(DataError::Argument(format!("expected a buffer of {expected} bytes, found {found}")));
        }
        let [h, w, c] = self.image_shape;
        if self.pixels.layout() == wanted || c == 1 {
            return self.pixels.read(i, out);
        }
        let mut source = vec![0; out.len()];
        self.pixels.read(i, &mut source)?;
        for at in 0..h * w {
            for k in 0..c {
                match wanted {
                    Layout::Hwc => out[at * c + k] = source[k * h * w + at],
                    Layout::Chw => out[k * h * w + at] = source[at * c + k],
                }
            }
        }
        Ok(())
    }

    /// BLAKE3 over shape, pixels (height, width, channel) or tokens, and labels of the chosen inputs, hex. Equal hashes mean
    /// the same inputs in the same order, whatever file layout they came from.
    ///
    /// # Errors
    /// When a picture cannot be read.
    pub fn hash(&self, chosen: &[usize]) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        for axis in self.image_shape {
            hasher.update(&(axis as u64).to_le_bytes());
        }
        hasher.update(&(chosen.len() as u64).to_le_bytes());
        if let Some(tokens) = self.tokens() {
            hasher.update(&(tokens.n_tokens as u64).to_le_bytes());
            for array in tokens.chosen(chosen) {
                hasher.update(&(array.name.len() as u64).to_le_bytes());
                hasher.update(array.name.as_bytes());
                for value in &array.values {
                    hasher.update(&value.to_le_bytes());
                }
            }
        }
        let mut pixels = vec![0; self.n_pixels()];
        for &i in chosen {
            if self.tokens().is_none() {
                self.read_hwc(i, &mut pixels)?;
                hasher.update(&pixels);
            }
            if let Some(label) = self.labels.get(i) {
                hasher.update(&label.to_le_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// What the run record says about this set, given how pixels are normalised and [`Self::hash`].
    pub fn info(&self, normalize: &str, hash: String) -> DatasetInfo {
        DatasetInfo {
            name: self.name.clone(),
            format: self.format.to_owned(),
            n_total: self.n_inputs,
            classes: self.classes.clone(),
            image_shape: if self.tokens().is_some() { Vec::new() } else { self.image_shape.to_vec() },
            normalize: normalize.to_owned(),
            hash,
            citation: self.citation.clone(),
        }
    }

    /// Ids and labels of the chosen inputs; no predictions yet.
    pub fn inputs(&self, chosen: &[usize]) -> Inputs {
        Inputs {
            ids: chosen.iter().map(|&i| self.id(i)).collect(),
            labels: chosen.iter().filter_map(|&i| self.labels.get(i).copied()).collect(),
            ..Inputs::default()
        }
    }

    /// The same set with every picture brought to `size` (height, width).
    ///
    /// # Errors
    /// When a side is 0 or above [`MAX_SIDE`].
    pub fn resized(self, size: (usize, usize)) -> Result<Dataset> {
        let [h, w, c] = self.image_shape;
        let (height, width) = size;
        if height.min(width) == 0 || height.max(width) > MAX_SIDE {
            let text =
                format!("expected pictures of 1 to {MAX_SIDE} pixels a side, found {height} x {width}");
            return Err(DataError::Argument(text));
        }
        if (h, w) == size {
            return Ok(self);
        }
        let image_shape = [size.0, size.1, c];
        Ok(Dataset { image_shape, pixels: Box::new(Resized::new(self.pixels, [h, w, c], size)), ..self })
    }
}

/// `0`, `1`, ... up to the largest label.
pub(crate) fn numbered_classes(labels: &[u32]) -> Vec<String> {
    let n = labels.iter().max().map_or(0, |&l| l + 1);
    (0..n).map(|c| c.to_string()).collect()
}
