//! What every later stage needs: the activations, the inputs in order, the layers and their keys.

use subspect_data::dense::read_labels;
use subspect_data::import::{ImportOptions, import};
use subspect_data::record::{DatasetInfo, Inputs};
use subspect_data::rundir::RunDir;
use subspect_data::store::{ActivationStore, MANIFEST_FILE, StoredLayer};
use subspect_nets::{Layer, LayerKind, select};

use crate::builtin::Builtin;
use crate::capture::{Pictures, capture};
use crate::plan::StoreSource;
use crate::{Events, KeyBuilder, PipelineError, Plan, Source};

/// The activations and what is known about their inputs.
pub(crate) struct Prepared {
    /// Every layer's activations, memory-mapped when asked for.
    pub(crate) store: ActivationStore,
    /// The inputs, in the order of the rows.
    pub(crate) inputs: Inputs,
    /// The data set.
    pub(crate) dataset: DatasetInfo,
    /// Indices in the store of the layers that are analysed.
    pub(crate) layers: Vec<usize>,
    /// Key of each of these layers' activations.
    pub(crate) keys: Vec<String>,
    /// The pictures, when the inputs are pictures.
    pub(crate) pictures: Option<Pictures>,
}

impl Prepared {
    /// The stored layer at `index` of [`Prepared::layers`].
    pub(crate) fn stored(&self, index: usize) -> &StoredLayer {
        &self.store.layers()[self.layers[index]]
    }
}

/// Captures, or opens what was captured or imported before.
pub(crate) fn prepare(
    plan: &Plan,
    dir: &RunDir,
    library: &[Builtin],
    events: &dyn Events,
) -> Result<Prepared, PipelineError> {
    let (store, pictures, layers, labels) = match &plan.source {
        Source::Network(source) => {
            let captured =
                capture(source, plan.inputs, plan.seed, &dir.path("activations"), library, events)?;
            let layers = (0..captured.store.layers().len()).collect();
            (captured.store, Some(captured.pictures), layers, None)
        }
        Source::Store(source) => {
            let store = open_or_import(source, dir)?;
            let layers = select(&as_layers(store.layers()), &source.layers)?;
            let labels = labels(source, store.n_inputs())?;
            (store, None, layers, labels)
        }
    };
    let manifest = store.manifest();
    let mut inputs = manifest.inputs.clone();
    let mut dataset = manifest.dataset.clone();
    if let Some(labels) = labels {
        let n_classes = labels.iter().max().map_or(0, |&l| l + 1);
        if dataset.classes.len() < n_classes as usize {
            dataset.classes = (0..n_classes).map(|c| c.to_string()).collect();
        }
        inputs.labels = labels;
    }
    let keys = layers.iter().map(|&l| layer_key(&store, l)).collect();
    Ok(Prepared { store, inputs, dataset, layers, keys, pictures })
}

/// A store as it is; anything else is imported into the run directory, once.
fn open_or_import(source: &StoreSource, dir: &RunDir) -> Result<ActivationStore, PipelineError> {
    if source.store.join(MANIFEST_FILE).is_file() {
        return Ok(ActivationStore::open(&source.store)?);
    }
    let folder = dir.path("activations");
    Ok(import(&source.store, &ImportOptions::default(), &folder, &mut |_, _, _| {})?)
}

/// Key of one layer's activations. It leaves out the other layers of the store, so that choosing more layers
/// keeps the graphs that are there.
fn layer_key(store: &ActivationStore, index: usize) -> String {
    let (manifest, layer) = (store.manifest(), &store.layers()[index]);
    let key = KeyBuilder::new("layer", 1).text("name", &layer.name).text("pool", &layer.pool);
    match &manifest.model {
        Some(model) => key
            .text("model", &model.hash)
            .text("engine", &model.engine)
            .text("data", &manifest.dataset.hash)
            .text("normalize", &manifest.dataset.normalize)
            .count("n", manifest.n_inputs as u64)
            .finish(),
        None => key.text("store", &manifest.key).finish(),
    }
}

fn labels(source: &StoreSource, n_inputs: usize) -> Result<Option<Vec<u32>>, PipelineError> {
    let Some(path) = &source.labels else { return Ok(None) };
    let labels = read_labels(path)?;
    if labels.len() == n_inputs {
        return Ok(Some(labels));
    }
    Err(PipelineError::Input {
        what: path.display().to_string(),
        expected: format!("{n_inputs} labels, one per input of {}", source.store.display()),
        found: labels.len().to_string(),
        mend: "give the labels of the same inputs, in the same order".into(),
    })
}

/// Stored layers as the selection of `subspect run` knows them.
fn as_layers(stored: &[StoredLayer]) -> Vec<Layer> {
    let kind =
        |name: &str| LayerKind::ALL.into_iter().find(|k| k.as_str() == name).unwrap_or(LayerKind::Other);
    stored
        .iter()
        .map(|s| Layer {
            name: s.name.clone(),
            kind: kind(&s.kind),
            op_type: String::new(),
            value: s.name.clone(),
            shape: s.shape.clone(),
            channels: None,
            replaced_by: None,
            is_logits: s.name == "logits",
            is_output: false,
            is_tap: false,
            token_axis: None,
        })
        .collect()
}
