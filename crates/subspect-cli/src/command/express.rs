//! `subspect express`: one matrix of activations to coefficients and their certificate.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use subspect_data::dense::Activations;
use subspect_data::sparse::save_csr;
use subspect_data::store::{ActivationStore, MANIFEST_FILE};
use subspect_linalg::{LinalgError, Measured};
use subspect_pipeline::options::nearest;
use subspect_pipeline::{Expressed, Expression, PipelineError, Stage, express};

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
    subspect express x.npy --alpha 0.1 --no-unit-rows --tol 1e-8 --output c.npz"
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
    output: PathBuf,
    #[command(flatten)]
    options: OptionArgs<ExpressOptions>,
}

#[derive(Debug)]
struct ExpressOptions;

impl OptionSet for ExpressOptions {
    const NAMES: &'static [&'static str] = &["method", "unit_rows", "tol", "max_iter", "memory"];
    const PARAMETERS: bool = true;
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let options = &args.options.options;
    let expression = Expression::from_options(options)?;
    let memory = options.bytes("memory")?;
    let x = open(args)?;
    let output = if args.output.extension().is_some_and(|e| e == "npz") {
        args.output.clone()
    } else {
        // NumPy's savez does the same.
        PathBuf::from(format!("{}.npz", args.output.display()))
    };
    let progress = Progress::new(global.quiet);
    subspect_pipeline::Events::started(
        &progress,
        Stage::Graph,
        &args.source.display().to_string(),
        x.n_inputs() as u64,
    );
    let result = express(x.as_ref(), &expression, memory, &progress);
    progress.clear();
    let expressed = result.map_err(|e| located(e, &args.source))?;
    save_csr(&output, &expressed.solution.coefficients.to_f32()).map_err(PipelineError::from)?;
    let summary = certificate(args, &expression, &expressed, &x);
    let certificate_file = output.with_extension("json");
    let text = serde_json::to_vec_pretty(&with_rows(summary.clone(), &expressed))
        .map_err(|e| Failure::other(e.to_string()))?;
    subspect_data::atomic::write_bytes(&certificate_file, &text).map_err(PipelineError::from)?;
    let mut json = summary;
    json["output"] = output.display().to_string().into();
    json["certificate"] = certificate_file.display().to_string().into();
    let mut answer = Answer::new(human(&expressed, &x, &output, &certificate_file), json);
    if global.strict {
        answer.unmet = unconverged(expressed.record.n_max_iter);
    }
    Ok(answer)
}

fn open(args: &Args) -> Result<Activations, Failure> {
    if !args.source.join(MANIFEST_FILE).is_file() {
        if args.layer.is_some() {
            return Err(Failure::with_help(
                "--layer goes with an activation store",
                "leave it out for a single matrix",
            ));
        }
        return Ok(Activations::open(&args.source).map_err(PipelineError::from)?);
    }
    let store = ActivationStore::open(&args.source).map_err(PipelineError::from)?;
    let names: Vec<&str> = store.layers().iter().map(|l| l.name.as_str()).collect();
    let index = match &args.layer {
        Some(name) => store.layer_index(name).ok_or_else(|| {
            let help = nearest(name, names.iter().copied())
                .map_or(format!("its layers are {}", names.join(", ")), |n| format!("did you mean \"{n}\"?"));
            Failure::with_help(format!("{}: no layer is called \"{name}\"", args.source.display()), help)
        })?,
        None if names.len() == 1 => 0,
        None => {
            let message = format!(
                "{}: expected --layer, because the store has {} layers",
                args.source.display(),
                names.len()
            );
            return Err(Failure::with_help(message, format!("one of {}", names.join(", "))));
        }
    };
    Ok(store.layer(index).map_err(PipelineError::from)?)
}

fn located(e: PipelineError, source: &Path) -> Failure {
    match e {
        PipelineError::Linalg(LinalgError::NotFinite { row, col, value }) => Failure::with_help(
            format!(
                "{}: expected finite activations, found {value} at input {row}, feature {col}",
                source.display()
            ),
            "leave the input or the feature out, or mend the activations",
        ),
        other => other.into(),
    }
}

fn human(expressed: &Expressed, x: &Activations, output: &Path, certificate: &Path) -> String {
    let (r, c) = (&expressed.record, &expressed.solution.coefficients);
    let n = x.n_inputs();
    format!(
        "{} x {}: {} of {} rows converged, {} stopped at max_iter, {} are zero\n\
         {:.1} coefficients per row, largest relative gap {}, objective {}, {:.2} s\n\n\
         coefficients: {}\ncertificate:  {}",
        count(n),
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

fn certificate(args: &Args, expression: &Expression, expressed: &Expressed, x: &Activations) -> Value {
    let parameters: serde_json::Map<String, Value> = expression
        .values()
        .into_iter()
        .map(|(name, value)| (name, serde_json::to_value(value).unwrap_or(Value::Null)))
        .collect();
    json!({
        "schema": 1,
        "subspect_version": env!("CARGO_PKG_VERSION"),
        "source": args.source.display().to_string(),
        "layer": args.layer,
        "n_inputs": x.n_inputs(),
        "n_features": x.n_features(),
        "nnz": expressed.solution.coefficients.nnz(),
        "parameters": parameters,
        "solve": expressed.record,
    })
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
