//! `.npz` with an array `images` and, if there are labels, an array `labels`; optionally `classes` (names by
//! label) and `ids` (one per input).
//!
//! Which axis of `images` is which:
//! - three axes are N x H x W, one channel;
//! - four axes are N x H x W x C when the last one is 1, 3 or 4; otherwise N x C x H x W when the second one is.
//!
//! Values are uint8, or floats in 0..1 that become `round(255 v)`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::set::{Ids, Layout, Pixels, numbered_classes};
use super::{Dataset, OpenOptions};
use crate::bytes::Bytes;
use crate::dense::{Dtype, Header, Kind, Npz, decode_labels, decode_text, is_zip};
use crate::error::{DataError, Result};
use crate::names::{has_extension, short_name};

const PLACE: &str = "array 'images'";

pub(super) fn detect(path: &Path) -> bool {
    path.is_file() && (has_extension(path, &["npz"]) || is_zip(path))
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    options.refuse_split(path)?;
    let mut npz = Npz::open(path)?;
    let (header, bytes) = npz.array("images")?;
    let (image_shape, layout) = picture_axes(path, &header)?;
    let n_inputs = header.shape[0];
    let Beside { ids, labels, classes } = beside(path, &mut npz, n_inputs)?;
    let pixels = Array { path: path.to_owned(), bytes, dtype: header.dtype, layout };
    Ok(Dataset {
        name: short_name(path),
        format: "npz",
        image_shape,
        n_inputs,
        ids,
        labels,
        classes,
        citation: None,
        pixels: Box::new(pixels),
        positions: OnceLock::new(),
    })
}

/// What an archive says about its inputs.
pub(super) struct Beside {
    pub(super) ids: Ids,
    pub(super) labels: Vec<u32>,
    pub(super) classes: Vec<String>,
}

/// Reads `labels`, `ids` and `classes`, as far as they are there.
pub(super) fn beside(path: &Path, npz: &mut Npz, n_inputs: usize) -> Result<Beside> {
    let labels = labels(path, npz, n_inputs)?;
    let ids = match texts(path, npz, "ids", Some(n_inputs))? {
        Some(names) => Ids::Names(names),
        None => Ids::Number,
    };
    let mut classes = numbered_classes(&labels);
    if let Some(names) = texts(path, npz, "classes", None)? {
        if names.len() < classes.len() {
            let (expected, found) = (format!("at least {} names", classes.len()), names.len().to_string());
            let mend = "give a name for every label";
            return Err(DataError::malformed(path, "array 'classes'", expected, found, mend));
        }
        classes = if labels.is_empty() { Vec::new() } else { names };
    }
    Ok(Beside { ids, labels, classes })
}

fn picture_axes(path: &Path, header: &Header) -> Result<([usize; 3], Layout)> {
    let bad = |expected: &str, found: String, mend: &str| {
        Err(DataError::malformed(path, PLACE, expected, found, mend))
    };
    if header.dtype.kind != Kind::Unsigned(1) && !header.dtype.is_float() {
        return bad("uint8, or floats in 0..1", header.dtype.name(), "save images.astype(numpy.uint8)");
    }
    if !header.is_row_major() {
        return bad("C order", "Fortran order".into(), "save numpy.ascontiguousarray(images)");
    }
    let is_channels = |n: usize| matches!(n, 1 | 3 | 4);
    let (shape, layout) = match header.shape[..] {
        [_, h, w] => ([h, w, 1], Layout::Hwc),
        [_, h, w, c] if is_channels(c) => ([h, w, c], Layout::Hwc),
        [_, c, h, w] if is_channels(c) => ([h, w, c], Layout::Chw),
        _ => {
            let expected = "shape N x H x W, N x H x W x C or N x C x H x W with 1, 3 or 4 channels";
            return bad(expected, format!("{:?}", header.shape), "reshape the array");
        }
    };
    if header.n_elements() == 0 {
        return bad("at least one picture", format!("shape {:?}", header.shape), "save some pictures");
    }
    Ok((shape, layout))
}

fn labels(path: &Path, npz: &mut Npz, n_inputs: usize) -> Result<Vec<u32>> {
    if !npz.contains("labels") {
        return Ok(Vec::new());
    }
    let (header, bytes) = npz.array("labels")?;
    let labels = decode_labels(path, "labels", &header, &bytes)?;
    check_count(path, "labels", labels.len(), n_inputs)?;
    Ok(labels)
}

fn texts(path: &Path, npz: &mut Npz, name: &str, n: Option<usize>) -> Result<Option<Vec<String>>> {
    if !npz.contains(name) {
        return Ok(None);
    }
    let (header, bytes) = npz.array(name)?;
    let texts = decode_text(path, name, &header, &bytes)?;
    if let Some(n) = n {
        check_count(path, name, texts.len(), n)?;
    }
    Ok(Some(texts))
}

fn check_count(path: &Path, name: &str, found: usize, n_inputs: usize) -> Result<()> {
    if found == n_inputs {
        return Ok(());
    }
    Err(DataError::malformed(
        path,
        format!("array '{name}'"),
        format!("{n_inputs} values, one per input"),
        found.to_string(),
        "save both arrays from the same inputs",
    ))
}

struct Array {
    path: PathBuf,
    bytes: Bytes,
    dtype: Dtype,
    layout: Layout,
}

impl Pixels for Array {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        let n = out.len() * self.dtype.size();
        let source = &self.bytes[i * n..(i + 1) * n];
        if self.dtype.kind == Kind::Unsigned(1) {
            out.copy_from_slice(source);
            return Ok(());
        }
        let mut values = Vec::with_capacity(out.len());
        self.dtype.to_f32(source, &mut values);
        if let Some(v) = values.iter().find(|v| !(0.0..=1.0).contains(*v)) {
            let (place, expected) = (format!("{PLACE}, input {i}"), "float values in 0..1");
            let mend = "undo the normalisation, or save images in 0..255 as uint8";
            return Err(DataError::malformed(&self.path, place, expected, v.to_string(), mend));
        }
        for (to, v) in out.iter_mut().zip(values) {
            *to = (255.0 * v).round() as u8;
        }
        Ok(())
    }
}
