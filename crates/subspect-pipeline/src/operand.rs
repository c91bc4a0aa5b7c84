//! Two things to compare: activation files, coefficient files, stores, runs.

use std::path::{Path, PathBuf};

use subspect_data::dense::{Activations, Npz, read_f64};
use subspect_data::record::RunRecord;
use subspect_data::rundir::{RECORD_FILE, RunDir};
use subspect_data::sparse::load_csr;
use subspect_data::store::{ActivationStore, MANIFEST_FILE};
use subspect_graph::AffinityGraph;
use subspect_linalg::{EXACT_GRAM_MAX, MatRef, Matrix, Measured};
use subspect_similarity::{
    Estimator, KernelMoments, MEASURES, MeasureInfo, Operand as Layer, Operands, Parameters, SimilarityError,
    cross_similarity, ssc_moments,
};

use crate::compare::{Percent, linear_moments_of};
use crate::{Events, PipelineError};

/// Similarity of every layer of one thing with every layer of another.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The measure.
    pub measure: &'static MeasureInfo,
    /// Its parameters' values.
    pub parameters: Parameters,
    /// Layers of the first.
    pub rows: Vec<String>,
    /// Layers of the second.
    pub columns: Vec<String>,
    /// Inputs that both have.
    pub n_inputs: usize,
    /// `rows x columns`.
    pub values: Vec<Vec<Measured>>,
    /// `rows x columns`, for a measure with estimators where none was chosen: `values` are the biased ones.
    pub debiased: Option<Vec<Vec<Measured>>>,
}

/// Compares `a` with `b` by `measure`; without one, by SSC-CKA where both have graphs, else by linear CKA. `set` holds
/// parameters of the measure by name.
///
/// # Errors
/// Something that is neither activations nor graphs, a measure that one of them cannot give, a parameter that the
/// measure does not have, or different inputs.
pub fn similarity(
    a: &Path,
    b: &Path,
    measure: Option<&str>,
    set: &[(String, String)],
    memory: u64,
    events: &dyn Events,
) -> Result<Comparison, PipelineError> {
    let (a, b) = (Operand::open(a)?, Operand::open(b)?);
    let wanted = Wanted::of(measure, set, a.has_graphs() && b.has_graphs())?;
    compare(&a, &b, &wanted, memory, events).map_err(|e| named(e, &a, &b))
}

/// The measure and its parameters.
struct Wanted {
    measure: &'static MeasureInfo,
    parameters: Parameters,
    /// Both estimators of a measure that has them.
    both: bool,
}

impl Wanted {
    fn of(name: Option<&str>, set: &[(String, String)], graphs: bool) -> Result<Self, PipelineError> {
        let name = match name {
            Some(name) => name.replace('-', "_"),
            None => if graphs { "ssc_cka" } else { "linear_cka" }.to_owned(),
        };
        let measure = subspect_similarity::measure(&name).ok_or_else(|| PipelineError::Option {
            origin: "--measure".into(),
            expected: MEASURES.iter().map(|m| m.name).collect::<Vec<_>>().join(", "),
            found: name,
        })?;
        let mut parameters = Parameters::defaults(measure);
        for (name, text) in set {
            parameters = parameters.with(&name.replace('-', "_"), text)?;
        }
        let both = measure.has_parameter(ESTIMATOR) && !set.iter().any(|(name, _)| name == ESTIMATOR);
        Ok(Self { measure, parameters, both })
    }
}

/// The parameter of every measure that rests on HSIC.
const ESTIMATOR: &str = "estimator";

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
    wanted: &Wanted,
    memory: u64,
    events: &dyn Events,
) -> Result<Comparison, PipelineError> {
    same_inputs(a, b)?;
    let (n_inputs, values, debiased) = match wanted.measure.operands() {
        Operands::Graphs => {
            let (ours, theirs) = (a.graphs(wanted.measure.name)?, b.graphs(wanted.measure.name)?);
            let one: Vec<Layer<'_>> = ours.iter().map(|g| g.adjacency().into()).collect();
            let other: Vec<Layer<'_>> = theirs.iter().map(|g| g.adjacency().into()).collect();
            maps(wanted, &one, &other, memory, events)?
        }
        Operands::Activations => match in_float64(a, b)? {
            Some([x, y]) => maps(wanted, &[x.as_ref().into()], &[y.as_ref().into()], memory, events)?,
            None => {
                let (ours, theirs) =
                    (a.activations(wanted.measure.name)?, b.activations(wanted.measure.name)?);
                let one: Vec<Layer<'_>> = ours.iter().map(|x| x.as_ref().into()).collect();
                let other: Vec<Layer<'_>> = theirs.iter().map(|x| x.as_ref().into()).collect();
                maps(wanted, &one, &other, memory, events)?
            }
        },
    };
    Ok(Comparison {
        measure: wanted.measure,
        parameters: wanted.parameters.clone(),
        n_inputs,
        values,
        debiased,
        rows: a.names.clone(),
        columns: b.names.clone(),
    })
}

type Map = Vec<Vec<Measured>>;

/// The number of inputs, the map, and the debiased map where both estimators are wanted.
fn maps(
    wanted: &Wanted,
    rows: &[Layer<'_>],
    columns: &[Layer<'_>],
    memory: u64,
    events: &dyn Events,
) -> Result<(usize, Map, Option<Map>), PipelineError> {
    if let Some(moments) = shared_moments(wanted, &[rows, columns].concat(), memory, events)? {
        let map = |e| {
            let cell = |i, j| moments.cka(i, rows.len() + j, e);
            (0..rows.len()).map(|i| (0..columns.len()).map(|j| cell(i, j)).collect()).collect()
        };
        return Ok((moments.n_inputs(), map(Estimator::Biased), Some(map(Estimator::Debiased))));
    }
    let budget = memory.try_into().unwrap_or(usize::MAX);
    let map = |parameters: &Parameters| {
        let monitor = Percent::of(events);
        cross_similarity(wanted.measure, parameters, rows, columns, budget, &monitor)
    };
    let found = map(&wanted.parameters)?;
    let debiased = match wanted.both {
        true => Some(map(&wanted.parameters.clone().with(ESTIMATOR, "debiased")?)?.to_rows()),
        false => None,
    };
    Ok((found.n_inputs, found.to_rows(), debiased))
}

/// For both estimators of SSC-CKA, and of linear CKA in float32: one pass gives both.
fn shared_moments(
    wanted: &Wanted,
    layers: &[Layer<'_>],
    memory: u64,
    events: &dyn Events,
) -> Result<Option<KernelMoments>, PipelineError> {
    if !wanted.both {
        return Ok(None);
    }
    Ok(match wanted.measure.name {
        "ssc_cka" => {
            let graphs: Vec<_> = layers.iter().filter_map(Layer::graph).collect();
            Some(ssc_moments(&graphs)?)
        }
        "linear_cka" => match layers.iter().map(Layer::single).collect::<Option<Vec<MatRef<'_, f32>>>>() {
            Some(matrices) => Some(linear_moments_of(&matrices, memory, events)?),
            None => None,
        },
        _ => None,
    })
}

/// Two single files of few inputs are compared in float64, as they were stored; `None` for anything larger.
fn in_float64(a: &Operand, b: &Operand) -> Result<Option<[Matrix<f64>; 2]>, PipelineError> {
    if !matches!((&a.kind, &b.kind), (Kind::Matrix, Kind::Matrix)) {
        return Ok(None);
    }
    let bytes = |o: &Operand| std::fs::metadata(&o.path).map(|m| m.len()).unwrap_or(u64::MAX);
    if bytes(a).saturating_add(bytes(b)) > FLOAT64_BYTES {
        return Ok(None);
    }
    let (x, y) = (read_f64(&a.path)?, read_f64(&b.path)?);
    Ok((x.n_rows().max(y.n_rows()) <= EXACT_GRAM_MAX).then_some([x, y]))
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

    fn graphs(&self, measure: &str) -> Result<Vec<AffinityGraph>, PipelineError> {
        let files = match &self.kind {
            Kind::Coefficients => vec![self.path.clone()],
            Kind::Run(dir, record, _) => record.layers.iter().map(|l| dir.path(&l.graph)).collect(),
            Kind::Matrix | Kind::Store(_) => {
                return Err(self.lacks(
                    &format!("graphs, which {measure} compares"),
                    "make them with `subspect express` or `subspect run`",
                ));
            }
        };
        files.iter().map(|f| Ok(AffinityGraph::from_coefficients(&load_csr(f)?)?)).collect()
    }

    fn activations(&self, measure: &str) -> Result<Vec<Activations>, PipelineError> {
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
        let what = format!("activations, which {measure} compares");
        Err(self.lacks(&what, "give activations, or compare by ssc_cka"))
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
