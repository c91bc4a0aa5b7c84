//! The lists that drive the command line and the documents, for Python: methods, measures, agreements and so on, each
//! with its source, parameters and defaults.

use pyo3::prelude::*;
use serde_json::{Value, json};
use subspect_express::{APPROXIMATIONS, METHODS};
use subspect_graph::{AGREEMENTS, DETECTORS, MEASURES, POSTPROCESSES};
use subspect_pipeline::options::OPTIONS;
use subspect_pipeline::{COMPARED, EPOCH_SCORES, SCORES, ScoreInfo};

use crate::measured::from_json;

/// Everything that has a name.
#[pyfunction]
pub(crate) fn lists(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let all = json!({
        "methods": METHODS.iter().map(|m| method(m)).collect::<Vec<_>>(),
        "measures": MEASURES.iter().map(|m| json!({
            "name": m.name, "summary": m.summary, "reference": m.reference, "range": m.range,
        })).collect::<Vec<_>>(),
        "postprocesses": POSTPROCESSES.iter().map(|p| json!({
            "name": p.name, "summary": p.summary, "reference": p.reference,
            "parameters": p.parameters.iter().map(graph_parameter).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "detectors": DETECTORS.iter().map(|d| json!({
            "name": d.name, "summary": d.summary, "reference": d.reference,
            "parameters": d.parameters.iter().map(graph_parameter).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "agreements": AGREEMENTS.iter().map(|a| json!({
            "name": a.name, "summary": a.summary, "reference": a.reference, "range": a.range, "symmetric": a.symmetric,
        })).collect::<Vec<_>>(),
        "similarities": subspect_similarity::MEASURES.iter().map(|m| similarity(m)).collect::<Vec<_>>(),
        "approximations": APPROXIMATIONS.iter().map(|a| json!({
            "name": a.name, "summary": a.summary, "reference": a.reference, "size": a.size,
        })).collect::<Vec<_>>(),
        "scores": SCORES.iter().map(score).collect::<Vec<_>>(),
        "epoch_scores": EPOCH_SCORES.iter().map(score).collect::<Vec<_>>(),
        "compared": COMPARED.iter().map(|c| json!({
            "name": c.name, "summary": c.summary, "of_layers": c.of_layers,
        })).collect::<Vec<_>>(),
        "options": OPTIONS.iter().map(|o| json!({
            "name": o.name, "summary": o.summary, "default": o.default_text(),
        })).collect::<Vec<_>>(),
    });
    from_json(py, &all)
}

fn score(s: &ScoreInfo) -> serde_json::Value {
    json!({ "name": s.name, "summary": s.summary, "over_layers": s.over_layers })
}

fn method(m: &subspect_express::MethodInfo) -> Value {
    let parameter = |p: &subspect_express::ParameterInfo| json!({ "name": p.name, "default": p.default, "range": p.range(), "summary": p.summary, "integer": p.integer });
    json!({
        "name": m.name, "summary": m.summary, "reference": m.reference, "certified": m.certified, "dense": m.dense,
        "parameters": m.parameters.iter().map(parameter).collect::<Vec<_>>(),
    })
}

fn graph_parameter(p: &subspect_graph::ParameterInfo) -> Value {
    json!({ "name": p.name, "default": p.default, "range": p.range, "summary": p.summary })
}

fn similarity(m: &subspect_similarity::MeasureInfo) -> Value {
    let parameter = |p: &subspect_similarity::ParameterInfo| {
        let default = match p.default {
            subspect_similarity::Value::Number(v) => json!(v),
            subspect_similarity::Value::Word(word) => json!(word),
        };
        json!({ "name": p.name, "default": default, "range": p.domain.to_string(), "summary": p.summary })
    };
    json!({
        "name": m.name, "summary": m.summary, "reference": m.reference, "range": m.range, "of": m.operands().as_str(),
        "is_metric": m.metric, "is_symmetric": m.symmetric,
        "parameters": m.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "is_distance": m.kind == subspect_similarity::Kind::Distance,
        "invariances": m.invariances.iter().map(|i| i.as_str()).collect::<Vec<_>>(),
    })
}
