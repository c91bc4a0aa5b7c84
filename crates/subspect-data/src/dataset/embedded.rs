//! A data set that is already in memory: built into a program, or made by one.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::Dataset;
use super::set::{Ids, Layout, Pixels};
use crate::error::{DataError, Result};

/// Pictures and labels in memory.
#[derive(Clone, Debug)]
pub struct EmbeddedImages {
    /// Short name.
    pub name: String,
    /// `[height, width, channels]`.
    pub image_shape: [usize; 3],
    /// All pictures, pixel after pixel (height, width, channel).
    pub pixels: Cow<'static, [u8]>,
    /// Class index of every picture, or empty.
    pub labels: Vec<u32>,
    /// Class names; empty without labels.
    pub classes: Vec<String>,
    /// Licence and citation.
    pub citation: Option<String>,
}

impl EmbeddedImages {
    /// Checks that the parts fit together; ids are record numbers, the format is `embedded`.
    ///
    /// # Errors
    /// [`DataError::Argument`] when they do not.
    pub fn into_dataset(self) -> Result<Dataset> {
        let fail = |text: String| Err(DataError::Argument(format!("{}: {text}", self.name)));
        let size = self.image_shape.iter().product::<usize>();
        if size == 0 || self.pixels.is_empty() || !self.pixels.len().is_multiple_of(size) {
            return fail(format!("expected a multiple of {size} pixel bytes, found {}", self.pixels.len()));
        }
        let n_inputs = self.pixels.len() / size;
        if !self.labels.is_empty() && self.labels.len() != n_inputs {
            return fail(format!("expected {n_inputs} labels, found {}", self.labels.len()));
        }
        if let Some(label) = self.labels.iter().find(|&&l| l as usize >= self.classes.len()) {
            return fail(format!("expected labels below {}, found {label}", self.classes.len()));
        }
        Ok(Dataset {
            name: self.name,
            format: "embedded",
            image_shape: self.image_shape,
            n_inputs,
            ids: Ids::Number,
            labels: self.labels,
            classes: self.classes,
            citation: self.citation,
            pixels: Box::new(InMemory { pixels: self.pixels, size }),
            positions: OnceLock::new(),
        })
    }
}

struct InMemory {
    pixels: Cow<'static, [u8]>,
    size: usize,
}

impl Pixels for InMemory {
    fn layout(&self) -> Layout {
        Layout::Hwc
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        out.copy_from_slice(&self.pixels[i * self.size..(i + 1) * self.size]);
        Ok(())
    }
}
