//! The table of layers.

use serde::Serialize;
use subspect_data::record::LayerRecord;
use subspect_linalg::Measured;

use super::structure::within_null;
use super::{PanelInfo, View};
use crate::context::Context;
use crate::number::{Shown, count, fixed, scientific};

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "layers",
    title: "Layers",
    summary: "One row per layer: size, sparsity, class structure, vote and convergence",
    template: include_str!("../../templates/layers.html"),
    render,
};

#[derive(Serialize)]
struct Row {
    number: usize,
    name: String,
    kind: String,
    shape: String,
    features: String,
    nnz: Shown,
    modularity: Shown,
    z: Shown,
    within_null: bool,
    sre: Shown,
    vote: Shown,
    agreement: Shown,
    isolated: String,
    unfinished: String,
    unfinished_any: bool,
    gap: Shown,
}

fn render(context: &Context<'_>) -> View {
    let n = context.record.inputs.ids.len();
    let densest = context.record.layers.iter().map(|l| l.nnz).max().unwrap_or(0);
    let rows: Vec<Row> =
        context.record.layers.iter().enumerate().map(|(i, l)| row(i, l, n, densest)).collect();
    View::new(rows, 0)
}

fn row(i: usize, layer: &LayerRecord, n: usize, densest: usize) -> Row {
    let share = |name: &str| {
        let value = Context::measure(layer, name);
        Shown::fixed(value, 3).bar(value, 1.0)
    };
    let per_row = if n == 0 { 0.0 } else { layer.nnz as f64 / n as f64 };
    let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
    Row {
        number: i + 1,
        name: layer.name.clone(),
        kind: layer.kind.clone(),
        shape: shape.join(" \u{d7} "),
        features: count(layer.n_features),
        nnz: Shown { text: fixed(per_row, 1), why: "", bar: None }
            .bar(Measured::Value(layer.nnz as f64), densest as f64),
        modularity: share("modularity"),
        z: Shown::with(layer.modularity_null.z, |v| fixed(v, if v.abs() < 10.0 { 1 } else { 0 })),
        within_null: within_null(layer),
        sre: share("sre"),
        vote: share("vote_accuracy"),
        agreement: share("vote_agreement"),
        isolated: count(layer.n_isolated),
        unfinished: count(layer.solve.n_max_iter),
        unfinished_any: layer.solve.n_max_iter > 0,
        gap: Shown::with(layer.solve.gap_max, |v| scientific(v, 1)),
    }
}
