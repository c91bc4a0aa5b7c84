//! A network from a file of weights and an architecture.

use std::path::Path;

use crate::weights::Weights;
use crate::{
    Architecture, ArchitectureOptions, ArchitectureSpec, ImageShape, LoadOptions, NetsError, Network,
};

impl ArchitectureSpec {
    /// The architecture that these weights are for: classes and channels are the weights' and the size of the picture
    /// the data's, where the words leave them open.
    ///
    /// # Errors
    /// As for [`crate::architecture`].
    pub fn for_weights(
        &self,
        weights: &Weights,
        data: Option<ImageShape>,
    ) -> Result<Architecture, NetsError> {
        let mut others = ArchitectureOptions::default();
        others.input = data.unwrap_or(others.input);
        others.input.channels = weights.channels().unwrap_or(others.input.channels);
        let draft = self.build(&others)?;
        others.n_classes = weights.outputs_of(&draft).unwrap_or(others.n_classes);
        self.build(&others)
    }
}

impl Network {
    /// Loads a file of weights into an architecture.
    ///
    /// # Errors
    /// Those of [`Weights::load`], of [`ArchitectureSpec::for_weights`], and [`NetsError::Weights`] when the two do not
    /// belong together.
    pub fn from_weights(
        path: &Path,
        spec: &ArchitectureSpec,
        options: &LoadOptions,
    ) -> Result<Self, NetsError> {
        let weights = Weights::load(path)?;
        let architecture = spec.for_weights(&weights, options.data_shape)?;
        let bytes = architecture.to_onnx(&weights.spelled_for(&architecture))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut network = Self::from_bytes(&name, bytes, None, options)?;
        for layer in &mut network.layers {
            layer.is_tap = architecture.taps.contains(&layer.name);
        }
        Ok(network)
    }

    /// Loads what a path names: an ONNX model, or weights when an architecture comes with it.
    ///
    /// # Errors
    /// Those of [`Network::load`] and [`Network::from_weights`]; [`NetsError::NeedsArchitecture`] for weights alone, with
    /// the architectures that they fit, and [`NetsError::OwnArchitecture`] for a model with another beside it.
    pub fn load_any(
        path: &Path,
        spec: Option<&ArchitectureSpec>,
        options: &LoadOptions,
    ) -> Result<Self, NetsError> {
        let file = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        match (Weights::is_weights_file(path), spec) {
            (true, Some(spec)) => Self::from_weights(path, spec, options),
            (true, None) => {
                let fits = Weights::load(path)?.fitting();
                Err(NetsError::NeedsArchitecture { file: file(), fits })
            }
            (false, None) => Self::load(path, options),
            (false, Some(spec)) => {
                Err(NetsError::OwnArchitecture { file: file(), architecture: spec.to_string() })
            }
        }
    }
}
