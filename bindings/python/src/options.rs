//! What Python passes beside the arrays: a method with its parameters, tolerances, seeds.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use subspect_express::{Method, SolveOptions};
use subspect_graph::Partition;

use crate::error::{Fault, parameter};

/// Method name, its parameters, and when a row may stop (`None`: the solver's own).
#[derive(FromPyObject)]
pub(crate) struct Problem {
    #[pyo3(item(0))]
    method: String,
    #[pyo3(item(1))]
    parameters: BTreeMap<String, f64>,
    #[pyo3(item(2))]
    tol: Option<f64>,
    #[pyo3(item(3))]
    max_iter: Option<usize>,
}

impl Problem {
    /// As the solvers take it.
    pub(crate) fn parts(&self) -> Result<(Method, SolveOptions), Fault> {
        let method = Method::from_parameters(&self.method, &self.parameters)?;
        let default = SolveOptions::default();
        let (tol, max_iter) = (self.tol.unwrap_or(default.tol), self.max_iter.unwrap_or(default.max_iter));
        if !(tol > 0.0 && tol.is_finite()) {
            return Err(parameter(format!("`tol` must be a number above 0, found {tol}")));
        }
        if max_iter == 0 {
            return Err(parameter("`max_iter` must be a whole number of at least 1, found 0".into()));
        }
        Ok((method, SolveOptions { tol, max_iter }))
    }
}

/// Class indices and the number of classes.
#[derive(FromPyObject)]
pub(crate) struct Labels {
    #[pyo3(item(0))]
    classes: Vec<u32>,
    #[pyo3(item(1))]
    n_classes: usize,
}

impl Labels {
    /// As the graph crate takes them.
    pub(crate) fn partition(self) -> Result<Partition, Fault> {
        Ok(Partition::new(self.classes, self.n_classes)?)
    }
}
