//! The record of a sweep: the same analysis for every cell of a grid, and how far each layer x layer map falls into
//! blocks. `sweep.json` in the folder that `subspect sweep` writes; each cell's run lies below it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subspect_linalg::Measured;

use crate::atomic;
use crate::error::{DataError, Result};
use crate::record::SimilarityRecord;

/// Version of this layout. A reader refuses a larger one and says so.
pub const SWEEP_SCHEMA: u32 = 1;
/// Name of the record in the folder of a sweep.
pub const SWEEP_FILE: &str = "sweep.json";

/// A grid of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// [`SWEEP_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Version of Subspect that wrote it.
    pub subspect_version: String,
    /// A command that repeats the sweep.
    pub command: String,
    /// What it is called.
    pub name: String,
    /// The options that vary.
    pub axes: Vec<String>,
    /// Cells that the configuration has; fewer are in [`Self::cells`] while the sweep is under way.
    pub n_cells: usize,
    /// Finished cells, in the order of the configuration.
    pub cells: Vec<SweepCell>,
}

/// One run of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepCell {
    /// Unique name.
    pub name: String,
    /// Value of every axis; empty where the cell does not set it.
    pub values: BTreeMap<String, String>,
    /// Run directory, relative to the sweep's.
    pub run: String,
    /// Number of inputs.
    pub n_inputs: usize,
    /// Share of the inputs that the network itself gets right.
    pub accuracy: Measured,
    /// Modularity of the class labels in the deepest layer before the output.
    pub modularity: Measured,
    /// Share of the inputs whose affinity vote is right, in the same layer.
    pub vote: Measured,
    /// Share of the inputs whose affinity vote is the network's answer, in the same layer.
    pub agreement: Measured,
    /// Name of that layer.
    pub layer: String,
    /// Names of the layers, in execution order.
    pub layers: Vec<String>,
    /// The layer x layer maps and their blocks, without intervals and tests, which the run's own record has.
    pub maps: Vec<SimilarityRecord>,
}

impl SweepRecord {
    /// Writes `sweep.json` into `folder`, atomically, and gives its path.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Argument`] when the record holds a NaN.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(SWEEP_FILE);
        atomic::write_bytes(&path, &crate::json::to_bytes(&path, self)?)?;
        Ok(path)
    }

    /// Reads `sweep.json` from `folder`.
    ///
    /// # Errors
    /// A record that is missing, cut short, or newer than this program.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(SWEEP_FILE);
        let text = std::fs::read(&path).map_err(|e| DataError::io("read", &path, e))?;
        crate::json::parse(&path, &text, "sweep", SWEEP_SCHEMA)
    }
}
