//! The record of a comparison: what two runs over the same inputs have in common and where they differ.
//! `comparison.json` in the folder that `subspect compare --output` writes.
//!
//! As in the run record, every number that may be undefined is a [`Measured`], and inputs and layers are named by
//! their position: inputs in [`ComparisonRecord::ids`], layers in [`Network::layers`] of their own network.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subspect_linalg::{Measured, Status};

use crate::atomic;
use crate::error::{DataError, Result};
use crate::record::InferenceRecord;

/// Version of this layout. A reader refuses a larger one and says so.
pub const COMPARISON_SCHEMA: u32 = 1;
/// Name of the record in the folder of a comparison.
pub const COMPARISON_FILE: &str = "comparison.json";

/// Two runs side by side. Differences are always the first minus the second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRecord {
    /// [`COMPARISON_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Version of Subspect that wrote it.
    pub subspect_version: String,
    /// A command that repeats the comparison.
    pub command: String,
    /// Name of the data set.
    pub dataset: String,
    /// Class names; empty without labels.
    pub classes: Vec<String>,
    /// Ids of the inputs, in the order of the first run.
    pub ids: Vec<String>,
    /// Class of every input; empty without labels.
    pub labels: Vec<u32>,
    /// The first and the second network.
    pub networks: [Network; 2],
    /// What could not be checked or computed.
    pub notes: Vec<String>,
    /// Layer x layer maps: rows are layers of the first network, columns of the second.
    pub maps: Vec<CrossMap>,
    /// For every layer of the first network its best match in the second, and the other way round, by SSC-CKA.
    pub best: [Vec<BestMatch>; 2],
    /// Layers that are looked at side by side: best matches, layers of one name, and the deepest before the output.
    pub pairs: Vec<LayerPair>,
    /// Index in [`Self::pairs`] of the deepest layers before the output.
    pub focus: Option<usize>,
    /// Accuracy of the networks themselves.
    pub accuracy: Option<Difference>,
    /// Share of inputs to which the two networks give different answers.
    pub prediction_change: Measured,
    /// Every input, in order.
    pub inputs: Vec<InputChange>,
    /// Every class, in order.
    pub by_class: Vec<ClassChange>,
    /// The comparison in a few sentences, made from the numbers.
    pub summary: Vec<String>,
    /// The conditions of `--fail-if`.
    pub verdict: Option<Verdict>,
}

/// One of the two networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// File name of the model, or the name of the run where activations were imported.
    pub name: String,
    /// Its run directory, as given.
    pub run: String,
    /// Its layers, in execution order.
    pub layers: Vec<NetworkLayer>,
}

/// One layer of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkLayer {
    /// Module path.
    pub name: String,
    /// Modularity of the class labels.
    pub modularity: Measured,
    /// Accuracy of the affinity vote.
    pub vote_accuracy: Measured,
}

/// A map between the layers of two networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossMap {
    /// `ssc_cka` or `linear_cka`.
    pub measure: String,
    /// `biased` or `debiased`.
    pub estimator: String,
    /// Rows are layers of the first network.
    pub values: Vec<Vec<Measured>>,
    /// Nulls and intervals of the cells.
    pub inference: InferenceRecord,
}

/// The layer of the other network that is most alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestMatch {
    /// Position of that layer; none when no similarity is defined.
    pub layer: Option<usize>,
    /// The similarity, or why there is none.
    pub value: Measured,
}

/// Two values of the same inputs, and what is known about their difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of the first network.
    pub first: Measured,
    /// Of the second.
    pub second: Measured,
    /// First minus second.
    pub value: Measured,
    /// Lower end of its interval over inputs.
    pub lo: Measured,
    /// Upper end.
    pub hi: Measured,
    /// Two-sided p that there is none.
    pub p: Measured,
}

impl Difference {
    /// Nothing to compare, and why.
    pub fn of_nothing(status: Status) -> Self {
        let m = Measured::from(status);
        Self { first: m, second: m, value: m, lo: m, hi: m, p: m }
    }
}

/// A layer of the first network beside one of the second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerPair {
    /// Layer of the first network.
    pub first: usize,
    /// Layer of the second.
    pub second: usize,
    /// SSC-CKA, biased.
    pub ssc_cka: Measured,
    /// Mean over inputs of the weighted Jaccard similarity of their neighbourhoods.
    pub neighbour_overlap: Measured,
    /// Modularity of the class labels.
    pub modularity: Difference,
    /// Accuracy of the affinity vote.
    pub vote: Difference,
    /// Share of inputs whose affinity vote differs.
    pub vote_change: Measured,
}

/// One input in both networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputChange {
    /// Weighted Jaccard distance of its neighbourhoods in the deepest layers before the output.
    pub change: Measured,
    /// Mean of the same over all layers of the first network and their best matches.
    pub mean_change: Measured,
    /// Its affinity votes in the deepest layers before the output.
    pub votes: [Option<u32>; 2],
    /// The networks' answers.
    pub predictions: [Option<u32>; 2],
    /// The softmax probability of the answers.
    pub confidence: [Option<f32>; 2],
}

/// The inputs of one class in both networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassChange {
    /// Inputs of this class.
    pub n_inputs: usize,
    /// Share that the networks get right; none without networks.
    pub accuracy: Option<Difference>,
    /// Share whose vote is right in the deepest layers before the output.
    pub vote: Difference,
    /// Mean neighbourhood change in the deepest layers before the output.
    pub change: Measured,
}

/// Whether the conditions of `--fail-if` hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether any of them holds.
    pub failed: bool,
    /// Every condition, in the order given.
    pub conditions: Vec<ConditionResult>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionResult {
    /// As it was given.
    pub condition: String,
    /// Whether it holds for any of its layers.
    pub failed: bool,
    /// Every value that was looked at.
    pub cells: Vec<ConditionCell>,
}

/// One value that a condition looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionCell {
    /// Layer of the first network; none for a measure of whole networks.
    pub layer_a: Option<String>,
    /// Layer of the second network.
    pub layer_b: Option<String>,
    /// The value.
    pub value: Measured,
    /// Whether the condition holds for it. A value that is undefined counts as if it did.
    pub failed: bool,
}

impl ComparisonRecord {
    /// Writes `comparison.json` into `folder`, atomically, and gives its path.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Argument`] when the record holds a NaN.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(COMPARISON_FILE);
        atomic::write_bytes(&path, &crate::json::to_bytes(&path, self)?)?;
        Ok(path)
    }

    /// Reads `comparison.json` from `folder`.
    ///
    /// # Errors
    /// A record that is missing, cut short, or newer than this program.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(COMPARISON_FILE);
        let text = std::fs::read(&path).map_err(|e| DataError::io("read", &path, e))?;
        crate::json::parse(&path, &text, "comparison", COMPARISON_SCHEMA)
    }
}
