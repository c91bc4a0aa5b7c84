//! Every input's strongest neighbours in one layer, and its class affinity: `neighbours/NAME.npz` of a run.
//!
//! | array | type | shape | holds |
//! |---|---|---|---|
//! | `indptr` | int32 | N + 1 | where each input's neighbours begin, as in a CSR matrix |
//! | `indices` | int32 | nnz | positions of the neighbours, strongest affinity first |
//! | `affinity` | float32 | nnz | `A_ij = \|C_ij\| + \|C_ji\|` |
//! | `coefficient` | float32 | nnz | `C_ij`, the neighbour's weight in the input's own expression |
//! | `reverse_coefficient` | float32 | nnz | `C_ji`, the input's weight in the neighbour's expression |
//! | `class_affinity` | float32 | N x classes | share of the input's whole affinity on each class |

use std::path::Path;

use subspect_linalg::Matrix;

use crate::atomic;
use crate::dense::{Npz, NpzWriter, f64_values};
use crate::error::{DataError, Result};
use crate::sparse::sizes;

const MEND: &str = "run the command that wrote it again";

/// The strongest neighbours of every input of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// Where each input's neighbours begin; N + 1 entries.
    pub indptr: Vec<usize>,
    /// Positions of the neighbours.
    pub indices: Vec<u32>,
    /// `A_ij`, descending within an input.
    pub affinity: Vec<f32>,
    /// `C_ij`.
    pub coefficient: Vec<f32>,
    /// `C_ji`.
    pub reverse_coefficient: Vec<f32>,
    /// N x classes (no columns without labels): rows sum to 1, or are 0 for isolated inputs.
    pub class_affinity: Matrix<f32>,
}

impl Neighbours {
    /// Number of inputs N.
    pub fn n_inputs(&self) -> usize {
        self.indptr.len().saturating_sub(1)
    }

    /// Writes the file atomically.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let integers = |values: &mut dyn Iterator<Item = usize>| -> Vec<u8> {
            values.flat_map(|v| (v as i32).to_le_bytes()).collect()
        };
        let floats = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let nnz = self.indices.len();
        atomic::write_with(path, |file| {
            let mut npz = NpzWriter::new(file, path);
            let indices = integers(&mut self.indices.iter().map(|&j| j as usize));
            npz.add("indptr", "<i4", &[self.indptr.len()], &integers(&mut self.indptr.iter().copied()))?;
            npz.add("indices", "<i4", &[nnz], &indices)?;
            npz.add("affinity", "<f4", &[nnz], &floats(&self.affinity))?;
            npz.add("coefficient", "<f4", &[nnz], &floats(&self.coefficient))?;
            npz.add("reverse_coefficient", "<f4", &[nnz], &floats(&self.reverse_coefficient))?;
            let shape = [self.class_affinity.n_rows(), self.class_affinity.n_cols()];
            npz.add("class_affinity", "<f4", &shape, &floats(self.class_affinity.data()))?;
            npz.finish().map(|_| ())
        })
    }

    /// Reads a file that [`Neighbours::save`] or NumPy wrote.
    ///
    /// # Errors
    /// Missing arrays, or parts that contradict each other.
    pub fn load(path: &Path) -> Result<Self> {
        let mut npz = Npz::open(path)?;
        let indptr = sizes(path, &mut npz, "indptr")?;
        let indices = sizes(path, &mut npz, "indices")?;
        let n = indptr.len().saturating_sub(1);
        let ascending = indptr.first() == Some(&0) && indptr.windows(2).all(|w| w[0] <= w[1]);
        if !ascending || indptr.last() != Some(&indices.len()) {
            let expected = format!("ascending starts from 0 to {}", indices.len());
            return bad(path, "indptr", &expected, format!("the last is {:?}", indptr.last()));
        }
        if let Some(wrong) = indices.iter().find(|&&j| j >= n) {
            return bad(path, "indices", &format!("positions below {n}"), wrong.to_string());
        }
        let mut values = |name: &str| -> Result<Vec<f32>> {
            let (found, shape) = floats(path, &mut npz, name)?;
            if shape != [indices.len()] {
                return bad(path, name, &format!("{} values", indices.len()), format!("shape {shape:?}"));
            }
            Ok(found)
        };
        let affinity = values("affinity")?;
        let coefficient = values("coefficient")?;
        let reverse_coefficient = values("reverse_coefficient")?;
        let (classes, shape) = floats(path, &mut npz, "class_affinity")?;
        let [rows, columns] = shape[..] else {
            return bad(path, "class_affinity", "two axes", format!("shape {shape:?}"));
        };
        if rows != n {
            return bad(path, "class_affinity", &format!("{n} rows"), rows.to_string());
        }
        Ok(Self {
            indptr,
            indices: indices.iter().map(|&j| j as u32).collect(),
            affinity,
            coefficient,
            reverse_coefficient,
            class_affinity: Matrix::from_fn(rows, columns, |i, c| classes[i * columns + c]),
        })
    }
}

/// The finite values of one array, and its shape.
fn floats(path: &Path, npz: &mut Npz, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
    let (header, bytes) = npz.array(name)?;
    let values: Vec<f32> = f64_values(&header, &bytes).into_iter().map(|v| v as f32).collect();
    match values.iter().find(|v| !v.is_finite()) {
        None => Ok((values, header.shape.clone())),
        Some(v) => bad(path, name, "finite values", v.to_string()),
    }
}

fn bad<T>(path: &Path, array: &str, expected: &str, found: String) -> Result<T> {
    Err(DataError::malformed(path, format!("array '{array}'"), expected.to_owned(), found, MEND))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Neighbours {
        Neighbours {
            indptr: vec![0, 2, 2, 3],
            indices: vec![2, 1, 0],
            affinity: vec![0.5, 0.25, 0.5],
            coefficient: vec![-0.5, 0.0, 0.0],
            reverse_coefficient: vec![0.0, 0.25, -0.5],
            class_affinity: Matrix::from_fn(3, 2, |i, c| if i == 1 { 0.0 } else { c as f32 }),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        sample().save(&path).unwrap();
        assert_eq!(Neighbours::load(&path).unwrap(), sample());
    }

    #[test]
    fn contradictions_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npz");
        let message = |change: &dyn Fn(&mut Neighbours)| {
            let mut table = sample();
            change(&mut table);
            table.save(&path).unwrap();
            Neighbours::load(&path).unwrap_err().to_string()
        };
        assert!(message(&|t| t.indices[0] = 7).contains("positions below 3"));
        assert!(message(&|t| t.indptr[3] = 2).contains("indptr"));
        assert!(message(&|t| t.affinity[0] = f32::NAN).contains("'affinity'"));
        assert!(message(&|t| t.coefficient.truncate(1)).contains("12 bytes"));
        assert!(message(&|t| t.class_affinity = Matrix::filled(0.0, 2, 2)).contains("3 rows"));
    }
}
