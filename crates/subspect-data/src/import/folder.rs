//! A folder of `.npy` files: one layer each, in natural order.

use std::path::Path;

use super::layers::Found;
use super::npy;
use crate::dense::{decode_text, npy_bytes, read_labels};
use crate::error::Result;
use crate::names::{file_name, has_extension, list_folder};

pub(super) fn find(path: &Path) -> Result<Found> {
    let mut found = Found::default();
    for file in list_folder(path)?.into_iter().filter(|f| has_extension(f, &["npy"])) {
        let name = file_name(&file);
        match name.as_str() {
            "labels.npy" => found.labels = Some((name, read_labels(&file)?)),
            "predictions.npy" => found.predictions = Some((name, read_labels(&file)?)),
            "ids.npy" => {
                let (header, bytes) = npy_bytes(&file)?;
                found.ids = Some((name, decode_text(&file, "ids", &header, &bytes)?));
            }
            _ => found.layers.push(npy::layer(&file)?),
        }
    }
    Ok(found)
}
