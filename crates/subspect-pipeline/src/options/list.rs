//! The list of options.

use subspect_express::SolveOptions;

use super::short;

/// Where an option stands in the help text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What is looked at.
    Source,
    /// Which layers, and how they become features.
    Layers,
    /// The self-expression problem.
    Expression,
    /// What is computed from the graphs.
    Analysis,
    /// Memory, threads, randomness.
    Resources,
}

impl Group {
    /// The heading in the help text.
    pub fn heading(self) -> &'static str {
        match self {
            Group::Source => "Network and data",
            Group::Layers => "Layers",
            Group::Expression => "Self-expression",
            Group::Analysis => "Analysis",
            Group::Resources => "Resources",
        }
    }
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file or folder.
    Path,
    /// A whole number, at least this.
    Count(u64),
    /// A real number.
    Number,
    /// Bytes: `4GiB`, `512MiB`, `1000000`.
    Bytes,
    /// A word.
    Text,
    /// Several words.
    List,
    /// True or false. On the command line `--NAME` turns it on, or `--no-NAME` off when on is the default.
    Switch,
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Name in files; `-` instead of `_` on the command line.
    pub name: &'static str,
    /// Group in the help text.
    pub group: Group,
    /// What a value may be.
    pub kind: Kind,
    /// Placeholder in the help text.
    pub value_name: &'static str,
    /// Value when none is given; empty when there is none. Use [`OptionInfo::default_text`].
    default: &'static str,
    /// One line.
    pub summary: &'static str,
}

const fn o(
    name: &'static str,
    group: Group,
    kind: Kind,
    value_name: &'static str,
    default: &'static str,
    summary: &'static str,
) -> OptionInfo {
    OptionInfo { name, group, kind, value_name, default, summary }
}

/// Marks a default that belongs to the solver.
const SOLVER: &str = "solver";

impl OptionInfo {
    /// The default as text; empty when there is none.
    pub fn default_text(&self) -> String {
        match (self.default, self.name) {
            (SOLVER, "tol") => short(SolveOptions::default().tol),
            (SOLVER, _) => SolveOptions::default().max_iter.to_string(),
            (text, _) => text.to_owned(),
        }
    }
}

/// Every option, in the order of the help text.
pub static OPTIONS: &[OptionInfo] = &[
    o(
        "model",
        Group::Source,
        Kind::Path,
        "FILE",
        "",
        "ONNX classifier or text encoder, or weights (.safetensors, .pth) together with --arch",
    ),
    o(
        "arch",
        Group::Source,
        Kind::Text,
        "NAME",
        "",
        "Network that the weights are of: NAME or NAME:width=0.5,...; see `subspect methods`",
    ),
    o(
        "data",
        Group::Source,
        Kind::Path,
        "PATH",
        "",
        "CIFAR binary file or folder, IDX images, folder class/*.png|jpg, .npz with images and labels, or .npz with the token arrays of a text encoder",
    ),
    o("data_format", Group::Source, Kind::Text, "NAME", "", "Layout of the data, when its path hides it"),
    o(
        "split",
        Group::Source,
        Kind::Text,
        "PART",
        "",
        "Part of a data folder that has several: test (default), train, all",
    ),
    o(
        "coarse_labels",
        Group::Source,
        Kind::Switch,
        "",
        "false",
        "CIFAR-100: the 20 coarse classes instead of the 100 fine ones",
    ),
    o(
        "resize",
        Group::Source,
        Kind::Switch,
        "",
        "false",
        "Scale pictures to the size that the model takes (bilinear)",
    ),
    o(
        "store",
        Group::Source,
        Kind::Path,
        "PATH",
        "",
        "Activations instead of --model and --data: a store, or a file or folder that `subspect import` reads",
    ),
    o(
        "labels",
        Group::Source,
        Kind::Path,
        "FILE",
        "",
        "Class of every input of the store (.npy), if it has none",
    ),
    o("output", Group::Source, Kind::Path, "DIR", "", "Run directory; an interrupted run there is resumed"),
    o(
        "inputs",
        Group::Source,
        Kind::Count(1),
        "N",
        "",
        "How many inputs, class-balanced [default: 1000, or all when there are fewer]",
    ),
    o(
        "normalize",
        Group::Source,
        Kind::Text,
        "HOW",
        "none",
        "How pixels in 0..1 become network input: imagenet, cifar10, none, or MEAN:STD (one number or one per channel)",
    ),
    o("batch_size", Group::Resources, Kind::Count(1), "N", "64", "Inputs per forward pass"),
    o(
        "layers",
        Group::Layers,
        Kind::List,
        "GLOB",
        "paper",
        "Layers by name, glob or kind (paper, conv, block, embedding, linear, all); see `subspect layers`",
    ),
    o(
        "pool",
        Group::Layers,
        Kind::Text,
        "HOW",
        "flatten",
        "Feature maps and tokens to features: flatten, avg, max; of tokens also cls, mean, last",
    ),
    o("method", Group::Expression, Kind::Text, "NAME", "lasso", "Self-expression; see `subspect methods`"),
    o(
        "unit_rows",
        Group::Expression,
        Kind::Switch,
        "",
        "true",
        "Divide every input's features by their norm, so that layers compare",
    ),
    o(
        "tol",
        Group::Expression,
        Kind::Number,
        "TOL",
        SOLVER,
        "Relative duality gap at which a row has converged; omp and saini2021 have their own tolerance",
    ),
    o(
        "max_iter",
        Group::Expression,
        Kind::Count(1),
        "N",
        SOLVER,
        "Rounds a row may take before it counts as not converged",
    ),
    o(
        "permutations",
        Group::Analysis,
        Kind::Count(0),
        "N",
        "199",
        "Permutations behind every null: of labels, and of inputs for similarities",
    ),
    o(
        "resamples",
        Group::Analysis,
        Kind::Count(0),
        "N",
        "499",
        "Resamples of the inputs behind intervals; 0: no intervals by resampling",
    ),
    o("level", Group::Analysis, Kind::Number, "SHARE", "0.95", "Confidence level of the intervals"),
    o("resolution", Group::Analysis, Kind::Number, "GAMMA", "1", "Resolution of the modularity"),
    o(
        "similarity",
        Group::Analysis,
        Kind::List,
        "NAME",
        "ssc_cka,linear_cka",
        "Layer x layer maps: ssc_cka, linear_cka, community_ami, other similarities of `subspect methods`, or none",
    ),
    o(
        "layout_epochs",
        Group::Analysis,
        Kind::Count(0),
        "N",
        "200",
        "Passes over the edges for each layer's map of the inputs (0: no maps)",
    ),
    o("examples", Group::Analysis, Kind::Count(0), "N", "24", "Inputs whose neighbourhoods are recorded"),
    o("neighbours", Group::Analysis, Kind::Count(1), "N", "10", "Neighbours recorded for each of them"),
    o(
        "keep_activations",
        Group::Resources,
        Kind::Switch,
        "",
        "true",
        "Keep the activations in the run directory; without them they are captured again where they are needed",
    ),
    o("memory", Group::Resources, Kind::Bytes, "BYTES", "4GiB", "Memory budget for matrices"),
    o(
        "engine",
        Group::Resources,
        Kind::Text,
        "NAME",
        "rten",
        "What runs the network: rten, or ort where it was built in",
    ),
    o("threads", Group::Resources, Kind::Count(0), "N", "0", "Worker threads; 0: one per core"),
    o("seed", Group::Resources, Kind::Count(0), "N", "0", "Seed of the subset and of the permutations"),
];

/// The option called `name`.
pub fn option(name: &str) -> Option<&'static OptionInfo> {
    OPTIONS.iter().find(|o| o.name == name)
}
