//! The plan of a run: every effective value, checked before anything is computed.
//!
//! `plan.toml` in the run directory holds it, in the form that [`crate::options::read_config`] reads, so that a
//! run can be repeated from its own plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use subspect_data::dataset::{Split, format_by_name};
use subspect_express::{ExpressError, METHODS, Method, SolveOptions};
use subspect_linalg::RowScale;
use subspect_nets::{ArchitectureOptions, ArchitectureSpec, EngineKind, Normalize, Pool};
use subspect_similarity::Kind;

use crate::PipelineError;
use crate::options::{Options, nearest, option, show_bytes, uses};
use crate::run::communities::COMMUNITY_AMI;

/// A network and the pictures to show to it.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSource {
    /// ONNX file, or weights.
    pub model: PathBuf,
    /// What network the weights are of, in words; `None` for a file with its own graph.
    pub arch: Option<String>,
    /// Data set.
    pub data: PathBuf,
    /// Layout of the data when its path hides it.
    pub data_format: Option<String>,
    /// Part of a folder that has several.
    pub split: Option<String>,
    /// CIFAR-100's coarse classes.
    pub coarse_labels: bool,
    /// Whether pictures are scaled to the model's size.
    pub resize: bool,
    /// How pixels become network input.
    pub normalize: String,
    /// Inputs per forward pass.
    pub batch_size: usize,
    /// What runs the network.
    pub engine: String,
    /// Layer selection: names, globs or kinds.
    pub layers: Vec<String>,
    /// `flatten`, `avg`, `max`, `cls`, `mean` or `last`.
    pub pool: String,
}

/// Activations captured or imported before.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreSource {
    /// The activation store.
    pub store: PathBuf,
    /// Labels, when the store has none.
    pub labels: Option<PathBuf>,
    /// Layer selection: names, globs or kinds.
    pub layers: Vec<String>,
}

/// Where activations come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A network is run over a data set.
    Network(NetworkSource),
    /// They are there already.
    Store(StoreSource),
}

/// Everything a run needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where activations come from.
    pub source: Source,
    /// Run directory.
    pub output: PathBuf,
    /// Inputs asked for; `None`: 1000, or all when there are fewer.
    pub inputs: Option<usize>,
    /// Self-expression problem and solver.
    pub expression: Expression,
    /// Permutations behind every null: of labels, and of inputs for similarities.
    pub permutations: usize,
    /// Resamples of the inputs behind intervals.
    pub resamples: usize,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Resolution of the modularity.
    pub resolution: f64,
    /// Layer x layer maps.
    pub similarity: Vec<String>,
    /// Inputs whose neighbourhoods are recorded.
    pub examples: usize,
    /// Passes over the edges for each layer's map; 0 for no maps.
    pub layout_epochs: usize,
    /// Neighbours recorded for each of them.
    pub neighbours: usize,
    /// Whether the activations stay in the run directory once the run is complete.
    pub keep_activations: bool,
    /// Memory budget for matrices, bytes.
    pub memory: u64,
    /// Root of all randomness.
    pub seed: u64,
    /// A command that repeats the run, for the record.
    pub command: String,
}

/// How inputs are expressed by one another.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Problem and solver.
    pub method: Method,
    /// When a row has converged.
    pub options: SolveOptions,
    /// Whether rows are divided by their norm.
    pub unit_rows: bool,
}

impl Expression {
    /// How rows are scaled.
    pub fn scale(&self) -> RowScale {
        if self.unit_rows { RowScale::Unit } else { RowScale::Raw }
    }

    /// From options `method`, `unit_rows`, `tol`, `max_iter` and the method's own parameters.
    ///
    /// # Errors
    /// An unknown method (the nearest is named), a parameter that is not its, or a value out of range.
    pub fn from_options(options: &Options) -> Result<Self, PipelineError> {
        let name = options.text("method").unwrap_or_default().replace('-', "_");
        let Some(info) = METHODS.iter().find(|m| m.name == name) else {
            let known: Vec<&str> = METHODS.iter().map(|m| m.name).collect();
            let hint =
                nearest(&name, known.iter().copied()).map_or(String::new(), |n| format!(" (perhaps {n})"));
            return Err(options.refuse("method", &format!("one of {}{hint}", known.join(", ")), &name));
        };
        let mut parameters = BTreeMap::new();
        for given in options.names() {
            let parameter = info.parameters.iter().find(|p| p.name == given);
            if parameter.is_none_or(|p| p.is_switch()) && option(given).is_none() && options.is_word(given) {
                // Also of another method, whose name for it the message then has.
                parameters.insert(given.to_owned(), f64::from(u8::from(options.switch(given)?)));
            } else if parameter.is_some() || option(given).is_none() {
                parameters.extend(options.number(given)?.map(|v| (given.to_owned(), v)));
            }
        }
        let method = Method::from_parameters(&name, &parameters).map_err(|e| named(options, e))?;
        if let Some(name) =
            ["tol", "max_iter"].into_iter().find(|name| options.is_set(name) && !uses(info, name))
        {
            return Err(foreign(options, info.name, name));
        }
        let default = SolveOptions::default();
        let of_method = |name: &str| info.parameters.iter().any(|p| p.name == name);
        let tol = if of_method("tol") { default.tol } else { options.number("tol")?.unwrap_or(default.tol) };
        if tol <= 0.0 {
            return Err(options.refuse("tol", "a number above 0", &tol.to_string()));
        }
        let max_iter = match options.count("max_iter")? {
            Some(n) if !of_method("max_iter") => n as usize,
            _ => default.max_iter,
        };
        let unit_rows = options.switch("unit_rows")?;
        Ok(Expression { method, options: SolveOptions { tol, max_iter }, unit_rows })
    }

    /// Name and value of everything in it, as in `plan.toml`.
    pub fn values(&self) -> Vec<(String, toml::Value)> {
        let mut out: Vec<(String, toml::Value)> =
            vec![("method".into(), self.method.name().into()), ("unit_rows".into(), self.unit_rows.into())];
        out.extend(self.method.parameters().into_iter().map(|(name, v)| (name, number(v))));
        if self.method.info().certified {
            out.push(("tol".into(), self.options.tol.into()));
            out.push(("max_iter".into(), number(self.options.max_iter as f64)));
        }
        out
    }
}

/// The error for an option that `method` does not use.
fn foreign(options: &Options, method: &'static str, name: &str) -> PipelineError {
    let own: Vec<&str> =
        METHODS.iter().filter(|m| m.name == method).flat_map(|m| m.parameters).map(|p| p.name).collect();
    let users: Vec<&str> = METHODS.iter().filter(|m| uses(m, name)).map(|m| m.name).collect();
    let mend = format!("it takes {}; {name} goes with {}", own.join(", "), users.join(", "));
    PipelineError::ForeignParameter { origin: options.origin(name), method, mend }
}

/// Gives a parameter's error the place the value came from.
fn named(options: &Options, e: ExpressError) -> PipelineError {
    match e {
        ExpressError::Parameter { parameter, expected, found, .. } => {
            options.refuse(parameter, &expected, &found.to_string())
        }
        ExpressError::UnknownParameter { method, parameter, .. } => foreign(options, method, &parameter),
        ExpressError::BothAlphas => {
            PipelineError::Conflict { first: options.origin("alpha"), second: options.origin("alpha_ratio") }
        }
        other => other.into(),
    }
}

/// Whole numbers as integers, so that a plan reads as a person would write it.
fn number(v: f64) -> toml::Value {
    if v.fract() == 0.0 && v.abs() < 1e15 { toml::Value::Integer(v as i64) } else { toml::Value::Float(v) }
}

/// Whether a run can map this: distances have no fixed scale, so they are left to `subspect similarity`.
fn is_map(name: &str) -> bool {
    let similarity = subspect_similarity::measure(name).is_some_and(|m| m.kind == Kind::Similarity);
    similarity || ["none", COMMUNITY_AMI].contains(&name)
}

impl Plan {
    /// Checks the options and fills in the defaults. Nothing is read from disk.
    ///
    /// # Errors
    /// The first value that cannot be used, with its flag or key.
    pub fn from_options(options: &Options, command: &str) -> Result<Self, PipelineError> {
        let similarity: Vec<String> = options
            .list("similarity")
            .iter()
            .flat_map(|words| words.split(','))
            .map(|word| word.trim().replace('-', "_"))
            .collect();
        if let Some(bad) = similarity.iter().find(|s| !is_map(s)) {
            let expected =
                "ssc_cka, linear_cka, community_ami, another similarity of `subspect methods`, or none";
            return Err(options.refuse("similarity", expected, bad));
        }
        let resolution = options.number("resolution")?.unwrap_or(1.0);
        if resolution <= 0.0 {
            return Err(options.refuse("resolution", "a number above 0", &resolution.to_string()));
        }
        let count = |name: &str| options.count(name).map(|n| n.unwrap_or(0));
        Ok(Plan {
            source: source(options)?,
            output: options
                .path("output")
                .ok_or_else(|| missing("output", "the run directory", "--output RUN"))?,
            inputs: options.count("inputs")?.map(|n| n as usize),
            expression: Expression::from_options(options)?,
            permutations: count("permutations")? as usize,
            resamples: count("resamples")? as usize,
            level: options.level()?,
            resolution,
            similarity: similarity.into_iter().filter(|s| s != "none").collect(),
            examples: count("examples")? as usize,
            layout_epochs: count("layout_epochs")? as usize,
            neighbours: count("neighbours")? as usize,
            keep_activations: options.switch("keep_activations")?,
            memory: options.bytes("memory")?,
            seed: count("seed")?,
            command: command.to_owned(),
        })
    }

    /// Name and value of every option, in the order of `plan.toml`.
    pub fn values(&self) -> Vec<(String, toml::Value)> {
        let mut out = source_values(&self.source);
        out.push(("output".into(), text(&self.output)));
        out.extend(self.inputs.map(|n| ("inputs".into(), number(n as f64))));
        out.extend(self.expression.values());
        let similarity =
            if self.similarity.is_empty() { vec!["none".to_owned()] } else { self.similarity.clone() };
        out.push(("permutations".into(), number(self.permutations as f64)));
        out.push(("resamples".into(), number(self.resamples as f64)));
        out.push(("level".into(), number(self.level)));
        out.push(("resolution".into(), number(self.resolution)));
        out.push(("similarity".into(), similarity.into()));
        out.push(("layout_epochs".into(), number(self.layout_epochs as f64)));
        out.push(("examples".into(), number(self.examples as f64)));
        out.push(("neighbours".into(), number(self.neighbours as f64)));
        out.push(("keep_activations".into(), self.keep_activations.into()));
        out.push(("memory".into(), bytes_text(self.memory).into()));
        out.push(("seed".into(), number(self.seed as f64)));
        out
    }

    /// The text of `plan.toml`.
    pub fn to_toml(&self) -> String {
        let lines = self.values().into_iter().map(|(name, value)| format!("{name} = {value}\n"));
        format!(
            "# Every effective option of this run. Repeat it with: subspect run --config plan.toml\n{}",
            lines.collect::<String>()
        )
    }

    /// Every option as text, for [`subspect_data::record::RunRecord::settings`].
    pub fn settings(&self) -> BTreeMap<String, String> {
        let show = |value: toml::Value| match value {
            toml::Value::String(s) => s,
            toml::Value::Array(items) => {
                items.iter().map(|i| i.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>().join(",")
            }
            other => other.to_string(),
        };
        self.values().into_iter().map(|(name, value)| (name, show(value))).collect()
    }
}

fn bytes_text(bytes: u64) -> String {
    let short = show_bytes(bytes);
    if crate::options::parse_bytes(&short) == Some(bytes) { short } else { format!("{bytes}B") }
}

fn text(path: &std::path::Path) -> toml::Value {
    path.display().to_string().into()
}

fn missing(name: &str, what: &str, flag: &str) -> PipelineError {
    PipelineError::Missing {
        what: what.to_owned(),
        mend: format!("give {flag}, or \"{name}\" in a configuration"),
    }
}

fn source(options: &Options) -> Result<Source, PipelineError> {
    let layers = options.list("layers");
    if let Some(store) = options.path("store") {
        for name in ["model", "arch", "data", "data_format", "split", "inputs", "resize", "normalize", "pool"]
        {
            if options.is_set(name) {
                return Err(PipelineError::Conflict {
                    first: options.origin("store"),
                    second: options.origin(name),
                });
            }
        }
        let layers = if options.is_set("layers") { layers } else { vec!["all".to_owned()] };
        return Ok(Source::Store(StoreSource { store, labels: options.path("labels"), layers }));
    }
    if options.is_set("labels") {
        let mend = "labels of a data set come with it; --labels goes with --store".to_owned();
        return Err(PipelineError::Missing { what: "the activation store".into(), mend });
    }
    network_source(options).map(Source::Network)
}

/// The part of the options that says which network sees which pictures.
///
/// # Errors
/// When the model or the data are not given, or a value cannot be used.
pub fn network_source(options: &Options) -> Result<NetworkSource, PipelineError> {
    let word = |name: &str| options.text(name).unwrap_or_default();
    let source = NetworkSource {
        model: options
            .path("model")
            .ok_or_else(|| missing("model", "the network", "--model M.onnx (or --store STORE)"))?,
        arch: options.text("arch"),
        data: options.path("data").ok_or_else(|| missing("data", "the data set", "--data PATH"))?,
        data_format: options.text("data_format"),
        split: options.text("split"),
        coarse_labels: options.switch("coarse_labels")?,
        resize: options.switch("resize")?,
        normalize: word("normalize"),
        batch_size: options.count("batch_size")?.unwrap_or(1) as usize,
        engine: word("engine"),
        layers: options.list("layers"),
        pool: word("pool"),
    };
    // Words that only the later stages understand are tried here, so that a typo is found before any work.
    source.normalize.parse::<Normalize>()?;
    source.arch.as_deref().map(check_arch).transpose()?;
    source.pool.parse::<Pool>()?;
    source.engine.parse::<EngineKind>()?;
    source.split.as_deref().map(str::parse::<Split>).transpose()?;
    source.data_format.as_deref().map(format_by_name).transpose()?;
    Ok(source)
}

/// Tries an architecture's words with the options of CIFAR-10: a name that does not exist is found before any work.
fn check_arch(words: &str) -> Result<(), PipelineError> {
    words.parse::<ArchitectureSpec>()?.build(&ArchitectureOptions::default())?;
    Ok(())
}

fn source_values(source: &Source) -> Vec<(String, toml::Value)> {
    match source {
        Source::Network(n) => {
            let mut out = vec![("model".into(), text(&n.model))];
            out.extend(n.arch.as_ref().map(|a| ("arch".into(), a.clone().into())));
            out.push(("data".into(), text(&n.data)));
            out.extend(n.data_format.as_ref().map(|f| ("data_format".into(), f.clone().into())));
            out.extend(n.split.as_ref().map(|s| ("split".into(), s.clone().into())));
            out.extend([
                ("coarse_labels".into(), n.coarse_labels.into()),
                ("resize".into(), n.resize.into()),
                ("normalize".into(), n.normalize.clone().into()),
                ("batch_size".into(), number(n.batch_size as f64)),
                ("engine".into(), n.engine.clone().into()),
                ("layers".into(), n.layers.clone().into()),
                ("pool".into(), n.pool.clone().into()),
            ]);
            out
        }
        Source::Store(s) => {
            let mut out = vec![("store".into(), text(&s.store)), ("layers".into(), s.layers.clone().into())];
            out.extend(s.labels.as_ref().map(|l| ("labels".into(), text(l))));
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Options {
        Options::default().with("model", "m.onnx").with("data", "d").with("output", "run")
    }

    fn error(options: &Options) -> String {
        Plan::from_options(options, "").unwrap_err().to_string()
    }

    #[test]
    fn a_plan_repeats_itself() {
        let cases = [
            base(),
            base().with("method", "omp").with("n_nonzero_coefs", "7").with("tol", "0.001"),
            base()
                .with("method", "elastic-net")
                .with("alpha", "0.5")
                .with("tol", "1e-9")
                .with("max_iter", "7"),
            base().with("model", "w.pth").with("arch", "resnet20:width=0.5"),
            base().with("layers", "conv,layer1.*").with("similarity", "none").with("memory", "1234567"),
            Options::default()
                .with("store", "s")
                .with("labels", "y.npy")
                .with("output", "r")
                .with("layers", "fc*"),
        ];
        let dir = tempfile::tempdir().unwrap();
        for options in cases {
            let plan = Plan::from_options(&options, "c").unwrap();
            let file = dir.path().join("plan.toml");
            std::fs::write(&file, plan.to_toml()).unwrap();
            let again = Plan::from_options(&crate::options::read_config(&file).unwrap(), "c").unwrap();
            assert_eq!(plan, again, "{}", plan.to_toml());
        }
    }

    #[test]
    fn tolerances_belong_to_the_method_that_declares_them() {
        let omp = Expression::from_options(&base().with("method", "omp").with("tol", "0.01")).unwrap();
        assert!(matches!(omp.method, Method::Omp { tol, .. } if tol == 0.01));
        assert_eq!(omp.options.tol, SolveOptions::default().tol);
        let lasso = Expression::from_options(&base().with("tol", "0.01")).unwrap();
        assert_eq!(lasso.options.tol, 0.01);
    }

    #[test]
    fn mistakes_name_the_flag_and_the_mend() {
        assert!(error(&base().with("method", "laso")).contains("(perhaps lasso)"));
        assert!(
            error(&base().with("alpha_ratio", "2")).starts_with("--alpha-ratio: expected a number in (0, 1]")
        );
        assert_eq!(
            error(&base().with("n_nonzero_coefs", "5")),
            "--n-nonzero-coefs: lasso has no such parameter"
        );
        assert_eq!(
            error(&base().with("method", "knn").with("tol", "1e-3")),
            "--tol: knn has no such parameter"
        );
        assert!(error(&base().with("alpha", "1").with("alpha_ratio", "0.1")).contains("exclude each other"));
        assert!(error(&base().with("store", "s")).contains("exclude each other"));
        assert!(error(&Options::default().with("model", "m")).contains("the data set is missing"));
        assert!(error(&base().with("pool", "avgg")).contains("expected flatten, avg, max, cls"));
        assert!(error(&base().with("normalize", "imagnet")).contains("expected imagenet, cifar10, none"));
        assert!(error(&base().with("arch", "resnt20")).contains("nearest names are resnet20"));
        assert!(error(&base().with("arch", "cnn:wdth=2")).contains("no option \"wdth\""));
        assert!(error(&base().with("split", "tets")).contains("test, train, all"));
        assert!(error(&base().with("similarity", "cosine")).contains("--similarity: expected ssc_cka"));
    }
}
