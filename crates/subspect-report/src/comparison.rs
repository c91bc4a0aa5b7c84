//! The page of a comparison: `comparison.html` beside `comparison.json`, in the style of a run's page.

use std::path::{Path, PathBuf};

use serde::Serialize;
use subspect_data::comparison::{ClassChange, ComparisonRecord, CrossMap, Difference, LayerPair};
use subspect_linalg::Measured;

use crate::error::ReportError;
use crate::figure::{Chart, Figure, FigureFormat, draw_map, is_unclear, measure_title};
use crate::files::{write, write_figure_files};
use crate::maps::{self, MapGroup, MapView, Readout};
use crate::names::LayerNames;
use crate::number::{Shown, count, fixed};
use crate::page::{script_json, standalone};

/// Inputs listed on the page; the table holds all.
const MAX_INPUTS: usize = 50;

/// Writes `comparison.html` and `figures/*.svg` into `folder` and gives the page's path.
pub fn render_comparison(record: &ComparisonRecord, folder: &Path) -> Result<PathBuf, ReportError> {
    let view = View::new(record);
    write_figure_files(&view.figures, &[FigureFormat::Svg], &folder.join("figures"))?;
    let template = include_str!("../templates/comparison.html");
    let html = standalone("comparison", template, &record.subspect_version, &view)?;
    Ok(write(folder, "comparison.html", html.as_bytes())?.path)
}

#[derive(Serialize)]
struct View {
    title: String,
    line: String,
    summary: Vec<String>,
    notes: Vec<String>,
    command: String,
    names: [String; 2],
    verdict: Option<Verdict>,
    /// By estimator.
    estimators: Vec<MapGroup>,
    has_chance: bool,
    tests: String,
    layers: Vec<LayerRow>,
    classes: Vec<ClassRow>,
    has_accuracy: bool,
    inputs: Vec<InputRow>,
    n_inputs: String,
    #[serde(skip)]
    figures: Vec<Figure>,
}

#[derive(Serialize)]
struct Verdict {
    failed: bool,
    conditions: Vec<(bool, String, String)>,
}

#[derive(Serialize)]
struct LayerRow {
    first: String,
    second: String,
    /// Best match in both directions, in one, or a pair of one name or depth only.
    kind: &'static str,
    ssc_cka: Shown,
    overlap: Shown,
    modularity: DifferenceCells,
    vote: DifferenceCells,
}

#[derive(Serialize)]
struct DifferenceCells {
    first: Shown,
    second: Shown,
    value: Shown,
    interval: String,
    p: Shown,
    /// Not told from no difference.
    unclear: bool,
}

#[derive(Serialize)]
struct ClassRow {
    name: String,
    n: String,
    change: Shown,
    accuracy: Option<DifferenceCells>,
    vote: DifferenceCells,
}

#[derive(Serialize)]
struct InputRow {
    id: String,
    label: String,
    predictions: [String; 2],
    votes: [String; 2],
    change: Shown,
    mean_change: Shown,
}

impl View {
    fn new(record: &ComparisonRecord) -> Self {
        let short = |i: usize| {
            let name = &record.networks[i].name;
            name.strip_suffix(".onnx").unwrap_or(name).to_owned()
        };
        let names = [short(0), short(1)];
        let axes = [0, 1]
            .map(|i| LayerNames::new(record.networks[i].layers.iter().map(|l| l.name.clone()).collect()));
        let level = record.maps.first().map_or(0.95, |m| m.inference.level);
        let (estimators, figures) = maps(record, &axes);
        View {
            title: format!("{} and {}", names[0], names[1]),
            line: format!("{} inputs of {}", count(record.ids.len()), record.dataset),
            summary: record.summary.clone(),
            notes: record.notes.clone(),
            command: record.command.clone(),
            verdict: record.verdict.as_ref().map(verdict),
            has_chance: record.maps.iter().any(has_unclear),
            tests: tests(record, level),
            layers: record.pairs.iter().map(|p| layer_row(record, p, level)).collect(),
            classes: record
                .by_class
                .iter()
                .enumerate()
                .map(|(c, x)| class_row(record, c, x, level))
                .collect(),
            has_accuracy: record.accuracy.is_some(),
            inputs: inputs(record),
            n_inputs: count(record.ids.len()),
            estimators,
            figures,
            names,
        }
    }
}

fn has_unclear(map: &CrossMap) -> bool {
    map.values.iter().enumerate().any(|(i, row)| (0..row.len()).any(|j| is_unclear(&map.inference, i, j)))
}

fn tests(record: &ComparisonRecord, level: f64) -> String {
    let of_ssc = record.maps.iter().find(|m| m.measure == "ssc_cka");
    let (orders, resamples) =
        of_ssc.map_or((0, 0), |m| (m.inference.n_permutations, m.inference.n_resamples));
    format!(
        "{} random orders of the inputs, {} resamples, {} % intervals",
        count(orders),
        count(resamples),
        fixed(100.0 * level, 0)
    )
}

fn maps(record: &ComparisonRecord, axes: &[LayerNames; 2]) -> (Vec<MapGroup>, Vec<Figure>) {
    let (mut estimators, mut figures): (Vec<MapGroup>, Vec<Figure>) = (Vec::new(), Vec::new());
    for map in &record.maps {
        let measure = measure_title(&map.measure);
        let figure = draw_map(&Chart {
            stem: format!("comparison-{}-{}", map.measure, map.estimator),
            title: format!("{measure} between the layers of two networks, {} estimator", map.estimator),
            measure,
            estimator: &map.estimator,
            rows: &axes[0],
            columns: &axes[1],
            values: &map.values,
            inference: Some(&map.inference),
            blocks: None,
        });
        let drawn = MapView { svg: figure.svg.clone(), json: readout(record, map) };
        figures.push(figure);
        maps::add(&mut estimators, &map.estimator, drawn);
    }
    (estimators, figures)
}

fn readout(record: &ComparisonRecord, map: &CrossMap) -> String {
    let names = |i: usize| record.networks[i].layers.iter().map(|l| l.name.as_str()).collect();
    let found = &map.inference;
    let text = |i: usize, j: usize, value: Measured| {
        let mut text = Shown::fixed(value, 3).text;
        if let (Measured::Value(lo), Measured::Value(hi)) = (found.lo[i][j], found.hi[i][j]) {
            text += &format!(" ({} to {})", fixed(lo, 3), fixed(hi, 3));
        }
        if is_unclear(found, i, j) {
            text += ", not told from chance";
        }
        text
    };
    let rows = map.values.iter().enumerate();
    let values = rows.flat_map(|(i, row)| row.iter().enumerate().map(move |(j, v)| text(i, j, *v))).collect();
    let readout = Readout { names: names(0), columns: names(1), values };
    script_json(&readout).unwrap_or_else(|_| "null".into())
}

fn verdict(found: &subspect_data::comparison::Verdict) -> Verdict {
    let text = |c: &subspect_data::comparison::ConditionResult| {
        let cells = c.cells.iter().filter(|cell| cell.failed == c.failed).take(4);
        let texts: Vec<String> = cells
            .map(|cell| {
                let value = Shown::fixed(cell.value, 4).text;
                match (&cell.layer_a, &cell.layer_b) {
                    (Some(a), Some(b)) if a == b => format!("{a} {value}"),
                    (Some(a), Some(b)) => format!("{a}, {b} {value}"),
                    _ => value,
                }
            })
            .collect();
        texts.join("; ")
    };
    let conditions = found.conditions.iter().map(|c| (c.failed, c.condition.clone(), text(c))).collect();
    Verdict { failed: found.failed, conditions }
}

fn cells(d: &Difference, level: f64) -> DifferenceCells {
    let interval = match (d.lo, d.hi) {
        (Measured::Value(lo), Measured::Value(hi)) => format!("{} to {}", fixed(lo, 3), fixed(hi, 3)),
        _ => String::new(),
    };
    DifferenceCells {
        first: Shown::fixed(d.first, 3),
        second: Shown::fixed(d.second, 3),
        value: Shown::fixed(d.value, 3),
        interval,
        p: Shown::with(d.p, |p| if p < 0.001 { "<0.001".into() } else { fixed(p, 3) }),
        unclear: d.p.value().is_some_and(|p| p > 1.0 - level + 1e-12),
    }
}

fn layer_row(record: &ComparisonRecord, pair: &LayerPair, level: f64) -> LayerRow {
    let [a, b] = &record.networks;
    let forth = record.best[0][pair.first].layer == Some(pair.second);
    let back = record.best[1][pair.second].layer == Some(pair.first);
    LayerRow {
        first: a.layers[pair.first].name.clone(),
        second: b.layers[pair.second].name.clone(),
        kind: match (forth, back) {
            (true, true) => "both ways",
            (true, false) => "of the first",
            (false, true) => "of the second",
            (false, false) => "",
        },
        ssc_cka: Shown::fixed(pair.ssc_cka, 3).bar(pair.ssc_cka, 1.0),
        overlap: Shown::fixed(pair.neighbour_overlap, 3).bar(pair.neighbour_overlap, 1.0),
        modularity: cells(&pair.modularity, level),
        vote: cells(&pair.vote, level),
    }
}

fn class(record: &ComparisonRecord, of: Option<u32>) -> String {
    of.map_or_else(String::new, |c| {
        record.classes.get(c as usize).cloned().unwrap_or_else(|| format!("class {c}"))
    })
}

fn class_row(record: &ComparisonRecord, c: usize, found: &ClassChange, level: f64) -> ClassRow {
    ClassRow {
        name: class(record, Some(c as u32)),
        n: count(found.n_inputs),
        change: Shown::fixed(found.change, 3).bar(found.change, 1.0),
        accuracy: found.accuracy.as_ref().map(|d| cells(d, level)),
        vote: cells(&found.vote, level),
    }
}

fn inputs(record: &ComparisonRecord) -> Vec<InputRow> {
    // The order of the table that lies beside the page: the largest change first, those without a value last.
    let key = |i: usize| {
        let x = &record.inputs[i];
        [x.change, x.mean_change].map(|m| m.value().unwrap_or(f64::NEG_INFINITY))
    };
    let mut order: Vec<usize> = (0..record.inputs.len()).collect();
    order.sort_by(|&a, &b| key(b)[0].total_cmp(&key(a)[0]).then(key(b)[1].total_cmp(&key(a)[1])));
    let row = |&i: &usize| {
        let x = &record.inputs[i];
        InputRow {
            id: record.ids[i].clone(),
            label: class(record, record.labels.get(i).copied()),
            predictions: x.predictions.map(|p| class(record, p)),
            votes: x.votes.map(|v| class(record, v)),
            change: Shown::fixed(x.change, 3).bar(x.change, 1.0),
            mean_change: Shown::fixed(x.mean_change, 3).bar(x.mean_change, 1.0),
        }
    };
    order.iter().take(MAX_INPUTS).map(row).collect()
}
