//! A value that may be undefined, in Python: a float, or `subspect.Undefined(status)`. In arrays: float64 with a code
//! beside every entry (0: defined, k: the k-th of the names that come along), which Python makes a masked array.

use std::collections::BTreeMap;

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat};
use subspect_linalg::Measured;

static UNDEFINED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A float or an `Undefined`.
pub(crate) fn scalar<'py>(py: Python<'py>, value: Measured) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Measured::Value(v) => Ok(PyFloat::new(py, v).into_any()),
        Measured::Undefined(status) => {
            let class = UNDEFINED.get_or_try_init(py, || {
                Ok::<_, PyErr>(PyModule::import(py, "subspect.measured")?.getattr("Undefined")?.unbind())
            })?;
            class.bind(py).call1((status.as_str(),))
        }
    }
}

/// Anything that the core writes as JSON, as Python objects; `{"value": v}` and `{"status": s}` become floats and
/// `Undefined`.
pub(crate) fn from_json<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value)
        .map_err(|e| pyo3::exceptions::PyRuntimeError::new_err(format!("cannot pass a result on: {e}")))?;
    PyModule::import(py, "subspect.measured")?.getattr("loads")?.call1((text,))
}

/// Values by name.
pub(crate) fn named<'py>(
    py: Python<'py>,
    values: &BTreeMap<String, Measured>,
) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for (name, &value) in values {
        out.set_item(name, scalar(py, value)?)?;
    }
    Ok(out)
}

/// `(values, codes, names)` of many values.
pub(crate) type Column<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<u8>>, Vec<&'static str>);

/// A column of values, NaN where undefined (under the mask that the codes make).
pub(crate) fn column<'py>(py: Python<'py>, values: impl IntoIterator<Item = Measured>) -> Column<'py> {
    let (mut numbers, mut codes, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        numbers.push(value.value().unwrap_or(f64::NAN));
        codes.push(value.status().map_or(0, |status| code(&mut names, status.as_str())));
    }
    (numbers.into_pyarray(py), codes.into_pyarray(py), names)
}

/// Position of a name, from 1 on.
fn code(names: &mut Vec<&'static str>, name: &'static str) -> u8 {
    let at = names.iter().position(|n| *n == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    });
    (at + 1) as u8
}
