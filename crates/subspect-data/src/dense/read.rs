//! Reading `.npy` arrays as matrices and label vectors.

use std::io::Read;
use std::path::Path;

use subspect_linalg::Matrix;

use super::{Dtype, Header, Kind, parse_header};
use crate::bytes::Bytes;
use crate::error::{DataError, Result};

/// Labels are class indices `0..K`; a larger one is taken for a mistake (an id, a hash), because class x class
/// tables are kept for every layer.
pub const MAX_CLASSES: u32 = 65_536;

pub(crate) const AXIS_MEND: &str = "save an array whose first axis counts the inputs";

/// A `.npy` array of numbers as an N x D float64 matrix: all axes after the first are flattened, one axis gives
/// N x 1.
///
/// # Errors
/// When the file cannot be read, is broken, or does not hold numbers.
pub fn read_f64(path: &Path) -> Result<Matrix<f64>> {
    let (header, bytes) = npy_bytes(path)?;
    let (n_rows, n_cols) = flattened(path, "", &header)?;
    into_matrix(f64_values(&header, &bytes), n_rows, n_cols)
}

/// The same as float32; float64 values are rounded.
///
/// # Errors
/// When the file cannot be read, is broken, or does not hold numbers.
pub fn read_f32(path: &Path) -> Result<Matrix<f32>> {
    let (header, bytes) = npy_bytes(path)?;
    let (n_rows, n_cols) = flattened(path, "", &header)?;
    let mut values = Vec::with_capacity(header.n_elements());
    header.dtype.to_f32(&bytes, &mut values);
    into_matrix(row_major(&header, values), n_rows, n_cols)
}

/// A `.npy` vector of class indices, of any integer type; N x 1 is a vector too.
///
/// # Errors
/// When the file cannot be read, is broken, or a value is no class index.
pub fn read_labels(path: &Path) -> Result<Vec<u32>> {
    let (header, bytes) = npy_bytes(path)?;
    decode_labels(path, "", &header, &bytes)
}

fn into_matrix<T: Copy>(values: Vec<T>, n_rows: usize, n_cols: usize) -> Result<Matrix<T>> {
    Matrix::new(values, n_rows, n_cols).map_err(|e| DataError::Argument(e.to_string()))
}

/// Maps a `.npy` file and checks that all of its values are there.
pub(crate) fn npy_bytes(path: &Path) -> Result<(Header, Bytes)> {
    let bytes = Bytes::map(path)?;
    let (header, offset) = parse_header(path, "", &bytes)?;
    let (found, expected) = (bytes.len() as u64, offset as u64 + header.n_bytes() as u64);
    if found < expected {
        return Err(DataError::malformed(
            path,
            format!("byte {found}"),
            format!("{expected} bytes for shape {:?} of {}", header.shape, header.dtype.name()),
            format!("the end of the file after {found} bytes"),
            "the file was cut short: write or copy it again",
        ));
    }
    let n_bytes = header.n_bytes();
    Ok((header, bytes.skip(offset).take(n_bytes)))
}

/// N and D of an array of numbers with at least one axis.
pub(crate) fn flattened(path: &Path, array: &str, header: &Header) -> Result<(usize, usize)> {
    let place = if array.is_empty() { String::new() } else { format!("array '{array}'") };
    if !header.dtype.is_float() && !header.dtype.is_integer() {
        let found = header.dtype.name();
        return Err(DataError::malformed(path, place, "numbers", found, "save it with dtype float32"));
    }
    match header.shape.first() {
        Some(&n) => Ok((n, header.n_columns())),
        None => Err(DataError::malformed(path, place, "one row per input", "a single value", AXIS_MEND)),
    }
}

/// All values in C order.
pub(crate) fn f64_values(header: &Header, bytes: &[u8]) -> Vec<f64> {
    let mut values = Vec::with_capacity(header.n_elements());
    header.dtype.to_f64(bytes, &mut values);
    row_major(header, values)
}

/// Rearranges values in Fortran order to C order.
pub(crate) fn row_major<T: Copy>(header: &Header, values: Vec<T>) -> Vec<T> {
    if header.is_row_major() || values.is_empty() {
        return values;
    }
    // Walk C order with an index per axis; stride of axis k in the source is the product of the axes before it.
    let shape = &header.shape;
    let mut strides = vec![1; shape.len()];
    for k in 1..shape.len() {
        strides[k] = strides[k - 1] * shape[k - 1];
    }
    let (mut index, mut source) = (vec![0; shape.len()], 0);
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        out.push(values[source]);
        for k in (0..shape.len()).rev() {
            index[k] += 1;
            source += strides[k];
            if index[k] < shape[k] {
                break;
            }
            source -= strides[k] * shape[k];
            index[k] = 0;
        }
    }
    out
}

/// Class indices from an integer array.
pub(crate) fn decode_labels(path: &Path, array: &str, header: &Header, bytes: &[u8]) -> Result<Vec<u32>> {
    let place = if array.is_empty() { "labels".to_owned() } else { format!("array '{array}'") };
    let bad = |place: String, expected: String, found: String| {
        Err(DataError::malformed(path, place, expected, found, "labels are class indices 0, 1, 2, ..."))
    };
    if !header.dtype.is_integer() {
        return bad(place, "an integer type".into(), header.dtype.name());
    }
    if header.shape.is_empty() || header.n_columns() != 1 {
        return bad(place, "one label per input".into(), format!("shape {:?}", header.shape));
    }
    let mut labels = Vec::with_capacity(header.n_elements());
    let mut wrong = None;
    header.dtype.each_integer(bytes, |v| match u32::try_from(v) {
        Ok(label) if label < MAX_CLASSES => labels.push(label),
        _ => wrong = wrong.or(Some((labels.len(), v))),
    });
    match wrong {
        None => Ok(labels),
        Some((at, v)) => {
            bad(format!("{place}, input {at}"), format!("a label in 0..{MAX_CLASSES}"), v.to_string())
        }
    }
}

/// One text per element: of NumPy text or bytes, or integers as they print.
pub(crate) fn decode_text(path: &Path, array: &str, header: &Header, bytes: &[u8]) -> Result<Vec<String>> {
    let Dtype { kind, .. } = header.dtype;
    let mut out = Vec::with_capacity(header.n_elements());
    match kind {
        Kind::Text(n) if n > 0 => {
            let points = Dtype { kind: Kind::Unsigned(4), ..header.dtype };
            for element in bytes.chunks_exact(4 * n) {
                let mut text = String::new();
                points.each_integer(element, |c| {
                    text.push(u32::try_from(c).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'));
                });
                out.push(text.trim_end_matches('\0').to_owned());
            }
        }
        Kind::Bytes(n) if n > 0 => out.extend(
            bytes.chunks_exact(n).map(|b| String::from_utf8_lossy(b).trim_end_matches('\0').to_owned()),
        ),
        _ if header.dtype.is_integer() => header.dtype.each_integer(bytes, |v| out.push(v.to_string())),
        _ => {
            let found = header.dtype.name();
            let mend = "save it with dtype str";
            return Err(DataError::malformed(
                path,
                format!("array '{array}'"),
                "text or integers",
                found,
                mend,
            ));
        }
    }
    Ok(out)
}

/// Reads N x D values from a stream in blocks of whole rows, at most about `max_values` values each (at least one
/// row), and hands each block to `f` as float32.
pub(crate) fn read_chunks(
    path: &Path,
    place: &str,
    header: &Header,
    reader: &mut dyn Read,
    max_values: usize,
    f: &mut dyn FnMut(Vec<f32>, usize) -> Result<()>,
) -> Result<()> {
    let (n_rows, n_cols) = flattened(path, "", header)?;
    let row_bytes = n_cols * header.dtype.size();
    if !header.is_row_major() {
        return read_fortran(path, place, header, reader, f);
    }
    let rows_per_block = (max_values / n_cols.max(1)).max(1);
    let mut start = 0;
    while start < n_rows {
        let n = rows_per_block.min(n_rows - start);
        let bytes =
            read_bytes(reader, n * row_bytes).map_err(|e| cut_short(path, place, start, n_rows, e))?;
        let mut values = Vec::with_capacity(n * n_cols);
        header.dtype.to_f32(&bytes, &mut values);
        f(values, n)?;
        start += n;
    }
    Ok(())
}

/// Fortran order has no whole rows to stream: the array is decoded at once.
fn read_fortran(
    path: &Path,
    place: &str,
    header: &Header,
    reader: &mut dyn Read,
    f: &mut dyn FnMut(Vec<f32>, usize) -> Result<()>,
) -> Result<()> {
    let n_rows = header.shape.first().copied().unwrap_or(0);
    let bytes = read_bytes(reader, header.n_bytes()).map_err(|e| cut_short(path, place, 0, n_rows, e))?;
    let mut values = Vec::with_capacity(header.n_elements());
    header.dtype.to_f32(&bytes, &mut values);
    f(row_major(header, values), n_rows)
}

/// Exactly `n` bytes. Memory grows with what really comes, not with what a damaged header promises.
fn read_bytes(reader: &mut dyn Read, n: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(n as u64).read_to_end(&mut bytes)?;
    if bytes.len() == n { Ok(bytes) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

fn cut_short(path: &Path, place: &str, start: usize, n_rows: usize, error: std::io::Error) -> DataError {
    if error.kind() != std::io::ErrorKind::UnexpectedEof && error.kind() != std::io::ErrorKind::InvalidData {
        return DataError::io("read", path, error);
    }
    DataError::malformed(
        path,
        place,
        format!("{n_rows} rows"),
        format!("'{error}' after row {start}"),
        "the file was cut short or damaged: write or copy it again",
    )
}
