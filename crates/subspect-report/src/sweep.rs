//! The page of a sweep: `sweep.html` beside `sweep.json`, the cells' layer x layer maps side by side with the blocks that
//! were found in them, means over seeds, and the block score along every ordered axis with its test.

mod trend;

use std::path::{Path, PathBuf};

use serde::Serialize;
use subspect_data::dynamics::Estimate;
use subspect_data::record::{BlockRecord, SimilarityRecord};
use subspect_data::sweep::{SeedSummary, SweepCell, SweepRecord, Trend};

use crate::error::ReportError;
use crate::figure::{Chart, Figure, FigureFormat, draw_map, measure_title};
use crate::files::{write, write_figure_files};
use crate::maps::{self, MapGroup, MapView, Readout};
use crate::names::{Group, LayerNames};
use crate::number::{Shown, count, fixed};
use crate::page::{script_json, standalone};

/// Writes `sweep.html` and `figures/*.svg` into `folder` and gives the page's path.
///
/// # Errors
/// [`ReportError`] when a file cannot be written.
pub fn render_sweep(record: &SweepRecord, folder: &Path) -> Result<PathBuf, ReportError> {
    let (mut estimators, mut figures) = (Vec::new(), Vec::new());
    for (i, cell) in record.cells.iter().enumerate() {
        for map in &cell.maps {
            let figure = draw(i, cell, map);
            let shown = MapView { svg: figure.svg.clone(), json: readout(cell, map) };
            let name = format!("{}, {}", measure_title(&map.measure), map.estimator);
            maps::add(&mut estimators, &name, shown);
            figures.push(figure);
        }
    }
    let trends = trends(record, &mut figures);
    write_figure_files(&figures, &[FigureFormat::Svg], &folder.join("figures"))?;
    let view = View {
        title: record.name.clone(),
        line: line(record),
        command: record.command.clone(),
        axes: record.axes.clone(),
        failures: record.failures.iter().map(|f| format!("{}: {}", f.name, f.reason)).collect(),
        is_trained: record.cells.iter().any(|c| c.training.is_some()),
        level: record.seeds.first().map_or_else(String::new, |s| fixed(100.0 * s.level, 0)),
        seeds: record.seeds.iter().flat_map(|s| seeds(record, s)).collect(),
        trends,
        estimators,
        rows: record
            .cells
            .iter()
            .flat_map(|cell| cell.maps.iter().filter_map(|m| Some(row(record, cell, m, m.blocks.as_ref()?))))
            .collect(),
    };
    let template = include_str!("../templates/sweep.html");
    let html = standalone("sweep", template, &record.subspect_version, &view)?;
    Ok(write(folder, "sweep.html", html.as_bytes())?.path)
}

#[derive(Serialize)]
struct View {
    title: String,
    line: String,
    command: String,
    axes: Vec<String>,
    estimators: Vec<MapGroup>,
    rows: Vec<Row>,
    failures: Vec<String>,
    is_trained: bool,
    level: String,
    seeds: Vec<SeedRow>,
    trends: Vec<AxisView>,
}

/// One combination of the axes besides the seed, and map.
#[derive(Serialize)]
struct SeedRow {
    values: Vec<String>,
    n_seeds: String,
    measure: String,
    cells: Vec<Between>,
}

/// A mean and its interval.
#[derive(Serialize)]
struct Between {
    value: Shown,
    interval: String,
}

/// An ordered axis.
#[derive(Serialize)]
struct AxisView {
    axis: String,
    svg: String,
    rows: Vec<TrendRow>,
}

#[derive(Serialize)]
struct TrendRow {
    fixed: String,
    measure: String,
    n: String,
    spearman: Shown,
    spearman_p: Shown,
    kendall: Shown,
    kendall_p: Shown,
    sentence: String,
}

#[derive(Serialize)]
struct Row {
    cell: String,
    values: Vec<String>,
    page: String,
    n_layers: String,
    accuracy: Shown,
    training: Option<String>,
    test_accuracy: Option<Shown>,
    modularity: Shown,
    vote: Shown,
    measure: String,
    score: Shown,
    null: Shown,
    z: Shown,
    p: Shown,
    blocks: String,
}

fn line(record: &SweepRecord) -> String {
    let (done, failed) = (record.cells.len(), record.failures.len());
    if done == record.n_cells {
        return format!("{} runs", count(done));
    }
    let rest = if done + failed == record.n_cells { "others have none" } else { "others are still to come" };
    format!("{} of {} runs; the {rest}", count(done), count(record.n_cells))
}

fn seeds(record: &SweepRecord, s: &SeedSummary) -> Vec<SeedRow> {
    let between = |e: &Estimate| Between {
        value: Shown::fixed(e.value, 3),
        interval: match (e.lo.value(), e.hi.value()) {
            (Some(lo), Some(hi)) => format!("{} to {}", fixed(lo, 3), fixed(hi, 3)),
            _ => String::new(),
        },
    };
    let other = |axis: &&String| *axis != "seed";
    s.blocks
        .iter()
        .map(|map| SeedRow {
            values: record
                .axes
                .iter()
                .filter(other)
                .map(|a| s.values.get(a).cloned().unwrap_or_default())
                .collect(),
            n_seeds: count(s.n_seeds),
            measure: format!("{}, {}", measure_title(&map.measure), map.estimator),
            cells: [s.test_accuracy, s.accuracy, s.modularity, s.vote, map.score]
                .iter()
                .map(between)
                .collect(),
        })
        .collect()
}

/// The axes that have an order, with their figures.
fn trends(record: &SweepRecord, figures: &mut Vec<Figure>) -> Vec<AxisView> {
    let of = |axis: &String| {
        let found: Vec<&Trend> = record.trends.iter().filter(|t| t.axis == *axis).collect();
        if found.is_empty() {
            return None;
        }
        let figure = trend::draw(axis, &found);
        let svg = figure.svg.clone();
        figures.push(figure);
        Some(AxisView { axis: axis.clone(), svg, rows: found.into_iter().map(trend_row).collect() })
    };
    record.axes.iter().filter_map(of).collect()
}

fn trend_row(t: &Trend) -> TrendRow {
    TrendRow {
        fixed: trend::place(&t.fixed),
        measure: format!("{}, {}", measure_title(&t.measure), t.estimator),
        n: count(t.points.len()),
        spearman: Shown::fixed(t.spearman, 2),
        spearman_p: Shown::fixed(t.spearman_p, 3),
        kendall: Shown::fixed(t.kendall, 2),
        kendall_p: Shown::fixed(t.kendall_p, 3),
        sentence: t.sentence.clone(),
    }
}

/// The map with lines between its blocks.
fn draw(index: usize, cell: &SweepCell, map: &SimilarityRecord) -> Figure {
    let mut names = LayerNames::new(cell.layers.clone());
    let starts = map.blocks.as_ref().map_or(&[][..], |b| &b.starts);
    let ends = starts.iter().skip(1).copied().chain([cell.layers.len()]);
    names.groups = starts
        .iter()
        .zip(ends)
        .enumerate()
        .map(|(i, (&start, end))| Group { name: (i + 1).to_string(), start, end })
        .collect();
    let measure = measure_title(&map.measure);
    let score = map.blocks.as_ref().and_then(|b| b.score.value());
    let score = score.map_or_else(String::new, |s| format!(", blocks {}", fixed(s, 2)));
    draw_map(&Chart {
        stem: format!("{}-{}-{}", index + 1, map.measure, map.estimator),
        title: format!("{measure} between the layers of {}, {} estimator", cell.name, map.estimator),
        measure: format!("{}{score}", cell.name),
        estimator: &map.estimator,
        rows: &names,
        columns: &names,
        values: &map.values,
        inference: None,
        // They are the groups of the names here.
        blocks: None,
    })
}

fn row(record: &SweepRecord, cell: &SweepCell, map: &SimilarityRecord, blocks: &BlockRecord) -> Row {
    let starts: Vec<&str> = blocks.starts.iter().map(|&s| cell.layers[s].as_str()).collect();
    Row {
        cell: cell.name.clone(),
        values: record.axes.iter().map(|a| cell.values.get(a).cloned().unwrap_or_default()).collect(),
        page: format!("{}/report.html", cell.run),
        n_layers: count(cell.layers.len()),
        accuracy: Shown::fixed(cell.accuracy, 3),
        training: cell.training.as_ref().map(|t| format!("{} of {}", t.epoch, t.epochs)),
        test_accuracy: cell.training.as_ref().map(|t| Shown::fixed(t.test_accuracy, 3)),
        modularity: Shown::fixed(cell.modularity, 3),
        vote: Shown::fixed(cell.vote, 3),
        measure: format!("{}, {}", measure_title(&map.measure), map.estimator),
        score: Shown::fixed(blocks.score, 3).bar(blocks.score, 1.0),
        null: Shown::fixed(blocks.null.hi, 3),
        z: Shown::fixed(blocks.null.z, 1),
        p: Shown::with(blocks.null.p, |p| fixed(p, 3)),
        blocks: starts.join(", "),
    }
}

fn readout(cell: &SweepCell, map: &SimilarityRecord) -> String {
    let names: Vec<&str> = cell.layers.iter().map(String::as_str).collect();
    let values = map.values.iter().flatten().map(|v| Shown::fixed(*v, 3).text).collect();
    let readout = Readout { columns: names.clone(), names, values };
    script_json(&readout).unwrap_or_else(|_| "null".into())
}
