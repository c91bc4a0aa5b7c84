//! The record of a sweep: the same analysis for every cell of a grid, and how far each layer x layer map falls into
//! blocks. `sweep.json` in the folder that `subspect sweep` writes; each cell's run lies below it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subspect_linalg::Measured;

use crate::atomic;
use crate::dynamics::Estimate;
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
    /// Cells that have no run, and why.
    #[serde(default)]
    pub failures: Vec<SweepFailure>,
    /// Means over seeds, one per combination of the other axes, where the seed is an axis.
    #[serde(default)]
    pub seeds: Vec<SeedSummary>,
    /// Block score along each axis whose values have an order.
    #[serde(default)]
    pub trends: Vec<Trend>,
}

/// A cell without a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepFailure {
    /// Its name.
    pub name: String,
    /// Why: its training diverged.
    pub reason: String,
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
    /// The training that its network comes from, if it was trained for the sweep.
    #[serde(default)]
    pub training: Option<CellTraining>,
}

/// The training behind a cell, at the epoch whose snapshot the cell shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellTraining {
    /// Folder of the training, relative to the sweep's; several cells may share it.
    pub folder: String,
    /// The snapshot's epoch.
    pub epoch: usize,
    /// Epochs of the training.
    pub epochs: usize,
    /// Inputs that were trained on.
    pub n_train: usize,
    /// Share of the training inputs predicted as labelled, over the epoch's batches.
    pub accuracy: Measured,
    /// Share of all held-out inputs predicted as labelled.
    pub test_accuracy: Measured,
}

/// One combination of the axes besides the seed: mean over the seeds and its Student interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedSummary {
    /// Value of every other axis.
    pub values: BTreeMap<String, String>,
    /// Number of seeds.
    pub n_seeds: usize,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Of [`SweepCell::accuracy`].
    pub accuracy: Estimate,
    /// Of [`CellTraining::test_accuracy`].
    pub test_accuracy: Estimate,
    /// Of [`SweepCell::modularity`].
    pub modularity: Estimate,
    /// Of [`SweepCell::vote`].
    pub vote: Estimate,
    /// Of each map's block score.
    pub blocks: Vec<SeedBlocks>,
}

/// Block scores of one kind of map over the seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedBlocks {
    /// `ssc_cka`, `linear_cka`, ...
    pub measure: String,
    /// `biased` or `debiased`.
    pub estimator: String,
    /// Mean and interval.
    pub score: Estimate,
}

/// Does the block score grow along an axis? Rank correlation of the axis with the score, all other axes but the seed held
/// fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// The axis.
    pub axis: String,
    /// Value of the axes that are held fixed.
    pub fixed: BTreeMap<String, String>,
    /// Kind of map.
    pub measure: String,
    /// Its estimator.
    pub estimator: String,
    /// The cells along the axis, ascending.
    pub points: Vec<TrendPoint>,
    /// Spearman's rho.
    pub spearman: Measured,
    /// Its two-sided permutation p.
    pub spearman_p: Measured,
    /// Kendall's tau-b.
    pub kendall: Measured,
    /// Its two-sided permutation p.
    pub kendall_p: Measured,
    /// Whether p comes from all orders.
    pub exact: bool,
    /// What may be said, in words.
    pub sentence: String,
}

/// One cell on an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// Name of the cell.
    pub cell: String,
    /// Value on the axis, as it was written.
    pub value: String,
    /// Place on the axis.
    pub x: f64,
    /// Block score.
    pub score: Measured,
    /// Its mean under the null.
    pub null_mean: Measured,
    /// Upper end of the null's band.
    pub null_hi: Measured,
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
