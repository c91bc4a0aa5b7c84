//! Layer x layer maps, side by side by measure; estimators behind a choice.

use std::collections::BTreeMap;

use serde::Serialize;
use subspect_data::record::SimilarityRecord;

use super::{PanelInfo, View};
use crate::context::Context;
use crate::figure::{file_stem, measure_title};
use crate::number::Shown;

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "similarity",
    title: "Similarity between layers",
    summary: "Layer x layer maps of every measure and estimator",
    template: include_str!("../../templates/similarity.html"),
    render,
};

#[derive(Serialize)]
struct Similarity {
    estimators: Vec<Estimator>,
    one_layer: bool,
    has_undefined: bool,
    has_outside: bool,
}

#[derive(Serialize)]
struct Estimator {
    name: String,
    maps: Vec<Map>,
}

#[derive(Serialize)]
struct Map {
    name: String,
    measure: String,
    svg: String,
    /// What the readout needs, as JSON that is safe inside a script element.
    json: String,
}

fn render(context: &Context<'_>) -> View {
    let mut order: Vec<&str> = Vec::new();
    let mut by_estimator: BTreeMap<&str, Vec<Map>> = BTreeMap::new();
    for map in &context.record.similarity {
        let Some(figure) = context.figure(&file_stem(map)) else { continue };
        if !by_estimator.contains_key(map.estimator.as_str()) {
            order.push(&map.estimator);
        }
        by_estimator.entry(&map.estimator).or_default().push(Map {
            name: figure.name.clone(),
            measure: measure_title(&map.measure),
            svg: figure.svg.clone(),
            json: readout(context, map),
        });
    }
    let estimators: Vec<Estimator> = order
        .into_iter()
        .map(|name| Estimator { name: name.to_owned(), maps: by_estimator.remove(name).unwrap_or_default() })
        .collect();
    let values = || context.record.similarity.iter().flat_map(|m| m.values.iter().flatten());
    let n_figures = usize::from(!estimators.is_empty());
    let view = Similarity {
        estimators,
        one_layer: context.names.len() == 1,
        has_undefined: values().any(|v| v.status().is_some()),
        has_outside: values().filter_map(|v| v.value()).any(|v| !(-1e-9..=1.0 + 1e-9).contains(&v)),
    };
    View::new(view, n_figures)
}

#[derive(Serialize)]
struct Readout<'a> {
    measure: String,
    names: &'a [String],
    /// Lower triangle by rows, diagonal included; the maps are symmetric.
    values: Vec<String>,
}

fn readout(context: &Context<'_>, map: &SimilarityRecord) -> String {
    let rows = map.values.iter().enumerate();
    let readout = Readout {
        measure: measure_title(&map.measure),
        names: &context.names.full,
        values: rows.flat_map(|(i, row)| row[..=i].iter().map(|v| Shown::fixed(*v, 3).text)).collect(),
    };
    // `<` must not appear: it could end the script element.
    serde_json::to_string(&readout).unwrap_or_else(|_| "null".into()).replace('<', "\\u003c")
}
