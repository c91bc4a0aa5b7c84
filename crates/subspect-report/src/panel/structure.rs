//! Class structure by layer: the first figure.

use serde::Serialize;

use super::{PanelInfo, View};
use crate::context::Context;
use crate::number::{count, fixed};

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "structure",
    title: "Class structure by layer",
    summary: "Modularity with its null band, affinity vote and agreement along the network",
    template: include_str!("../../templates/structure.html"),
    render,
};

#[derive(Serialize)]
struct Structure {
    svg: Option<String>,
    permutations: String,
    within_null: Vec<String>,
    /// Confidence level of the intervals.
    level: String,
}

fn render(context: &Context<'_>) -> View {
    let layers = &context.record.layers;
    let svg = context.figure("modularity").filter(|_| !layers.is_empty()).map(|f| f.svg.clone());
    let most = layers.iter().map(|l| l.modularity_null.n_permutations).max().unwrap_or(0);
    let within = layers.iter().filter(|l| within_null(l)).map(|l| l.name.clone()).collect();
    let n = usize::from(svg.is_some());
    let level = layers.iter().flat_map(|l| l.intervals.values()).map(|i| i.level).next().unwrap_or(0.95);
    let level = format!("{} %", fixed(100.0 * level, 0));
    View::new(Structure { svg, permutations: count(most), within_null: within, level }, n)
}

/// Whether a layer's modularity is no larger than what permuted labels give.
pub(super) fn within_null(layer: &subspect_data::record::LayerRecord) -> bool {
    let value = Context::measure(layer, "modularity").value();
    let band = layer.modularity_null.lo.value().zip(layer.modularity_null.hi.value());
    value.zip(band).is_some_and(|(v, (lo, hi))| lo <= v && v <= hi)
}
