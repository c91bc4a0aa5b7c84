//! The options that say what finds the clusters; an option of one detector is refused with the other.

use subspect_express::log_grid;
use subspect_graph::{
    DETECTORS, Detector, Embedding, GraphError, LeidenOptions, QualityFunction, SpectralOptions,
};
use subspect_pipeline::PipelineError;

use crate::failure::Failure;

/// Which detector, and its parameters.
#[derive(Debug, clap::Args)]
pub(crate) struct DetectorArgs {
    /// leiden or spectral [default: spectral with --n-clusters, otherwise leiden]
    #[arg(long, value_name = "NAME")]
    method: Option<String>,
    /// What is maximised: modularity or cpm [default: modularity]
    #[arg(long, value_name = "NAME", help_heading = "Leiden")]
    quality: Option<String>,
    /// Larger values give more and smaller communities [default: 1; with cpm: mean affinity of all pairs]
    #[arg(long, value_name = "GAMMA", help_heading = "Leiden")]
    pub(super) resolution: Option<f64>,
    /// Resolutions to look at beside: N from LO to HI, evenly spaced on a logarithmic scale
    #[arg(long, value_name = "LO:HI:N", help_heading = "Leiden")]
    resolutions: Option<String>,
    /// Searches; the best is kept [default: 10]
    #[arg(long, value_name = "N", help_heading = "Leiden")]
    seeds: Option<usize>,
    /// Largest number of passes of one search [default: 100]
    #[arg(long, value_name = "N", help_heading = "Leiden")]
    n_iterations: Option<usize>,
    /// Randomness of the refinement, in units of the mean edge weight [default: 0.05]
    #[arg(long, value_name = "X", help_heading = "Leiden")]
    theta: Option<f64>,
    /// Number of clusters
    #[arg(long, value_name = "N", help_heading = "Spectral clustering")]
    n_clusters: Option<usize>,
    /// Rows for k-means: eigenvectors' rows scaled to unit length (unit_rows), or divided by the root of the
    /// degree (random_walk, as in scikit-learn) [default: unit_rows]
    #[arg(long, value_name = "NAME", help_heading = "Spectral clustering")]
    embedding: Option<String>,
    /// Inputs in smaller connected components take no part and join the largest cluster [default: 2]
    #[arg(long, value_name = "N", help_heading = "Spectral clustering")]
    min_component: Option<usize>,
    /// Restarts of k-means; the best is kept [default: 20]
    #[arg(long, value_name = "N", help_heading = "Spectral clustering")]
    n_init: Option<usize>,
}

impl DetectorArgs {
    /// The detector with its options.
    pub(super) fn detector(&self) -> Result<Detector, Failure> {
        let default = if self.n_clusters.is_some() { "spectral" } else { "leiden" };
        match self.method.as_deref().unwrap_or(default) {
            "leiden" => self.leiden(),
            "spectral" => self.spectral(),
            other => {
                let known: Vec<&str> = DETECTORS.iter().map(|d| d.name).collect();
                let error =
                    GraphError::Name { what: "method", found: other.to_owned(), known: known.join(", ") };
                Err(PipelineError::from(error).into())
            }
        }
    }

    fn leiden(&self) -> Result<Detector, Failure> {
        let foreign = [
            ("--n-clusters", self.n_clusters.is_some()),
            ("--embedding", self.embedding.is_some()),
            ("--min-component", self.min_component.is_some()),
            ("--n-init", self.n_init.is_some()),
        ];
        refuse(&foreign, "leiden", "spectral")?;
        let default = LeidenOptions::default();
        let quality = self.quality.as_deref().map(QualityFunction::from_name).transpose();
        Ok(Detector::Leiden(LeidenOptions {
            quality: quality.map_err(PipelineError::from)?.unwrap_or(default.quality),
            theta: self.theta.unwrap_or(default.theta),
            n_iterations: self.n_iterations.unwrap_or(default.n_iterations),
            n_seeds: self.seeds.unwrap_or(default.n_seeds),
            ..default
        }))
    }

    fn spectral(&self) -> Result<Detector, Failure> {
        let foreign = [
            ("--quality", self.quality.is_some()),
            ("--resolution", self.resolution.is_some()),
            ("--resolutions", self.resolutions.is_some()),
            ("--seeds", self.seeds.is_some()),
            ("--n-iterations", self.n_iterations.is_some()),
            ("--theta", self.theta.is_some()),
        ];
        refuse(&foreign, "spectral", "leiden")?;
        let Some(n_clusters) = self.n_clusters else {
            let help = "give --n-clusters N, or leave the number to --method leiden";
            return Err(Failure::with_help(
                "spectral clustering needs a number of clusters".to_owned(),
                help,
            ));
        };
        let mut options = SpectralOptions::default();
        options.min_component = self.min_component.unwrap_or(options.min_component);
        options.kmeans.n_init = self.n_init.unwrap_or(options.kmeans.n_init);
        if let Some(name) = &self.embedding {
            options.embedding = Embedding::from_name(name).map_err(PipelineError::from)?;
        }
        Ok(Detector::Spectral { n_clusters, options })
    }

    /// The grid of --resolutions; empty when not given.
    pub(super) fn resolutions(&self) -> Result<Vec<f64>, Failure> {
        let Some(text) = &self.resolutions else { return Ok(Vec::new()) };
        let parts: Vec<&str> = text.split(':').collect();
        let parsed = match parts.as_slice() {
            [lo, hi, n] => lo.parse::<f64>().ok().zip(hi.parse::<f64>().ok()).zip(n.parse::<usize>().ok()),
            _ => None,
        };
        match parsed {
            Some(((lo, hi), n)) if lo > 0.0 && hi > lo && hi.is_finite() && n > 1 => Ok(log_grid(lo, hi, n)),
            _ => Err(PipelineError::Option {
                origin: "--resolutions".into(),
                expected: "LO:HI:N with 0 < LO < HI and N of 2 or more, like 0.1:10:9".into(),
                found: text.clone(),
            }
            .into()),
        }
    }
}

/// An option of the other detector is a misunderstanding, not a wish to be ignored.
fn refuse(options: &[(&str, bool)], method: &str, other: &str) -> Result<(), Failure> {
    match options.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(Failure::with_help(
            format!("{name} does not belong to --method {method}"),
            format!("leave it out, or choose --method {other}"),
        )),
    }
}
