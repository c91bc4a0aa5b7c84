//! How to repeat the run, and everything it was made with.

use serde::Serialize;
use subspect_data::record::{LayerRecord, RunRecord};

use super::{PanelInfo, View};
use crate::context::Context;
use crate::number::{Shown, count, scientific, seconds};

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "provenance",
    title: "Settings and provenance",
    summary: "Command, settings, versions, hashes, times, memory mode and certificates",
    template: include_str!("../../templates/provenance.html"),
    render,
};

#[derive(Serialize)]
struct Provenance {
    command: String,
    settings: Vec<(String, String)>,
    sources: Vec<(&'static str, String)>,
    times: Vec<(String, String)>,
    certificates: Vec<Certificate>,
    citation: Option<String>,
    figures: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Certificate {
    layer: String,
    method: String,
    converged: String,
    max_iter: String,
    trivial: String,
    gap_max: Shown,
    gap_median: Shown,
    objective: Shown,
    memory: String,
    seconds: String,
}

fn render(context: &Context<'_>) -> View {
    let record = context.record;
    let view = Provenance {
        command: record.command.clone(),
        settings: record.settings.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
        sources: sources(record),
        times: times(record),
        certificates: record.layers.iter().map(certificate).collect(),
        citation: record.dataset.citation.clone(),
        figures: context.figures.iter().map(|f| (f.name.clone(), f.title.clone())).collect(),
    };
    View::new(view, 0)
}

fn sources(record: &RunRecord) -> Vec<(&'static str, String)> {
    let shape = |s: &[usize]| s.iter().map(usize::to_string).collect::<Vec<_>>().join(" \u{d7} ");
    let mut rows = vec![
        ("Subspect", format!("{}, record schema {}", record.subspect_version, record.schema)),
        ("Started", record.created.clone()),
        (
            "Machine",
            format!("{} {}, {} threads", record.machine.os, record.machine.arch, record.machine.threads),
        ),
    ];
    match &record.model {
        Some(model) => {
            rows.push(("Model", format!("{}, input {}", model.name, shape(&model.input_shape))));
            rows.push(("Model hash", format!("BLAKE3 {}", model.hash)));
            rows.push(("Engine", model.engine.clone()));
        }
        None => rows.push(("Model", "none: activations were imported".into())),
    }
    let data = &record.dataset;
    rows.push(("Data set", format!("{} ({}), {} inputs", data.name, data.format, count(data.n_total))));
    if !data.image_shape.is_empty() {
        rows.push(("Pictures", format!("{}, normalised as {}", shape(&data.image_shape), data.normalize)));
    }
    rows.push(("Inputs hash", format!("BLAKE3 {}", data.hash)));
    rows
}

fn times(record: &RunRecord) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> =
        record.seconds.iter().map(|(stage, s)| (stage.clone(), seconds(*s))).collect();
    if rows.len() > 1 {
        rows.push(("total".into(), seconds(record.seconds.values().sum())));
    }
    rows
}

fn certificate(layer: &LayerRecord) -> Certificate {
    let solve = &layer.solve;
    let decades = |m| Shown::with(m, |v| scientific(v, 1));
    Certificate {
        layer: layer.name.clone(),
        method: solve.method.clone(),
        converged: count(solve.n_converged),
        max_iter: count(solve.n_max_iter),
        trivial: count(solve.n_trivial),
        gap_max: decades(solve.gap_max),
        gap_median: decades(solve.gap_median),
        objective: Shown::with(solve.objective, |v| format!("{v:.3}")),
        memory: solve.memory_mode.clone(),
        seconds: seconds(solve.seconds),
    }
}
