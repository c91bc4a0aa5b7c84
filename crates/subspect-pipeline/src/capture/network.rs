//! The network of a run and what tells it from any other.

use std::path::Path;

use subspect_nets::{ArchitectureSpec, LoadOptions, Network};

use crate::PipelineError;
use crate::builtin::{self, Builtin};
use crate::plan::NetworkSource;

/// The network and the BLAKE3 of its file, continued over the files beside it that hold its weights, or over the words
/// for the architecture that its weights were put into.
pub(super) fn load_network(
    source: &NetworkSource,
    library: &[Builtin],
    options: &LoadOptions,
) -> Result<(Network, String), PipelineError> {
    let path = source.model.as_path();
    if let Some(builtin) = builtin::find(library, path) {
        let network = Network::from_bytes(builtin.model_name, builtin.model.to_vec(), None, options)?;
        return Ok((network, blake3::hash(builtin.model).to_hex().to_string()));
    }
    let spec = source.arch.as_deref().map(str::parse::<ArchitectureSpec>).transpose()?;
    let network = Network::load_any(path, spec.as_ref(), options)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&read(path)?);
    if let Some(spec) = spec {
        hasher.update(spec.to_string().as_bytes());
    }
    for file in network.external_files() {
        hasher.update(&read(file)?);
    }
    Ok((network, hasher.finalize().to_hex().to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>, PipelineError> {
    std::fs::read(path).map_err(|e| PipelineError::io("read", path, e))
}
