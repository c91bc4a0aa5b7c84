//! From a network and a data set to an activation store.
//!
//! The store is keyed by the network's bytes, the chosen inputs (pixels and labels), the way pixels become input,
//! the engine, the pooling and the layers; a finished store under the same key is used as it is.

mod network;
mod space;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use subspect_data::dataset::{self, Dataset, OpenOptions};
use subspect_data::record::{Inputs, ModelInfo};
use subspect_data::store::{ActivationStore, LayerSpec, StoreHeader, StoreStatus, StoreWriter};
use subspect_data::subset::balanced_subset;
use subspect_linalg::{MatRef, Measured, Seed, Status};
use subspect_nets::{
    ActivationSink, BoxError, CaptureOptions, Captured, EngineKind, ImageShape, LoadOptions, NetsError,
    Network, NetworkInput, Normalize, PixelOrder, PixelSource, Pool, Preprocess, Resize, Tokens, select,
};

use crate::builtin::{self, Builtin};
use crate::plan::NetworkSource;
use crate::{Events, KeyBuilder, Outcome, PipelineError, Stage};
use network::load_network;

/// Inputs taken when none were asked for and there are more.
pub const DEFAULT_INPUTS: usize = 1000;

/// A data set and what was chosen from it.
#[derive(Debug)]
pub struct Pictures {
    /// The whole set.
    pub dataset: Dataset,
    /// Positions in it, ascending.
    pub chosen: Vec<usize>,
}

/// A finished capture.
#[derive(Debug)]
pub struct CapturedStore {
    /// The activations.
    pub store: ActivationStore,
    /// The pictures that were shown.
    pub pictures: Pictures,
}

/// Opens the data set and chooses `inputs` of it, class-balanced.
///
/// # Errors
/// When the data cannot be read, or there are fewer inputs than asked for.
pub fn choose_pictures(
    source: &NetworkSource,
    inputs: Option<usize>,
    seed: u64,
    library: &[Builtin],
    events: &dyn Events,
) -> Result<Pictures, PipelineError> {
    let start = Instant::now();
    let label = source.data.display().to_string();
    events.started(Stage::Data, &label, 0);
    let options = OpenOptions {
        format: source.data_format.clone(),
        split: source.split.as_deref().map(str::parse).transpose()?,
        resize: None,
        coarse_labels: source.coarse_labels,
    };
    let dataset = match builtin::find(library, &source.data) {
        Some(builtin) => (builtin.dataset)()?,
        None => dataset::open(&source.data, &options)?,
    };
    let n = inputs.unwrap_or_else(|| DEFAULT_INPUTS.min(dataset.len()));
    let chosen = balanced_subset(&dataset, n, Seed::new(seed))?;
    events.finished(Stage::Data, &label, Outcome::Computed, start.elapsed().as_secs_f64());
    Ok(Pictures { dataset, chosen })
}

/// Runs the network over the chosen inputs and stores every selected layer in `folder`, or finds that this was
/// done before.
///
/// # Errors
/// A network or data set that cannot be used, a layer that is not finite, an unwritable folder, or
/// [`PipelineError::Interrupted`].
pub fn capture(
    source: &NetworkSource,
    inputs: Option<usize>,
    seed: u64,
    folder: &Path,
    library: &[Builtin],
    events: &dyn Events,
) -> Result<CapturedStore, PipelineError> {
    let pictures = choose_pictures(source, inputs, seed, library, events)?;
    let start = Instant::now();
    let model = source.model.display().to_string();
    events.started(Stage::Capture, &model, pictures.chosen.len() as u64);
    let mut work = Work::prepare(source, &pictures, library, events)?;
    let outcome = match StoreStatus::of(folder)? {
        StoreStatus::Complete { key } if key == work.header.key => Outcome::Reused,
        _ => {
            work.write(&pictures, folder, events)?;
            Outcome::Computed
        }
    };
    let store = ActivationStore::open(folder)?;
    events.finished(Stage::Capture, &model, outcome, start.elapsed().as_secs_f64());
    Ok(CapturedStore { store, pictures })
}

/// What is shown to the network.
enum Shown {
    Pictures(Box<Preprocess>),
    Tokens(Tokens),
}

impl Shown {
    /// Checks that the data are what the network takes.
    fn plan(
        source: &NetworkSource,
        pictures: &Pictures,
        network: &Network,
        events: &dyn Events,
    ) -> Result<Self, PipelineError> {
        let dataset = &pictures.dataset;
        let normalize: Normalize = source.normalize.parse()?;
        if let Some(arrays) = dataset.tokens() {
            let NetworkInput::Tokens(spec) = network.input() else {
                return Err(other_input(source, network));
            };
            if normalize != Normalize::None || source.resize {
                return Err(PipelineError::Input {
                    what: "--normalize or --resize".into(),
                    expected: "neither, because the inputs are tokens".into(),
                    found: format!("--normalize {normalize}{}", if source.resize { " --resize" } else { "" }),
                    mend: "leave both out".into(),
                });
            }
            let chosen = arrays.chosen(&pictures.chosen).into_iter().map(|a| (a.name, a.values)).collect();
            let tokens = Tokens::new(pictures.chosen.len(), arrays.n_tokens, chosen)?;
            for name in tokens.unused(spec) {
                events
                    .warning(&format!("the data's array {name} is no input of the network and is left out"));
            }
            return Ok(Shown::Tokens(tokens));
        }
        let [height, width, channels] = dataset.image_shape();
        let image = ImageShape { channels, height, width };
        let resize = if source.resize { Resize::Bilinear } else { Resize::Never };
        let plan = Preprocess::new(network.pictures()?, image, PixelOrder::Hwc, &normalize, resize)?;
        Ok(Shown::Pictures(Box::new(plan)))
    }
}

fn other_input(source: &NetworkSource, network: &Network) -> PipelineError {
    PipelineError::Input {
        what: source.data.display().to_string(),
        expected: format!("pictures of {} for {}", network.input().describe(), network.name()),
        found: "token arrays".into(),
        mend: "give the data that the model was made for".into(),
    }
}

/// Everything that is needed before the first batch.
struct Work {
    network: Network,
    layers: Vec<usize>,
    specs: Vec<LayerSpec>,
    shown: Shown,
    options: CaptureOptions,
    header: StoreHeader,
}

impl Work {
    fn prepare(
        source: &NetworkSource,
        pictures: &Pictures,
        library: &[Builtin],
        events: &dyn Events,
    ) -> Result<Self, PipelineError> {
        let [height, width, channels] = pictures.dataset.image_shape();
        let image = ImageShape { channels, height, width };
        let engine: EngineKind = source.engine.parse()?;
        let n_tokens = pictures.dataset.tokens().map(|t| t.n_tokens);
        let data_shape = Some(image).filter(|_| n_tokens.is_none());
        let load = LoadOptions { engine, data_shape, n_tokens, ..LoadOptions::default() };
        let (network, hash) = load_network(source, library, &load)?;
        network.warnings().iter().for_each(|w| events.warning(w));
        let layers = select(network.layers(), &source.layers)?;
        let pool: Pool = source.pool.parse()?;
        let normalize: Normalize = source.normalize.parse()?;
        let resize = if source.resize { Resize::Bilinear } else { Resize::Never };
        let shown = Shown::plan(source, pictures, &network, events)?;
        layers.iter().try_for_each(|&i| pool.check(&network.layers()[i]))?;
        let specs: Vec<LayerSpec> = layers
            .iter()
            .map(|&i| {
                let layer = &network.layers()[i];
                LayerSpec {
                    name: layer.name.clone(),
                    kind: layer.kind.as_str().to_owned(),
                    shape: layer.shape.clone(),
                    n_features: pool.n_features(layer),
                    pool: pool.as_str().to_owned(),
                }
            })
            .collect();
        let model = model_info(&network, hash);
        class_counts(&network, &pictures.dataset, events);
        let data_hash = pictures.dataset.hash(&pictures.chosen)?;
        let dataset = pictures.dataset.info(&normalize.to_string(), data_hash.clone());
        let inputs = pictures.dataset.inputs(&pictures.chosen);
        let key = KeyBuilder::new("activations", 1)
            .text("model", &model.hash)
            .text("data", &data_hash)
            .list("ids", inputs.ids.iter().map(String::as_str))
            .text("normalize", &normalize.to_string())
            .text("resize", resize.as_str())
            .text("engine", &model.engine)
            .text("pool", pool.as_str())
            .list("layers", specs.iter().map(|s| s.name.as_str()))
            .finish();
        let options = CaptureOptions { pool, batch: source.batch_size, ..CaptureOptions::default() };
        let header = StoreHeader { key, inputs, dataset, model: Some(model) };
        Ok(Work { network, layers, specs, shown, options, header })
    }

    fn write(
        &mut self,
        pictures: &Pictures,
        folder: &Path,
        events: &dyn Events,
    ) -> Result<(), PipelineError> {
        let rows = pictures.chosen.len() as u64;
        let needed = self.specs.iter().map(|s| 4 * rows * s.n_features as u64).sum();
        space::check(folder, needed)?;
        let mut sink = Sink {
            writer: StoreWriter::create(folder, self.header.clone(), &self.specs)?,
            specs: &self.specs,
        };
        let n_pixels = pictures.dataset.n_pixels();
        let mut read = |range: std::ops::Range<usize>, out: &mut [u8]| -> Result<(), BoxError> {
            for (&i, picture) in pictures.chosen[range].iter().zip(out.chunks_exact_mut(n_pixels)) {
                pictures.dataset.read_hwc(i, picture)?;
            }
            Ok(())
        };
        let mut before = 0;
        let mut progress = |p: subspect_nets::Progress| {
            events.advanced(Stage::Capture, (p.done - before) as u64);
            before = p.done;
            if events.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let (network, layers, options) = (&mut self.network, &self.layers, &self.options);
        let captured = match &self.shown {
            Shown::Pictures(preprocess) => {
                let mut source = PixelSource { n_inputs: pictures.chosen.len(), read: &mut read };
                subspect_nets::capture(
                    network,
                    layers,
                    &mut source,
                    preprocess,
                    options,
                    &mut sink,
                    &mut progress,
                )
            }
            Shown::Tokens(tokens) => {
                subspect_nets::capture_tokens(network, layers, tokens, options, &mut sink, &mut progress)
            }
        }
        .map_err(|e| located(e, &self.header.inputs))?;
        let mut writer = sink.writer;
        if let Some(mut model) = self.header.model.clone() {
            model.accuracy = accuracy(&captured.predictions, &self.header.inputs.labels);
            writer.set_model(model);
        }
        let Captured { predictions, confidence, .. } = captured;
        if !predictions.is_empty() {
            writer.set_predictions(predictions, confidence)?;
        }
        writer.finish()?;
        Ok(())
    }
}

/// Stores rows as they come.
struct Sink<'a> {
    writer: StoreWriter,
    specs: &'a [LayerSpec],
}

impl ActivationSink for Sink<'_> {
    fn append(&mut self, layer: usize, rows: usize, data: &[f32]) -> Result<(), BoxError> {
        let batch = MatRef::new(data, rows, self.specs[layer].n_features)?;
        Ok(self.writer.append(layer, batch)?)
    }
}

fn model_info(network: &Network, hash: String) -> ModelInfo {
    ModelInfo {
        name: network.name().to_owned(),
        hash,
        engine: network.engine(),
        input_shape: network.input().shape(),
        accuracy: Status::NotExecuted.into(),
    }
}

/// A network for other classes than the data's is nearly always a mistake, but may be meant.
fn class_counts(network: &Network, dataset: &Dataset, events: &dyn Events) {
    let n_classes = dataset.classes().len();
    if let Some(found) = network.n_classes().filter(|&n| n_classes > 0 && n != n_classes) {
        events.warning(&format!("the network has {found} outputs and the data {n_classes} classes"));
    }
}

/// Share of the inputs whose prediction is their label.
fn accuracy(predictions: &[u32], labels: &[u32]) -> Measured {
    match (predictions.is_empty(), labels.is_empty()) {
        (true, _) => Status::NoPredictions.into(),
        (_, true) => Status::NoLabels.into(),
        _ => {
            let right = predictions.iter().zip(labels).filter(|(p, l)| p == l).count();
            Measured::finite(right as f64 / labels.len() as f64)
        }
    }
}

/// Names an input by its id instead of its position, and unwraps the store's own errors.
fn located(e: NetsError, inputs: &Inputs) -> PipelineError {
    match e {
        NetsError::Cancelled { .. } => PipelineError::Interrupted,
        NetsError::NotFinite { layer, input, value } => PipelineError::Input {
            what: format!("layer {layer}, input {}", inputs.ids.get(input).map_or("?", String::as_str)),
            expected: "finite activations".into(),
            found: value.to_string(),
            mend: "check the model's weights and --normalize, or leave the layer out with --layers".into(),
        },
        NetsError::Sink { source, layer } => match source.downcast::<subspect_data::DataError>() {
            Ok(data) => PipelineError::Data(*data),
            Err(source) => NetsError::Sink { layer, source }.into(),
        },
        NetsError::Source { source, first, last } => match source.downcast::<subspect_data::DataError>() {
            Ok(data) => PipelineError::Data(*data),
            Err(source) => NetsError::Source { first, last, source }.into(),
        },
        other => other.into(),
    }
}
