//! Layer x layer maps, side by side by measure; estimators behind a choice.

use std::collections::BTreeMap;

use serde::Serialize;
use subspect_data::record::SimilarityRecord;
use subspect_linalg::Measured;

use super::{PanelInfo, View};
use crate::context::Context;
use crate::figure::{file_stem, is_told, is_unclear, measure_title};
use crate::number::{Shown, fixed};
use crate::page::script_json;

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
    has_unclear: bool,
    /// How nulls and intervals were made.
    tests: Option<String>,
    /// Blocks of layers in every map, with their scores.
    blocks: Vec<String>,
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
        .map(|name| {
            let maps = by_estimator.remove(name).unwrap_or_default();
            Estimator { name: if name.is_empty() { "other measures" } else { name }.to_owned(), maps }
        })
        .collect();
    let values = || context.record.similarity.iter().flat_map(|m| m.values.iter().flatten());
    let tested = context.record.similarity.iter().find_map(|m| m.inference.as_ref());
    let tests = tested.map(|t| {
        format!(
            "{} random orders of the inputs for SSC-CKA, {} resamples for {} % intervals",
            t.n_permutations,
            t.n_resamples,
            fixed(100.0 * t.level, 0)
        )
    });
    let n_figures = usize::from(!estimators.is_empty());
    let view = Similarity {
        estimators,
        one_layer: context.names.len() == 1,
        has_undefined: values().any(|v| v.status().is_some()),
        has_unclear: context.record.similarity.iter().any(has_unclear),
        tests,
        blocks: context.record.similarity.iter().filter_map(|m| blocks(context, m)).collect(),
        has_outside: values().filter_map(|v| v.value()).any(|v| !(-1e-9..=1.0 + 1e-9).contains(&v)),
    };
    View::new(view, n_figures)
}

/// The blocks of one map in a sentence.
fn blocks(context: &Context<'_>, map: &SimilarityRecord) -> Option<String> {
    let found = map.blocks.as_ref()?;
    let score = found.score.value()?;
    let p = found.null.p.value().map_or(String::new(), |p| format!(", p = {}", fixed(p, 3)));
    let name = format!("{}, {}", measure_title(&map.measure), map.estimator);
    if found.starts.len() < 2 {
        return Some(format!("{name}: no division into blocks (score {}{p})", fixed(score, 2)));
    }
    let at: Vec<&str> =
        found.starts.iter().skip(1).filter_map(|&s| context.names.short.get(s).map(String::as_str)).collect();
    let told = if is_told(found) { "" } else { ", not told from fading with distance" };
    Some(format!(
        "{name}: {} blocks, at {} (score {}{p}{told})",
        found.starts.len(),
        at.join(", "),
        fixed(score, 2)
    ))
}

fn has_unclear(map: &SimilarityRecord) -> bool {
    let n = map.values.len();
    map.inference.as_ref().is_some_and(|found| (0..n).any(|i| (0..n).any(|j| is_unclear(found, i, j))))
}

/// `0.506 (0.481 to 0.533)`, and whether it is told from chance.
fn text(map: &SimilarityRecord, i: usize, j: usize, value: Measured) -> String {
    let mut text = Shown::fixed(value, 3).text;
    let Some(found) = &map.inference else { return text };
    let end = |table: &[Vec<Measured>]| table.get(i).and_then(|row| row.get(j)).and_then(|v| v.value());
    if let (Some(lo), Some(hi)) = (end(&found.lo), end(&found.hi)) {
        text += &format!(" ({} to {})", fixed(lo, 3), fixed(hi, 3));
    }
    if is_unclear(found, i, j) {
        text += ", not told from chance";
    }
    text
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
        values: rows
            .flat_map(|(i, row)| row[..=i].iter().enumerate().map(move |(j, v)| text(map, i, j, *v)))
            .collect(),
    };
    script_json(&readout).unwrap_or_else(|_| "null".into())
}
