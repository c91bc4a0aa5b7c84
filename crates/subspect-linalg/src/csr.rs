//! Compressed sparse rows: what self-expression returns and what graphs are made of.
//!
//! The same invariants as the SciPy files they are saved to: column indices sorted and unique within a row, no
//! explicit zeros, finite values. Float32 is the type of storage and graphs; solvers return float64, because a
//! certificate below 1e-7 means nothing for coefficients that were rounded to float32 afterwards.

use crate::LinalgError;

/// A value that a sparse matrix can hold: f32 or f64.
pub trait CsrValue: Copy + Default + PartialEq + Into<f64> + std::fmt::Debug + Send + Sync {}
impl CsrValue for f32 {}
impl CsrValue for f64 {}

/// A sparse matrix in compressed rows, `n_rows x n_cols`.
#[derive(Clone, Debug, PartialEq)]
pub struct Csr<T = f32> {
    n_rows: usize,
    n_cols: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<T>,
}

impl<T: CsrValue> Csr<T> {
    /// Checks the parts and takes them.
    ///
    /// # Errors
    /// [`LinalgError::Csr`] when `indptr` does not describe `n_rows` rows, when a column is out of range or not
    /// in ascending order, or when a value is zero or not finite.
    pub fn new(
        n_rows: usize,
        n_cols: usize,
        indptr: Vec<usize>,
        indices: Vec<u32>,
        values: Vec<T>,
    ) -> Result<Self, LinalgError> {
        let fail = |reason: String| Err(LinalgError::Csr { reason });
        if indptr.len() != n_rows + 1 || indptr[0] != 0 {
            return fail(format!(
                "expected {} row pointers starting at 0, found {}",
                n_rows + 1,
                indptr.len()
            ));
        }
        if indices.len() != values.len() || indptr[n_rows] != indices.len() {
            return fail(format!(
                "the last row pointer is {}, but there are {} columns and {} values",
                indptr[n_rows],
                indices.len(),
                values.len()
            ));
        }
        for i in 0..n_rows {
            if indptr[i] > indptr[i + 1] {
                return fail(format!("row pointers decrease at row {i}"));
            }
            let row = indptr[i]..indptr[i + 1];
            if indices[row.clone()].windows(2).any(|w| w[0] >= w[1]) {
                return fail(format!("columns of row {i} are not in ascending order"));
            }
            if indices[row.clone()].last().is_some_and(|&j| j as usize >= n_cols) {
                return fail(format!("row {i} has a column beyond {n_cols}"));
            }
            if let Some(v) = values[row].iter().map(|&v| v.into()).find(|v: &f64| !v.is_finite() || *v == 0.0)
            {
                return fail(format!("row {i} stores the value {v}"));
            }
        }
        Ok(Self { n_rows, n_cols, indptr, indices, values })
    }

    /// A matrix without entries.
    pub fn empty(n_rows: usize, n_cols: usize) -> Self {
        Self { n_rows, n_cols, indptr: vec![0; n_rows + 1], indices: Vec::new(), values: Vec::new() }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Number of stored entries, all of them non-zero.
    pub fn nnz(&self) -> usize {
        self.values.len()
    }

    /// Row pointers, `n_rows + 1` of them.
    pub fn indptr(&self) -> &[usize] {
        &self.indptr
    }

    /// Column of every entry, row after row.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// Value of every entry, row after row.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Columns and values of row `i`.
    pub fn row(&self, i: usize) -> (&[u32], &[T]) {
        let r = self.indptr[i]..self.indptr[i + 1];
        (&self.indices[r.clone()], &self.values[r])
    }

    /// Entry `(i, j)`; zero when not stored.
    pub fn get(&self, i: usize, j: usize) -> T {
        let (cols, vals) = self.row(i);
        cols.binary_search(&(j as u32)).map_or(T::default(), |at| vals[at])
    }

    /// The transpose, by counting sort: rows of the result are sorted because rows are visited in order.
    #[must_use]
    pub fn transpose(&self) -> Csr<T> {
        let mut indptr = vec![0_usize; self.n_cols + 1];
        for &j in &self.indices {
            indptr[j as usize + 1] += 1;
        }
        for j in 0..self.n_cols {
            indptr[j + 1] += indptr[j];
        }
        let mut next = indptr.clone();
        let mut indices = vec![0_u32; self.nnz()];
        let mut values = vec![T::default(); self.nnz()];
        for i in 0..self.n_rows {
            let (cols, vals) = self.row(i);
            for (&j, &v) in cols.iter().zip(vals) {
                let at = next[j as usize];
                next[j as usize] += 1;
                indices[at] = i as u32;
                values[at] = v;
            }
        }
        Csr { n_rows: self.n_cols, n_cols: self.n_rows, indptr, indices, values }
    }
}

impl Csr<f64> {
    /// Rounded to float32; entries that round to zero are dropped.
    #[must_use]
    pub fn to_f32(&self) -> Csr<f32> {
        let mut builder = CsrBuilder::new(self.n_cols);
        let mut entries = Vec::new();
        for i in 0..self.n_rows {
            let (cols, vals) = self.row(i);
            entries.clear();
            entries.extend(cols.iter().zip(vals).map(|(&j, &v)| (j, v as f32)));
            builder.push_row(&mut entries);
        }
        builder.finish()
    }
}

/// Builds a [`Csr`] one row at a time.
#[derive(Debug, Default)]
pub struct CsrBuilder<T = f32> {
    n_cols: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<T>,
}

impl<T: CsrValue> CsrBuilder<T> {
    /// An empty matrix of `n_cols` columns and no row yet.
    pub fn new(n_cols: usize) -> Self {
        Self { n_cols, indptr: vec![0], indices: Vec::new(), values: Vec::new() }
    }

    /// Appends a row. Entries may come in any order; zeros (and values that round to zero) are left out.
    ///
    /// # Panics
    /// When a column is out of range or named twice: the caller computed these, so that is a bug there.
    pub fn push_row(&mut self, entries: &mut [(u32, T)]) {
        entries.sort_unstable_by_key(|e| e.0);
        let start = self.indices.len();
        for &(j, v) in entries.iter().filter(|e| e.1 != T::default()) {
            assert!((j as usize) < self.n_cols, "column {j} of {}", self.n_cols);
            assert!(v.into().is_finite(), "value {v:?} at column {j}");
            assert!(
                self.indices.len() == start || self.indices[self.indices.len() - 1] != j,
                "column {j} twice"
            );
            self.indices.push(j);
            self.values.push(v);
        }
        self.indptr.push(self.indices.len());
    }

    /// The finished matrix.
    pub fn finish(self) -> Csr<T> {
        Csr {
            n_rows: self.indptr.len() - 1,
            n_cols: self.n_cols,
            indptr: self.indptr,
            indices: self.indices,
            values: self.values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn broken_parts_are_named() {
        let bad = |indptr: Vec<usize>, indices: Vec<u32>, values: Vec<f32>| {
            Csr::new(2, 3, indptr, indices, values).unwrap_err().to_string()
        };
        assert!(bad(vec![0, 1], vec![0], vec![1.0]).contains("expected 3 row pointers"));
        assert!(bad(vec![0, 2, 2], vec![1, 0], vec![1.0, 1.0]).contains("ascending"));
        assert!(bad(vec![0, 1, 1], vec![3], vec![1.0]).contains("beyond 3"));
        assert!(bad(vec![0, 1, 1], vec![0], vec![f32::NAN]).contains("NaN"));
        assert!(bad(vec![0, 1, 2], vec![0], vec![1.0]).contains("last row pointer"));
    }

    proptest! {
        #[test]
        fn transposing_twice_gives_the_matrix_back(rows in proptest::collection::vec(
            proptest::collection::btree_map(0_u32..7, -3.0_f32..3.0, 0..5), 1..6))
        {
            let mut b = CsrBuilder::new(7);
            for r in &rows {
                b.push_row(&mut r.iter().map(|(&j, &v)| (j, v)).collect::<Vec<_>>());
            }
            let m = b.finish();
            let t = m.transpose();
            for i in 0..m.n_rows() {
                for j in 0..7 {
                    prop_assert_eq!(m.get(i, j), t.get(j, i));
                }
            }
            prop_assert_eq!(t.transpose(), m);
        }
    }
}
