//! A model file, ready to be captured from.

use std::path::{Path, PathBuf};

use crate::capture::Feeder;
use crate::engine::{self, Engine, ModelSource, external_paths};
use crate::layer::{Scores, find_scores, is_weighted_value, list_layers};
use crate::structure::Structure;
use crate::{EngineKind, ImageShape, InputSpec, Layer, LayerKind, NetsError, NetworkInput};

/// How to load a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// What runs it.
    pub engine: EngineKind,
    /// Threads of the engine; 0 takes as many as the current rayon pool has.
    pub threads: usize,
    /// Shape of the data, which fills in what the model's input leaves open.
    pub data_shape: Option<ImageShape>,
    /// Tokens of every input of the data, which fills in a sequence axis that the model leaves open.
    pub n_tokens: Option<usize>,
}

/// A loaded model: its layers in execution order, with their shapes, and an engine that runs it.
pub struct Network {
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) input: NetworkInput,
    pub(crate) layers: Vec<Layer>,
    pub(crate) scores: Option<Scores>,
    name: String,
    producer: String,
    n_classes: Option<usize>,
    warnings: Vec<String>,
    external_files: Vec<PathBuf>,
}

impl Network {
    /// Loads a model and measures the shape of every layer by running a batch of black pictures or of tokens 0.
    ///
    /// # Errors
    /// [`NetsError`] for a file that is missing, of another kind, truncated, without an input of pictures or tokens, or
    /// with an operator that the engine does not have.
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
        let input = NetworkInput::find(name, &structure, options)?;
        structure.activate(&input.content());
        let scores = scores(&structure, &input);
        let layers = list_layers(&structure, scores.as_ref().map(|s| s.value.as_str()));
        let threads = if options.threads == 0 { rayon::current_num_threads() } else { options.threads };
        let external = external_paths(name, &structure, folder)?;
        let source = ModelSource { file: name, bytes, folder, structure: &structure, threads };
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
            external_files: external.into_iter().map(|(_, path)| path).collect(),
        };
        network.measure()?;
        Ok(network)
    }

    /// Runs one batch and keeps the layers that hold one float32 row per input.
    fn measure(&mut self) -> Result<(), NetsError> {
        // Two inputs tell the batch axis from an axis of length one.
        let fixed = self.input.fixed_batch();
        let batch = fixed.unwrap_or(2);
        let (shapes, batch) = match (self.shapes(batch, None), fixed) {
            (Err(NetsError::EngineRun { reason, .. }), None) => {
                let shapes = self.shapes(1, None)?;
                self.input.set_fixed_batch(1);
                self.warnings.push(format!(
                    "the model declares a free batch axis but runs only one input at a time ({reason}); export it \
                     with dynamic axes for speed"
                ));
                (shapes, 1)
            }
            (shapes, _) => (shapes?, batch),
        };
        let token_axes = self.token_axes(batch, &shapes);
        let mut kept = Vec::with_capacity(self.layers.len());
        let all = std::mem::take(&mut self.layers).into_iter().zip(shapes).zip(token_axes);
        for ((mut layer, shape), token_axis) in all {
            match shape {
                Some(shape) if shape.first() == Some(&batch) && !shape.contains(&0) => {
                    layer.shape = shape[1..].to_vec();
                    layer.token_axis = token_axis;
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

    /// Which axis behind the batch axis counts the tokens: the first whose length follows their number, or the first
    /// that is as long when the model has a fixed number of them.
    fn token_axes(&mut self, batch: usize, shapes: &[Option<Vec<usize>>]) -> Vec<Option<usize>> {
        let NetworkInput::Tokens(spec) = &self.input else { return vec![None; shapes.len()] };
        let (n, is_open) = (spec.n_tokens, spec.is_open);
        // One fewer: position embeddings end somewhere.
        let other = if n > 1 { n - 1 } else { 2 };
        let others = if is_open { self.shapes(batch, Some(other)).ok() } else { None };
        let axis = |i: usize, shape: &Vec<usize>| {
            let other = others.as_ref().and_then(|o| o[i].as_ref()).filter(|o| o.len() == shape.len());
            let follows = |k: usize| other.map_or(shape[k] == n, |o| o[k] != shape[k]);
            (1..shape.len()).find(|&k| follows(k)).map(|k| k - 1)
        };
        shapes.iter().enumerate().map(|(i, shape)| shape.as_ref().and_then(|s| axis(i, s))).collect()
    }

    /// Shape of every layer for a batch of black pictures, or of `n_tokens` tokens; `None` where it is not float32.
    fn shapes(
        &mut self,
        batch: usize,
        n_tokens: Option<usize>,
    ) -> Result<Vec<Option<Vec<usize>>>, NetsError> {
        let values: Vec<&str> = self.layers.iter().map(|l| l.value.as_str()).collect();
        self.engine.prepare(&values)?;
        let mut shapes = vec![None; values.len()];
        let mut blank = Feeder::blank(&self.input, batch, n_tokens);
        let fed = blank.batch(&self.input, 0, batch, batch)?;
        self.engine.run(&fed, &mut |i, v| {
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

    /// The files beside the model that hold weights of it, in the order of their names.
    #[must_use]
    pub fn external_files(&self) -> &[PathBuf] {
        &self.external_files
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

    /// What it wants to see.
    #[must_use]
    pub fn input(&self) -> &NetworkInput {
        &self.input
    }

    /// The picture that it wants.
    ///
    /// # Errors
    /// [`NetsError::OtherInput`] for a text encoder.
    pub fn pictures(&self) -> Result<&InputSpec, NetsError> {
        match &self.input {
            NetworkInput::Pictures(spec) => Ok(spec),
            NetworkInput::Tokens(spec) => Err(NetsError::OtherInput {
                file: self.name.clone(),
                expected: format!("tokens ({})", spec.describe()),
                found: "pictures".to_owned(),
                mend: "save them with numpy.savez, one N x T array per input, and labels".to_owned(),
            }),
        }
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
        self.scores.as_ref()?.softmax.as_deref()
    }

    /// What a reader should know about this model.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The class scores. Of pictures' networks one output always counts as such; of text encoders only a table that a
/// weighted operator makes: hidden states, pooled and normalised vectors are no scores.
fn scores(structure: &Structure, input: &NetworkInput) -> Option<Scores> {
    // Auxiliary outputs come behind the class scores, which have two axes.
    let is_table = |o: &&crate::structure::Declared| o.dims.as_ref().is_some_and(|d| d.len() == 2);
    let mut tables = structure.outputs.iter().filter(is_table);
    match input {
        NetworkInput::Pictures(_) => {
            let output = tables.next().unwrap_or(&structure.outputs[0]);
            Some(find_scores(structure, &output.name))
        }
        NetworkInput::Tokens(_) => {
            let mut found = tables.map(|o| find_scores(structure, &o.name));
            found.find(|s| is_weighted_value(structure, &s.value))
        }
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("name", &self.name).field("layers", &self.layers.len()).finish()
    }
}
