//! Reading an activation store: the manifest at once, each layer memory-mapped when it is asked for.

use std::path::{Path, PathBuf};

use super::manifest::{StoreManifest, StoredLayer};
use crate::dense::{Activations, Dtype, npy_bytes};
use crate::error::{DataError, Result};

/// A finished store.
#[derive(Debug)]
pub struct ActivationStore {
    folder: PathBuf,
    manifest: StoreManifest,
}

/// What lies at a path that a store may be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreStatus {
    /// Nothing, or no store.
    Absent,
    /// A store whose writing was interrupted; it can be replaced.
    Partial,
    /// A finished store with this key.
    Complete {
        /// Hash of everything that its activations depend on.
        key: String,
    },
}

impl StoreStatus {
    /// Looks at `folder`. A manifest that cannot be read counts as [`StoreStatus::Partial`], one of a newer
    /// version is an error.
    ///
    /// # Errors
    /// [`DataError::NewerSchema`].
    pub fn of(folder: &Path) -> Result<StoreStatus> {
        if !folder.join(super::MANIFEST_FILE).is_file() {
            return Ok(StoreStatus::Absent);
        }
        match ActivationStore::open(folder) {
            Ok(store) => Ok(StoreStatus::Complete { key: store.manifest.key }),
            Err(newer @ DataError::NewerSchema { .. }) => Err(newer),
            Err(_) => Ok(StoreStatus::Partial),
        }
    }
}

impl ActivationStore {
    /// Opens a finished store and checks that every layer file is whole.
    ///
    /// # Errors
    /// No store, a partial store, a newer one, or a layer file that does not fit the manifest.
    pub fn open(folder: &Path) -> Result<Self> {
        let manifest = StoreManifest::read(folder)?;
        let unfinished: Vec<_> =
            manifest.layers.iter().filter(|l| !l.finished).map(|l| l.name.clone()).collect();
        if !manifest.finished || !unfinished.is_empty() {
            return Err(DataError::PartialStore { path: folder.to_owned(), layers: unfinished });
        }
        let store = Self { folder: folder.to_owned(), manifest };
        for index in 0..store.manifest.layers.len() {
            store.check_layer(index)?;
        }
        Ok(store)
    }

    /// Everything but the activations.
    pub fn manifest(&self) -> &StoreManifest {
        &self.manifest
    }

    /// The store's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Number of inputs.
    pub fn n_inputs(&self) -> usize {
        self.manifest.n_inputs
    }

    /// The layers, in execution order.
    pub fn layers(&self) -> &[StoredLayer] {
        &self.manifest.layers
    }

    /// Index of the layer of that name.
    pub fn layer_index(&self, name: &str) -> Option<usize> {
        self.manifest.layers.iter().position(|l| l.name == name)
    }

    /// Maps one layer.
    ///
    /// # Errors
    /// When there is no such layer or its file is broken.
    pub fn layer(&self, index: usize) -> Result<Activations> {
        if index >= self.manifest.layers.len() {
            let n = self.manifest.layers.len();
            return Err(DataError::Argument(format!("no layer {index}: the store has {n}")));
        }
        self.check_layer(index)?;
        Activations::open(&self.manifest.layer_path(&self.folder, index))
    }

    fn check_layer(&self, index: usize) -> Result<()> {
        let path = self.manifest.layer_path(&self.folder, index);
        let (header, _) = npy_bytes(&path)?;
        let layer = &self.manifest.layers[index];
        let expected = vec![self.manifest.n_inputs, layer.n_features];
        if header.shape != expected || header.dtype != Dtype::F32 || header.fortran_order {
            let found = format!("{:?} of {}", header.shape, header.dtype.name());
            let mend = "the file was replaced: capture or import again";
            let expected = format!("shape {expected:?} of float32 in C order, as the manifest says");
            return Err(DataError::malformed(&path, "header", expected, found, mend));
        }
        Ok(())
    }
}
