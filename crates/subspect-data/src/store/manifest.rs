//! `store.json`: what an activation store holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::error::{DataError, Result};
use crate::record::{DatasetInfo, Inputs, ModelInfo};

/// Version of the store's layout. A reader refuses a larger one and says so.
pub const STORE_SCHEMA: u32 = 1;

/// Name of the manifest in the store's folder.
pub const MANIFEST_FILE: &str = "store.json";

/// The whole manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreManifest {
    /// [`STORE_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Version of Subspect that wrote it.
    pub subspect_version: String,
    /// Hash of everything that the activations depend on; equal keys, equal activations.
    pub key: String,
    /// Rows of every layer.
    pub n_inputs: usize,
    /// The inputs, in the order of the rows.
    pub inputs: Inputs,
    /// The data set and the subset taken from it.
    pub dataset: DatasetInfo,
    /// The network, unless the activations were imported.
    pub model: Option<ModelInfo>,
    /// The layers, in execution order.
    pub layers: Vec<StoredLayer>,
    /// Whether everything was written.
    pub finished: bool,
}

/// One layer of a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredLayer {
    /// Module path: `layer1.0.conv1`.
    pub name: String,
    /// `conv`, `block`, `embedding`, `linear`, `norm`, `activation`, `pool`, `other`, `imported`.
    pub kind: String,
    /// Output shape of one input before pooling: `[16, 32, 32]`.
    pub shape: Vec<usize>,
    /// Columns of the file.
    pub n_features: usize,
    /// `flatten`, `avg`, `max`, `cls`, `mean`, `last`.
    pub pool: String,
    /// File name in the store's folder.
    pub file: String,
    /// NumPy's spelling of the element type: `<f4`.
    pub dtype: String,
    /// Whether all rows were written.
    pub finished: bool,
}

impl StoreManifest {
    /// Reads the manifest of the store in `folder`.
    ///
    /// # Errors
    /// When there is none, it is broken, or it is newer than this program.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST_FILE);
        let text = std::fs::read(&path).map_err(|e| no_manifest(folder, &path, e))?;
        crate::json::parse(&path, &text, "activation store", STORE_SCHEMA)
    }

    /// Writes the manifest atomically.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST_FILE);
        atomic::write_bytes(&path, &crate::json::to_bytes(&path, self)?)
    }

    /// Path of layer `index`.
    pub(super) fn layer_path(&self, folder: &Path, index: usize) -> PathBuf {
        folder.join(&self.layers[index].file)
    }
}

fn no_manifest(folder: &Path, path: &Path, error: std::io::Error) -> DataError {
    if error.kind() != std::io::ErrorKind::NotFound || !folder.is_dir() {
        return DataError::io("read", path, error);
    }
    let mend = "give a folder that 'subspect capture' or 'subspect import' wrote";
    DataError::malformed(
        folder,
        "",
        format!("an activation store with {MANIFEST_FILE}"),
        "a folder without it",
        mend,
    )
}
