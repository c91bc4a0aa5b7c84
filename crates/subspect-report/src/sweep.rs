//! The page of a sweep: `sweep.html` beside `sweep.json`, the cells' layer x layer maps side by side with the blocks that
//! were found in them.

use std::path::{Path, PathBuf};

use serde::Serialize;
use subspect_data::record::{BlockRecord, SimilarityRecord};
use subspect_data::sweep::{SweepCell, SweepRecord};

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
    write_figure_files(&figures, &[FigureFormat::Svg], &folder.join("figures"))?;
    let view = View {
        title: record.name.clone(),
        line: line(record),
        command: record.command.clone(),
        axes: record.axes.clone(),
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
}

#[derive(Serialize)]
struct Row {
    cell: String,
    values: Vec<String>,
    page: String,
    n_layers: String,
    accuracy: Shown,
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
    let done = record.cells.len();
    if done == record.n_cells {
        return format!("{} runs", count(done));
    }
    format!("{} of {} runs; the others are still to come", count(done), count(record.n_cells))
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
