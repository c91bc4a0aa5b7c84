//! Class structure by layer, two panels over one layer axis.
//!
//! (a) Modularity of the labels with its null band and its ceiling; (b) affinity vote against the labels and
//! against the network, with the network's own accuracy. Series are named where they end; a layer without a
//! value is a gap with its status.

use subspect_data::record::LayerRecord;
use subspect_linalg::Measured;

use super::scale::Scale;
use super::svg::{Anchor, Ink, Svg};
use super::text::{spread, width};
use super::{Figure, FigureInfo};
use crate::context::Context;
use crate::names::LayerNames;
use crate::number::fixed;

pub(super) const INFO: FigureInfo =
    FigureInfo { name: "modularity", title: "Class structure by layer", draw: |context| vec![draw(context)] };

const WIDTH: f64 = 960.0;
const RIGHT: f64 = 172.0;
const TICK_SIZE: f64 = 10.5;
/// Top and height of the two panels.
const PANEL_A: (f64, f64) = (52.0, 226.0);
const PANEL_B: (f64, f64) = (338.0, 150.0);

/// Where the layers stand.
struct LayerAxis<'a> {
    names: &'a LayerNames,
    left: f64,
    right: f64,
    at: Vec<f64>,
}

/// One line of a panel.
struct Series<'a> {
    label: &'a str,
    ink: Ink,
    values: Vec<Measured>,
    /// Values inside their null band are drawn hollow.
    hollow: Vec<bool>,
    /// Intervals over inputs, where there are any.
    intervals: Vec<Option<(f64, f64)>>,
}

/// The intervals of a measure in every layer.
fn intervals(layers: &[LayerRecord], name: &str) -> Vec<Option<(f64, f64)>> {
    let ends = |l: &LayerRecord| l.intervals.get(name).and_then(|i| i.lo.value().zip(i.hi.value()));
    layers.iter().map(ends).collect()
}

/// A text at the right end of a panel.
struct EndLabel {
    y: f64,
    text: String,
    ink: Ink,
    strong: bool,
}

fn draw(context: &Context<'_>) -> Figure {
    let layers = &context.record.layers;
    let axis = LayerAxis::new(&context.names);
    let height = PANEL_B.0 + PANEL_B.1 + axis.label_depth() + 14.0;
    let mut svg = Svg::new(INFO.name, INFO.title, WIDTH, height);
    separators(&mut svg, &axis);
    draw_modularity(&mut svg, &axis, layers);
    draw_votes(&mut svg, &axis, context);
    axis.draw_labels(&mut svg);
    Figure { name: INFO.name.into(), title: INFO.title.into(), svg: svg.finish() }
}

fn draw_modularity(svg: &mut Svg, axis: &LayerAxis<'_>, layers: &[LayerRecord]) {
    let measure = |name: &str| layers.iter().map(|l| Context::measure(l, name)).collect::<Vec<_>>();
    let values = measure("modularity");
    let ceiling = measure("modularity_ceiling");
    let band: Vec<Option<(f64, f64)>> =
        layers.iter().map(|l| l.modularity_null.lo.value().zip(l.modularity_null.hi.value())).collect();
    let everything = values.iter().chain(&ceiling).filter_map(|m| m.value());
    let of_values = intervals(layers, "modularity");
    let everything = everything.chain(of_values.into_iter().flatten().flat_map(|(lo, hi)| [lo, hi]));
    let everything = everything.chain(band.iter().flatten().flat_map(|&(lo, hi)| [lo, hi]));
    let (lo, hi) = everything.fold((0.0f64, 0.0f64), |(lo, hi), v| (lo.min(v), hi.max(v)));
    let hi = if hi > lo { hi } else { 1.0 };
    let pad = 0.035 * (hi - lo);
    let (top, height) = PANEL_A;
    let scale = Scale::new((lo - pad, hi + pad), 5, (top + height, top));
    frame(svg, axis, "a", "Modularity of the class labels", &scale, PANEL_A);

    let mut labels = Vec::new();
    if let Some(y) = draw_band(svg, axis, &scale, &band) {
        labels.push(EndLabel { y, text: "95 % of permuted labels".into(), ink: Ink::Muted, strong: false });
    }
    for run in runs(&ceiling) {
        let points = axis.points(run.clone(), &ceiling, &scale);
        svg.polyline(&axis.widened(points)).stroke(Ink::Muted, 1.0).dashed("4 3").done();
    }
    if let Some(v) = ceiling.iter().rev().find_map(|m| m.value()) {
        let text = format!("ceiling {}", fixed(v, 3));
        labels.push(EndLabel { y: scale.at(v), text, ink: Ink::Muted, strong: false });
    }
    let hollow = values.iter().zip(&band).map(|(m, b)| within(*m, *b)).collect();
    let of_values = intervals(layers, "modularity");
    let series = Series { label: "modularity", ink: Ink::Blue, values, hollow, intervals: of_values };
    labels.extend(draw_series(svg, axis, &scale, &series, true));
    draw_statuses(svg, axis, &series.values, scale.at(0.0));
    end_labels(svg, axis, labels, PANEL_A);
}

fn draw_votes(svg: &mut Svg, axis: &LayerAxis<'_>, context: &Context<'_>) {
    let layers = &context.record.layers;
    let (top, height) = PANEL_B;
    let scale = Scale::new((0.0, 1.0), 4, (top + height, top));
    frame(svg, axis, "b", "Affinity vote, share of inputs", &scale, PANEL_B);
    let mut labels = Vec::new();
    if let Some(v) = context.record.model.as_ref().and_then(|m| m.accuracy.value()) {
        let y = scale.at(v);
        svg.line((axis.left, y), (axis.right, y)).stroke(Ink::Muted, 1.0).dashed("4 3").done();
        labels.push(EndLabel {
            y,
            text: format!("network accuracy {}", fixed(v, 3)),
            ink: Ink::Muted,
            strong: false,
        });
    }
    let mut first = None;
    for (name, label, ink) in [
        ("vote_agreement", "agrees with network", Ink::Green),
        ("vote_accuracy", "vote accuracy", Ink::Orange),
    ] {
        let values: Vec<Measured> = layers.iter().map(|l| Context::measure(l, name)).collect();
        let hollow = vec![false; values.len()];
        let series = Series { label, ink, hollow, values, intervals: intervals(layers, name) };
        labels.extend(draw_series(svg, axis, &scale, &series, false));
        first = Some(series.values);
    }
    draw_statuses(svg, axis, &first.unwrap_or_default(), scale.at(0.0));
    end_labels(svg, axis, labels, PANEL_B);
}

/// Grid, ticks and title of a panel.
fn frame(svg: &mut Svg, axis: &LayerAxis<'_>, tag: &str, title: &str, scale: &Scale, (top, _): (f64, f64)) {
    svg.text(2.0, top - 32.0, tag).size(13.0).strong().fill(Ink::Text).done();
    svg.text(18.0, top - 32.0, title).size(13.0).strong().fill(Ink::Text).done();
    for tick in scale.ticks() {
        let y = scale.at(tick);
        let ink = if tick.abs() < 1e-12 { Ink::Line } else { Ink::Grid };
        svg.line((axis.left, y), (axis.right, y)).stroke(ink, 1.0).done();
        svg.text(axis.left - 8.0, y + 4.0, &fixed(tick, scale.digits())).anchor(Anchor::End).done();
    }
}

/// Stage boundaries and stage names, over both panels.
fn separators(svg: &mut Svg, axis: &LayerAxis<'_>) {
    let names = axis.names;
    let between = |i: usize| (axis.at[i - 1] + axis.at[i]) / 2.0;
    let mut edges: Vec<usize> = names.groups.iter().flat_map(|g| [g.start, g.end]).collect();
    edges.sort_unstable();
    edges.dedup();
    for &i in edges.iter().filter(|&&i| i > 0 && i < names.len()) {
        for (top, height) in [PANEL_A, PANEL_B] {
            let x = between(i);
            svg.line((x, top - 4.0), (x, top + height)).stroke(Ink::Grid, 1.0).done();
        }
    }
    for group in &names.groups {
        let (a, b) = (axis.at[group.start], axis.at[group.end - 1]);
        if width(&group.name, TICK_SIZE) <= b - a + axis.step() {
            let x = (a + b) / 2.0;
            svg.text(x, PANEL_A.0 - 10.0, &group.name).size(TICK_SIZE).anchor(Anchor::Middle).done();
        }
    }
}

/// The null band; returns where its label belongs.
fn draw_band(svg: &mut Svg, axis: &LayerAxis<'_>, scale: &Scale, band: &[Option<(f64, f64)>]) -> Option<f64> {
    let defined: Vec<Measured> = band
        .iter()
        .map(|b| b.map_or(Measured::from(subspect_linalg::Status::NotExecuted), |b| Measured::Value(b.1)))
        .collect();
    let mut label = None;
    for run in runs(&defined) {
        let ends: Vec<(f64, f64)> = run.clone().filter_map(|i| band[i]).collect();
        let edge = |pick: fn(&(f64, f64)) -> f64| {
            let points = run.clone().zip(&ends).map(|(i, e)| (axis.at[i], scale.at(pick(e)))).collect();
            axis.widened(points)
        };
        let mut outline = edge(|e| e.1);
        outline.extend(edge(|e| e.0).into_iter().rev());
        // The outline keeps a band visible that is thinner than a pixel.
        svg.polygon(&outline).fill(Ink::Band).opacity(0.75).stroke(Ink::Band, 1.2).done();
        label = ends.last().map(|e| scale.at((e.0 + e.1) / 2.0));
    }
    label
}

/// Line and points; returns the label at its end.
fn draw_series(
    svg: &mut Svg,
    axis: &LayerAxis<'_>,
    scale: &Scale,
    series: &Series<'_>,
    strong: bool,
) -> Option<EndLabel> {
    for run in runs(&series.values) {
        let points = axis.points(run, &series.values, scale);
        svg.polyline(&points).stroke(series.ink, 1.8).attribute("stroke-linejoin", "round").done();
    }
    for (i, ends) in series.intervals.iter().enumerate() {
        let Some((lo, hi)) = ends else { continue };
        let (x, from, to) = (axis.at[i], scale.at(*lo), scale.at(*hi));
        svg.line((x, from), (x, to)).stroke(series.ink, 1.2).attribute("stroke-opacity", "0.6").done();
    }
    // Too close together, points would only make the line look dotted.
    let crowded = axis.step() < 11.0;
    let r = (axis.step() / 4.5).clamp(2.0, 3.4);
    let alone = |i: usize| {
        let missing =
            |k: Option<usize>| k.and_then(|k| series.values.get(k)).is_none_or(|m| m.value().is_none());
        missing(i.checked_sub(1)) && missing(Some(i + 1))
    };
    for (i, value) in series.values.iter().enumerate() {
        let Some(v) = value.value() else { continue };
        let at = (axis.at[i], scale.at(v));
        let title = format!("{}: {} {}", axis.names.full[i], series.label, fixed(v, 3));
        if crowded && !series.hollow[i] && !alone(i) {
            continue;
        }
        if series.hollow[i] {
            svg.circle(at, r).fill(Ink::Paper).stroke(series.ink, 1.5).title(&title).done();
        } else {
            svg.circle(at, r).fill(series.ink).stroke(Ink::Paper, 1.0).title(&title).done();
        }
    }
    let last = series.values.iter().rev().find_map(|m| m.value())?;
    let text = format!("{} {}", series.label, fixed(last, 3));
    Some(EndLabel { y: scale.at(last), text, ink: series.ink, strong })
}

/// Names the reason in the gap of a layer without value.
fn draw_statuses(svg: &mut Svg, axis: &LayerAxis<'_>, values: &[Measured], base: f64) {
    let missing = values.iter().filter(|m| m.value().is_none()).count();
    if missing == 0 {
        return;
    }
    if missing == values.len() {
        let status = values[0].status().map_or("", |s| s.as_str());
        let x = (axis.left + axis.right) / 2.0;
        svg.text(x, base - 60.0, status).anchor(Anchor::Middle).size(12.0).done();
        return;
    }
    for (i, value) in values.iter().enumerate() {
        let Some(status) = value.status() else { continue };
        let (x, y) = (axis.at[i] + 3.5, base - 7.0);
        svg.text(x, y, status.as_str()).size(9.5).rotate(-90.0, x, y).done();
    }
}

fn end_labels(svg: &mut Svg, axis: &LayerAxis<'_>, labels: Vec<EndLabel>, (top, height): (f64, f64)) {
    let wanted: Vec<f64> = labels.iter().map(|l| l.y).collect();
    let places = spread(&wanted, 15.0, top, top + height);
    for (label, y) in labels.iter().zip(places) {
        let x = axis.right + 12.0;
        if (y - label.y).abs() > 3.0 {
            svg.polyline(&[(axis.right + 1.0, label.y), (x - 3.0, y)]).stroke(Ink::Line, 0.8).done();
        }
        let text = svg.text(x, y + 4.0, &label.text).fill(label.ink);
        if label.strong { text.strong().done() } else { text.done() }
    }
}

/// Maximal runs of defined values.
fn runs(values: &[Measured]) -> Vec<std::ops::Range<usize>> {
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    for (i, value) in values.iter().enumerate() {
        match out.last_mut() {
            _ if value.value().is_none() => {}
            Some(run) if run.end == i => run.end = i + 1,
            _ => out.push(i..i + 1),
        }
    }
    out
}

fn within(value: Measured, band: Option<(f64, f64)>) -> bool {
    value.value().zip(band).is_some_and(|(v, (lo, hi))| lo <= v && v <= hi)
}

impl<'a> LayerAxis<'a> {
    fn new(names: &'a LayerNames) -> Self {
        let n = names.len();
        let longest = names.short.iter().take(4).map(|s| width(s, TICK_SIZE)).fold(0.0, f64::max);
        let left = (longest * 0.72 - 8.0).max(48.0);
        let right = WIDTH - RIGHT;
        let (a, b) = (left + 16.0, right - 16.0);
        let at = match n {
            1 => vec![(a + b) / 2.0],
            _ => (0..n).map(|i| a + (b - a) * i as f64 / (n - 1) as f64).collect(),
        };
        LayerAxis { names, left, right, at }
    }

    fn step(&self) -> f64 {
        if self.at.len() > 1 { self.at[1] - self.at[0] } else { self.right - self.left }
    }

    fn points(&self, run: std::ops::Range<usize>, values: &[Measured], scale: &Scale) -> Vec<(f64, f64)> {
        run.filter_map(|i| values[i].value().map(|v| (self.at[i], scale.at(v)))).collect()
    }

    /// Lets a line that touches the first or last layer run to the panel's edge; a single point becomes a dash.
    fn widened(&self, mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return points };
        let reach = |x: f64, edge: f64| if (x - edge).abs() < 17.0 || self.at.len() == 1 { edge } else { x };
        let (mut a, mut b) = (reach(first.0, self.left), reach(last.0, self.right));
        if points.len() == 1 {
            let half = (self.step() * 0.45).max(6.0);
            (a, b) = (a.min(first.0 - half).max(self.left), b.max(last.0 + half).min(self.right));
        }
        points.insert(0, (a, first.1));
        points.push((b, last.1));
        points
    }

    /// One label in how many layers.
    fn every(&self) -> usize {
        (16.0 / self.step()).ceil().max(1.0) as usize
    }

    fn label_depth(&self) -> f64 {
        self.names.short.iter().map(|s| width(s, TICK_SIZE)).fold(0.0, f64::max) * 0.72 + 12.0
    }

    fn draw_labels(&self, svg: &mut Svg) {
        let y = PANEL_B.0 + PANEL_B.1 + 16.0;
        for (i, name) in self.names.short.iter().enumerate().step_by(self.every()) {
            let x = self.at[i] + 4.0;
            let text = svg.text(x, y, name).size(TICK_SIZE).anchor(Anchor::End);
            text.rotate(-45.0, x, y).title(&self.names.full[i]).done();
        }
    }
}
