//! The page of a sweep: `sweep.html` beside `sweep.json`, the cells' layer x layer maps side by side with the blocks that
//! were found in them.

use std::path::{Path, PathBuf};

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use subspect_data::record::{BlockRecord, SimilarityRecord};
use subspect_data::sweep::{SweepCell, SweepRecord};

use crate::error::ReportError;
use crate::figure::{Chart, draw_map, measure_title};
use crate::files::write;
use crate::names::{Group, LayerNames};
use crate::number::{Shown, count, fixed};
use crate::page::{SCRIPT, STYLE, environment};

/// Writes `sweep.html` and `figures/*.svg` into `folder` and gives the page's path.
///
/// # Errors
/// [`ReportError`] when a file cannot be written.
pub fn render_sweep(record: &SweepRecord, folder: &Path) -> Result<PathBuf, ReportError> {
    let figures = folder.join("figures");
    let io = |source| ReportError::Io { action: "create", path: figures.clone(), source };
    std::fs::create_dir_all(&figures).map_err(io)?;
    let mut estimators: Vec<Estimator> = Vec::new();
    for (i, cell) in record.cells.iter().enumerate() {
        for map in &cell.maps {
            let (stem, svg) = draw(i, cell, map);
            write(&figures, &format!("{stem}.svg"), svg.as_bytes())?;
            let shown = Map { svg, json: readout(cell, map) };
            let name = format!("{}, {}", measure_title(&map.measure), map.estimator);
            match estimators.iter_mut().find(|e| e.name == name) {
                Some(found) => found.maps.push(shown),
                None => estimators.push(Estimator { name, maps: vec![shown] }),
            }
        }
    }
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
    let mut environment = environment()?;
    environment.add_template("sweep", include_str!("../templates/sweep.html"))?;
    let html = environment.get_template("sweep")?.render(context! {
        view => Value::from(Serde(&view)),
        version => record.subspect_version.clone(),
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
    })?;
    Ok(write(folder, "sweep.html", html.as_bytes())?.path)
}

#[derive(Serialize)]
struct View {
    title: String,
    line: String,
    command: String,
    axes: Vec<String>,
    estimators: Vec<Estimator>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Estimator {
    name: String,
    maps: Vec<Map>,
}

#[derive(Serialize)]
struct Map {
    svg: String,
    /// What the readout needs, as JSON that is safe inside a script element.
    json: String,
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
fn draw(index: usize, cell: &SweepCell, map: &SimilarityRecord) -> (String, String) {
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
    let figure = draw_map(&Chart {
        stem: format!("{}-{}-{}", index + 1, map.measure, map.estimator),
        title: format!("{measure} between the layers of {}, {} estimator", cell.name, map.estimator),
        measure: format!("{}{score}", cell.name),
        estimator: &map.estimator,
        rows: &names,
        columns: &names,
        values: &map.values,
        inference: None,
        // The layers' groups are the blocks already.
        blocks: None,
    });
    (figure.name, figure.svg)
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

#[derive(Serialize)]
struct Readout<'a> {
    names: &'a [String],
    columns: &'a [String],
    /// Row by row.
    values: Vec<String>,
}

fn readout(cell: &SweepCell, map: &SimilarityRecord) -> String {
    let values = map.values.iter().flatten().map(|v| Shown::fixed(*v, 3).text).collect();
    let readout = Readout { names: &cell.layers, columns: &cell.layers, values };
    // `<` must not appear: it could end the script element.
    serde_json::to_string(&readout).unwrap_or_else(|_| "null".into()).replace('<', "\\u003c")
}
