//! Class x class affinity in the first and in the deepest layer.

use serde::Serialize;

use super::{PanelInfo, View};
use crate::context::Context;
use crate::figure::MAX_CLASSES;

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "classes",
    title: "Affinity between classes",
    summary: "Where each class's affinity goes, in the first and in the deepest layer",
    template: include_str!("../../templates/classes.html"),
    render,
};

#[derive(Serialize)]
struct Classes {
    maps: Vec<String>,
    n_classes: usize,
    too_many: bool,
    max_classes: usize,
}

fn render(context: &Context<'_>) -> View {
    let names = ["class_affinity-first", "class_affinity"];
    let maps: Vec<String> = names.iter().filter_map(|n| context.figure(n)).map(|f| f.svg.clone()).collect();
    let n_classes = context.record.layers.iter().map(|l| l.class_affinity.len()).max().unwrap_or(0);
    let n_figures = usize::from(!maps.is_empty());
    View::new(
        Classes { maps, n_classes, too_many: n_classes > MAX_CLASSES, max_classes: MAX_CLASSES },
        n_figures,
    )
}
