//! The binary version of CIFAR (Krizhevsky 2009): records of label bytes and 3,072 pixel bytes, the 32 x 32 red
//! plane first, then green and blue.

use std::path::{Path, PathBuf};

use super::set::{Ids, Layout, Pixels};
use crate::bytes::Bytes;
use crate::error::{DataError, Result};
use crate::names::file_name;

/// `[height, width, channels]`.
pub(super) const IMAGE_SHAPE: [usize; 3] = [32, 32, 3];
const PIXEL_BYTES: usize = 3072;

/// What stands before the pixels of a record.
pub(super) struct RecordLayout {
    /// `CIFAR-10`, for messages.
    pub(super) title: &'static str,
    /// Classes of each label byte: `[10]`, or coarse and fine `[20, 100]`.
    pub(super) n_classes: &'static [u32],
    /// The label byte that is used.
    pub(super) label_byte: usize,
    /// What to try when the file does not fit.
    pub(super) mend: &'static str,
}

impl RecordLayout {
    /// Bytes of one record.
    pub(super) fn record(&self) -> usize {
        self.n_classes.len() + PIXEL_BYTES
    }
}

/// Mapped files, one after the other.
pub(super) struct Records {
    files: Vec<Bytes>,
    /// First record of each file, and the total.
    starts: Vec<usize>,
    n_label_bytes: usize,
}

/// Everything read from record files.
pub(super) struct OpenedRecords {
    pub(super) pixels: Records,
    pub(super) labels: Vec<u32>,
    pub(super) ids: Ids,
}

/// Maps the files and checks sizes and labels.
pub(super) fn open_records(paths: &[PathBuf], layout: &RecordLayout) -> Result<OpenedRecords> {
    let mut files = Vec::new();
    let (mut starts, mut labels, mut names) = (vec![0], Vec::new(), Vec::new());
    for path in paths {
        let bytes = Bytes::map(path)?;
        check_size(path, bytes.len(), layout)?;
        for (k, record) in bytes.chunks_exact(layout.record()).enumerate() {
            labels.push(label(path, k, record, layout)?);
            if paths.len() > 1 {
                names.push(format!("{}:{k}", file_name(path).trim_end_matches(".bin")));
            }
        }
        starts.push(labels.len());
        files.push(bytes);
    }
    let ids = if paths.len() > 1 { Ids::Names(names) } else { Ids::Number };
    Ok(OpenedRecords {
        pixels: Records { files, starts, n_label_bytes: layout.n_classes.len() },
        labels,
        ids,
    })
}

fn check_size(path: &Path, len: usize, layout: &RecordLayout) -> Result<()> {
    let record = layout.record();
    if len > 0 && len.is_multiple_of(record) {
        return Ok(());
    }
    let found = if len == 0 {
        "an empty file".into()
    } else {
        format!("{len} bytes: {} whole records and {} bytes more", len / record, len % record)
    };
    let title = layout.title;
    Err(DataError::malformed(
        path,
        format!("byte {len}"),
        format!(
            "a multiple of {record} bytes (one {title} record: {} label and 3072 pixel bytes)",
            layout.n_classes.len()
        ),
        found,
        layout.mend,
    ))
}

fn label(path: &Path, k: usize, record: &[u8], layout: &RecordLayout) -> Result<u32> {
    for (at, &n) in layout.n_classes.iter().enumerate() {
        if u32::from(record[at]) >= n {
            return Err(DataError::malformed(
                path,
                format!("record {k}, byte {}", k * layout.record() + at),
                format!("a {} label in 0..={}", layout.title, n - 1),
                record[at].to_string(),
                layout.mend,
            ));
        }
    }
    Ok(u32::from(record[layout.label_byte]))
}

impl Pixels for Records {
    fn layout(&self) -> Layout {
        Layout::Chw
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        let file = self.starts.partition_point(|&s| s <= i) - 1;
        let at = (i - self.starts[file]) * (self.n_label_bytes + PIXEL_BYTES) + self.n_label_bytes;
        out.copy_from_slice(&self.files[file][at..at + PIXEL_BYTES]);
        Ok(())
    }
}

/// Class names from a text file with one name per line, if it is there; else the standard ones.
pub(super) fn class_names(file: &Path, standard: &[&str]) -> Result<Vec<String>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Ok(standard.iter().map(|&s| s.to_owned()).collect());
        }
        Err(e) => return Err(DataError::io("read", file, e)),
    };
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect();
    if names.len() != standard.len() {
        return Err(DataError::malformed(
            file,
            "",
            format!("{} class names, one per line", standard.len()),
            format!("{} lines with text", names.len()),
            "mend the file, or remove it to get the standard names",
        ));
    }
    Ok(names)
}

/// The folder itself, or the folder that the archive unpacks to inside it.
pub(super) fn folder_with(path: &Path, unpacked: &str, has_parts: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    [path.to_owned(), path.join(unpacked)].into_iter().find(|p| p.is_dir() && has_parts(p))
}

/// An error for a folder that lacks the parts of the split.
pub(super) fn missing_parts(path: &Path, split: &str, wanted: &str) -> DataError {
    let mend = "add them, or choose another split";
    DataError::malformed(path, "", format!("{wanted} for the split '{split}'"), "no such file", mend)
}
