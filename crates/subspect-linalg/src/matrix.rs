//! Dense row-major matrices, owned and borrowed. Rows are inputs, columns are features.

use crate::LinalgError;

/// A borrowed row-major matrix, `n_rows x n_cols`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatRef<'a, T = f32> {
    data: &'a [T],
    n_rows: usize,
    n_cols: usize,
}

/// An owned row-major matrix, `n_rows x n_cols`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Matrix<T = f32> {
    data: Vec<T>,
    n_rows: usize,
    n_cols: usize,
}

fn check_len(found: usize, n_rows: usize, n_cols: usize) -> Result<(), LinalgError> {
    match n_rows.checked_mul(n_cols) {
        Some(expected) if expected == found => Ok(()),
        expected => {
            Err(LinalgError::Shape { n_rows, n_cols, expected: expected.unwrap_or(usize::MAX), found })
        }
    }
}

impl<'a, T: Copy> MatRef<'a, T> {
    /// Views `data` as `n_rows x n_cols`.
    ///
    /// # Errors
    /// [`LinalgError::Shape`] when the length is not the product of the dimensions.
    pub fn new(data: &'a [T], n_rows: usize, n_cols: usize) -> Result<Self, LinalgError> {
        check_len(data.len(), n_rows, n_cols)?;
        Ok(Self { data, n_rows, n_cols })
    }

    /// Number of rows (inputs).
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns (features).
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// All values, row after row.
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> &'a [T] {
        &self.data[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// Rows `start..end` as a matrix of their own.
    pub fn rows(&self, start: usize, end: usize) -> MatRef<'a, T> {
        MatRef {
            data: &self.data[start * self.n_cols..end * self.n_cols],
            n_rows: end - start,
            n_cols: self.n_cols,
        }
    }
}

impl MatRef<'_, f32> {
    /// Refuses NaN and infinities.
    ///
    /// # Errors
    /// [`LinalgError::NotFinite`] with the first offending row and column.
    pub fn check_finite(&self) -> Result<(), LinalgError> {
        match self.data.iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => Err(LinalgError::NotFinite {
                row: at / self.n_cols,
                col: at % self.n_cols,
                value: f64::from(self.data[at]),
            }),
        }
    }
}

impl<T: Copy> Matrix<T> {
    /// Takes `data` as `n_rows x n_cols`.
    ///
    /// # Errors
    /// [`LinalgError::Shape`] when the length is not the product of the dimensions.
    pub fn new(data: Vec<T>, n_rows: usize, n_cols: usize) -> Result<Self, LinalgError> {
        check_len(data.len(), n_rows, n_cols)?;
        Ok(Self { data, n_rows, n_cols })
    }

    /// A matrix filled with `value`.
    pub fn filled(value: T, n_rows: usize, n_cols: usize) -> Self {
        Self { data: vec![value; n_rows * n_cols], n_rows, n_cols }
    }

    /// A matrix whose entry `(i, j)` is `f(i, j)`.
    pub fn from_fn(n_rows: usize, n_cols: usize, mut f: impl FnMut(usize, usize) -> T) -> Self {
        let mut data = Vec::with_capacity(n_rows * n_cols);
        for i in 0..n_rows {
            for j in 0..n_cols {
                data.push(f(i, j));
            }
        }
        Self { data, n_rows, n_cols }
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> MatRef<'_, T> {
        MatRef { data: &self.data, n_rows: self.n_rows, n_cols: self.n_cols }
    }

    /// Number of rows (inputs).
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of columns (features).
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> &[T] {
        &self.data[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// Row `i`, to write into.
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        &mut self.data[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// All values, row after row.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// All values, row after row, to write into.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// Gives the buffer back.
    pub fn into_data(self) -> Vec<T> {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused_with_both_numbers() {
        let err = MatRef::new(&[1.0_f32; 5], 2, 3).unwrap_err();
        assert_eq!(err.to_string(), "expected 2 x 3 = 6 values, found 5");
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_located() {
        let m = MatRef::new(&[0.0, 1.0, 2.0, f32::NAN, f32::INFINITY, 0.0], 2, 3).unwrap();
        assert_eq!(
            m.check_finite().unwrap_err().to_string(),
            "expected finite values, found NaN at row 1, column 0"
        );
    }

    #[test]
    fn rows_are_contiguous() {
        let m = Matrix::from_fn(3, 2, |i, j| i * 10 + j);
        assert_eq!(m.row(2), &[20, 21]);
        assert_eq!(m.as_ref().rows(1, 3).data(), &[10, 11, 20, 21]);
    }
}
