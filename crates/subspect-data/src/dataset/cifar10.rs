//! CIFAR-10, binary version: one label byte in 0..=9 per record.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::cifar_records::{
    IMAGE_SHAPE, RecordLayout, class_names, folder_with, missing_parts, open_records,
};
use super::{Dataset, OpenOptions, Split};
use crate::error::Result;
use crate::names::{file_name, has_extension, list_folder};

const LAYOUT: RecordLayout = RecordLayout {
    title: "CIFAR-10",
    n_classes: &[10],
    label_byte: 0,
    mend: "the file is cut short, damaged or of another layout: download it again, or name the format",
};

/// The classes of the original data set, in label order.
const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

const CITATION: &str =
    "CIFAR-10: A. Krizhevsky, Learning multiple layers of features from tiny images, technical report, 2009";

pub(super) fn detect(path: &Path) -> bool {
    if path.is_dir() {
        return folder(path).is_some();
    }
    let name = file_name(path);
    let size = path.metadata().map_or(0, |m| m.len());
    has_extension(path, &["bin"])
        && (name.contains("_batch") || (size > 0 && size.is_multiple_of(LAYOUT.record() as u64)))
}

fn folder(path: &Path) -> Option<PathBuf> {
    folder_with(path, "cifar-10-batches-bin", |p| {
        p.join("test_batch.bin").is_file() || train_files(p).is_ok_and(|t| !t.is_empty())
    })
}

fn train_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_batch = |p: &PathBuf| file_name(p).starts_with("data_batch_") && has_extension(p, &["bin"]);
    Ok(list_folder(folder)?.into_iter().filter(is_batch).collect())
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Dataset> {
    let (files, names_folder, name) = if path.is_dir() {
        let folder = folder(path).unwrap_or_else(|| path.to_owned());
        (parts(&folder, options.split.unwrap_or_default())?, folder, "cifar10".to_owned())
    } else {
        options.refuse_split(path)?;
        (vec![path.to_owned()], path.parent().unwrap_or(Path::new("")).to_owned(), "cifar10".to_owned())
    };
    let records = open_records(&files, &LAYOUT)?;
    Ok(Dataset {
        name,
        format: "cifar10",
        image_shape: IMAGE_SHAPE,
        n_inputs: records.labels.len(),
        ids: records.ids,
        labels: records.labels,
        classes: class_names(&names_folder.join("batches.meta.txt"), &CLASSES)?,
        citation: Some(CITATION.to_owned()),
        pixels: Box::new(records.pixels),
        positions: OnceLock::new(),
    })
}

fn parts(folder: &Path, split: Split) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if split != Split::Test {
        files = train_files(folder)?;
        if files.is_empty() {
            return Err(missing_parts(folder, split.as_str(), "data_batch_1.bin, ..."));
        }
    }
    if split != Split::Train {
        let test = folder.join("test_batch.bin");
        if !test.is_file() {
            return Err(missing_parts(folder, split.as_str(), "test_batch.bin"));
        }
        files.push(test);
    }
    Ok(files)
}
