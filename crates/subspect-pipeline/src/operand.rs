//! Two things to compare: activation files, coefficient files, stores, runs.

use std::path::{Path, PathBuf};

use subspect_data::dense::{Activations, Npz, read_f64};
use subspect_data::record::RunRecord;
use subspect_data::rundir::{RECORD_FILE, RunDir};
use subspect_data::sparse::load_csr;
use subspect_data::store::{ActivationStore, MANIFEST_FILE};
use subspect_graph::AffinityGraph;
use subspect_linalg::{EXACT_GRAM_MAX, MatRef, Measured};
use subspect_similarity::{Estimator, SimilarityError, linear_cka};

use crate::compare::{linear_moments_of, ssc_moments_of};
use crate::{Events, PipelineError};

/// Similarity of every layer of one thing with every layer of another.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// `ssc_cka` or `linear_cka`.
    pub measure: &'static str,
    /// Layers of the first.
    pub rows: Vec<String>,
    /// Layers of the second.
    pub columns: Vec<String>,
    /// Inputs that both have.
    pub n_inputs: usize,
    /// `rows x columns`.
    pub biased: Vec<Vec<Measured>>,
    /// `rows x columns`.
    pub debiased: Vec<Vec<Measured>>,
}

/// Compares `a` with `b` by `measure`; without one, by SSC-CKA where both have graphs, else by linear CKA.
///
/// # Errors
/// Something that is neither activations nor graphs, a measure that one of them cannot give, or different inputs.
pub fn similarity(
    a: &Path,
    b: &Path,
    measure: Option<&str>,
    memory: u64,
    events: &dyn Events,
) -> Result<Comparison, PipelineError> {
    let (a, b) = (Operand::open(a)?, Operand::open(b)?);
    compare(&a, &b, measure, memory, events).map_err(|e| named(e, &a, &b))
}

/// Says which file or layer a value is in that is not finite.
fn named(error: PipelineError, a: &Operand, b: &Operand) -> PipelineError {
    let PipelineError::Similarity(SimilarityError::NotFinite { index, row, col, value }) = error else {
        return error;
    };
    let (operand, layer) = if index < a.names.len() { (a, index) } else { (b, index - a.names.len()) };
    let layer = operand.names.get(layer).filter(|_| operand.names.len() > 1);
    PipelineError::Input {
        what: match layer {
            Some(name) => format!("{}, layer {name}", operand.path.display()),
            None => operand.path.display().to_string(),
        },
        expected: "finite values".into(),
        found: format!("{value} at row {row}, column {col}"),
        mend: "find out where the network or the export overflows, or leave that input out".into(),
    }
}

fn compare(
    a: &Operand,
    b: &Operand,
    measure: Option<&str>,
    memory: u64,
    events: &dyn Events,
) -> Result<Comparison, PipelineError> {
    let measure = match measure.map(|m| m.replace('-', "_")) {
        None if a.has_graphs() && b.has_graphs() => "ssc_cka",
        None => "linear_cka",
        Some(m) if m == "ssc_cka" => "ssc_cka",
        Some(m) if m == "linear_cka" => "linear_cka",
        Some(other) => {
            return Err(PipelineError::Option {
                origin: "--measure".into(),
                expected: "ssc_cka or linear_cka".into(),
                found: other,
            });
        }
    };
    same_inputs(a, b)?;
    if measure == "linear_cka"
        && let Some(comparison) = in_float64(a, b)?
    {
        return Ok(comparison);
    }
    let n_rows = a.names.len();
    let moments = if measure == "ssc_cka" {
        let graphs: Vec<AffinityGraph> = [a.graphs()?, b.graphs()?].concat();
        ssc_moments_of(&graphs.iter().collect::<Vec<_>>())?
    } else {
        let layers: Vec<Activations> = a.activations()?.into_iter().chain(b.activations()?).collect();
        let matrices: Vec<MatRef<'_, f32>> = layers.iter().map(Activations::as_ref).collect();
        linear_moments_of(&matrices, memory, events)?
    };
    let block = |e: Estimator| {
        (0..n_rows).map(|i| (0..b.names.len()).map(|j| moments.cka(i, n_rows + j, e)).collect()).collect()
    };
    Ok(Comparison {
        measure,
        n_inputs: moments.n_inputs(),
        biased: block(Estimator::Biased),
        debiased: block(Estimator::Debiased),
        rows: a.names.clone(),
        columns: b.names.clone(),
    })
}

/// Two single files of few inputs are compared in float64, as they were stored; `None` for anything larger.
fn in_float64(a: &Operand, b: &Operand) -> Result<Option<Comparison>, PipelineError> {
    if !matches!((&a.kind, &b.kind), (Kind::Matrix, Kind::Matrix)) {
        return Ok(None);
    }
    let bytes = |o: &Operand| std::fs::metadata(&o.path).map(|m| m.len()).unwrap_or(u64::MAX);
    if bytes(a).saturating_add(bytes(b)) > FLOAT64_BYTES {
        return Ok(None);
    }
    let (x, y) = (read_f64(&a.path)?, read_f64(&b.path)?);
    if x.n_rows().max(y.n_rows()) > EXACT_GRAM_MAX {
        return Ok(None);
    }
    let value = |e| Ok::<_, PipelineError>(vec![vec![linear_cka(x.as_ref(), y.as_ref(), e)?]]);
    Ok(Some(Comparison {
        measure: "linear_cka",
        n_inputs: x.n_rows(),
        biased: value(Estimator::Biased)?,
        debiased: value(Estimator::Debiased)?,
        rows: a.names.clone(),
        columns: b.names.clone(),
    }))
}

/// Largest pair of files that is read whole into float64.
const FLOAT64_BYTES: u64 = 256 << 20;

enum Kind {
    /// `.npy`.
    Matrix,
    /// `.npz` of coefficients.
    Coefficients,
    Store(Box<ActivationStore>),
    Run(RunDir, Box<RunRecord>, Option<Box<ActivationStore>>),
}

struct Operand {
    path: PathBuf,
    kind: Kind,
    names: Vec<String>,
}

impl Operand {
    fn open(path: &Path) -> Result<Self, PipelineError> {
        let of = |kind, names| Ok(Operand { path: path.to_owned(), kind, names });
        let name = || vec![path.file_stem().unwrap_or_default().to_string_lossy().into_owned()];
        let has_extension = |e: &str| path.extension().is_some_and(|x| x.eq_ignore_ascii_case(e));
        let metadata = std::fs::metadata(path).map_err(|e| PipelineError::io("read", path, e))?;
        if metadata.is_dir() && path.join(RECORD_FILE).is_file() {
            let dir = RunDir::open(path)?;
            let record = dir.read_record()?;
            let store = ActivationStore::open(&dir.path("activations")).ok().map(Box::new);
            let names = record.layers.iter().map(|l| l.name.clone()).collect();
            return of(Kind::Run(dir, Box::new(record), store), names);
        }
        if metadata.is_dir() && path.join(MANIFEST_FILE).is_file() {
            let store = ActivationStore::open(path)?;
            let names = store.layers().iter().map(|l| l.name.clone()).collect();
            return of(Kind::Store(Box::new(store)), names);
        }
        if has_extension("npy") {
            return of(Kind::Matrix, name());
        }
        if has_extension("npz") && Npz::open(path)?.contains("format") {
            return of(Kind::Coefficients, name());
        }
        Err(PipelineError::Input {
            what: path.display().to_string(),
            expected: "activations (.npy), coefficients (SciPy CSR .npz), an activation store or a run"
                .into(),
            found: if metadata.is_dir() { "another folder".into() } else { "another file".into() },
            mend: "`subspect import` turns .npz and safetensors of activations into a store".into(),
        })
    }

    fn has_graphs(&self) -> bool {
        matches!(self.kind, Kind::Coefficients | Kind::Run(..))
    }

    fn graphs(&self) -> Result<Vec<AffinityGraph>, PipelineError> {
        let files = match &self.kind {
            Kind::Coefficients => vec![self.path.clone()],
            Kind::Run(dir, record, _) => record.layers.iter().map(|l| dir.path(&l.graph)).collect(),
            Kind::Matrix | Kind::Store(_) => {
                return Err(self.lacks(
                    "graphs, which ssc_cka compares",
                    "make them with `subspect express` or `subspect run`",
                ));
            }
        };
        files.iter().map(|f| Ok(AffinityGraph::from_coefficients(&load_csr(f)?)?)).collect()
    }

    fn activations(&self) -> Result<Vec<Activations>, PipelineError> {
        let by_name = |store: &ActivationStore| -> Result<Vec<Activations>, PipelineError> {
            let index = |name: &String| store.layer_index(name);
            self.names.iter().filter_map(index).map(|i| Ok(store.layer(i)?)).collect()
        };
        let found = match &self.kind {
            Kind::Matrix => vec![Activations::open(&self.path)?],
            Kind::Store(store) => by_name(store)?,
            Kind::Run(_, _, Some(store)) => by_name(store)?,
            Kind::Coefficients | Kind::Run(_, _, None) => Vec::new(),
        };
        if found.len() == self.names.len() {
            return Ok(found);
        }
        Err(self.lacks("activations, which linear_cka compares", "give activations, or compare by ssc_cka"))
    }

    fn lacks(&self, what: &str, mend: &str) -> PipelineError {
        PipelineError::Input {
            what: self.path.display().to_string(),
            expected: what.to_owned(),
            found: "none".into(),
            mend: mend.to_owned(),
        }
    }

    /// Ids of the inputs, where they are known.
    fn ids(&self) -> Option<&[String]> {
        match &self.kind {
            Kind::Store(store) => Some(&store.manifest().inputs.ids),
            Kind::Run(_, record, _) => Some(&record.inputs.ids),
            Kind::Matrix | Kind::Coefficients => None,
        }
    }
}

/// Rows are compared by position, so both sides must have the same inputs in the same order.
fn same_inputs(a: &Operand, b: &Operand) -> Result<(), PipelineError> {
    let (Some(first), Some(second)) = (a.ids(), b.ids()) else { return Ok(()) };
    if first == second {
        return Ok(());
    }
    let found = match first.iter().zip(second).position(|(x, y)| x != y) {
        Some(i) if first.len() == second.len() => {
            format!("input {i} is {} there and {} here", first[i], second[i])
        }
        _ => format!("{} and {} inputs", first.len(), second.len()),
    };
    Err(PipelineError::Input {
        what: format!("{} and {}", a.path.display(), b.path.display()),
        expected: "the same inputs in the same order".into(),
        found,
        mend: "make both with the same data, --inputs and --seed".into(),
    })
}
