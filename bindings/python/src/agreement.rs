//! Agreement of two partitions.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Fault, shape};
use crate::measured::named;
use crate::options::Labels;

/// Every measure of agreement of `found` with `labels`, by name.
#[pyfunction]
pub(crate) fn agreement<'py>(
    py: Python<'py>,
    labels: Labels,
    found: Labels,
) -> Result<Bound<'py, PyDict>, Fault> {
    let values = subspect_graph::agreement(&labels.partition()?, &found.partition()?)?;
    Ok(named(py, &values)?)
}

/// The column matched with every row (`None`: left over) such that the sum of the weights is largest.
#[pyfunction]
pub(crate) fn best_matching(weights: Vec<Vec<usize>>) -> Result<Vec<Option<usize>>, Fault> {
    let n_cols = weights.first().map_or(0, Vec::len);
    if let Some(row) = weights.iter().position(|row| row.len() != n_cols) {
        let found = weights[row].len();
        return Err(shape(format!("expected rows of {n_cols} weights, found {found} in row {row}")));
    }
    Ok(subspect_graph::best_matching(&weights))
}
