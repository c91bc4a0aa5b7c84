//! `.npz`: every array a layer, in the archive's order (the order of `numpy.savez`'s arguments).

use std::path::Path;

use super::layers::{At, Found, SourceLayer};
use crate::dense::{Npz, decode_labels, decode_text};
use crate::error::Result;

pub(super) fn find(path: &Path) -> Result<Found> {
    let mut npz = Npz::open(path)?;
    let names: Vec<String> = npz.names().into_iter().map(str::to_owned).collect();
    let mut found = Found::default();
    for name in names {
        match name.as_str() {
            "labels" | "predictions" => {
                let (header, bytes) = npz.array(&name)?;
                let values = Some((name.clone(), decode_labels(path, &name, &header, &bytes)?));
                *(if name == "labels" { &mut found.labels } else { &mut found.predictions }) = values;
            }
            "ids" => {
                let (header, bytes) = npz.array(&name)?;
                let ids = decode_text(path, &name, &header, &bytes)?;
                found.ids = Some((name, ids));
            }
            _ => {
                let header = npz.header(&name)?;
                found.layers.push(SourceLayer { name, path: path.to_owned(), header, at: At::Archive });
            }
        }
    }
    Ok(found)
}
