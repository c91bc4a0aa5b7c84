//! `subspect methods`: everything that has a name, with its parameters, defaults and sources.

use serde_json::json;
use subspect_express::METHODS;
use subspect_graph::{AGREEMENTS, DETECTORS, MEASURES, POSTPROCESSES, QUALITY_FUNCTIONS};
use subspect_nets::ARCHITECTURES;
use subspect_pipeline::options::{OPTIONS, short};
use subspect_similarity::{MeasureInfo, Value};

use crate::answer::Answer;
use crate::args::default_text;
use crate::failure::Failure;
use crate::table::table;

/// List self-expression methods, graph measures and options, with defaults and references
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  subspect methods\n  subspect methods lasso\n  subspect methods --format json"
)]
pub(crate) struct Args {
    /// Only what has this name
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let wanted = args.name.as_deref().map(|n| n.replace('-', "_"));
    let keep = |name: &str| wanted.as_deref().is_none_or(|w| w == name);
    let sections = [
        methods(&keep),
        measures(&keep),
        postprocesses(&keep),
        detectors(&keep),
        qualities(&keep),
        agreements(&keep),
        similarities(&keep),
        architectures(&keep),
        options(&keep),
    ];
    let human: Vec<String> = sections.iter().filter(|s| !s.0.is_empty()).map(|s| s.0.clone()).collect();
    if let (true, Some(name)) = (human.is_empty(), &wanted) {
        return Err(unknown(name));
    }
    let [
        methods,
        measures,
        postprocesses,
        detectors,
        qualities,
        agreements,
        similarities,
        architectures,
        options,
    ] = sections.map(|s| s.1);
    let json = json!({
        "methods": methods, "measures": measures, "postprocesses": postprocesses, "detectors": detectors,
        "quality_functions": qualities, "agreements": agreements, "similarities": similarities, "architectures": architectures, "options": options,
    });
    Ok(Answer::new(human.join("\n\n"), json))
}

fn unknown(name: &str) -> Failure {
    let known = METHODS
        .iter()
        .map(|m| m.name)
        .chain(MEASURES.iter().map(|m| m.name))
        .chain(POSTPROCESSES.iter().map(|p| p.name))
        .chain(DETECTORS.iter().map(|d| d.name))
        .chain(QUALITY_FUNCTIONS.iter().map(|q| q.name))
        .chain(AGREEMENTS.iter().map(|a| a.name))
        .chain(subspect_similarity::MEASURES.iter().map(|m| m.name))
        .chain(ARCHITECTURES.iter().flat_map(|a| a.members.iter().copied()))
        .chain(OPTIONS.iter().map(|o| o.name));
    let help = subspect_pipeline::options::nearest(name, known)
        .map_or("`subspect methods` lists all names".to_owned(), |n| format!("did you mean \"{n}\"?"));
    Failure::with_help(format!("nothing is called \"{name}\""), help)
}

fn methods(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let mut text = Vec::new();
    let mut values = Vec::new();
    for m in METHODS.iter().filter(|m| keep(m.name)) {
        let rows: Vec<Vec<String>> = m
            .parameters
            .iter()
            .map(|p| {
                let default = p.default.map_or("-".to_owned(), |d| default_text(p, d));
                vec![format!("  {}", p.name), default, p.range(), p.summary.to_owned()]
            })
            .collect();
        let parameters = table(&["  parameter", "default", "range", "meaning"], &rows, 4);
        text.push(format!("{}: {}\n  {}\n{parameters}", m.name, m.summary, m.reference));
        let parameter = |p: &subspect_express::ParameterInfo| json!({ "name": p.name, "default": p.default, "range": p.range(), "summary": p.summary });
        values.push(json!({
            "name": m.name, "summary": m.summary, "reference": m.reference, "certified": m.certified,
            "parameters": m.parameters.iter().map(parameter).collect::<Vec<_>>(),
        }));
    }
    (titled("Self-expression methods (--method)", text, "\n\n"), values.into())
}

/// A list as one block of text; none when nothing is left of it.
fn one_table(header: &[&str], rows: &[Vec<String>], n_left: usize) -> Vec<String> {
    if rows.is_empty() { Vec::new() } else { vec![table(header, rows, n_left)] }
}

fn measures(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> = MEASURES.iter().filter(|m| keep(m.name)).collect();
    let rows: Vec<Vec<String>> =
        listed.iter().map(|m| vec![m.name.to_owned(), m.range.to_owned(), m.summary.to_owned()]).collect();
    let text = one_table(&["measure", "range", "meaning"], &rows, 3);
    let values = listed
        .iter()
        .map(|m| json!({ "name": m.name, "summary": m.summary, "reference": m.reference, "range": m.range }))
        .collect::<Vec<_>>();
    (titled("Measures of a layer's graph", text, "\n"), values.into())
}

fn postprocesses(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> = POSTPROCESSES.iter().filter(|p| keep(p.name)).collect();
    let parameter = |p: &subspect_graph::ParameterInfo| json!({ "name": p.name, "default": p.default, "range": p.range, "summary": p.summary });
    let described = |p: &subspect_graph::PostprocessInfo| {
        let parameters =
            p.parameters.iter().map(|q| format!("{} = {}: {}", q.name, short(q.default), q.summary));
        std::iter::once(p.summary.to_owned()).chain(parameters).collect::<Vec<_>>().join("; ")
    };
    let rows: Vec<Vec<String>> = listed.iter().map(|p| vec![p.name.to_owned(), described(p)]).collect();
    let text = one_table(&["postprocess", "meaning"], &rows, 2);
    let values = listed
        .iter()
        .map(|p| {
            let parameters = p.parameters.iter().map(parameter).collect::<Vec<_>>();
            json!({ "name": p.name, "summary": p.summary, "reference": p.reference, "parameters": parameters })
        })
        .collect::<Vec<_>>();
    (titled("Coefficients to affinities before clustering (--postprocess)", text, "\n"), values.into())
}

fn detectors(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> = DETECTORS.iter().filter(|d| keep(d.name)).collect();
    let described = |d: &subspect_graph::DetectorInfo| {
        let parameters = d.parameters.iter().map(|p| format!("{} = {}", p.name, short(p.default)));
        std::iter::once(d.summary.to_owned()).chain(parameters).collect::<Vec<_>>().join("; ")
    };
    let rows: Vec<Vec<String>> = listed.iter().map(|d| vec![d.name.to_owned(), described(d)]).collect();
    let text = one_table(&["detector", "meaning"], &rows, 2);
    let parameter = |p: &subspect_graph::ParameterInfo| json!({ "name": p.name, "default": p.default, "range": p.range, "summary": p.summary });
    let values = listed
        .iter()
        .map(|d| {
            let parameters = d.parameters.iter().map(parameter).collect::<Vec<_>>();
            json!({ "name": d.name, "summary": d.summary, "reference": d.reference, "parameters": parameters })
        })
        .collect::<Vec<_>>();
    (titled("Detectors of communities (cluster --method)", text, "\n"), values.into())
}

fn qualities(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> = QUALITY_FUNCTIONS.iter().filter(|q| keep(q.name)).collect();
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|q| vec![q.name.to_owned(), format!("{}; resolution: {}", q.summary, q.resolution)])
        .collect();
    let text = one_table(&["quality", "meaning"], &rows, 2);
    let values = listed
        .iter()
        .map(|q| {
            json!({ "name": q.name, "summary": q.summary, "reference": q.reference,
                    "resolution": q.resolution })
        })
        .collect::<Vec<_>>();
    (titled("Quality functions of Leiden (cluster --quality)", text, "\n"), values.into())
}

fn agreements(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> = AGREEMENTS.iter().filter(|a| keep(a.name)).collect();
    let rows: Vec<Vec<String>> =
        listed.iter().map(|a| vec![a.name.to_owned(), a.range.to_owned(), a.summary.to_owned()]).collect();
    let text = one_table(&["agreement", "range", "meaning"], &rows, 3);
    let values = listed
        .iter()
        .map(|a| {
            json!({ "name": a.name, "summary": a.summary, "reference": a.reference, "range": a.range,
                    "symmetric": a.symmetric })
        })
        .collect::<Vec<_>>();
    (titled("Agreement of clusters with classes", text, "\n"), values.into())
}

fn similarities(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> = subspect_similarity::MEASURES.iter().filter(|m| keep(m.name)).collect();
    let described = |m: &MeasureInfo| {
        let parameters = m.parameters.iter().map(|p| format!("{} = {}", p.name, p.default));
        std::iter::once(m.summary.to_owned()).chain(parameters).collect::<Vec<_>>().join("; ")
    };
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|m| vec![m.name.to_owned(), m.operands().as_str().to_owned(), m.range.to_owned(), described(m)])
        .collect();
    let mut text = one_table(&["measure", "of", "range", "meaning"], &rows, 4);
    if let [only] = listed.as_slice() {
        text.push(declared(only));
    }
    let values: Vec<serde_json::Value> = listed.iter().map(|m| similarity_json(m)).collect();
    (titled("Similarity of layers (--similarity, --measure)", text, "\n\n"), values.into())
}

/// What one measure of similarity declares about itself.
fn declared(m: &MeasureInfo) -> String {
    let invariances: Vec<&str> = m.invariances.iter().map(|i| i.as_str()).collect();
    let triangle = if m.metric { "holds" } else { "does not hold" };
    let order = if m.symmetric { "does not matter" } else { "matters" };
    let mut lines = vec![
        format!("  {}; {}", m.kind.as_str(), m.reference),
        format!("  unchanged by: {}", invariances.join(", ")),
        format!("  triangle inequality {triangle}; order of the two {order}"),
    ];
    lines.extend(m.parameters.iter().map(|p| format!("  {}: {}; {}", p.name, p.domain, p.summary)));
    lines.join("\n")
}

fn similarity_json(m: &MeasureInfo) -> serde_json::Value {
    let invariances: Vec<&str> = m.invariances.iter().map(|i| i.as_str()).collect();
    let parameter = |p: &subspect_similarity::ParameterInfo| {
        let default = match p.default {
            Value::Number(v) => json!(v),
            Value::Word(w) => json!(w),
        };
        json!({ "name": p.name, "default": default, "range": p.domain.to_string(), "summary": p.summary })
    };
    json!({
        "name": m.name, "summary": m.summary, "reference": m.reference, "range": m.range,
        "kind": m.kind.as_str(), "operands": m.operands().as_str(), "metric": m.metric,
        "symmetric": m.symmetric, "invariances": invariances,
        "parameters": m.parameters.iter().map(parameter).collect::<Vec<_>>(),
    })
}

fn architectures(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> =
        ARCHITECTURES.iter().filter(|a| a.members.iter().any(|m| keep(&m.replace('-', "_")))).collect();
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|a| vec![a.name.to_owned(), a.members.join(" "), format!("{}; {}", a.summary, a.reference)])
        .collect();
    let mut text = one_table(&["network", "members", "meaning"], &rows, 3);
    if !text.is_empty() {
        text.push(
            "Options, as in resnet20:width=0.5,classes=100: width (factor of the channels), depth (hidden layers of cnn and \
             mlp), classes, input (CxHxW)"
                .to_owned(),
        );
    }
    let values = listed
        .iter()
        .map(|a| {
            json!({ "name": a.name, "members": a.members, "summary": a.summary, "reference": a.reference,
                    "default_depth": a.default_depth })
        })
        .collect::<Vec<_>>();
    (titled("Networks (--arch)", text, "\n\n"), values.into())
}

fn options(keep: &dyn Fn(&str) -> bool) -> (String, serde_json::Value) {
    let listed: Vec<_> = OPTIONS.iter().filter(|o| keep(o.name)).collect();
    let default = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|o| vec![o.name.to_owned(), default(o.default_text()), o.summary.to_owned()])
        .collect();
    let text = one_table(&["option", "default", "meaning"], &rows, 3);
    let values = listed
        .iter()
        .map(|o| json!({ "name": o.name, "default": o.default_text(), "summary": o.summary }))
        .collect::<Vec<_>>();
    (titled("Options of a run (with - for _ on the command line)", text, "\n"), values.into())
}

fn titled(title: &str, blocks: Vec<String>, between: &str) -> String {
    if blocks.is_empty() { String::new() } else { format!("{title}\n\n{}", blocks.join(between)) }
}
