//! The head of the page: what was looked at, what came out, what to beware of, and the facts.

use serde::Serialize;
use subspect_data::record::{RunRecord, RunState};
use subspect_linalg::Status;

use super::{PanelInfo, View};
use crate::context::Context;
use crate::names::model_name;
use crate::number::{Shown, count, fixed, seconds};

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "overview",
    title: "Overview",
    summary: "Title, summary sentences, warnings and the facts of the run",
    template: include_str!("../../templates/overview.html"),
    render,
};

#[derive(Serialize)]
struct Overview {
    title: String,
    line: String,
    summary: Vec<String>,
    warnings: Vec<String>,
    facts: Vec<Fact>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: Shown,
    note: String,
}

fn render(context: &Context<'_>) -> View {
    let record = context.record;
    let view = Overview {
        title: title(record),
        line: line(record),
        summary: record.summary.clone(),
        warnings: warnings(context),
        facts: facts(context),
    };
    View::new(view, 0)
}

/// What to know before trusting a number.
pub(crate) fn warnings(context: &Context<'_>) -> Vec<String> {
    let record = context.record;
    let mut warnings = record.warnings.clone();
    if record.state == RunState::Partial {
        warnings.insert(
            0,
            "This run is not complete: some stages are missing. Run the command again to resume it.".into(),
        );
    }
    warnings.extend(context.picture_note.clone());
    warnings
}

/// `resnet20 on cifar10`.
pub(crate) fn title(record: &RunRecord) -> String {
    match model_name(record) {
        Some(model) => format!("{model} on {}", record.dataset.name),
        None => record.dataset.name.clone(),
    }
}

pub(crate) fn line(record: &RunRecord) -> String {
    let mut parts = vec![match &record.model {
        Some(model) => {
            let shape: Vec<String> = model.input_shape.iter().map(usize::to_string).collect();
            format!("{} run by {}, input {}", model.name, model.engine, shape.join(" \u{d7} "))
        }
        None => "imported activations, no network".into(),
    }];
    if record.dataset.normalize != "none" && !record.dataset.normalize.is_empty() {
        parts.push(format!("normalised as {}", record.dataset.normalize));
    }
    parts.push(record.created.replace('T', " ").trim_end_matches('Z').to_owned() + " UTC");
    parts.join(" \u{b7} ")
}

fn text(text: String) -> Shown {
    Shown { text, why: "", bar: None }
}

fn facts(context: &Context<'_>) -> Vec<Fact> {
    let record = context.record;
    let n = record.inputs.ids.len();
    let classes = record.dataset.classes.len();
    let accuracy = record.model.as_ref().map_or(Status::NoPredictions.into(), |m| m.accuracy);
    let rows: usize = record.layers.len() * n;
    let unfinished: usize = record.layers.iter().map(|l| l.solve.n_max_iter).sum();
    vec![
        Fact {
            name: "Inputs",
            value: text(count(n)),
            note: format!("of {} in {}", count(record.dataset.n_total), record.dataset.name),
        },
        Fact {
            name: "Classes",
            value: if classes == 0 { Shown::status(Status::NoLabels) } else { text(count(classes)) },
            note: balance(record),
        },
        Fact { name: "Layers", value: text(count(record.layers.len())), note: pool_note(context) },
        Fact {
            name: "Method",
            value: text(context.common(|l| &l.solve.method).unwrap_or_else(|| "none".into())),
            note: method_note(record),
        },
        Fact {
            name: "Network accuracy",
            value: Shown::with(accuracy, |v| format!("{} %", fixed(100.0 * v, 1))),
            note: "on the same inputs".into(),
        },
        Fact {
            name: "Not converged",
            value: text(count(unfinished)),
            note: format!("of {} rows", count(rows)),
        },
        Fact {
            name: "Time",
            value: text(seconds(record.seconds.values().sum())),
            note: format!(
                "{} thread{}",
                record.machine.threads,
                if record.machine.threads == 1 { "" } else { "s" }
            ),
        },
        Fact {
            name: "Subspect",
            value: text(record.subspect_version.clone()),
            note: format!("{} {}", record.machine.os, record.machine.arch),
        },
    ]
}

/// How the labels are spread over the classes that occur.
fn balance(record: &RunRecord) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for label in &record.inputs.labels {
        *counts.entry(label).or_insert(0usize) += 1;
    }
    match (counts.values().min(), counts.values().max()) {
        (Some(a), Some(b)) if a == b => format!("{} inputs each", count(*a)),
        (Some(a), Some(b)) => format!("{} to {} inputs each", count(*a), count(*b)),
        _ => String::new(),
    }
}

fn pool_note(context: &Context<'_>) -> String {
    context.common(|l| &l.pool).map_or_else(String::new, |pool| match pool.as_str() {
        "flatten" => "activations flattened".into(),
        "varies by layer" => "pooling varies".into(),
        other => format!("{other} pooled"),
    })
}

/// The method's own parameters among the settings, as they were given.
fn method_note(record: &RunRecord) -> String {
    let names = ["alpha_ratio", "alpha", "l1_ratio", "n_nonzero_coefs", "n_neighbors"];
    let parts = names.iter().filter_map(|n| record.settings.get(*n).map(|v| format!("{n} {v}")));
    parts.collect::<Vec<_>>().join(", ")
}
