//! The record of a training: how every layer moves from epoch to epoch and when it settles. `dynamics.json` in the folder
//! that `subspect dynamics --output` writes.
//!
//! ```text
//! dynamics.json            this record
//! epochs/0000/             one ordinary run directory per epoch, maps of the inputs turned onto the next epoch's
//! tables/dynamics.csv      every number by series, epoch and layer
//! tables/settling.csv      when each layer settles
//! figures/*.svg            the page's figures
//! report.html              the page
//! ```
//!
//! With several series (the same training from other seeds) the runs lie in `series/NAME/epochs/0000/`; a reader follows
//! [`EpochRecord::run`], which is relative to the folder, and needs not know. Layers are named by their position in
//! [`DynamicsRecord::layers`], inputs by theirs in [`DynamicsRecord::ids`], epochs by theirs in
//! [`SeriesRecord::epochs`]. All runs hold the same layers and inputs in the same order. As everywhere, a number that may be
//! undefined is a [`Measured`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subspect_linalg::Measured;

use crate::atomic;
use crate::error::{DataError, Result};
use crate::record::{DatasetInfo, IntervalRecord, RunState};

/// Version of this layout. A reader refuses a larger one and says so.
pub const DYNAMICS_SCHEMA: u32 = 1;
/// Name of the record in its folder.
pub const DYNAMICS_FILE: &str = "dynamics.json";

/// One training, or several of the same network from different seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DynamicsRecord {
    /// [`DYNAMICS_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Version of Subspect that wrote it.
    pub subspect_version: String,
    /// Start, RFC 3339, UTC.
    pub created: String,
    /// A command that repeats it.
    pub command: String,
    /// Whether every epoch of every series is in it.
    pub state: RunState,
    /// Every effective option, name to value.
    pub settings: BTreeMap<String, String>,
    /// The probe inputs' data set.
    pub dataset: DatasetInfo,
    /// Ids of the probe inputs, in order.
    pub ids: Vec<String>,
    /// Class of every input; empty without labels.
    pub labels: Vec<u32>,
    /// The layers, in execution order.
    pub layers: Vec<DynamicsLayer>,
    /// Similarity to the final state from which on a layer counts as settled.
    pub threshold: f64,
    /// Chance aimed at by all intervals.
    pub level: f64,
    /// The trainings, in the order given.
    pub series: Vec<SeriesRecord>,
    /// When the layers settle over all series, by measure and estimator; with a single series its own.
    pub settling: Vec<SettlingRecord>,
    /// The whole in a few sentences, made from the numbers.
    pub summary: Vec<String>,
    /// What a reader should know before trusting a number.
    pub warnings: Vec<String>,
    /// Seconds by stage.
    pub seconds: BTreeMap<String, f64>,
}

/// What does not change over the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DynamicsLayer {
    /// Module path: `layer1.0.conv1`.
    pub name: String,
    /// `conv`, `block`, `linear`, ...
    pub kind: String,
    /// Output shape of one input.
    pub shape: Vec<usize>,
    /// Features after pooling.
    pub n_features: usize,
}

/// One training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesRecord {
    /// Name that tells it from the others: of its folder, with the seed where one is known.
    pub name: String,
    /// Where it lies, as given.
    pub source: String,
    /// Its epochs, ascending; the last is the final state.
    pub epochs: Vec<EpochRecord>,
    /// Similarities between epochs, by measure and estimator: `ssc_cka` and `linear_cka`, `biased` and `debiased`.
    pub convergence: Vec<ConvergenceRecord>,
    /// How much neighbourhoods and votes change from an epoch to the next: `epochs - 1` rows, one value per layer.
    pub changes: Vec<Vec<ChangeRecord>>,
    /// When its layers settle, by measure and estimator.
    pub settling: Vec<SettlingRecord>,
    /// What the training itself reported, if it left a `training.json`.
    pub training: Vec<TrainingPoint>,
}

/// One moment of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epochs trained; 0 is the network before training.
    pub epoch: u64,
    /// The checkpoint or store that it was made from, as found.
    pub source: String,
    /// Its run directory, relative to the folder of the record: `record.json`, `layouts/`, `neighbours/`, `graphs/`.
    pub run: String,
    /// Share of the probe inputs that the network names rightly.
    pub accuracy: Measured,
    /// One per layer.
    pub layers: Vec<EpochLayer>,
}

/// One layer at one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochLayer {
    /// As in the run record: `modularity`, `vote_accuracy`, `vote_agreement`, `sre`, `density`, ...
    pub measures: BTreeMap<String, Measured>,
    /// Intervals over inputs, of those that have one.
    pub intervals: BTreeMap<String, IntervalRecord>,
    /// Rows of its self-expression that stopped before the tolerance was met.
    pub n_unconverged: usize,
}

/// A value with its interval over inputs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: Measured,
    /// Lower end of the interval.
    pub lo: Measured,
    /// Upper end.
    pub hi: Measured,
}

/// How similar the epochs see the inputs, layer by layer, by one measure and estimator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConvergenceRecord {
    /// `ssc_cka` or `linear_cka`.
    pub measure: String,
    /// `biased` or `debiased`.
    pub estimator: String,
    /// To the final epoch: one row per epoch, one value per layer. The last row is 1 and has no interval.
    pub to_final: Vec<Vec<Estimate>>,
    /// To the next epoch: `epochs - 1` rows. Needs no final state.
    pub to_next: Vec<Vec<Estimate>>,
}

/// What changes in one layer from an epoch to the next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeRecord {
    /// Mean over inputs of the weighted Jaccard similarity of their neighbourhoods.
    pub neighbour_overlap: Measured,
    /// Share of the inputs whose affinity vote differs.
    pub vote_change: Measured,
}

/// When the layers settle by one measure and estimator, and whether the shallower do first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettlingRecord {
    /// `ssc_cka` or `linear_cka`.
    pub measure: String,
    /// `biased` or `debiased`.
    pub estimator: String,
    /// What the intervals are over: `inputs` (bootstrap) or `seeds` (Student's t over the series).
    pub over: String,
    /// One per layer.
    pub layers: Vec<SettlingEpoch>,
    /// Depth against settling epoch.
    pub order: OrderTest,
}

/// The first epoch from which on a layer's similarity to its final state stays at the threshold or above, linear between
/// recorded epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettlingEpoch {
    /// The epoch; a bound where it is censored.
    pub epoch: Measured,
    /// Lower end of its interval; never outside the recorded epochs.
    pub lo: Measured,
    /// Upper end.
    pub hi: Measured,
    /// Whether the recorded epochs only bound it.
    pub censored: Censored,
}

/// Whether the recorded epochs hold the moment of settling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Censored {
    /// They do.
    No,
    /// Settled by the first epoch, or earlier.
    ByFirst,
    /// Not settled before the last epoch, which is similar to itself by definition; that it is final is an assumption.
    AtLast,
    /// Over several series: some are censored, and the mean is only a bound.
    Mixed,
}

/// Rank correlation of depth and settling epoch: positive where shallower layers settle first. Censored layers of one
/// kind are tied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderTest {
    /// Layers with a settling epoch.
    pub n_layers: usize,
    /// Of these, settled by the first epoch.
    pub n_by_first: usize,
    /// Of these, not settled before the last.
    pub n_at_last: usize,
    /// Spearman's rho with its interval.
    pub spearman: Estimate,
    /// Two-sided permutation p of rho.
    pub spearman_p: Measured,
    /// Kendall's tau-b with its interval.
    pub kendall: Estimate,
    /// Two-sided permutation p of tau.
    pub kendall_p: Measured,
    /// Orders of the layers behind p.
    pub n_permutations: usize,
    /// Whether these are all orders that there are.
    pub exact: bool,
    /// What can be said.
    pub verdict: OrderVerdict,
    /// The same as a sentence, with number, interval and p.
    pub sentence: String,
}

/// Whether shallower layers settle first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderVerdict {
    /// They do: rho above 0, p below 1 - level.
    ShallowerFirst,
    /// Deeper layers do: rho below 0, p below 1 - level.
    DeeperFirst,
    /// Chance alone would give as much.
    CannotTell,
}

/// What a training reported about one of its epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingPoint {
    /// Epochs trained.
    pub epoch: u64,
    /// Numbers by name as the training wrote them: `train_loss`, `test_accuracy`, ...
    pub values: BTreeMap<String, f64>,
}

impl DynamicsRecord {
    /// Writes `dynamics.json` into `folder`, atomically, and gives its path.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Argument`] when the record holds a NaN.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(DYNAMICS_FILE);
        atomic::write_bytes(&path, &crate::json::to_bytes(&path, self)?)?;
        Ok(path)
    }

    /// Reads `dynamics.json` from `folder`.
    ///
    /// # Errors
    /// A record that is missing, cut short, or newer than this program.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(DYNAMICS_FILE);
        let text = std::fs::read(&path).map_err(|e| DataError::io("read", &path, e))?;
        crate::json::parse(&path, &text, "dynamics", DYNAMICS_SCHEMA)
    }
}

impl Estimate {
    /// A value without an interval, and why.
    pub fn alone(value: Measured, why: subspect_linalg::Status) -> Self {
        Self { value, lo: why.into(), hi: why.into() }
    }
}
