//! Weights to safetensors.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::Weights;
use crate::NetsError;

impl Weights {
    /// The bytes of a safetensors file with all tensors in float32: the same weights give the same bytes.
    #[must_use]
    pub fn to_safetensors(&self) -> Vec<u8> {
        let bytes: Vec<Vec<u8>> =
            self.tensors.values().map(|t| t.values.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
        let views = self.tensors.iter().zip(&bytes).filter_map(|((name, tensor), data)| {
            Some((name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), data).ok()?))
        });
        // `insert` checks shapes, so views and file cannot fail.
        safetensors::serialize(views, None).unwrap_or_default()
    }

    /// Writes a safetensors file. It appears under its name only when it is complete.
    ///
    /// # Errors
    /// [`NetsError::Write`].
    pub fn save_safetensors(&self, path: &Path) -> Result<(), NetsError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = Path::new(&partial);
        std::fs::write(partial, self.to_safetensors())
            .and_then(|()| std::fs::rename(partial, path))
            .map_err(|e| NetsError::Write { path: path.to_owned(), source: e })
    }
}
