//! `subspect vote`: which class the atoms that express an input speak for.

use std::path::{Path, PathBuf};

use serde_json::json;
use subspect_data::dense::{header_bytes, read_labels};
use subspect_data::record::Inputs;
use subspect_data::sparse::load_csr;
use subspect_data::store::StoreManifest;
use subspect_graph::{AffinityVote, Partition, vote_agreement};
use subspect_linalg::{Csr, Measured};
use subspect_pipeline::PipelineError;

use crate::answer::Answer;
use crate::command::run::show;
use crate::failure::Failure;
use crate::table::count;

/// Let the atoms that express each input vote for its class, out of sample
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every row of the coefficients votes by itself: the class with the largest sum of |c_j| over the atoms j of that\n\
    class, the lowest class among equals, none for an empty row. For inputs that express each other use\n\
    `subspect measure`, whose graph counts both directions.\n\
    Activation stores have the classes of their inputs, and the network's answers, which the votes are compared with.\n\n\
    Examples:\n  \
    subspect express test.npy --dictionary train.npy --output c.npz\n  \
    subspect vote c.npz --labels train_y.npy\n  \
    subspect vote c.npz --labels train_y.npy --truth test_y.npy --output votes.npy\n  \
    subspect vote c.npz --labels TRAIN_STORE --truth TEST_STORE"
)]
pub(crate) struct Args {
    /// Coefficients (SciPy CSR .npz; row i expresses input i by the atoms)
    #[arg(value_name = "COEFFICIENTS")]
    coefficients: PathBuf,
    /// Class index of every atom (.npy, or the atoms' activation store)
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Class index of every input (.npy, or the inputs' activation store), to compare the votes with
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Votes to write (.npy, int64; -1: no vote)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let coefficients = load_csr(&args.coefficients).map_err(PipelineError::from)?;
    let (n, n_atoms) = (coefficients.n_rows(), coefficients.n_cols());
    let labels = classes(&args.labels, &args.coefficients, n_atoms, "column", "atoms")?.labels;
    let truth =
        args.truth.as_deref().map(|p| classes(p, &args.coefficients, n, "row", "inputs")).transpose()?;
    let most = labels.iter().chain(truth.iter().flat_map(|t| &t.labels)).max();
    let n_classes = most.map_or(0, |&l| l as usize + 1);
    let partition = |classes| Partition::new(classes, n_classes).map_err(PipelineError::from);
    let votes = votes(&coefficients, &partition(labels)?)?;
    let compared = truth.map(|truth| Compared::new(&votes, &truth)).transpose()?;
    if let Some(output) = &args.output {
        write(output, &votes)?;
    }
    let n_silent = votes.iter().filter(|v| v.is_none()).count();
    let mut per_class = vec![0_usize; n_classes];
    votes.iter().flatten().for_each(|&v| per_class[v as usize] += 1);
    let of = |value: fn(&Compared) -> Option<Measured>| compared.as_ref().and_then(value);
    let json = json!({
        "coefficients": args.coefficients.display().to_string(),
        "n_inputs": n,
        "n_atoms": n_atoms,
        "n_without_vote": n_silent,
        "votes_per_class": per_class,
        "accuracy": of(|c| Some(c.accuracy)),
        "network_accuracy": of(|c| c.network),
        "agreement": of(|c| c.agreement),
        "output": args.output.as_ref().map(|p| p.display().to_string()),
    });
    Ok(Answer::new(human(n, n_atoms, n_silent, compared.as_ref(), args.output.as_deref()), json))
}

/// The votes beside the classes of their inputs and a network's answers.
struct Compared {
    accuracy: Measured,
    network: Option<Measured>,
    agreement: Option<Measured>,
}

impl Compared {
    fn new(votes: &[Option<u32>], truth: &Inputs) -> Result<Self, Failure> {
        let labels = &truth.labels;
        // A vote for the class of an input, and the network's answer likewise.
        let share = |votes: &[Option<u32>], wanted: &[u32]| {
            vote_agreement(votes, wanted).map_err(|e| Failure::from(PipelineError::from(e)))
        };
        let answers: Vec<Option<u32>> = truth.predictions.iter().copied().map(Some).collect();
        let has_network = !answers.is_empty();
        Ok(Self {
            accuracy: share(votes, labels)?,
            network: has_network.then(|| share(&answers, labels)).transpose()?,
            agreement: has_network.then(|| share(votes, &truth.predictions)).transpose()?,
        })
    }
}

/// The classes in a file or store, and the network's answers where a store has them.
fn classes(path: &Path, of: &Path, n: usize, axis: &str, what: &str) -> Result<Inputs, Failure> {
    let inputs = if path.is_dir() {
        StoreManifest::read(path).map_err(PipelineError::from)?.inputs
    } else {
        let labels = read_labels(path).map_err(PipelineError::from)?;
        Inputs { ids: Vec::new(), labels, predictions: Vec::new(), confidence: Vec::new() }
    };
    if inputs.labels.len() == n {
        return Ok(inputs);
    }
    let message = format!(
        "{}: expected {n} classes, one per {axis} of {}, found {}",
        path.display(),
        of.display(),
        inputs.labels.len()
    );
    Err(Failure::with_help(message, format!("give the classes of the {what}, in the same order")))
}

fn votes(coefficients: &Csr, atoms: &Partition) -> Result<Vec<Option<u32>>, Failure> {
    let vote = |i| {
        let (cols, values) = coefficients.row(i);
        Ok(AffinityVote::of_outside(cols, values, atoms).map_err(PipelineError::from)?.vote)
    };
    (0..coefficients.n_rows()).map(vote).collect()
}

fn write(path: &Path, votes: &[Option<u32>]) -> Result<(), Failure> {
    let mut bytes = header_bytes("<i8", &[votes.len()]);
    bytes.extend(votes.iter().flat_map(|v| v.map_or(-1_i64, i64::from).to_le_bytes()));
    Ok(subspect_data::atomic::write_bytes(path, &bytes).map_err(PipelineError::from)?)
}

fn human(
    n: usize,
    n_atoms: usize,
    silent: usize,
    compared: Option<&Compared>,
    output: Option<&Path>,
) -> String {
    let mut out =
        format!("{} inputs over {} atoms, {} without a vote", count(n), count(n_atoms), count(silent));
    if let Some(compared) = compared {
        out += &format!("\naccuracy of the vote: {}", show(compared.accuracy, 4));
        for (name, value) in
            [("accuracy of the network", compared.network), ("agreement with it", compared.agreement)]
        {
            out.extend(value.map(|v| format!("\n{name}: {}", show(v, 4))));
        }
    }
    if let Some(output) = output {
        out += &format!("\n\nvotes: {}", output.display());
    }
    out
}
