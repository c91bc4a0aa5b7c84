//! The JSON header of the packed data: names, measures, layer x layer maps, and where the arrays lie.

use std::collections::BTreeMap;

use serde::Serialize;
use subspect_data::record::{
    InferenceRecord, IntervalRecord, LayerRecord, NullRecord, RunRecord, ScoreRecord, SimilarityRecord,
};
use subspect_linalg::Measured;

use super::detail::Detail;
use super::sections::{Section, Sections};
use super::{LayerFiles, Packable};
use crate::context::Context;
use crate::figure::measure_title;
use crate::names::class_name;
use crate::panel::title;

/// Version of the packed layout: the script refuses another one.
pub(super) const VERSION: u32 = 4;

#[derive(Serialize)]
pub(crate) struct Header<'a> {
    version: u32,
    title: String,
    classes: Vec<String>,
    ids: &'a [String],
    layers: Vec<Layer<'a>>,
    maps: Vec<Map>,
    scores: Vec<Score<'a>>,
    /// The layers with a map and with neighbours: positions in the arrays follow these lists.
    mapped: Vec<usize>,
    linked: Vec<usize>,
    n_neighbours: usize,
    scales: &'a [f32],
    tile: Option<Tile>,
    served: Option<Served>,
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
    /// Measures under permuted labels: 2.5 and 97.5 % quantiles.
    nulls: BTreeMap<&'a str, [Number; 2]>,
    /// Intervals of measures over inputs.
    intervals: BTreeMap<&'a str, [Number; 2]>,
    class_affinity: Vec<Vec<f32>>,
}

/// A layer x layer map, of one network or of two.
#[derive(Serialize)]
pub(crate) struct Map {
    pub(crate) measure: String,
    pub(crate) title: String,
    pub(crate) estimator: String,
    pub(crate) values: Vec<Vec<Number>>,
    pub(crate) inference: Option<Inference>,
    /// First layer of every block that was found, ascending; none where no search was made.
    pub(crate) blocks: Option<Vec<usize>>,
}

/// What is known about every cell beside its value.
#[derive(Serialize)]
pub(crate) struct Inference {
    level: f64,
    n_permutations: usize,
    lo: Vec<Vec<Number>>,
    hi: Vec<Vec<Number>>,
    /// p for the whole map (step-down max-T).
    p: Vec<Vec<Number>>,
}

impl Inference {
    /// `rows` makes the tables: all of it, or the lower triangle of a symmetric one.
    pub(crate) fn new(found: &InferenceRecord, rows: fn(&[Vec<Measured>]) -> Vec<Vec<Number>>) -> Self {
        Inference {
            level: found.level,
            n_permutations: found.n_permutations,
            lo: rows(&found.lo),
            hi: rows(&found.hi),
            p: rows(&found.p_adjusted),
        }
    }
}

/// What a local viewer is asked for when it is looked at.
#[derive(Serialize)]
struct Served {
    /// Layers with a map or neighbours.
    layers: Vec<usize>,
    /// Width and height of the pictures, where there are any.
    picture: Option<(usize, usize)>,
}

/// A score of every input; its values are a row of the section `scores`.
#[derive(Serialize)]
struct Score<'a> {
    name: &'a str,
    /// The layer that it is taken from, as an index; none for a score over all layers.
    layer: Option<usize>,
}

/// A number with five decimals, or the name of a status.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Number {
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
        run: &Packable<'a>,
        files: &[LayerFiles],
        detail: &'a Detail,
        sections: &'a Sections,
    ) -> Self {
        let context: &'a Context<'a> = run.context;
        let record = context.record;
        let only = |layers: &[usize], has: fn(&LayerFiles) -> bool| -> Vec<usize> {
            layers.iter().copied().filter(|&l| has(&files[l])).collect()
        };
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
            maps: record.similarity.iter().map(map).collect(),
            scores: record.scores.iter().map(|s| score(s, &record.layers)).collect(),
            mapped: only(&detail.mapped, |f| f.layout.is_some()),
            linked: only(&detail.linked, |f| f.neighbours.is_some()),
            n_neighbours: detail.n_neighbours,
            scales: &sections.scales,
            tile: run.sprite.map(|s| Tile {
                width: s.tile.0,
                height: s.tile.1,
                columns: s.columns,
                rows: s.rows,
                n_dropped: s.n_dropped,
            }),
            served: None,
            sections: &sections.table,
        }
    }

    /// The same of a run whose layers and pictures are asked for one by one.
    pub(super) fn served(mut self, record: &RunRecord) -> Self {
        let has_more = |l: &LayerRecord| l.layout.is_some() || l.neighbours.is_some();
        self.served = Some(Served {
            layers: (0..record.layers.len()).filter(|&l| has_more(&record.layers[l])).collect(),
            picture: record.thumbnails.as_ref().map(|t| (t.tile_width, t.tile_height)),
        });
        self
    }
}

/// The header of one layer of a local viewer.
#[derive(Serialize)]
pub(super) struct LayerHeader<'a> {
    pub(super) version: u32,
    pub(super) mapped: Vec<usize>,
    pub(super) linked: Vec<usize>,
    pub(super) n_neighbours: usize,
    pub(super) scales: &'a [f32],
    pub(super) sections: &'a BTreeMap<&'static str, Section>,
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
        nulls: std::iter::once(("modularity", &layer.modularity_null))
            .chain(layer.nulls.iter().map(|(name, null)| (name.as_str(), null)))
            .map(|(name, NullRecord { lo, hi, .. })| (name, [number(*lo), number(*hi)]))
            .collect(),
        intervals: layer
            .intervals
            .iter()
            .map(|(name, IntervalRecord { lo, hi, .. })| (name.as_str(), [number(*lo), number(*hi)]))
            .collect(),
        class_affinity: layer
            .class_affinity
            .iter()
            .map(|r| r.iter().map(|&v| round(v) as f32).collect())
            .collect(),
    }
}

fn map(map: &SimilarityRecord) -> Map {
    Map {
        measure: map.measure.clone(),
        title: measure_title(&map.measure),
        estimator: map.estimator.clone(),
        values: lower(&map.values),
        inference: map.inference.as_ref().map(|found| Inference::new(found, lower)),
        blocks: map.blocks.as_ref().map(|b| b.starts.clone()),
    }
}

fn score<'a>(score: &'a ScoreRecord, layers: &[LayerRecord]) -> Score<'a> {
    let layer = score.layer.as_ref().and_then(|name| layers.iter().position(|l| l.name == *name));
    Score { name: &score.name, layer }
}

/// Rows up to the diagonal: maps of one network are symmetric.
fn lower(table: &[Vec<Measured>]) -> Vec<Vec<Number>> {
    table.iter().enumerate().map(|(i, row)| row.iter().take(i + 1).map(|&v| fourth(v)).collect()).collect()
}

/// A cell with four decimals: one more than is ever shown.
pub(crate) fn fourth(value: Measured) -> Number {
    match number(value) {
        Number::Value(v) => Number::Value((v * 1e4).round() / 1e4),
        status => status,
    }
}

pub(crate) fn numbers(table: &[Vec<Measured>]) -> Vec<Vec<Number>> {
    table.iter().map(|row| row.iter().map(|&v| fourth(v)).collect()).collect()
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
