//! The run record: what was found, and with what. `record.json` in a run directory.
//!
//! It is one of the two contracts between stages (the other is the activation store): the pipeline writes it,
//! the report, the tables and other programs read it. Every number that may be undefined is a [`Measured`], so
//! that a missing value always carries its reason. Arrays that are as long as the inputs follow the order of
//! [`Inputs::ids`]; everything that names an input elsewhere uses its **position** in that order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use subspect_linalg::Measured;

/// Version of this layout. A reader refuses a larger one and says so.
///
/// 2 added [`SimilarityRecord::inference`], [`SimilarityRecord::blocks`], [`LayerRecord::intervals`],
/// [`LayerRecord::nulls`] and [`RunRecord::scores`]; a record of schema 1 reads as one in which none of these was
/// computed.
pub const RECORD_SCHEMA: u32 = 2;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`RECORD_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Version of Subspect that wrote it.
    pub subspect_version: String,
    /// Start of the run, RFC 3339, UTC.
    pub created: String,
    /// A command that repeats this run.
    pub command: String,
    /// Whether every stage finished.
    pub state: RunState,
    /// Where it ran.
    pub machine: Machine,
    /// The network, unless the activations were imported.
    pub model: Option<ModelInfo>,
    /// The data set and the subset taken from it.
    pub dataset: DatasetInfo,
    /// Every effective option, name to value, as in `plan.toml`.
    pub settings: BTreeMap<String, String>,
    /// The inputs, in order.
    pub inputs: Inputs,
    /// The layers, in execution order.
    pub layers: Vec<LayerRecord>,
    /// Layer x layer similarity, one map per measure and estimator.
    pub similarity: Vec<SimilarityRecord>,
    /// Neighbourhoods of inputs worth looking at first: misclassified ones, most confident first, in the deepest
    /// layer that is not the logits (or the only layer).
    pub neighbourhoods: Vec<NeighbourhoodRecord>,
    /// Scores by which inputs are ranked, see `subspect rank`.
    #[serde(default)]
    pub scores: Vec<ScoreRecord>,
    /// The sprite atlas of input pictures, if inputs are pictures.
    pub thumbnails: Option<Thumbnails>,
    /// The run in a few sentences, made from the numbers.
    pub summary: Vec<String>,
    /// What a reader should know before trusting a number: rows not converged, statuses, low N.
    pub warnings: Vec<String>,
    /// Seconds by stage.
    pub seconds: BTreeMap<String, f64>,
}

/// Whether every stage of the run finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Some stages are missing; the run can be resumed.
    Partial,
    /// Everything that was planned is there.
    Complete,
}

/// Where a run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// `linux`, `macos`, `windows`.
    pub os: String,
    /// `x86_64`, `aarch64`.
    pub arch: String,
    /// Threads used.
    pub threads: usize,
}

/// The network that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// File name without folder.
    pub name: String,
    /// BLAKE3 of the file, hex.
    pub hash: String,
    /// What ran it: `rten 0.27`.
    pub engine: String,
    /// Input shape without the batch axis, for instance `[3, 32, 32]`.
    pub input_shape: Vec<usize>,
    /// Share of the inputs whose largest logit is their label.
    pub accuracy: Measured,
}

/// The data set and the subset taken from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// Short name: `cifar10`, `optdigits`, or the folder's name.
    pub name: String,
    /// `cifar10`, `cifar100`, `idx`, `image_folder`, `npz`, `activations`, `embedded`.
    pub format: String,
    /// Inputs in the whole set.
    pub n_total: usize,
    /// Class names; empty without labels.
    pub classes: Vec<String>,
    /// `[height, width, channels]`; empty when inputs are not pictures.
    pub image_shape: Vec<usize>,
    /// How pixels became network input: `imagenet`, `cifar10`, `none` or `mean:std`.
    pub normalize: String,
    /// BLAKE3 over the chosen inputs (pixels and labels), hex: two runs with the same hash saw the same inputs.
    pub hash: String,
    /// Licence and citation, where known.
    pub citation: Option<String>,
}

/// The inputs of a run. All arrays have the same length, or are empty when unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// Stable ids within the data set (record number or file name).
    pub ids: Vec<String>,
    /// Class index of each input; empty without labels.
    pub labels: Vec<u32>,
    /// The network's own choice; empty without a network.
    pub predictions: Vec<u32>,
    /// Softmax probability of that choice.
    pub confidence: Vec<f32>,
}

/// What one layer gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// Module path: `layer1.0.conv1`.
    pub name: String,
    /// `conv`, `block`, `linear`, `pool`, `activation`, `other`, `imported`.
    pub kind: String,
    /// Output shape of one input: `[16, 32, 32]`.
    pub shape: Vec<usize>,
    /// Features after pooling: the D of the activation matrix.
    pub n_features: usize,
    /// `flatten`, `avg`, `max`.
    pub pool: String,
    /// Graph file relative to the run directory.
    pub graph: String,
    /// How the self-expression was solved.
    pub solve: SolveRecord,
    /// Stored coefficients.
    pub nnz: usize,
    /// Undirected edges of the affinity graph.
    pub n_edges: usize,
    /// Inputs without any edge.
    pub n_isolated: usize,
    /// Class structure and vote by name; the names and their meaning are in `subspect methods --format json`:
    /// `modularity`, `modularity_ceiling`, `modularity_floor`, `sre`, `one_class_rows`, `vote_accuracy`,
    /// `vote_agreement`, `mean_degree`, ...
    pub measures: BTreeMap<String, Measured>,
    /// Permuted labels, for the modularity.
    pub modularity_null: NullRecord,
    /// Permuted labels, for other measures by name. The modularity's is [`Self::modularity_null`].
    #[serde(default)]
    pub nulls: BTreeMap<String, NullRecord>,
    /// Intervals of measures over inputs, by name.
    #[serde(default)]
    pub intervals: BTreeMap<String, IntervalRecord>,
    /// Class x class share of the affinity mass: row c sums to 1 (or is 0 when the class has no edge).
    pub class_affinity: Vec<Vec<f64>>,
    /// Affinity vote of every input; `None` for an input without edges.
    pub votes: Vec<Option<u32>>,
    /// Map of the inputs (`.npy`, float32, `n_inputs x 2`) relative to the run directory, if one was laid out.
    #[serde(default)]
    pub layout: Option<String>,
    /// Every input's strongest neighbours ([`crate::neighbours`]) relative to the run directory.
    #[serde(default)]
    pub neighbours: Option<String>,
}

/// How one layer's self-expression went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SolveRecord {
    /// `lasso`, `omp`, `knn`, ...
    pub method: String,
    /// Rows that met the tolerance.
    pub n_converged: usize,
    /// Rows that stopped at the iteration limit.
    pub n_max_iter: usize,
    /// Rows whose solution is zero by definition: zero inputs, no correlated atom.
    pub n_trivial: usize,
    /// Largest relative duality gap; undefined for greedy methods.
    pub gap_max: Measured,
    /// Median relative duality gap.
    pub gap_median: Measured,
    /// Sum of the rows' primal objectives.
    pub objective: Measured,
    /// `gram` or `panels`.
    pub memory_mode: String,
    /// Wall seconds of Gram and solve.
    pub seconds: f64,
}

/// Distribution of a measure under permuted labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NullRecord {
    /// Permutations drawn.
    pub n_permutations: usize,
    /// Mean under the null.
    pub mean: Measured,
    /// Standard deviation under the null.
    pub sd: Measured,
    /// 2.5 % quantile.
    pub lo: Measured,
    /// 97.5 % quantile.
    pub hi: Measured,
    /// (value - mean) / sd.
    pub z: Measured,
    /// One-sided (1 + #{null >= value}) / (1 + permutations).
    pub p: Measured,
}

/// A range that would hold the value of other inputs of the same kind with chance `level`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalRecord {
    /// Lower end.
    pub lo: Measured,
    /// Upper end.
    pub hi: Measured,
    /// The chance aimed at.
    pub level: f64,
    /// `node_bootstrap`, `wilson`, `bca`, `influence_bootstrap`.
    pub method: String,
    /// Resamples drawn; 0 for a closed form.
    pub n_resamples: usize,
}

/// What is known about every cell of a map beside its value: five tables of the map's shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InferenceRecord {
    /// Orders of the inputs drawn; 0 when only the exact z was wanted.
    pub n_permutations: usize,
    /// Resamples of the inputs drawn for the intervals.
    pub n_resamples: usize,
    /// Chance aimed at by the intervals.
    pub level: f64,
    /// Lower ends of the intervals.
    pub lo: Vec<Vec<Measured>>,
    /// Upper ends.
    pub hi: Vec<Vec<Measured>>,
    /// Standard deviations above the mean over all orders of one layer's inputs.
    pub z: Vec<Vec<Measured>>,
    /// Share of orders with a value at least as large.
    pub p: Vec<Vec<Measured>>,
    /// The same for the whole map (step-down max-T): the chance that any cell would come out as clear.
    pub p_adjusted: Vec<Vec<Measured>>,
}

/// One score of every input, larger where it deserves a look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRecord {
    /// `vote_label`, `vote_network`, ...: the names of `subspect rank --by`.
    pub name: String,
    /// The layer that it is taken from; none for a score over all layers.
    pub layer: Option<String>,
    /// One value per input.
    pub values: Vec<Measured>,
}

/// A symmetric layer x layer map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimilarityRecord {
    /// `ssc_cka` or `linear_cka`.
    pub measure: String,
    /// `biased` or `debiased`.
    pub estimator: String,
    /// `L x L`, in the order of the layers.
    pub values: Vec<Vec<Measured>>,
    /// Nulls and intervals of the cells, if they were computed.
    #[serde(default)]
    pub inference: Option<InferenceRecord>,
    /// Runs of neighbouring layers that do the same work, if they were looked for.
    #[serde(default)]
    pub blocks: Option<BlockRecord>,
}

/// The best division of a map's layers into contiguous blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockRecord {
    /// First layer of each block, ascending from 0; a single one where nothing divides the layers; empty when the score
    /// is undefined.
    pub starts: Vec<usize>,
    /// Correlation, over all pairs of layers, between their similarity and sharing a block.
    pub score: Measured,
    /// The score when the cells of each off-diagonal change places: similarity that only fades with distance is its own
    /// null.
    pub null: NullRecord,
}

/// One input's neighbourhood in one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeighbourhoodRecord {
    /// Position of the input.
    pub input: usize,
    /// Index of the layer in [`RunRecord::layers`].
    pub layer: usize,
    /// Neighbours, strongest affinity first.
    pub neighbours: Vec<NeighbourRecord>,
    /// Class affinity v_c, sums to 1; all zero when the input is isolated.
    pub class_affinity: Vec<f64>,
    /// argmax of the class affinity.
    pub vote: Option<u32>,
}

/// One neighbour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeighbourRecord {
    /// Position of the neighbour.
    pub input: usize,
    /// A_ij = |C_ij| + |C_ji|.
    pub affinity: f64,
    /// C_ij: the weight of the neighbour in the input's own expression.
    pub coefficient: f64,
    /// C_ji: the weight of the input in the neighbour's expression.
    pub reverse_coefficient: f64,
}

/// One PNG that holds every input's picture, in rows of tiles; tile k shows input k.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thumbnails {
    /// File relative to the run directory.
    pub file: String,
    /// Width of one tile in pixels.
    pub tile_width: usize,
    /// Height of one tile in pixels.
    pub tile_height: usize,
    /// Tiles per row.
    pub n_columns: usize,
}
