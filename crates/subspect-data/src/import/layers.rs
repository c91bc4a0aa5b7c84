//! What a source offers: where each layer's values lie, and what comes beside them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::bytes::Bytes;
use crate::dense::{Header, Npz, read_chunks};
use crate::error::{DataError, Result};

/// Everything found in a source. Names beside labels, ids and predictions are for messages.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) layers: Vec<SourceLayer>,
    pub(super) labels: Option<(String, Vec<u32>)>,
    pub(super) predictions: Option<(String, Vec<u32>)>,
    pub(super) ids: Option<(String, Vec<String>)>,
    /// Names of the classes; empty where labels are bare indices.
    pub(super) classes: Vec<String>,
}

/// One array to come.
#[derive(Debug)]
pub(super) struct SourceLayer {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) header: Header,
    pub(super) at: At,
}

/// Where the values are.
#[derive(Debug)]
pub(super) enum At {
    /// At this byte of the file.
    Byte(u64),
    /// In the array of the layer's name in an archive.
    Archive,
    /// In the columns of a table.
    Table,
}

impl SourceLayer {
    /// The place within the file, for messages.
    pub(super) fn place(&self) -> String {
        format!("array '{}'", self.name)
    }

    /// Hands the values to `f` in blocks of whole rows.
    pub(super) fn stream(
        &self,
        max_values: usize,
        f: &mut dyn FnMut(Vec<f32>, usize) -> Result<()>,
    ) -> Result<()> {
        let place = self.place();
        match self.at {
            At::Byte(start) => {
                let io = |e| DataError::io("read", &self.path, e);
                let mut file = BufReader::new(File::open(&self.path).map_err(io)?);
                file.seek(SeekFrom::Start(start)).map_err(io)?;
                read_chunks(&self.path, &place, &self.header, &mut file, max_values, f)
            }
            At::Table => super::table::stream(&self.path, max_values, f),
            At::Archive => Npz::open(&self.path)?.with_reader(&self.name, |header, reader| {
                read_chunks(&self.path, &place, header, reader, max_values, f)
            }),
        }
    }
}

/// BLAKE3 over the bytes of all files involved, hex.
pub(super) fn hash(found: &Found, labels: Option<&Path>) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut seen = BTreeSet::new();
    let files = found.layers.iter().map(|l| l.path.as_path()).chain(labels);
    for path in files.filter(|p| seen.insert(p.to_path_buf())) {
        let bytes = Bytes::map(path)?;
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes);
    }
    Ok(hasher.finalize().to_hex().to_string())
}
