//! Sparse matrices as SciPy keeps them: `.npz` with `indices`, `indptr`, `format`, `shape` and `data`.
//!
//! Written by [`save_csr`], read by `scipy.sparse.load_npz`, and the other way round by [`load_csr`].

use std::path::Path;

use subspect_linalg::Csr;

use crate::atomic;
use crate::dense::{Header, Npz, NpzWriter, decode_text, f64_values};
use crate::error::{DataError, Result};

const MEND: &str = "save it with scipy.sparse.save_npz(path, matrix.tocsr())";

/// Writes a CSR matrix: float32 values, sorted indices, no explicit zeros. Index arrays are int32 unless the
/// matrix is too large for that. Atomic; equal matrices give equal files.
///
/// # Errors
/// [`DataError::Io`].
pub fn save_csr(path: &Path, matrix: &Csr) -> Result<()> {
    let largest = matrix.nnz().max(matrix.n_rows()).max(matrix.n_cols());
    let wide = largest > i32::MAX as usize;
    let integers = |values: &mut dyn Iterator<Item = usize>| -> Vec<u8> {
        if wide {
            values.flat_map(|v| (v as i64).to_le_bytes()).collect()
        } else {
            values.flat_map(|v| (v as i32).to_le_bytes()).collect()
        }
    };
    let integer = if wide { "<i8" } else { "<i4" };
    let shape: Vec<u8> =
        [matrix.n_rows(), matrix.n_cols()].iter().flat_map(|&n| (n as i64).to_le_bytes()).collect();
    let values: Vec<u8> = matrix.values().iter().flat_map(|v| v.to_le_bytes()).collect();
    atomic::write_with(path, |file| {
        let mut npz = NpzWriter::new(file, path);
        let nnz = matrix.nnz();
        npz.add("indices", integer, &[nnz], &integers(&mut matrix.indices().iter().map(|&j| j as usize)))?;
        npz.add("indptr", integer, &[matrix.n_rows() + 1], &integers(&mut matrix.indptr().iter().copied()))?;
        npz.add("format", "|S3", &[], b"csr")?;
        npz.add("shape", "<i8", &[2], &shape)?;
        npz.add("data", "<f4", &[nnz], &values)?;
        npz.finish().map(|_| ())
    })
}

/// Reads a CSR matrix that SciPy or [`save_csr`] wrote: int32 or int64 indices, values of any number type. As in
/// SciPy, rows may be unsorted and duplicate entries add up; zeros are left out.
///
/// # Errors
/// Another sparse format, parts that contradict each other, or values that are not finite float32 numbers.
pub fn load_csr(path: &Path) -> Result<Csr> {
    let mut npz = Npz::open(path)?;
    check_format(path, &mut npz)?;
    let shape = sizes(path, &mut npz, "shape")?;
    let [n_rows, n_cols] = shape[..] else {
        return bad(path, "shape", "two sizes", format!("{} values", shape.len()));
    };
    if n_cols > u32::MAX as usize {
        return bad(path, "shape", "at most 2^32 - 1 columns", n_cols.to_string());
    }
    let indptr = sizes(path, &mut npz, "indptr")?;
    let indices = sizes(path, &mut npz, "indices")?;
    let (header, bytes) = npz.array("data")?;
    check_vector(path, "data", &header)?;
    if !header.dtype.is_float() && !header.dtype.is_integer() {
        return bad(path, "data", "real numbers", header.dtype.name());
    }
    let data = f64_values(&header, &bytes);
    if indptr.len() != n_rows.saturating_add(1) || indptr[0] != 0 || indptr[n_rows] != indices.len() {
        let expected = format!("{} row pointers from 0 to {}", n_rows.saturating_add(1), indices.len());
        return bad(
            path,
            "indptr",
            &expected,
            format!("{} of them, the last {:?}", indptr.len(), indptr.last()),
        );
    }
    if data.len() != indices.len() {
        return bad(
            path,
            "data",
            &format!("{} values, one per index", indices.len()),
            data.len().to_string(),
        );
    }
    canonical(path, n_rows, n_cols, &indptr, &indices, &data)
}

/// Sorts each row, adds duplicates up, drops zeros, and narrows to float32.
fn canonical(
    path: &Path,
    n_rows: usize,
    n_cols: usize,
    indptr: &[usize],
    indices: &[usize],
    data: &[f64],
) -> Result<Csr> {
    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    let mut row: Vec<(usize, f64)> = Vec::new();
    for i in 0..n_rows {
        if indptr[i] > indptr[i + 1] || indptr[i + 1] > indices.len() {
            return bad(
                path,
                "indptr",
                "ascending row pointers",
                format!("{} after {}", indptr[i + 1], indptr[i]),
            );
        }
        let range = indptr[i]..indptr[i + 1];
        row.clear();
        row.extend(indices[range.clone()].iter().copied().zip(data[range].iter().copied()));
        // Stable, so that duplicates add up in the file's order.
        row.sort_by_key(|entry| entry.0);
        for group in row.chunk_by(|a, b| a.0 == b.0) {
            let (column, value) = (group[0].0, group.iter().map(|e| e.1).sum::<f64>() as f32);
            if column >= n_cols {
                return bad(
                    path,
                    "indices",
                    &format!("columns below {n_cols}"),
                    format!("{column} in row {i}"),
                );
            }
            if !value.is_finite() {
                return bad(
                    path,
                    "data",
                    "finite float32 values",
                    format!("{value} in row {i}, column {column}"),
                );
            }
            if value != 0.0 {
                columns.push(column as u32);
                values.push(value);
            }
        }
        starts.push(columns.len());
    }
    Csr::new(n_rows, n_cols, starts, columns, values)
        .map_err(|e| DataError::malformed(path, "", "a CSR matrix", e.to_string(), MEND))
}

fn check_format(path: &Path, npz: &mut Npz) -> Result<()> {
    if !npz.contains("format") {
        let found = format!("the arrays {}", npz.names().join(", "));
        return Err(DataError::malformed(path, "", "a SciPy sparse matrix (with 'format')", found, MEND));
    }
    let (header, bytes) = npz.array("format")?;
    let format = decode_text(path, "format", &header, &bytes)?;
    if format.first().is_some_and(|f| f == "csr") {
        return Ok(());
    }
    bad(path, "format", "'csr'", format!("'{}'", format.join(", ")))
}

fn check_vector(path: &Path, name: &str, header: &Header) -> Result<()> {
    if header.shape.len() == 1 {
        return Ok(());
    }
    bad(path, name, "one axis", format!("shape {:?}", header.shape))
}

pub(crate) fn sizes(path: &Path, npz: &mut Npz, name: &str) -> Result<Vec<usize>> {
    let (header, bytes) = npz.array(name)?;
    check_vector(path, name, &header)?;
    if !header.dtype.is_integer() {
        return bad(path, name, "an integer type", header.dtype.name());
    }
    let (mut out, mut wrong) = (Vec::with_capacity(header.n_elements()), None);
    header.dtype.each_integer(&bytes, |v| match usize::try_from(v) {
        Ok(v) => out.push(v),
        Err(_) => wrong = Some(v),
    });
    match wrong {
        None => Ok(out),
        Some(v) => bad(path, name, "numbers from 0 on", v.to_string()),
    }
}

fn bad<T>(path: &Path, name: &str, expected: &str, found: String) -> Result<T> {
    Err(DataError::malformed(path, format!("array '{name}'"), expected, found, MEND))
}
