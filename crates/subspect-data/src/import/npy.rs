//! One `.npy` array: one layer.

use std::path::Path;

use super::layers::{At, Found, SourceLayer};
use crate::dense::npy_bytes;
use crate::error::Result;
use crate::names::short_name;

pub(super) fn find(path: &Path) -> Result<Found> {
    Ok(Found { layers: vec![layer(path)?], ..Found::default() })
}

/// The layer in one file, named like the file.
pub(super) fn layer(path: &Path) -> Result<SourceLayer> {
    let (header, values) = npy_bytes(path)?;
    // A file with a header is not empty, so it is always mapped.
    let start = values.offset().unwrap_or(0) as u64;
    Ok(SourceLayer { name: short_name(path), path: path.to_owned(), header, at: At::Byte(start) })
}
