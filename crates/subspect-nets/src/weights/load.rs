//! Weights from safetensors and from what `torch.save` writes.

use std::collections::BTreeMap;
use std::path::Path;

use half::{bf16, f16};
use pytorch_reader::{DType, PytorchReader};
use safetensors::{Dtype, SafeTensors};

use super::names::plain;
use super::{Tensor, Weights};
use crate::NetsError;

/// The endings of files that hold weights without a graph.
pub(crate) const WEIGHT_ENDINGS: [&str; 4] = ["safetensors", "pth", "pt", "ckpt"];

impl Weights {
    /// Whether a file's ending is one of weights without a graph, so that an architecture has to come with it.
    #[must_use]
    pub fn is_weights_file(path: &Path) -> bool {
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        ending.is_some_and(|e| WEIGHT_ENDINGS.contains(&e.as_str()))
    }

    /// Reads a `.safetensors` file or a PyTorch checkpoint (`.pth`, `.pt`): a state dict as such, below a key beside an
    /// optimiser's state, or of a whole saved model. Prefixes of wrappers (`module.`, `_orig_mod.`) are taken off, counters
    /// of batches left out, and float16, bfloat16 and float64 become float32.
    ///
    /// # Errors
    /// [`NetsError::Read`], and [`NetsError::BadWeights`] for a file of another kind, a damaged one, or one without a
    /// tensor of floats.
    pub fn load(path: &Path) -> Result<Self, NetsError> {
        let read = |e| NetsError::Read { path: path.to_owned(), source: e };
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let is_safetensors = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors"));
        let tensors = if is_safetensors {
            of_safetensors(&file, &std::fs::read(path).map_err(read)?)?
        } else {
            std::fs::metadata(path).map_err(read)?;
            of_pytorch(&file, path)?
        };
        let tensors = plain(tensors);
        if tensors.is_empty() {
            let reason = "it has no tensor of floating-point numbers".to_owned();
            return Err(NetsError::BadWeights { file, reason });
        }
        Ok(Self { tensors })
    }

    /// Reads the bytes of a safetensors file; `file` is what messages call it.
    ///
    /// # Errors
    /// [`NetsError::BadWeights`].
    pub fn from_safetensors(file: &str, bytes: &[u8]) -> Result<Self, NetsError> {
        Ok(Self { tensors: plain(of_safetensors(file, bytes)?) })
    }
}

fn of_safetensors(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, NetsError> {
    let bad = |reason: String| NetsError::BadWeights { file: file.to_owned(), reason };
    let all = SafeTensors::deserialize(bytes).map_err(|e| {
        bad(format!("expected a safetensors file, found something else or a part of one ({e})"))
    })?;
    let mut tensors = BTreeMap::new();
    for (name, view) in all.tensors() {
        let kind = match view.dtype() {
            Dtype::F32 => Float::F32,
            Dtype::F64 => Float::F64,
            Dtype::F16 => Float::F16,
            Dtype::BF16 => Float::Bf16,
            _ => continue,
        };
        let tensor = Tensor { shape: view.shape().to_vec(), values: kind.values(view.data()) };
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

fn of_pytorch(file: &str, path: &Path) -> Result<BTreeMap<String, Tensor>, NetsError> {
    let bad = |reason: String| NetsError::BadWeights { file: file.to_owned(), reason };
    let reader = PytorchReader::new(path).map_err(|e| {
        bad(format!("{e}; expected what torch.save(model.state_dict(), ...) writes, or a .safetensors file"))
    })?;
    let mut tensors = BTreeMap::new();
    for (name, stored) in reader.tensors() {
        let kind = match stored.dtype() {
            DType::F32 => Float::F32,
            DType::F64 => Float::F64,
            DType::F16 => Float::F16,
            DType::BF16 => Float::Bf16,
            _ => continue,
        };
        let bytes = stored.read().map_err(|e| bad(format!("tensor {name}: {e}")))?;
        let tensor = Tensor { shape: stored.shape().to_vec(), values: kind.values(&bytes) };
        tensors.insert(name.clone(), tensor);
    }
    Ok(tensors)
}

/// Kinds of floating-point numbers, little-endian.
#[derive(Clone, Copy)]
enum Float {
    F16,
    Bf16,
    F32,
    F64,
}

impl Float {
    fn values(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|b| value(*b)).collect()
}
