//! `subspect cluster`: subspace clustering, from coefficients to clusters.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use subspect_data::dense::write_labels;
use subspect_data::sparse::load_csr;
use subspect_graph::{AGREEMENTS, Embedding, POSTPROCESSES, Partition, Postprocess, SpectralOptions};
use subspect_linalg::Seed;
use subspect_pipeline::{ClusterSettings, Clustered, PipelineError, cluster};

use crate::answer::Answer;
use crate::args::Global;
use crate::command::measure::classes;
use crate::command::run::show;
use crate::failure::Failure;
use crate::table::{count, table};

/// Cluster the inputs of coefficients by spectral clustering, and compare with known classes
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct Args {
    /// Coefficients (SciPy CSR .npz; row i expresses input i)
    #[arg(value_name = "COEFFICIENTS")]
    coefficients: PathBuf,
    /// Number of clusters
    #[arg(long, value_name = "N")]
    n_clusters: usize,
    /// Class index of every input (.npy), to compare with
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// What is done to the coefficients before they are made symmetric
    #[arg(long, value_name = "NAME", default_value = "none")]
    postprocess: String,
    /// Entries of every row that --postprocess strongest keeps [default: 10]
    #[arg(long, value_name = "N")]
    n_strongest: Option<f64>,
    /// Rows for k-means: eigenvectors' rows scaled to unit length (unit_rows), or divided by the root of the
    /// degree (random_walk, as in scikit-learn)
    #[arg(long, value_name = "NAME", default_value = Embedding::default().as_str())]
    embedding: String,
    /// Inputs in smaller connected components take no part and join the largest cluster
    #[arg(long, value_name = "N", default_value_t = SpectralOptions::default().min_component)]
    min_component: usize,
    /// Restarts of k-means; the best is kept
    #[arg(long, value_name = "N", default_value_t = SpectralOptions::default().kmeans.n_init)]
    n_init: usize,
    /// Cluster of every input to write (.npy)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn after_help() -> String {
    let width = POSTPROCESSES.iter().map(|p| p.name.len()).max().unwrap_or(0);
    let names: Vec<String> =
        POSTPROCESSES.iter().map(|p| format!("  {:<width$}  {}", p.name, p.summary)).collect();
    format!(
        "Names for --postprocess:\n{}\n\nWith --strict, the exit code is 1 unless the status is \"converged\".\n\n\
         Examples:\n  \
         subspect cluster c.npz --n-clusters 10 --output clusters.npy\n  \
         subspect cluster c.npz --n-clusters 10 --labels y.npy --postprocess row_normalized\n  \
         subspect cluster c.npz --n-clusters 10 --labels y.npy --format json",
        names.join("\n")
    )
}

pub(crate) fn run(args: &Args, global: &Global) -> Result<Answer, Failure> {
    let given = args.n_strongest.map(|n| ("n_strongest".to_owned(), n));
    let parameters: BTreeMap<String, f64> = given.into_iter().collect();
    let postprocess =
        Postprocess::from_parameters(&args.postprocess, &parameters).map_err(PipelineError::from)?;
    let coefficients = load_csr(&args.coefficients).map_err(PipelineError::from)?;
    let labels = match &args.labels {
        Some(path) => {
            let classes = classes(path, &args.coefficients, coefficients.n_rows())?;
            let n_classes = classes.iter().max().map_or(0, |&l| l as usize + 1);
            Some(Partition::new(classes, n_classes).map_err(PipelineError::from)?)
        }
        None => None,
    };
    let mut spectral = SpectralOptions { min_component: args.min_component, ..Default::default() };
    spectral.kmeans.n_init = args.n_init;
    spectral.embedding = Embedding::from_name(&args.embedding).map_err(PipelineError::from)?;
    let settings = ClusterSettings {
        postprocess,
        n_clusters: args.n_clusters,
        spectral,
        labels,
        seed: Seed::new(global.seed.unwrap_or(0)).axis("cluster"),
    };
    let found = cluster(&coefficients, &settings)?;
    if let Some(path) = &args.output {
        write_labels(path, &found.labels).map_err(PipelineError::from)?;
    }
    let json = json!({
        "coefficients": args.coefficients.display().to_string(),
        "n_inputs": coefficients.n_rows(),
        "postprocess": { "name": postprocess.name(), "parameters": postprocess.parameters() },
        "embedding": spectral.embedding.as_str(),
        "clusters": found,
        "output": args.output.as_ref().map(|p| p.display().to_string()),
    });
    let mut answer = Answer::new(human(args, &found), json);
    if global.strict && found.status != "converged" {
        answer.unmet = Some(format!("the clustering ended with {}", found.status));
    }
    Ok(answer)
}

/// What a status other than `converged` means for the reader.
fn remark(found: &Clustered, wanted: usize) -> Option<String> {
    match found.status {
        "more_components" => Some(format!(
            "more components take part than the {wanted} clusters asked for: they were grouped by size, nothing was \
             cut; raise --min-component to leave small ones out"
        )),
        "fewer_nodes" => Some(format!("fewer inputs have neighbours than the {wanted} clusters asked for")),
        "empty_graph" => Some("no input takes part, so all are one cluster".to_owned()),
        "max_restarts" => {
            Some(format!("only {} of {wanted} eigenvectors reached the tolerance", found.n_converged))
        }
        _ => None,
    }
}

fn human(args: &Args, found: &Clustered) -> String {
    let sizes: Vec<String> = found.sizes.iter().map(|&s| count(s)).collect();
    let mut out = format!(
        "{} inputs, {} edges, {} connected components, {} inputs took no part\n{} clusters of {} inputs, {:.2} s",
        count(found.labels.len()),
        count(found.n_edges),
        count(found.n_components),
        count(found.n_unplaced),
        found.n_clusters,
        sizes.join(", "),
        found.seconds
    );
    if let Some(remark) = remark(found, args.n_clusters) {
        out += &format!("\n{}: {remark}", found.status);
    }
    if !found.agreement.is_empty() {
        let rows: Vec<Vec<String>> = AGREEMENTS
            .iter()
            .filter_map(|a| {
                found
                    .agreement
                    .get(a.name)
                    .map(|v| vec![a.name.to_owned(), show(*v, 4), a.summary.to_owned()])
            })
            .collect();
        out += &format!("\n\n{}", table(&["agreement", "value", "meaning"], &rows, 3));
    }
    if let Some(path) = &args.output {
        out += &format!("\n\nclusters: {}", path.display());
    }
    out
}
