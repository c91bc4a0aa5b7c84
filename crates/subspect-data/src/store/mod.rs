//! The activation store: what was captured, one of the two contracts between stages.
//!
//! A folder with `store.json` and one `.npy` file per layer, `n_inputs x n_features` float32 in C order, that
//! NumPy reads alone. Files are named `000-layer1.0.conv1.npy`: execution order, then the layer's name. A layer
//! counts only when the manifest says it is finished; the manifest is replaced atomically, so an interrupted
//! write leaves a store that says so.

mod manifest;
mod reader;
mod writer;

pub use manifest::{MANIFEST_FILE, STORE_SCHEMA, StoreManifest, StoredLayer};
pub use reader::{ActivationStore, StoreStatus};
pub use writer::{LayerSpec, StoreHeader, StoreWriter};
