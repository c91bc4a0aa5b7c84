//! Layer x layer maps: one map per measure and estimator, viridis on the fixed scale 0 to 1. Rows and columns are
//! the layers of one network, or of two.
//!
//! The first layer is at the top left. A cell without a value is hatched and its status is named, on hovering and
//! under the map; a cell that is not told from chance carries a dot. Up to [`CELLS_WITH_TITLE`] layers every cell is an element with a title; above that, cells of
//! one colour share a path, and the page's script tells the values.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use subspect_data::record::{BlockRecord, InferenceRecord, SimilarityRecord};
use subspect_linalg::Measured;

use super::colour::viridis;
use super::svg::{Anchor, Ink, Svg, coordinate};
use super::text::width;
use super::{Figure, FigureInfo};
use crate::names::LayerNames;
use crate::number::{Shown, fixed};

pub(super) const INFO: FigureInfo = FigureInfo {
    name: "similarity",
    title: "Similarity between layers",
    draw: |context| {
        let maps = context.record.similarity.iter().filter(|_| context.names.len() > 1);
        maps.map(|map| draw(&Chart::of_layers(map, &context.names))).collect()
    },
};

/// What a map shows.
pub(crate) struct Chart<'a> {
    pub(crate) stem: String,
    pub(crate) title: String,
    pub(crate) measure: String,
    pub(crate) estimator: &'a str,
    pub(crate) rows: &'a LayerNames,
    pub(crate) columns: &'a LayerNames,
    pub(crate) values: &'a [Vec<Measured>],
    pub(crate) inference: Option<&'a InferenceRecord>,
    /// Blocks of layers, outlined on the diagonal.
    pub(crate) blocks: Option<&'a BlockRecord>,
}

impl<'a> Chart<'a> {
    fn of_layers(map: &'a SimilarityRecord, names: &'a LayerNames) -> Self {
        let measure = measure_title(&map.measure);
        Chart {
            stem: file_stem(map),
            title: format!("{measure} between layers, {} estimator", map.estimator),
            measure,
            estimator: &map.estimator,
            rows: names,
            columns: names,
            values: &map.values,
            inference: map.inference.as_ref(),
            blocks: map.blocks.as_ref(),
        }
    }

    /// Whether a cell is not told from chance, the number of cells taken into account.
    fn is_unclear(&self, i: usize, j: usize) -> bool {
        self.inference.is_some_and(|found| is_unclear(found, i, j))
    }
}

/// Whether a cell's value could come from a random order of the inputs: adjusted p above 1 - level.
pub(crate) fn is_unclear(found: &InferenceRecord, i: usize, j: usize) -> bool {
    let p = found.p_adjusted.get(i).and_then(|row| row.get(j)).and_then(|p| p.value());
    p.is_some_and(|p| p > 1.0 - found.level + 1e-12)
}

const CELLS_WITH_TITLE: usize = 40;
const WIDTH: f64 = 480.0;
const TOP: f64 = 30.0;
const MAX_LABEL: f64 = 124.0;

/// `ssc_cka` as people write it.
pub(crate) fn measure_title(measure: &str) -> String {
    match measure {
        "ssc_cka" => "SSC-CKA".into(),
        "linear_cka" => "Linear CKA".into(),
        "community_ami" => "AMI of communities".into(),
        other => other.into(),
    }
}

/// File name of a map. The biased estimator, which every run has, is the plain name.
pub(crate) fn file_stem(map: &SimilarityRecord) -> String {
    let clean = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
    };
    match map.estimator.as_str() {
        "biased" | "" => format!("similarity-{}", clean(&map.measure)),
        other => format!("similarity-{}-{}", clean(&map.measure), clean(other)),
    }
}

/// Where the cells are.
struct Grid {
    left: f64,
    side: f64,
    cell: f64,
    n_rows: usize,
    n_columns: usize,
}

impl Grid {
    fn bottom(&self) -> f64 {
        TOP + self.edge(self.n_rows)
    }
    fn edge(&self, i: usize) -> f64 {
        self.cell * i as f64
    }
    fn middle(&self, i: usize) -> f64 {
        self.cell * (i as f64 + 0.5)
    }
    fn label_size(&self) -> f64 {
        (self.cell * 0.78).clamp(8.5, 10.5)
    }
    fn every(&self) -> usize {
        (10.0 / self.cell).ceil().max(1.0) as usize
    }
}

pub(crate) fn draw(chart: &Chart<'_>) -> Figure {
    let (n_rows, n_columns) = (chart.rows.len(), chart.columns.len());
    let longest = chart.rows.short.iter().map(|s| width(s, 10.5)).fold(0.0, f64::max);
    let left = longest.min(MAX_LABEL) + 12.0;
    let cell = (WIDTH - left - 14.0) / n_rows.max(n_columns) as f64;
    let grid = Grid { left, side: cell * n_columns as f64, cell, n_rows, n_columns };
    let foot = foot_height(&grid, chart.columns);
    let statuses = statuses(chart.values);
    let cells = (0..n_rows).flat_map(|i| (0..n_columns).map(move |j| (i, j)));
    let n_unclear = cells.filter(|&(i, j)| chart.is_unclear(i, j)).count();
    let legend = 22.0 * f64::from(u8::from(!statuses.is_empty()) + u8::from(n_unclear > 0));
    let mut svg = Svg::new(&chart.stem, &chart.title, WIDTH, grid.bottom() + foot + 52.0 + legend);
    let layout = [("left", left), ("top", TOP), ("cell", grid.cell), ("n", n_rows as f64)];
    for (key, value) in layout.into_iter().chain([("columns", n_columns as f64)]) {
        svg.data(key, value);
    }
    svg.text(left, 18.0, &chart.measure).size(13.0).strong().fill(Ink::Text).done();
    svg.text(left + grid.side, 18.0, chart.estimator).anchor(Anchor::End).done();
    let hatch = svg.hatch();
    svg.open(&format!("transform=\"translate({} {TOP})\" shape-rendering=\"crispEdges\"", coordinate(left)));
    if n_rows.max(n_columns) <= CELLS_WITH_TITLE {
        draw_cells(&mut svg, &grid, chart, &hatch);
    } else {
        draw_merged_cells(&mut svg, &grid, chart.values, &hatch);
    }
    draw_boundaries(&mut svg, &grid, chart);
    draw_blocks(&mut svg, &grid, chart.blocks);
    svg.close();
    draw_unclear(&mut svg, &grid, chart);
    draw_row_labels(&mut svg, &grid, chart.rows);
    draw_foot(&mut svg, &grid, chart.columns);
    let y = grid.bottom() + foot + 10.0;
    let label = format!("{}, {} estimator", chart.measure, chart.estimator);
    draw_colour_bar(&mut svg, &grid, y, chart.values, &label);
    let next = draw_legend(&mut svg, &grid, y + 52.0, &statuses, &hatch);
    draw_chance_legend(&mut svg, &grid, next, n_unclear);
    Figure { name: chart.stem.clone(), title: chart.title.clone(), svg: svg.finish() }
}

fn draw_cells(svg: &mut Svg, grid: &Grid, chart: &Chart<'_>, hatch: &str) {
    for (i, row) in chart.values.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let (x, y) = (grid.edge(j), grid.edge(i));
            let fill = value.value().map_or_else(|| hatch.to_owned(), viridis);
            let text = Shown::fixed(*value, 3).text;
            let title = format!("{} \u{d7} {}: {text}", chart.rows.full[i], chart.columns.full[j]);
            svg.rect(x, y, grid.cell, grid.cell).attribute("fill", &fill).title(&title).done();
        }
    }
}

/// A dot on every cell that is not told from chance: white with a dark rim, to be seen on every colour.
fn draw_unclear(svg: &mut Svg, grid: &Grid, chart: &Chart<'_>) {
    let r = (grid.cell * 0.16).clamp(0.9, 3.0);
    for i in 0..grid.n_rows {
        for j in (0..grid.n_columns).filter(|&j| chart.is_unclear(i, j)) {
            let at = (grid.left + grid.middle(j), TOP + grid.middle(i));
            dot(svg, at, r);
        }
    }
}

fn dot(svg: &mut Svg, at: (f64, f64), r: f64) {
    let dot = svg.circle(at, r).attribute("fill", "#ffffff").attribute("stroke", "#1c2127");
    dot.number("stroke-width", 0.7).attribute("pointer-events", "none").done();
}

fn draw_merged_cells(svg: &mut Svg, grid: &Grid, values: &[Vec<Measured>], hatch: &str) {
    let mut paths: BTreeMap<String, String> = BTreeMap::new();
    // Not in the scaled group, which would scale the hatching too.
    let mut missing = String::new();
    for (i, row) in values.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let Some(v) = value.value() else {
                let (x, y, cell) =
                    (coordinate(grid.edge(j)), coordinate(grid.edge(i)), coordinate(grid.cell));
                let _ = write!(missing, "M{x} {y}h{cell}v{cell}h-{cell}z");
                continue;
            };
            // 250 steps of colour: finer steps are not visible and would cost a path each.
            let fill = viridis((v * 250.0).round() / 250.0);
            let _ = write!(paths.entry(fill).or_default(), "M{j} {i}h1v1h-1z");
        }
    }
    if !missing.is_empty() {
        svg.path(&missing).attribute("fill", hatch).done();
    }
    svg.open(&format!("transform=\"scale({})\"", grid.cell));
    for (fill, d) in paths {
        svg.path(&d).attribute("fill", &fill).done();
    }
    svg.close();
}

fn boundaries(names: &LayerNames) -> Vec<usize> {
    let mut edges: Vec<usize> = names.groups.iter().flat_map(|g| [g.start, g.end]).collect();
    edges.sort_unstable();
    edges.dedup();
    edges.retain(|&i| i > 0 && i < names.len());
    edges
}

fn draw_boundaries(svg: &mut Svg, grid: &Grid, chart: &Chart<'_>) {
    let height = grid.edge(grid.n_rows);
    for i in boundaries(chart.columns) {
        svg.line((grid.edge(i), 0.0), (grid.edge(i), height)).stroke(Ink::Paper, 1.2).done();
    }
    for i in boundaries(chart.rows) {
        svg.line((0.0, grid.edge(i)), (grid.side, grid.edge(i))).stroke(Ink::Paper, 1.2).done();
    }
}

/// Outlines of two blocks or more: white over dark, to be seen on every colour; dashed where similarity that only
/// fades with distance would divide as well.
fn draw_blocks(svg: &mut Svg, grid: &Grid, blocks: Option<&BlockRecord>) {
    let Some(found) = blocks.filter(|b| b.starts.len() > 1 && grid.n_rows == grid.n_columns) else { return };
    let ends = found.starts.iter().skip(1).copied().chain([grid.n_rows]);
    for (&start, end) in found.starts.iter().zip(ends).filter(|(s, e)| **s < *e && *e <= grid.n_rows) {
        let (from, side) = (grid.edge(start), grid.edge(end - start));
        for (colour, thickness) in [("#1c2127", 3.4), ("#ffffff", 1.6)] {
            let outline = svg.rect(from, from, side, side).attribute("fill", "none");
            let outline = outline.attribute("stroke", colour).number("stroke-width", thickness);
            let outline = outline.attribute("pointer-events", "none");
            if is_told(found) { outline.done() } else { outline.dashed("5 4").done() }
        }
    }
}

/// Whether blocks are told from similarity that only fades with distance.
pub(crate) fn is_told(blocks: &BlockRecord) -> bool {
    blocks.null.p.value().is_some_and(|p| p <= 0.05)
}

fn draw_row_labels(svg: &mut Svg, grid: &Grid, names: &LayerNames) {
    let size = grid.label_size();
    for i in (0..grid.n_rows).step_by(grid.every()) {
        let text = super::text::fit(&names.short[i], size, MAX_LABEL + 4.0);
        let y = TOP + grid.middle(i) + size * 0.36;
        svg.text(grid.left - 7.0, y, &text).size(size).anchor(Anchor::End).title(&names.full[i]).done();
    }
}

/// Groups are named under the map if every name fits; otherwise the columns are labelled like the rows.
fn groups_fit(grid: &Grid, names: &LayerNames) -> bool {
    let fits = |g: &crate::names::Group| width(&g.name, 10.5) <= grid.edge(g.end - g.start) + 8.0;
    !names.groups.is_empty() && names.groups.iter().all(fits)
}

fn foot_height(grid: &Grid, names: &LayerNames) -> f64 {
    if groups_fit(grid, names) {
        return 24.0;
    }
    let longest = names.short.iter().map(|s| width(s, grid.label_size())).fold(0.0, f64::max);
    longest.min(MAX_LABEL) * 0.72 + 14.0
}

fn draw_foot(svg: &mut Svg, grid: &Grid, names: &LayerNames) {
    let y = grid.bottom();
    if groups_fit(grid, names) {
        for group in &names.groups {
            let (a, b) = (grid.left + grid.edge(group.start), grid.left + grid.edge(group.end));
            svg.line((a + 1.5, y + 5.0), (b - 1.5, y + 5.0)).stroke(Ink::Line, 1.0).done();
            svg.text((a + b) / 2.0, y + 18.0, &group.name).size(10.5).anchor(Anchor::Middle).done();
        }
        return;
    }
    let size = grid.label_size();
    for i in (0..grid.n_columns).step_by(grid.every()) {
        let text = super::text::fit(&names.short[i], size, MAX_LABEL);
        let (x, y) = (grid.left + grid.middle(i) + 3.0, y + 11.0);
        svg.text(x, y, &text).size(size).anchor(Anchor::End).rotate(-45.0, x, y).title(&names.full[i]).done();
    }
}

fn draw_colour_bar(svg: &mut Svg, grid: &Grid, y: f64, of: &[Vec<Measured>], label: &str) {
    const STEPS: usize = 100;
    let values = || of.iter().flatten().filter_map(|m| m.value());
    let ends = [values().any(|v| v < -1e-9), values().any(|v| v > 1.0 + 1e-9)];
    let step = grid.side / STEPS as f64;
    svg.open("shape-rendering=\"crispEdges\"");
    for k in 0..STEPS {
        let fill = viridis((k as f64 + 0.5) / STEPS as f64);
        svg.rect(grid.left + step * k as f64, y, step + 0.3, 8.0).attribute("fill", &fill).done();
    }
    svg.close();
    for (k, anchor) in
        [Anchor::Start, Anchor::Middle, Anchor::Middle, Anchor::Middle, Anchor::End].iter().enumerate()
    {
        let text = match k {
            0 if ends[0] => "\u{2264} 0".into(),
            4 if ends[1] => "\u{2265} 1".into(),
            0 | 4 => (k / 4).to_string(),
            _ => fixed(k as f64 / 4.0, 2),
        };
        let x = grid.left + grid.side * k as f64 / 4.0;
        svg.text(x, y + 21.0, &text).size(10.5).anchor(*anchor).done();
    }
    svg.text(grid.left + grid.side / 2.0, y + 37.0, label)
        .size(10.5)
        .anchor(Anchor::Middle)
        .fill(Ink::Text)
        .done();
}

/// How many cells have which status.
fn statuses(values: &[Vec<Measured>]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for status in values.iter().flatten().filter_map(|m| m.status()) {
        *counts.entry(status.as_str()).or_insert(0) += 1;
    }
    counts
}

/// The legend of cells without a value; gives the place of the next one.
fn draw_legend(
    svg: &mut Svg,
    grid: &Grid,
    y: f64,
    statuses: &BTreeMap<&'static str, usize>,
    hatch: &str,
) -> f64 {
    if statuses.is_empty() {
        return y;
    }
    let parts: Vec<String> =
        statuses.iter().map(|(s, n)| format!("{s} ({n} cell{})", if *n == 1 { "" } else { "s" })).collect();
    svg.rect(grid.left, y, 12.0, 12.0).attribute("fill", hatch).stroke(Ink::Line, 0.8).done();
    let text = format!("no value: {}", parts.join(", "));
    svg.text(grid.left + 19.0, y + 10.0, &text).size(10.5).done();
    y + 22.0
}

fn draw_chance_legend(svg: &mut Svg, grid: &Grid, y: f64, n_unclear: usize) {
    if n_unclear == 0 {
        return;
    }
    svg.rect(grid.left, y, 12.0, 12.0).attribute("fill", &viridis(0.25)).done();
    dot(svg, (grid.left + 6.0, y + 6.0), 2.2);
    let text = format!("not told from chance ({n_unclear} cell{})", if n_unclear == 1 { "" } else { "s" });
    svg.text(grid.left + 19.0, y + 10.0, &text).size(10.5).done();
}
