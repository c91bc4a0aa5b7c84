//! Writing `.npy` files, whole and atomically.

use std::io::Write;
use std::path::Path;

use subspect_linalg::MatRef;

use crate::atomic;
use crate::error::{DataError, Result};

/// Values are converted to bytes in pieces of this many, so that a large matrix needs no second copy.
const PIECE: usize = 1 << 16;

/// The header of a version 1 `.npy` file in C order, padded so that the values start at a multiple of 64.
pub fn header_bytes(descr: &str, shape: &[usize]) -> Vec<u8> {
    let axes = match shape {
        [] => String::new(),
        [one] => format!("{one},"),
        many => many.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}");
    let unpadded = 10 + dict.len() + 1;
    dict.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    dict.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    // Shapes have at most a few dozen axes of at most 20 digits, far below the 65,535 bytes of version 1.
    bytes.extend((dict.len() as u16).to_le_bytes());
    bytes.extend(dict.bytes());
    bytes
}

/// Writes a float32 matrix.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_f32(path: &Path, matrix: MatRef<'_, f32>) -> Result<()> {
    write(path, "<f4", &[matrix.n_rows(), matrix.n_cols()], matrix.data(), f32::to_le_bytes)
}

/// Writes a float64 matrix.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_f64(path: &Path, matrix: MatRef<'_, f64>) -> Result<()> {
    write(path, "<f8", &[matrix.n_rows(), matrix.n_cols()], matrix.data(), f64::to_le_bytes)
}

/// Writes a vector of labels as int64, NumPy's default integer.
///
/// # Errors
/// [`DataError::Io`].
pub fn write_labels(path: &Path, labels: &[u32]) -> Result<()> {
    write(path, "<i8", &[labels.len()], labels, |l| i64::from(l).to_le_bytes())
}

fn write<T: Copy, const W: usize>(
    path: &Path,
    descr: &str,
    shape: &[usize],
    values: &[T],
    to_bytes: impl Fn(T) -> [u8; W],
) -> Result<()> {
    atomic::write_with(path, |file| {
        let io = |e| DataError::io("write", path, e);
        file.write_all(&header_bytes(descr, shape)).map_err(io)?;
        let mut bytes = Vec::with_capacity(W * PIECE.min(values.len()));
        for piece in values.chunks(PIECE) {
            bytes.clear();
            bytes.extend(piece.iter().flat_map(|&v| to_bytes(v)));
            file.write_all(&bytes).map_err(io)?;
        }
        Ok(())
    })
}
