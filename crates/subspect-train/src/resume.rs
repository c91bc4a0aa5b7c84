//! What is needed to go on after an epoch, beside the record: the weights and what the optimiser remembers, in
//! `resume/epoch-0007.safetensors`. Everything else follows from the seed and the number of the epoch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use subspect_data::{DataError, atomic};
use subspect_nets::{Tensor, Weights};

use crate::TrainError;
use crate::optimizer::Memory;

const FOLDER: &str = "resume";
const FIRST: &str = "optimizer.first.";
const SECOND: &str = "optimizer.second.";

/// Weights and optimiser after an epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) weights: Weights,
    pub(crate) memory: BTreeMap<String, Memory>,
}

fn path(folder: &Path, epoch: usize) -> PathBuf {
    folder.join(FOLDER).join(format!("epoch-{epoch:04}.safetensors"))
}

/// Writes weights as safetensors, whole or not at all, and the folder around them.
pub(crate) fn save_weights(weights: &Weights, path: &Path) -> Result<(), TrainError> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|e| DataError::io("create", parent, e))?;
    }
    Ok(atomic::write_bytes(path, &weights.to_safetensors())?)
}

impl State {
    /// Writes the state after `epoch`.
    pub(crate) fn save(&self, folder: &Path, epoch: usize) -> Result<(), TrainError> {
        let mut all = self.weights.clone();
        for (name, memory) in &self.memory {
            for (prefix, values) in [(FIRST, &memory.first), (SECOND, &memory.second)] {
                if !values.is_empty() {
                    let tensor = Tensor { shape: vec![values.len()], values: values.clone() };
                    all.insert(&format!("{prefix}{name}"), tensor);
                }
            }
        }
        save_weights(&all, &path(folder, epoch))
    }

    /// Reads it back.
    pub(crate) fn load(folder: &Path, epoch: usize) -> Result<Self, TrainError> {
        let path = path(folder, epoch);
        let bytes = std::fs::read(&path).map_err(|e| DataError::io("read", &path, e))?;
        let mut state = State::default();
        for (name, tensor) in Weights::from_safetensors(&path.display().to_string(), &bytes)?.iter() {
            if let Some(name) = name.strip_prefix(FIRST) {
                state.memory.entry(name.to_owned()).or_default().first = tensor.values.clone();
            } else if let Some(name) = name.strip_prefix(SECOND) {
                state.memory.entry(name.to_owned()).or_default().second = tensor.values.clone();
            } else {
                state.weights.insert(name, tensor.clone());
            }
        }
        Ok(state)
    }

    /// Forgets the state after `epoch`: a later one has been written.
    pub(crate) fn forget(folder: &Path, epoch: usize) {
        // Only space is lost where it cannot be removed.
        let _ = std::fs::remove_file(path(folder, epoch));
    }
}
