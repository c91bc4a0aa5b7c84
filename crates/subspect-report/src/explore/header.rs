//! The JSON header of the packed data: names, measures, layer x layer maps, and where the arrays lie.

use std::collections::BTreeMap;

use serde::Serialize;
use subspect_data::record::LayerRecord;
use subspect_linalg::Measured;

use super::LayerFiles;
use super::detail::Detail;
use super::sections::{Section, Sections};
use crate::context::Context;
use crate::figure::measure_title;
use crate::names::class_name;
use crate::panel::title;

/// Version of the packed layout: the script refuses another one.
const VERSION: u32 = 1;

#[derive(Serialize)]
pub(crate) struct Header<'a> {
    version: u32,
    title: String,
    classes: Vec<String>,
    ids: &'a [String],
    layers: Vec<Layer<'a>>,
    maps: Vec<Map>,
    /// Layers with single inputs, as indices into `layers`.
    kept: &'a [usize],
    /// Which of the kept layers have a map and neighbours: positions in the arrays follow these lists.
    mapped: Vec<usize>,
    linked: Vec<usize>,
    n_neighbours: usize,
    scales: &'a [f32],
    tile: Option<Tile>,
    sections: &'a BTreeMap<&'static str, Section>,
}

#[derive(Serialize)]
struct Layer<'a> {
    name: &'a str,
    short: &'a str,
    kind: &'a str,
    n_features: usize,
    /// Stored coefficients per input.
    density: f64,
    n_isolated: usize,
    measures: BTreeMap<&'a str, Number>,
    /// Modularity of permuted labels: 2.5 and 97.5 % quantiles.
    null: [Number; 2],
    class_affinity: Vec<Vec<f32>>,
}

#[derive(Serialize)]
struct Map {
    measure: String,
    title: String,
    estimator: String,
    values: Vec<Vec<Number>>,
}

/// A number with five decimals, or the name of a status.
#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Value(f64),
    Status(&'static str),
}

#[derive(Serialize)]
struct Tile {
    width: usize,
    height: usize,
    columns: usize,
    rows: usize,
    n_dropped: usize,
}

impl<'a> Header<'a> {
    pub(crate) fn new(
        context: &'a Context<'_>,
        files: &[LayerFiles],
        detail: &'a Detail,
        sections: &'a Sections,
    ) -> Self {
        let record = context.record;
        let with = |has: fn(&LayerFiles) -> bool| -> Vec<usize> {
            detail.layers.iter().copied().filter(|&l| has(&files[l])).collect()
        };
        let maps = record.similarity.iter().map(|m| Map {
            measure: m.measure.clone(),
            title: measure_title(&m.measure),
            estimator: m.estimator.clone(),
            values: m.values.iter().map(|row| row.iter().map(|&v| number(v)).collect()).collect(),
        });
        Header {
            version: VERSION,
            title: title(record),
            classes: (0..record.dataset.classes.len()).map(|c| class_name(record, c as u32)).collect(),
            ids: &record.inputs.ids,
            layers: record
                .layers
                .iter()
                .zip(&context.names.short)
                .map(|(l, short)| layer(l, short, record.inputs.ids.len()))
                .collect(),
            maps: maps.collect(),
            kept: &detail.layers,
            mapped: with(|f| f.layout.is_some()),
            linked: with(|f| f.neighbours.is_some()),
            n_neighbours: detail.n_neighbours,
            scales: &sections.scales,
            tile: context.sprite.as_ref().map(|s| Tile {
                width: s.tile.0,
                height: s.tile.1,
                columns: s.columns,
                rows: s.rows,
                n_dropped: s.n_dropped,
            }),
            sections: &sections.table,
        }
    }
}

fn layer<'a>(layer: &'a LayerRecord, short: &'a str, n_inputs: usize) -> Layer<'a> {
    Layer {
        name: &layer.name,
        short,
        kind: &layer.kind,
        n_features: layer.n_features,
        density: layer.nnz as f64 / n_inputs.max(1) as f64,
        n_isolated: layer.n_isolated,
        measures: layer.measures.iter().map(|(name, &v)| (name.as_str(), number(v))).collect(),
        null: [number(layer.modularity_null.lo), number(layer.modularity_null.hi)],
        class_affinity: layer
            .class_affinity
            .iter()
            .map(|r| r.iter().map(|&v| round(v) as f32).collect())
            .collect(),
    }
}

fn number(value: Measured) -> Number {
    match value {
        Measured::Value(v) if v.is_finite() => Number::Value(round(v)),
        Measured::Value(_) => Number::Status(subspect_linalg::Status::NotFinite.as_str()),
        Measured::Undefined(status) => Number::Status(status.as_str()),
    }
}

fn round(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
