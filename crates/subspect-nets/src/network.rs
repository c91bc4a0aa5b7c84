//! A model file, ready to be captured from.

use std::path::Path;

use crate::engine::{self, Engine, ModelSource};
use crate::layer::{Scores, find_scores, list_layers};
use crate::structure::Structure;
use crate::{EngineKind, ImageShape, InputSpec, Layer, LayerKind, NetsError};

/// How to load a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// What runs it.
    pub engine: EngineKind,
    /// Threads of the engine; 0 takes as many as the current rayon pool has.
    pub threads: usize,
    /// Shape of the data, which fills in what the model's input leaves open.
    pub data_shape: Option<ImageShape>,
}

/// A loaded model: its layers in execution order, with their shapes, and an engine that runs it.
pub struct Network {
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) input: InputSpec,
    pub(crate) layers: Vec<Layer>,
    pub(crate) scores: Scores,
    name: String,
    producer: String,
    n_classes: Option<usize>,
    warnings: Vec<String>,
}

impl Network {
    /// Loads a model and measures the shape of every layer by running a batch of black pictures.
    ///
    /// # Errors
    /// [`NetsError`] for a file that is missing, of another kind, truncated, without a picture input or with an
    /// operator that the engine does not have.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self, NetsError> {
        let bytes = std::fs::read(path).map_err(|e| NetsError::Read { path: path.to_owned(), source: e })?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::from_bytes(&name, bytes, path.parent(), options)
    }

    /// Loads a model from memory. `folder` is where weights outside of the file are looked for.
    ///
    /// # Errors
    /// As for [`Network::load`].
    pub fn from_bytes(
        name: &str,
        bytes: Vec<u8>,
        folder: Option<&Path>,
        options: &LoadOptions,
    ) -> Result<Self, NetsError> {
        let mut structure = Structure::parse(name, &bytes)?;
        let input = InputSpec::find(name, &structure, options.data_shape)?;
        structure.activate(&input.name);
        // Auxiliary outputs come behind the class scores, which have two axes.
        let is_table = |o: &&crate::structure::Declared| o.dims.as_ref().is_some_and(|d| d.len() == 2);
        let output = structure.outputs.iter().find(is_table).unwrap_or(&structure.outputs[0]);
        let scores = find_scores(&structure, &output.name);
        let layers = list_layers(&structure, &scores.value);
        let threads = if options.threads == 0 { rayon::current_num_threads() } else { options.threads };
        let source =
            ModelSource { file: name, bytes, folder, structure: &structure, input: &input.name, threads };
        let engine = engine::load(options.engine, source)?;
        let producer = structure.producer;
        let mut network = Self {
            engine,
            input,
            layers,
            scores,
            name: name.to_owned(),
            producer,
            n_classes: None,
            warnings: Vec::new(),
        };
        network.measure()?;
        Ok(network)
    }

    /// Runs one batch and keeps the layers that hold one float32 row per input.
    fn measure(&mut self) -> Result<(), NetsError> {
        // Two inputs tell the batch axis from an axis of length one.
        let batch = self.input.fixed_batch.unwrap_or(2);
        let (shapes, batch) = match (self.shapes(batch), self.input.fixed_batch) {
            (Err(NetsError::EngineRun { reason, .. }), None) => {
                let shapes = self.shapes(1)?;
                self.input.fixed_batch = Some(1);
                self.warnings.push(format!(
                    "the model declares a free batch axis but runs only one input at a time ({reason}); export it \
                     with dynamic axes for speed"
                ));
                (shapes, 1)
            }
            (shapes, _) => (shapes?, batch),
        };
        let mut kept = Vec::with_capacity(self.layers.len());
        for (mut layer, shape) in std::mem::take(&mut self.layers).into_iter().zip(shapes) {
            match shape {
                Some(shape) if shape.first() == Some(&batch) && !shape.contains(&0) => {
                    layer.shape = shape[1..].to_vec();
                    kept.push(layer);
                }
                _ if matches!(layer.kind, LayerKind::Conv | LayerKind::Block | LayerKind::Linear) => {
                    let name = layer.name;
                    self.warnings.push(format!("layer {name} has no float32 row per input and is left out"));
                }
                _ => {}
            }
        }
        self.layers = kept;
        if self.layers.is_empty() {
            let reason = "none of its values has a float32 row per input".to_owned();
            return Err(NetsError::BadGraph { file: self.name.clone(), reason });
        }
        self.n_classes = self.logits().map(|i| &self.layers[i].shape).and_then(|shape| {
            let mut long = shape.iter().filter(|&&d| d > 1);
            let classes = long.next().copied();
            classes.filter(|_| long.next().is_none())
        });
        Ok(())
    }

    /// Shape of every layer for a batch of black pictures; `None` where it is not float32.
    fn shapes(&mut self, batch: usize) -> Result<Vec<Option<Vec<usize>>>, NetsError> {
        let values: Vec<&str> = self.layers.iter().map(|l| l.value.as_str()).collect();
        self.engine.prepare(&values)?;
        let mut shapes = vec![None; values.len()];
        let data = vec![0.0; batch * self.input.shape.len()];
        self.engine.run(&self.input.batch_shape(batch), &data, &mut |i, v| {
            shapes[i] = v.data.map(|_| v.shape.to_vec());
            Ok(())
        })?;
        Ok(shapes)
    }

    /// File name without folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What wrote the file: `pytorch 2.4.0`, or empty.
    #[must_use]
    pub fn producer(&self) -> &str {
        &self.producer
    }

    /// What runs it: `rten 0.27`.
    #[must_use]
    pub fn engine(&self) -> String {
        self.engine.describe()
    }

    /// The picture that it wants.
    #[must_use]
    pub fn input(&self) -> &InputSpec {
        &self.input
    }

    /// The layers in execution order.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Position of the class scores among the layers.
    #[must_use]
    pub fn logits(&self) -> Option<usize> {
        self.layers.iter().position(|l| l.is_logits)
    }

    /// Number of classes, when the scores are one row per input.
    #[must_use]
    pub fn n_classes(&self) -> Option<usize> {
        self.n_classes
    }

    /// The operator behind the logits, when the model ends in one: `Softmax`.
    #[must_use]
    pub fn softmax(&self) -> Option<&str> {
        self.scores.softmax.as_deref()
    }

    /// What a reader should know about this model.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("name", &self.name).field("layers", &self.layers.len()).finish()
    }
}
