//! Data sets: labelled pictures and token sequences in the layouts that people already have.
//!
//! A layout is one file in this folder and one entry of [`FORMATS`]; help texts and detection follow the list.

mod cifar10;
mod cifar100;
mod cifar_records;
mod embedded;
mod idx;
mod image_folder;
mod npz;
mod options;
mod resize;
mod set;
mod tokens;

use std::path::Path;

pub use embedded::EmbeddedImages;
pub use options::{OpenOptions, Split};
pub(crate) use resize::resize;
pub(crate) use set::numbered_classes;
pub use set::{Dataset, MAX_SIDE};
pub use tokens::{TokenArray, TokenArrays};

use crate::error::{DataError, Result};

/// One entry of the list of layouts.
pub struct FormatInfo {
    /// Name for `--format`-like options and in the run record.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// Whether the path looks like this layout; looks at names and first bytes only.
    detect: fn(&Path) -> bool,
    /// Opens it; every check of the whole set happens here.
    open: fn(&Path, &OpenOptions) -> Result<Dataset>,
}

/// All layouts, in the order in which a path is tried.
pub static FORMATS: &[FormatInfo] = &[
    FormatInfo {
        name: "tokens",
        summary: ".npz without `images`: integer arrays of N inputs x T tokens, called like the model's inputs, and `labels`",
        detect: tokens::detect,
        open: tokens::open,
    },
    FormatInfo {
        name: "npz",
        summary: ".npz with `images` (N x H x W [x C]; uint8, or floats in 0..1, these also N x C x H x W) and `labels`",
        detect: npz::detect,
        open: npz::open,
    },
    FormatInfo {
        name: "cifar10",
        summary: "CIFAR-10 binary version: a .bin file, or its folder (test_batch.bin, data_batch_1.bin, ...)",
        detect: cifar10::detect,
        open: cifar10::open,
    },
    FormatInfo {
        name: "cifar100",
        summary: "CIFAR-100 binary version: a .bin file, or its folder (test.bin, train.bin); fine or coarse labels",
        detect: cifar100::detect,
        open: cifar100::open,
    },
    FormatInfo {
        name: "idx",
        summary: "IDX as MNIST uses it, also .gz: an images file with its labels file beside it, or their folder",
        detect: idx::detect,
        open: idx::open,
    },
    FormatInfo {
        name: "image_folder",
        summary: "a folder with one folder of .png or .jpg pictures per class",
        detect: image_folder::detect,
        open: image_folder::open,
    },
];

/// The layout of that name.
///
/// # Errors
/// [`DataError::UnknownName`] with all names.
pub fn format_by_name(name: &str) -> Result<&'static FormatInfo> {
    FORMATS.iter().find(|f| f.name == name).ok_or_else(|| DataError::UnknownName {
        what: "data format",
        name: name.to_owned(),
        known: FORMATS.iter().map(|f| f.name).collect::<Vec<_>>().join(", "),
    })
}

/// Which layout a path has.
///
/// # Errors
/// When nothing is there or no layout fits.
pub fn detect(path: &Path) -> Result<&'static FormatInfo> {
    let kind = std::fs::metadata(path).map_err(|e| DataError::io("read", path, e))?;
    if let Some(format) = FORMATS.iter().find(|f| (f.detect)(path)) {
        return Ok(format);
    }
    let found = if kind.is_dir() {
        describe_folder(path)?
    } else {
        format!("a file of {} bytes with none of these layouts", kind.len())
    };
    let known = FORMATS.iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
    let mend = "name the format if the path hides it";
    Err(DataError::malformed(path, "", format!("a data set ({known})"), found, mend))
}

/// Opens a data set; its layout comes from the options, or else from the path.
///
/// # Errors
/// A missing, malformed or empty data set; messages say where, what was expected and what was found.
pub fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    let format = match &options.format {
        Some(name) => format_by_name(name)?,
        None => detect(path)?,
    };
    std::fs::metadata(path).map_err(|e| DataError::io("read", path, e))?;
    let dataset = (format.open)(path, options)?;
    match options.resize {
        Some(size) => dataset.resized(size),
        None => Ok(dataset),
    }
}

fn describe_folder(path: &Path) -> Result<String> {
    let entries = crate::names::list_folder(path)?;
    if entries.is_empty() {
        return Ok("an empty folder".into());
    }
    let names: Vec<_> = entries.iter().take(3).map(|e| crate::names::file_name(e)).collect();
    Ok(format!(
        "a folder of {} entries ({}{})",
        entries.len(),
        names.join(", "),
        if entries.len() > 3 { ", ..." } else { "" }
    ))
}
