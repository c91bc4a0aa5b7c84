//! `subspect express`: one matrix of activations to coefficients and their certificate.

mod approximation;
mod choice;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use subspect_data::dense::Activations;
use subspect_data::sparse::save_csr;
use subspect_data::store::{ActivationStore, MANIFEST_FILE};
use subspect_express::{Approximation, ExpressError};
use subspect_linalg::{LinalgError, Measured};
use subspect_pipeline::options::nearest;
use subspect_pipeline::{
    ApproximationRecord, Expressed, Expression, PathRecord, PipelineError, Stage, approximate, express,
    express_outside, express_sample,
};

use self::approximation::ApproximationArgs;
use self::choice::PathArgs;
use crate::answer::Answer;
use crate::args::{Global, OptionArgs, OptionSet};
use crate::command::run::{show, unconverged};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::table::count;

/// Express every row of a matrix by the others: coefficients (SciPy CSR) and a certificate for every row
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes OUTPUT.npz, which scipy.sparse.load_npz reads (row i expresses input i), and OUTPUT.json with the\n\
    effective parameters and, for every row, whether it converged and how far from optimal it can be.\n\n\
    Examples:\n  \
    subspect express x.npy --output c.npz\n  \
    subspect express x.npy --method omp --n-nonzero-coefs 10 --output c.npz\n  \
    subspect express STORE --layer layer3.2 --alpha-ratio 0.05 --output c.npz\n  \
    subspect express x.npy --alpha 0.1 --no-unit-rows --tol 1e-8 --output c.npz\n  \
    subspect express x.npy --path 0.5,0.2,0.1,0.05\n  \
    subspect express x.npy --target-nonzeros 20 --output c.npz\n  \
    subspect express test.npy --dictionary train.npy --output c.npz   (then `subspect vote`)\n  \
    subspect express x.npy --rows 1000 --output c.npz                 (a sample of inputs)\n  \
    subspect express x.npy --approximate landmarks --approximate-size 2000 --output c.npz"
)]
pub(crate) struct Args {
    /// Activations (.npy, inputs x features) or an activation store
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Layer of the store
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Coefficients to write (.npz)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Express SOURCE over these atoms (.npy or store), out of sample: coefficients are inputs x atoms
    #[arg(long, value_name = "ATOMS", conflicts_with_all = [
        "path", "path_points", "target_nonzeros", "auto", "approximate",
    ])]
    dictionary: Option<PathBuf>,
    /// Express only a random sample of so many inputs, each by all others; coefficients are sample x inputs
    #[arg(long, value_name = "N", conflicts_with_all = ["dictionary", "approximate"],
        value_parser = clap::value_parser!(u32).range(1..))]
    rows: Option<u32>,
    #[command(flatten)]
    path: PathArgs,
    #[command(flatten)]
    approximation: ApproximationArgs,
    #[command(flatten)]
    options: OptionArgs<ExpressOptions>,
}

#[derive(Debug)]
struct ExpressOptions;

impl OptionSet for ExpressOptions {
    const NAMES: &'static [&'static str] = &["method", "unit_rows", "tol", "max_iter", "memory"];
    const PARAMETERS: bool = true;
}

/// What was found, and how.
struct Found {
    expressed: Expressed,
    /// As it was solved, with the ratio that was chosen.
    expression: Expression,
    path: Option<PathRecord>,
    approximation: Option<ApproximationRecord>,
    /// Atoms of another dictionary than the inputs themselves.
    n_atoms: Option<usize>,
    /// The inputs that were expressed, where not all were.
    rows: Option<Vec<u32>>,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let options = &args.options.options;
    let expression = Expression::from_options(options)?;
    let memory = options.bytes("memory")?;
    let approximation = args.approximation.wanted()?;
    check_output(args, approximation.is_some())?;
    let x = open(&args.source, args.layer.as_deref())?;
    let progress = Progress::new(global.quiet);
    subspect_pipeline::Events::started(
        &progress,
        Stage::Graph,
        &args.source.display().to_string(),
        args.rows.map_or(x.n_inputs() as u64, |n| u64::from(n).min(x.n_inputs() as u64)),
    );
    let seed = global.seed.unwrap_or(0);
    let path = if args.path.is_given() {
        let looked = args.path.look(x.as_ref(), &expression, seed, memory, &progress)?;
        Some(looked.map_err(|e| {
            progress.clear();
            located(e, &args.source)
        })?)
    } else {
        None
    };
    let expression = match path.as_ref().and_then(|p| p.chosen) {
        Some(ratio) => choice::with_ratio(&expression, ratio)?,
        None => expression,
    };
    let Some(output) = &args.output else {
        progress.clear();
        let path = path.as_ref();
        let json = json!({ "source": args.source.display().to_string(), "path": path });
        return Ok(Answer::new(path.map_or_else(String::new, choice::human), json));
    };
    let result = solve(args, &x, &expression, approximation, (seed, memory), &progress);
    progress.clear();
    let mut found = result?;
    found.path = path;
    finish(args, global, &x, &npz(output), &found)
}

/// Refuses an output that would not be written, and asks for one that is needed.
fn check_output(args: &Args, approximates: bool) -> Result<(), Failure> {
    let only_looks = args.path.is_given() && !args.path.chooses();
    if only_looks && (args.output.is_some() || approximates) {
        let what = if approximates { "--approximate" } else { "--output" };
        return Err(Failure::with_help(
            format!("{what} needs one alpha_ratio, and --path looks at several"),
            "choose one of them with --auto knee or --target-nonzeros D, or leave --path out",
        ));
    }
    if args.output.is_none() && !only_looks {
        return Err(PipelineError::Missing {
            what: "--output".into(),
            mend: "name the file for the coefficients, for example --output c.npz".into(),
        }
        .into());
    }
    Ok(())
}

fn solve(
    args: &Args,
    x: &Activations,
    expression: &Expression,
    approximation: Option<(Approximation, usize)>,
    (seed, memory): (u64, u64),
    progress: &Progress,
) -> Result<Found, Failure> {
    let found = |expressed| Found {
        expressed,
        expression: expression.clone(),
        path: None,
        approximation: None,
        n_atoms: None,
        rows: None,
    };
    if let Some(n_rows) = args.rows {
        let n_rows = (n_rows as usize).min(x.n_inputs());
        let result = express_sample(x.as_ref(), n_rows, seed, expression, memory, progress);
        let (rows, expressed) = result.map_err(|e| located(e, &args.source))?;
        return Ok(Found { rows: Some(rows), ..found(expressed) });
    }
    if let Some((approximation, rows)) = approximation {
        let result = approximate(x.as_ref(), expression, approximation, rows, seed, memory, progress);
        let done = result.map_err(|e| located(e, &args.source))?;
        return Ok(Found { approximation: Some(done.record), ..found(done.expressed) });
    }
    if let Some(dictionary) = &args.dictionary {
        let is_store = dictionary.join(MANIFEST_FILE).is_file();
        let atoms = open(dictionary, args.layer.as_deref().filter(|_| is_store))?;
        let result = express_outside(x.as_ref(), atoms.as_ref(), expression, memory, progress);
        let expressed = result.map_err(|e| located(e, &args.source))?;
        return Ok(Found { n_atoms: Some(atoms.n_inputs()), ..found(expressed) });
    }
    let expressed = express(x.as_ref(), expression, memory, progress);
    Ok(found(expressed.map_err(|e| located(e, &args.source))?))
}

/// `NAME.npz`, as NumPy's savez names it.
fn npz(output: &Path) -> PathBuf {
    if output.extension().is_some_and(|e| e == "npz") {
        output.to_owned()
    } else {
        PathBuf::from(format!("{}.npz", output.display()))
    }
}

/// Writes both files.
fn finish(
    args: &Args,
    global: &Global,
    x: &Activations,
    output: &Path,
    found: &Found,
) -> Result<Answer, Failure> {
    save_csr(output, &found.expressed.solution.coefficients.to_f32()).map_err(PipelineError::from)?;
    let summary = certificate(args, found, x);
    let certificate_file = output.with_extension("json");
    let text = serde_json::to_vec_pretty(&with_rows(summary.clone(), &found.expressed))
        .map_err(|e| Failure::other(e.to_string()))?;
    subspect_data::atomic::write_bytes(&certificate_file, &text).map_err(PipelineError::from)?;
    let mut json = summary;
    json["output"] = output.display().to_string().into();
    json["certificate"] = certificate_file.display().to_string().into();
    let mut answer = Answer::new(human(found, x, output, &certificate_file), json);
    if global.strict {
        answer.unmet = unconverged(found.expressed.record.n_max_iter);
    }
    Ok(answer)
}

fn open(source: &Path, layer: Option<&str>) -> Result<Activations, Failure> {
    if !source.join(MANIFEST_FILE).is_file() {
        if layer.is_some() {
            return Err(Failure::with_help(
                "--layer goes with an activation store",
                "leave it out for a single matrix",
            ));
        }
        return Ok(Activations::open(source).map_err(PipelineError::from)?);
    }
    let store = ActivationStore::open(source).map_err(PipelineError::from)?;
    let names: Vec<&str> = store.layers().iter().map(|l| l.name.as_str()).collect();
    let index = match layer {
        Some(name) => store.layer_index(name).ok_or_else(|| {
            let help = nearest(name, names.iter().copied())
                .map_or(format!("its layers are {}", names.join(", ")), |n| format!("did you mean \"{n}\"?"));
            Failure::with_help(format!("{}: no layer is called \"{name}\"", source.display()), help)
        })?,
        None if names.len() == 1 => 0,
        None => {
            let message = format!(
                "{}: expected --layer, because the store has {} layers",
                source.display(),
                names.len()
            );
            return Err(Failure::with_help(message, format!("one of {}", names.join(", "))));
        }
    };
    Ok(store.layer(index).map_err(PipelineError::from)?)
}

fn located(e: PipelineError, source: &Path) -> Failure {
    match e {
        PipelineError::Linalg(LinalgError::NotFinite { row, col, value })
        | PipelineError::Express(ExpressError::Linalg(LinalgError::NotFinite { row, col, value })) => {
            Failure::with_help(
                format!(
                    "{}: expected finite activations, found {value} at input {row}, feature {col}",
                    source.display()
                ),
                "leave the input or the feature out, or mend the activations",
            )
        }
        other => other.into(),
    }
}

fn human(found: &Found, x: &Activations, output: &Path, certificate: &Path) -> String {
    let (r, c) = (&found.expressed.record, &found.expressed.solution.coefficients);
    let n = r.n_converged + r.n_max_iter + r.n_trivial;
    let over = found.n_atoms.map_or_else(String::new, |n| format!(" over {} atoms", count(n)));
    let sampled = if found.rows.is_some() { " sampled" } else { "" };
    let path = found.path.as_ref().map_or_else(String::new, |p| choice::human(p) + "\n\n");
    let lost = found.approximation.as_ref().map_or_else(String::new, |a| approximation::human(a) + "\n");
    format!(
        "{path}{} x {}{over}: {} of {}{sampled} rows converged, {} stopped at max_iter, {} are zero\n\
         {:.1} coefficients per row, largest relative gap {}, objective {}, {:.2} s\n{lost}\n\
         coefficients: {}\ncertificate:  {}",
        count(x.n_inputs()),
        count(x.n_features()),
        count(r.n_converged),
        count(n),
        count(r.n_max_iter),
        count(r.n_trivial),
        c.nnz() as f64 / n.max(1) as f64,
        r.gap_max.value().map_or_else(|| r.gap_max.to_string(), |g| format!("{g:.1e}")),
        show(r.objective, 6),
        r.seconds,
        output.display(),
        certificate.display()
    )
}

fn certificate(args: &Args, found: &Found, x: &Activations) -> Value {
    let parameters: serde_json::Map<String, Value> = found
        .expression
        .values()
        .into_iter()
        .map(|(name, value)| (name, serde_json::to_value(value).unwrap_or(Value::Null)))
        .collect();
    let mut summary = json!({
        "schema": 1,
        "subspect_version": env!("CARGO_PKG_VERSION"),
        "source": args.source.display().to_string(),
        "layer": args.layer,
        "n_inputs": x.n_inputs(),
        "n_features": x.n_features(),
        "nnz": found.expressed.solution.coefficients.nnz(),
        "parameters": parameters,
        "solve": found.expressed.record,
    });
    // Only where they were asked for.
    if let Some(dictionary) = &args.dictionary {
        summary["dictionary"] = dictionary.display().to_string().into();
        summary["n_atoms"] = found.n_atoms.into();
    }
    if let Some(rows) = &found.rows {
        summary["sampled_rows"] = json!(rows);
    }
    if let Some(path) = &found.path {
        summary["path"] = json!(path);
    }
    if let Some(approximation) = &found.approximation {
        summary["approximation"] = json!(approximation);
    }
    summary
}

/// Adds the columns of the rows' certificates; an undefined value is the name of its status.
fn with_rows(mut summary: Value, expressed: &Expressed) -> Value {
    let rows = &expressed.solution.certificates;
    let number = |m: Measured| match m {
        Measured::Value(v) => json!(v),
        Measured::Undefined(s) => json!(s.as_str()),
    };
    summary["rows"] = json!({
        "status": rows.iter().map(|c| c.status.as_str()).collect::<Vec<_>>(),
        "n_iter": rows.iter().map(|c| c.n_iter).collect::<Vec<_>>(),
        "primal": rows.iter().map(|c| number(c.primal)).collect::<Vec<_>>(),
        "dual": rows.iter().map(|c| number(c.dual)).collect::<Vec<_>>(),
        "gap": rows.iter().map(|c| number(c.gap)).collect::<Vec<_>>(),
        "kkt_violation": rows.iter().map(|c| number(c.kkt_violation)).collect::<Vec<_>>(),
    });
    summary
}
