//! From pictures or tokens to one activation matrix per layer, batch by batch.
//!
//! Only one batch of all chosen layers is in memory at a time: `4 B (sum of D over layers)` bytes for a batch of B
//! inputs, B chosen so that this stays below a budget (the engine's own workspace comes on top).

use std::ops::{ControlFlow, Range};

use crate::engine::ValueView;
use crate::network::Network;
use crate::pool::Pool;
use crate::predict::predict;
use crate::{BoxError, Layer, NetsError, Preprocess, Tokens};

mod feeder;

pub(crate) use feeder::Feeder;

/// Reads the pictures of a range of inputs into a buffer of exactly that many pictures.
pub type ReadPixels<'a> = dyn FnMut(Range<usize>, &mut [u8]) -> Result<(), BoxError> + 'a;

/// The pictures to show to a network, in order.
pub struct PixelSource<'a> {
    /// Number of inputs.
    pub n_inputs: usize,
    /// Reads them.
    pub read: &'a mut ReadPixels<'a>,
}

/// Receives the activations.
pub trait ActivationSink {
    /// Appends `rows` rows of layer `layer` (a position in the list given to [`capture`]); `data` holds
    /// `rows x n_features` values. Rows of one layer arrive in the order of the inputs.
    ///
    /// # Errors
    /// Whatever keeps the sink from storing them; capturing stops.
    fn append(&mut self, layer: usize, rows: usize, data: &[f32]) -> Result<(), BoxError>;
}

/// How to capture.
#[derive(Clone, Copy, Debug)]
pub struct CaptureOptions {
    /// How a layer's output becomes a row.
    pub pool: Pool,
    /// Most inputs per batch.
    pub batch: usize,
    /// Bytes that one batch of all chosen layers may take.
    pub memory_budget: usize,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        Self { pool: Pool::Flatten, batch: 64, memory_budget: 512 << 20 }
    }
}

/// How far capturing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Inputs that the sink has.
    pub done: usize,
    /// Inputs there are.
    pub total: usize,
}

/// What capturing gave besides the activations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Captured {
    /// Largest class score of each input; empty when the network has no row of scores.
    pub predictions: Vec<u32>,
    /// Softmax probability of that choice.
    pub confidence: Vec<f32>,
    /// Inputs per batch that were used.
    pub batch: usize,
}

/// Runs every picture through the network and appends the rows of `layers` to `sink`. `progress` is called after every
/// batch; [`ControlFlow::Break`] stops.
///
/// # Errors
/// [`NetsError::NotFinite`] names layer and input; [`NetsError::Source`] and [`NetsError::Sink`] carry the caller's
/// own errors; [`NetsError::Cancelled`] after a break; and the engine's errors.
///
/// # Panics
/// When a position in `layers` is not one of the network's.
pub fn capture(
    network: &mut Network,
    layers: &[usize],
    source: &mut PixelSource<'_>,
    preprocess: &Preprocess,
    options: &CaptureOptions,
    sink: &mut dyn ActivationSink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Captured, NetsError> {
    network.pictures()?;
    let total = source.n_inputs;
    let mut feeder = Feeder::pictures(source, preprocess);
    run_batches(network, layers, &mut feeder, total, None, options, sink, progress)
}

/// Runs every input's tokens through a text encoder, as [`capture()`] does with pictures.
///
/// # Errors
/// Those of [`capture()`], and [`NetsError::MissingTokens`] when the model has an input that the tokens lack.
///
/// # Panics
/// When a position in `layers` is not one of the network's.
pub fn capture_tokens(
    network: &mut Network,
    layers: &[usize],
    tokens: &Tokens,
    options: &CaptureOptions,
    sink: &mut dyn ActivationSink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Captured, NetsError> {
    let mut feeder = Feeder::tokens(tokens);
    run_batches(network, layers, &mut feeder, tokens.n_inputs(), Some(tokens), options, sink, progress)
}

#[allow(clippy::too_many_arguments)] // the two public functions say what they are
fn run_batches(
    network: &mut Network,
    layers: &[usize],
    feeder: &mut Feeder<'_, '_>,
    total: usize,
    tokens: Option<&Tokens>,
    options: &CaptureOptions,
    sink: &mut dyn ActivationSink,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Captured, NetsError> {
    let chosen: Vec<Layer> = layers.iter().map(|&i| network.layers()[i].clone()).collect();
    chosen.iter().try_for_each(|layer| options.pool.check(layer))?;
    let scores = network.n_classes().and(network.logits()).map(|i| network.layers()[i].clone());
    let hidden_scores = scores.as_ref().filter(|s| chosen.iter().all(|l| l.value != s.value));
    let wanted: Vec<&Layer> = chosen.iter().chain(hidden_scores).collect();
    let values: Vec<&str> = wanted.iter().map(|l| l.value.as_str()).collect();
    network.engine.prepare(&values)?;
    let batch = batch_size(network, &wanted, options);
    let padded = network.input().fixed_batch().is_some();

    let mut captured = Captured { batch, ..Captured::default() };
    let mut pooled = Vec::new();
    let mut first = 0;
    while first < total {
        let rows = batch.min(total - first);
        let fed = if padded { batch } else { rows };
        let mask = tokens.and_then(|t| t.mask(first, rows));
        let inputs = feeder.batch(&network.input, first, rows, fed)?;
        network.engine.run(&inputs, &mut |i, value| {
            let layer = wanted[i];
            let data = rows_of(layer, rows, fed, value)?;
            if scores.as_ref().is_some_and(|s| s.value == layer.value) {
                check_finite(layer, first, layer.n_values(), data)?;
                captured.append(data, layer.n_values());
            }
            if i < chosen.len() {
                let features = options.pool.n_features(layer);
                let row_data = options.pool.pooled(layer, rows, data, mask, &mut pooled);
                check_finite(layer, first, features, row_data)?;
                sink.append(i, rows, row_data)
                    .map_err(|e| NetsError::Sink { layer: layer.name.clone(), source: e })?;
            }
            Ok(())
        })?;
        first += rows;
        if progress(Progress { done: first, total }).is_break() && first < total {
            return Err(NetsError::Cancelled { done: first, total });
        }
    }
    Ok(captured)
}

/// The rows of a layer's value, without those that only fill the batch.
fn rows_of<'a>(layer: &Layer, rows: usize, fed: usize, value: ValueView<'a>) -> Result<&'a [f32], NetsError> {
    let fits = value.shape.first() == Some(&fed) && value.shape[1..] == layer.shape;
    let data = value.data.filter(|_| fits).ok_or_else(|| NetsError::LayerShape {
        layer: layer.name.clone(),
        expected: layer.shape.clone(),
        found: value.shape.iter().skip(1).copied().collect(),
    })?;
    Ok(&data[..rows * layer.n_values()])
}

impl Captured {
    fn append(&mut self, scores: &[f32], n_classes: usize) {
        for row in scores.chunks_exact(n_classes) {
            let (class, confidence) = predict(row);
            self.predictions.push(class);
            self.confidence.push(confidence);
        }
    }
}

/// Inputs per batch: the model's own number when it is fixed, else as many as the budget and the option allow.
fn batch_size(network: &Network, wanted: &[&Layer], options: &CaptureOptions) -> usize {
    if let Some(fixed) = network.input().fixed_batch() {
        return fixed;
    }
    let values = wanted.iter().map(|l| l.n_values()).sum::<usize>() + network.input().n_values();
    let fits = options.memory_budget / (4 * values.max(1));
    fits.clamp(1, options.batch.max(1))
}

fn check_finite(layer: &Layer, first: usize, features: usize, data: &[f32]) -> Result<(), NetsError> {
    // Without an early exit inside a block, so that the loop becomes vector instructions.
    let is_bad = |block: &[f32]| block.iter().fold(false, |bad, v| bad | !v.is_finite());
    let Some(block) = data.chunks(1024).position(is_bad) else { return Ok(()) };
    let at = (block * 1024..data.len()).find(|&i| !data[i].is_finite()).unwrap_or(block * 1024);
    Err(NetsError::NotFinite {
        layer: layer.name.clone(),
        input: first + at / features.max(1),
        value: data[at],
    })
}
