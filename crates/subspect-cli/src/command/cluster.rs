//! `subspect cluster`: clusters or communities of a layer's inputs, from its coefficients.

mod detector;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use subspect_data::dense::write_labels;
use subspect_data::sparse::load_csr;
use subspect_graph::{Detector, Partition, Postprocess};
use subspect_linalg::Seed;
use subspect_pipeline::{ClusterSettings, PipelineError, cluster};

use crate::answer::Answer;
use crate::args::Global;
use crate::command::measure::classes;
use crate::failure::Failure;

/// Find clusters among the inputs of coefficients, by Leiden or spectral clustering, and compare with known classes
#[derive(Debug, clap::Args)]
#[command(after_help = text::after_help())]
pub(crate) struct Args {
    /// Coefficients (SciPy CSR .npz; row i expresses input i)
    #[arg(value_name = "COEFFICIENTS")]
    coefficients: PathBuf,
    /// Class index of every input (.npy), to compare with
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// What is done to the coefficients before they are made symmetric
    #[arg(long, value_name = "NAME", default_value = "none")]
    postprocess: String,
    /// Entries of every row that --postprocess strongest keeps [default: 10]
    #[arg(long, value_name = "N")]
    n_strongest: Option<f64>,
    /// Cluster of every input to write (.npy)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    detector: detector::DetectorArgs,
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let given = args.n_strongest.map(|n| ("n_strongest".to_owned(), n));
    let parameters: BTreeMap<String, f64> = given.into_iter().collect();
    let postprocess =
        Postprocess::from_parameters(&args.postprocess, &parameters).map_err(PipelineError::from)?;
    let detector = args.detector.detector()?;
    let resolutions = args.detector.resolutions()?;
    let coefficients = load_csr(&args.coefficients).map_err(PipelineError::from)?;
    let labels = match &args.labels {
        Some(path) => {
            let classes = classes(path, &args.coefficients, coefficients.n_rows())?;
            let n_classes = classes.iter().max().map_or(0, |&l| l as usize + 1);
            Some(Partition::new(classes, n_classes).map_err(PipelineError::from)?)
        }
        None => None,
    };
    let settings = ClusterSettings {
        postprocess,
        detector,
        resolution: args.detector.resolution,
        resolutions,
        labels,
        seed: Seed::new(global.seed.unwrap_or(0)).axis("cluster"),
    };
    let found = cluster(&coefficients, &settings)?;
    if let Some(path) = &args.output {
        write_labels(path, &found.labels).map_err(PipelineError::from)?;
    }
    let mut json = json!({
        "coefficients": args.coefficients.display().to_string(),
        "n_inputs": coefficients.n_rows(),
        "postprocess": { "name": postprocess.name(), "parameters": postprocess.parameters() },
        "clusters": found,
        "output": args.output.as_ref().map(|p| p.display().to_string()),
    });
    if let Detector::Spectral { options, .. } = detector {
        json["embedding"] = json!(options.embedding.as_str());
    }
    let mut answer = Answer::new(text::human(&found, detector, args.output.as_deref()), json);
    if global.strict && found.status != "converged" {
        answer.unmet = Some(format!("the clustering ended with {}", found.status));
    }
    Ok(answer)
}
