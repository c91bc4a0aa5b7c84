//! The activations of one layer: `n_inputs x n_features` float32, read from a `.npy` file without copying.

use std::path::Path;

use subspect_linalg::MatRef;

use super::{Dtype, flattened, npy_bytes, row_major};
use crate::bytes::Bytes;
use crate::error::{DataError, Result};

/// One layer's activations. Memory-mapped when the file holds little-endian float32 in C order (as the
/// activation store writes it); converted into memory otherwise.
#[derive(Debug)]
pub struct Activations {
    values: Values,
    n_inputs: usize,
    n_features: usize,
}

#[derive(Debug)]
enum Values {
    /// Checked to be aligned and a whole number of little-endian floats.
    Mapped(Bytes),
    Owned(Vec<f32>),
}

impl Activations {
    /// Opens a `.npy` file of numbers; all axes after the first are flattened, one axis gives N x 1.
    ///
    /// # Errors
    /// When the file cannot be read, is broken, or does not hold numbers.
    pub fn open(path: &Path) -> Result<Self> {
        let (header, bytes) = npy_bytes(path)?;
        let (n_inputs, n_features) = flattened(path, "", &header)?;
        let as_is = header.dtype == Dtype::F32 && header.is_row_major() && cfg!(target_endian = "little");
        let values = if as_is && floats(&bytes).is_some() {
            Values::Mapped(bytes)
        } else {
            let mut values = Vec::with_capacity(header.n_elements());
            header.dtype.to_f32(&bytes, &mut values);
            Values::Owned(row_major(&header, values))
        };
        let activations = Self { values, n_inputs, n_features };
        // Also proves that `as_ref` cannot fail later.
        MatRef::new(activations.data(), n_inputs, n_features)
            .map_err(|e| DataError::malformed(path, "", "a whole matrix", e.to_string(), "write it again"))?;
        Ok(activations)
    }

    /// Number of inputs (rows).
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// Number of features (columns).
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The matrix.
    pub fn as_ref(&self) -> MatRef<'_, f32> {
        MatRef::new(self.data(), self.n_inputs, self.n_features).expect("the shape was checked when opening")
    }

    fn data(&self) -> &[f32] {
        match &self.values {
            Values::Mapped(bytes) => floats(bytes).unwrap_or_default(),
            Values::Owned(values) => values,
        }
    }
}

/// The bytes as floats, or none when they are misaligned (a header not padded to 4) or not whole.
fn floats(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: every bit pattern is a valid f32, and `align_to` keeps alignment.
    let (before, values, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::header_bytes;

    #[test]
    fn every_layout_gives_the_same_matrix() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.npy");
        let rows = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        let columns = [1.0_f32, 4.0, 2.0, 5.0, 3.0, 6.0];
        let plain = header_bytes("<f4", &[2, 3]);
        let fortran = String::from_utf8_lossy(&plain[10..]).replace("False", "True ");
        let mut misaligned = b"\x93NUMPY\x01\x00".to_vec();
        let dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
        misaligned.extend((dict.len() as u16).to_le_bytes());
        misaligned.extend(dict.bytes());
        assert_ne!(misaligned.len() % 4, 0);
        let cases = [
            (plain.clone(), rows.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()),
            (header_bytes(">f4", &[2, 3]), rows.iter().flat_map(|v| v.to_be_bytes()).collect()),
            (header_bytes("<f8", &[2, 3]), rows.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect()),
            (header_bytes("|u1", &[2, 3]), rows.iter().map(|v| *v as u8).collect()),
            (
                [&plain[..10], fortran.as_bytes()].concat(),
                columns.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ),
            (misaligned, rows.iter().flat_map(|v| v.to_le_bytes()).collect()),
        ];
        for (k, (header, values)) in cases.into_iter().enumerate() {
            std::fs::write(&path, [header, values].concat()).unwrap();
            let x = Activations::open(&path).unwrap();
            assert_eq!((x.n_inputs(), x.n_features(), x.as_ref().data()), (2, 3, &rows[..]), "case {k}");
            assert_eq!(matches!(x.values, Values::Mapped(_)), k == 0, "case {k}");
        }
    }

    #[test]
    fn a_cut_file_says_how_many_bytes_are_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.npy");
        let mut bytes = header_bytes("<f4", &[2, 3]);
        bytes.extend([0; 23]);
        std::fs::write(&path, bytes).unwrap();
        let err = Activations::open(&path).unwrap_err().to_string();
        assert!(err.contains("byte 151: expected 152 bytes for shape [2, 3] of float32"), "{err}");
    }
}
