//! NumPy arrays in and out, without copies where the memory is already what the core reads.

use numpy::{Element, IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use subspect_linalg::{Csr, CsrValue, MatRef};

use crate::error::Fault;

/// A C-contiguous two-dimensional array that stays alive, with its memory, as long as this does: a solve may outlive
/// the call that started it by one panel of rows after Ctrl-C.
pub(crate) struct Held<T> {
    data: *const T,
    n_rows: usize,
    n_cols: usize,
    _array: Py<PyArray2<T>>,
}

// SAFETY: the pointer is only read, and the array it points into cannot be freed or resized while `_array` holds a
// reference. As with every NumPy function that releases the lock, writing to the array meanwhile is the caller's race.
unsafe impl<T: Send> Send for Held<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Held<T> {}

impl<T: Element + Copy + 'static> Held<T> {
    /// Takes hold of an array.
    ///
    /// # Errors
    /// `TypeError` unless it is C-contiguous and aligned; the Python side makes it so before.
    pub(crate) fn new(array: &PyReadonlyArray2<'_, T>) -> PyResult<Self> {
        let Ok(slice) = array.as_slice() else {
            return Err(PyTypeError::new_err(
                "expected a C-contiguous, aligned array: numpy.require(X, requirements=\"CA\")",
            ));
        };
        let view = array.as_array();
        let (n_rows, n_cols) = view.dim();
        let owner: &Bound<'_, PyArray2<T>> = array;
        Ok(Self { data: slice.as_ptr(), n_rows, n_cols, _array: owner.clone().unbind() })
    }

    /// The memory as the core sees it.
    pub(crate) fn view(&self) -> MatRef<'_, T> {
        self.stretched()
    }

    /// The same, for a structure that keeps `self` beside what borrows from it.
    pub(crate) fn stretched<'a>(&self) -> MatRef<'a, T> {
        let len = self.n_rows * self.n_cols;
        // SAFETY: `new` saw a slice of this length at this address, and `_array` keeps it there. Callers of
        // `stretched` keep `self` for at least as long as the view.
        let slice: &'a [T] = unsafe { std::slice::from_raw_parts(self.data, len) };
        match MatRef::new(slice, self.n_rows, self.n_cols) {
            Ok(view) => view,
            Err(_) => unreachable!("the length is the product of the dimensions"),
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }
}

/// A SciPy CSR matrix as its parts: `(data, indices, indptr, (n_rows, n_cols))`.
#[derive(FromPyObject)]
pub(crate) struct CsrParts<'py> {
    #[pyo3(item(0))]
    data: PyReadonlyArray1<'py, f32>,
    #[pyo3(item(1))]
    indices: PyReadonlyArray1<'py, u32>,
    #[pyo3(item(2))]
    indptr: PyReadonlyArray1<'py, i64>,
    #[pyo3(item(3))]
    shape: (usize, usize),
}

impl CsrParts<'_> {
    /// Checks the parts and copies them.
    pub(crate) fn to_csr(&self) -> Result<Csr, Fault> {
        let indptr = self.indptr.as_array().iter().map(|&p| p as usize).collect();
        let indices = self.indices.as_array().to_vec();
        Ok(Csr::new(self.shape.0, self.shape.1, indptr, indices, self.data.as_array().to_vec())?)
    }
}

/// The parts of a sparse matrix as SciPy takes them without a copy: indices and pointers are int32 while they fit.
pub(crate) fn csr_parts<'py, T: CsrValue + Element>(
    py: Python<'py>,
    m: &Csr<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let data = m.values().to_vec().into_pyarray(py);
    let shape = (m.n_rows(), m.n_cols());
    let largest = m.nnz().max(m.n_cols()).max(m.n_rows());
    let parts = if largest <= i32::MAX as usize {
        let indices: Bound<'py, PyArray1<i32>> =
            PyArray1::from_iter(py, m.indices().iter().map(|&j| j as i32));
        let indptr: Bound<'py, PyArray1<i32>> = PyArray1::from_iter(py, m.indptr().iter().map(|&p| p as i32));
        (data, indices, indptr, shape).into_pyobject(py)?
    } else {
        let indices: Bound<'py, PyArray1<i64>> =
            PyArray1::from_iter(py, m.indices().iter().map(|&j| i64::from(j)));
        let indptr: Bound<'py, PyArray1<i64>> = PyArray1::from_iter(py, m.indptr().iter().map(|&p| p as i64));
        (data, indices, indptr, shape).into_pyobject(py)?
    };
    Ok(parts.into_any())
}

/// Rows of equal length as a two-dimensional array.
pub(crate) fn table<'py>(py: Python<'py>, rows: &[Vec<f64>]) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let n_cols = rows.first().map_or(0, Vec::len);
    let flat: Vec<f64> = rows.iter().flatten().copied().collect();
    flat.into_pyarray(py).reshape([rows.len(), n_cols])
}

/// Votes and the like: an index, or -1 for none.
pub(crate) fn indices_or_none<'py>(py: Python<'py>, values: &[Option<u32>]) -> Bound<'py, PyArray1<i64>> {
    PyArray1::from_iter(py, values.iter().map(|v| v.map_or(-1, i64::from)))
}
