//! A folder of `.npy` files and tables: one layer each, in natural order. Tables that name labels, ids or predictions
//! must agree on them.

use std::path::Path;

use super::layers::Found;
use super::{npy, table};
use crate::dense::{decode_text, npy_bytes, read_labels};
use crate::error::{DataError, Result};
use crate::names::{file_name, has_extension, list_folder};

pub(super) fn find(path: &Path) -> Result<Found> {
    let mut found = Found::default();
    for file in list_folder(path)?.into_iter().filter(|f| has_extension(f, &["npy"]) || table::detect(f)) {
        if table::detect(&file) {
            add_table(&mut found, &file)?;
            continue;
        }
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

fn add_table(found: &mut Found, file: &Path) -> Result<()> {
    let table = table::find(file)?;
    if !table.classes.is_empty() && !found.classes.is_empty() && table.classes != found.classes {
        return Err(disagrees(file, "classes", "the tables before"));
    }
    found.layers.extend(table.layers);
    merge(file, &mut found.labels, table.labels)?;
    merge(file, &mut found.predictions, table.predictions)?;
    merge(file, &mut found.ids, table.ids)?;
    if found.classes.is_empty() {
        found.classes = table.classes;
    }
    Ok(())
}

/// Keeps what was found first, and refuses other values.
fn merge<T: PartialEq>(
    file: &Path,
    first: &mut Option<(String, Vec<T>)>,
    own: Option<(String, Vec<T>)>,
) -> Result<()> {
    match (&*first, own) {
        (Some((name, values)), Some((own_name, own))) if *values != own => {
            Err(disagrees(file, &own_name, &format!("{name} of the files before")))
        }
        (None, own) => {
            *first = own;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn disagrees(file: &Path, what: &str, other: &str) -> DataError {
    let mend = "all tables of a folder have the same inputs, one per line in the same order";
    DataError::malformed(file, what, format!("the same as {other}"), "something else", mend)
}
