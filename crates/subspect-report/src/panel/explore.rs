//! The interactive part: layers, pairs of layers and single inputs, linked. The script draws it from the packed data;
//! without the script the rest of the page says the same in fewer words.

use serde::Serialize;

use super::{PanelInfo, View};
use crate::context::Context;

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "explore",
    title: "Explore",
    summary: "Layers, pairs of layers and single inputs, linked: similarity map, map of the inputs, neighbourhoods, paths",
    template: include_str!("../../templates/explore.html"),
    render,
};

#[derive(Serialize)]
struct Explore {
    has_layers: bool,
    has_maps: bool,
}

fn render(context: &Context<'_>) -> View {
    let layers = &context.record.layers;
    let view = Explore {
        has_layers: !layers.is_empty(),
        has_maps: layers.iter().any(|l| l.layout.is_some() || l.neighbours.is_some()),
    };
    View::new(view, 0)
}
