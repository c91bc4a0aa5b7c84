//! The core's errors as Python exceptions, by kind. The classes live in `subspect.errors`, because an exception with
//! two bases (`ShapeError(SubspectError, ValueError)`) cannot be made here.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;
use subspect_data::DataError;
use subspect_express::ExpressError;
use subspect_graph::GraphError;
use subspect_linalg::LinalgError;
use subspect_pipeline::PipelineError;
use subspect_similarity::SimilarityError;

/// Any error on its way to Python.
#[derive(Debug)]
pub(crate) struct Fault(PyErr);

static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// An exception of the class called `kind`.
fn raise(kind: &str, text: String) -> Fault {
    Python::attach(|py| {
        let module =
            ERRORS.get_or_try_init(py, || PyModule::import(py, "subspect.errors").map(Bound::unbind));
        let made = module.and_then(|m| m.bind(py).getattr(kind)?.call1((text,)));
        Fault(made.map_or_else(|e| e, PyErr::from_value))
    })
}

/// Two arrays that do not fit together.
pub(crate) fn shape(text: String) -> Fault {
    raise("ShapeError", text)
}

/// A parameter that cannot have its value.
pub(crate) fn parameter(text: String) -> Fault {
    raise("ParameterError", text)
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> PyErr {
        fault.0
    }
}

impl From<PyErr> for Fault {
    fn from(e: PyErr) -> Self {
        Fault(e)
    }
}

impl From<LinalgError> for Fault {
    fn from(e: LinalgError) -> Self {
        let kind = match &e {
            LinalgError::Shape { .. } => "ShapeError",
            LinalgError::NotFinite { .. } => "NotFiniteError",
            LinalgError::Csr { .. } => "GraphError",
        };
        raise(kind, e.to_string())
    }
}

impl From<ExpressError> for Fault {
    fn from(e: ExpressError) -> Self {
        match e {
            ExpressError::Linalg(inner) => inner.into(),
            ExpressError::Cancelled => raise("CancelledError", e.to_string()),
            ExpressError::UnknownMethod { .. }
            | ExpressError::TooManyInputs { .. }
            | ExpressError::NeedsAlpha { .. }
            | ExpressError::InSampleOnly { .. } => raise("MethodError", e.to_string()),
            _ => raise("ParameterError", e.to_string()),
        }
    }
}

impl From<GraphError> for Fault {
    fn from(e: GraphError) -> Self {
        match e {
            GraphError::Matrix(inner) => inner.into(),
            GraphError::NotSquare { .. } | GraphError::Length { .. } => raise("ShapeError", e.to_string()),
            GraphError::SelfLoop { .. } | GraphError::NotAffinity { .. } | GraphError::Overflow { .. } => {
                raise("GraphError", e.to_string())
            }
            GraphError::Name { .. } => raise("MethodError", e.to_string()),
            _ => raise("ParameterError", e.to_string()),
        }
    }
}

impl From<SimilarityError> for Fault {
    fn from(e: SimilarityError) -> Self {
        let kind = match &e {
            SimilarityError::NotSquare { .. } | SimilarityError::InputCount { .. } => "ShapeError",
            SimilarityError::NotFinite { .. } => "NotFiniteError",
            SimilarityError::NotSymmetric { .. } => "GraphError",
            SimilarityError::Cancelled => "CancelledError",
            _ => "ParameterError",
        };
        raise(kind, e.to_string())
    }
}

impl From<DataError> for Fault {
    fn from(e: DataError) -> Self {
        let kind = match &e {
            DataError::NotFinite { .. } => "NotFiniteError",
            DataError::Mismatch { .. } => "ShapeError",
            DataError::UnknownName { .. } | DataError::TooFewInputs { .. } | DataError::Argument(_) => {
                "ParameterError"
            }
            _ => "StoreError",
        };
        raise(kind, e.to_string())
    }
}

impl From<PipelineError> for Fault {
    fn from(e: PipelineError) -> Self {
        let text = match e.help() {
            Some(help) => format!("{e}; {help}"),
            None => e.to_string(),
        };
        match e {
            PipelineError::Data(inner) => inner.into(),
            PipelineError::Express(inner) => inner.into(),
            PipelineError::Graph(inner) => inner.into(),
            PipelineError::Similarity(inner) => inner.into(),
            PipelineError::Linalg(inner) => inner.into(),
            PipelineError::Net(_) => raise("NetworkError", text),
            PipelineError::Io { .. } => raise("StoreError", text),
            PipelineError::Interrupted => raise("CancelledError", text),
            _ => raise("ParameterError", text),
        }
    }
}

impl From<subspect_report::ReportError> for Fault {
    fn from(e: subspect_report::ReportError) -> Self {
        raise("StoreError", e.to_string())
    }
}
