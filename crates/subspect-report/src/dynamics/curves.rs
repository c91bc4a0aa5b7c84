//! Lines over the epochs: convergence to the final state, movement between epochs, what the training reported.

use subspect_data::dynamics::{ConvergenceRecord, DynamicsRecord, Estimate, SeriesRecord};
use subspect_linalg::{Measured, Status};

use super::axis::{EpochAxis, LinePanel};
use crate::figure::{Anchor, Figure, Ink, Scale, Svg, spread};
use crate::names::LayerNames;
use crate::number::fixed;

const WIDTH: f64 = 960.0;
const TOP: f64 = 34.0;
const HEIGHT: f64 = 270.0;
/// The two panels of a figure.
const HALVES: [(f64, f64); 2] = [(0.0, 468.0), (492.0, WIDTH)];

pub(super) fn epochs(series: &SeriesRecord) -> Vec<u64> {
    series.epochs.iter().map(|e| e.epoch).collect()
}

fn map<'a>(series: &'a SeriesRecord, measure: &str, estimator: &str) -> Option<&'a ConvergenceRecord> {
    series.convergence.iter().find(|c| c.measure == measure && c.estimator == estimator)
}

fn values(rows: &[Vec<Estimate>]) -> Vec<Vec<Measured>> {
    rows.iter().map(|row| row.iter().map(|e| e.value).collect()).collect()
}

/// From 0, or below where values are.
fn range(rows: &[&[Vec<Measured>]]) -> (f64, f64) {
    let all = || rows.iter().flat_map(|r| r.iter().flatten()).filter_map(|m| m.value());
    (all().fold(0.0, f64::min), all().fold(1.0, f64::max) + 0.02)
}

/// Title, values by epoch and layer, and the epochs of a panel.
type Lines<'a> = (&'a str, &'a [Vec<Measured>], &'a [u64]);

/// Two panels of lines side by side.
fn pair(
    (stem, title): (String, &str),
    panels: [Lines<'_>; 2],
    (level, names_left): (Option<f64>, bool),
    epochs: &[u64],
    names: &LayerNames,
) -> Figure {
    let mut svg = Svg::new(&stem, title, WIDTH, TOP + HEIGHT + 42.0);
    let range = range(&[panels[0].1, panels[1].1]);
    for (k, (title, values, at)) in panels.into_iter().enumerate() {
        let tag = ["a", "b"][k];
        let panel = LinePanel {
            tag,
            title,
            values,
            epochs: at,
            range,
            level,
            names_left,
            extent: HALVES[k],
            top: TOP,
            height: HEIGHT,
        };
        panel.draw(&mut svg, epochs, names);
    }
    Figure { name: stem, title: title.to_owned(), svg: svg.finish() }
}

/// Similarity of every layer to its final state, by one estimator.
pub(super) fn convergence(
    record: &DynamicsRecord,
    series: &SeriesRecord,
    estimator: &str,
    stem: String,
    names: &LayerNames,
) -> Option<Figure> {
    let of = |measure| map(series, measure, estimator).map(|c| values(&c.to_final));
    let (ssc, linear, at) = (of("ssc_cka")?, of("linear_cka")?, epochs(series));
    let panels = [
        ("SSC-CKA to the final state", &ssc[..], &at[..]),
        ("Linear CKA to the final state", &linear[..], &at[..]),
    ];
    let title = format!("Similarity to the final state, {estimator} estimator");
    Some(pair((stem, &title), panels, (Some(record.threshold), true), &at, names))
}

/// How much every layer moves from an epoch to the next, drawn at the later one.
pub(super) fn movement(series: &SeriesRecord, stem: String, names: &LayerNames) -> Option<Figure> {
    let at = epochs(series);
    if at.len() < 3 {
        return None;
    }
    let ssc = values(&map(series, "ssc_cka", "biased")?.to_next);
    let overlap: Vec<Vec<Measured>> =
        series.changes.iter().map(|row| row.iter().map(|c| c.neighbour_overlap).collect()).collect();
    let panels = [
        ("SSC-CKA to the epoch before", &ssc[..], &at[1..]),
        ("Neighbours kept since the epoch before", &overlap[..], &at[1..]),
    ];
    Some(pair((stem, "Movement between epochs"), panels, (None, true), &at[1..], names))
}

/// Values of a measure, one row per epoch.
pub(super) fn measure(series: &SeriesRecord, name: &str) -> Vec<Vec<Measured>> {
    let of = |l: &subspect_data::dynamics::EpochLayer| {
        l.measures.get(name).copied().unwrap_or(Status::NotExecuted.into())
    };
    series.epochs.iter().map(|e| e.layers.iter().map(of).collect()).collect()
}

/// What the training reported: losses and accuracies, with the probe inputs' own accuracy.
pub(super) fn training(series: &SeriesRecord, stem: String) -> Option<Figure> {
    let probe: Vec<(u64, f64)> =
        series.epochs.iter().filter_map(|e| Some((e.epoch, e.accuracy.value()?))).collect();
    let losses = reported(series, &|name| name.contains("loss"));
    let mut accuracies = reported(series, &|name| name.contains("acc"));
    if !probe.is_empty() {
        accuracies.push(("probe inputs".into(), probe));
    }
    if losses.is_empty() && accuracies.is_empty() {
        return None;
    }
    let mut all: Vec<u64> = losses.iter().chain(&accuracies).flat_map(|c| c.1.iter().map(|p| p.0)).collect();
    all.sort_unstable();
    all.dedup();
    let height = 170.0;
    let mut svg = Svg::new(&stem, "Training", WIDTH, TOP + height + 42.0);
    let largest = losses.iter().flat_map(|c| c.1.iter().map(|p| p.1)).fold(0.0, f64::max);
    let panels = [("Loss", &losses, largest * 1.04), ("Accuracy", &accuracies, 1.02)];
    let panels = panels.into_iter().filter(|p| !p.1.is_empty());
    for (shown, (title, curves, top)) in panels.enumerate() {
        let extent = if losses.is_empty() || accuracies.is_empty() { (0.0, WIDTH) } else { HALVES[shown] };
        let (left, right) = (extent.0 + 40.0, extent.1 - 120.0);
        let axis = EpochAxis::new(all.clone(), left, right);
        let scale = Scale::new((0.0, top), 4, (TOP + height, TOP));
        svg.text(extent.0, TOP - 14.0, title).size(13.0).strong().fill(Ink::Text).done();
        axis.draw(&mut svg, TOP, TOP + height);
        for tick in scale.ticks() {
            let y = scale.at(tick);
            svg.line((left, y), (right, y)).stroke(Ink::Grid, 1.0).done();
            svg.text(left - 6.0, y + 4.0, &fixed(tick, scale.digits())).size(10.5).anchor(Anchor::End).done();
        }
        curve_lines(&mut svg, &axis, &scale, curves, (right, TOP, height));
    }
    Some(Figure { name: stem, title: "Training".into(), svg: svg.finish() })
}

type Reported = Vec<(String, Vec<(u64, f64)>)>;

fn reported(series: &SeriesRecord, wanted: &dyn Fn(&str) -> bool) -> Reported {
    let mut names: Vec<&String> = series.training.iter().flat_map(|p| p.values.keys()).collect();
    names.sort();
    names.dedup();
    let curve = |name: &str| -> Vec<(u64, f64)> {
        series.training.iter().filter_map(|p| Some((p.epoch, *p.values.get(name)?))).collect()
    };
    names.into_iter().filter(|n| wanted(n)).take(3).map(|n| (n.replace('_', " "), curve(n))).collect()
}

fn curve_lines(
    svg: &mut Svg,
    axis: &EpochAxis,
    scale: &Scale,
    curves: &Reported,
    (right, top, height): (f64, f64, f64),
) {
    const INKS: [Ink; 4] = [Ink::Blue, Ink::Orange, Ink::Green, Ink::Text];
    let ends: Vec<f64> = curves.iter().map(|c| c.1.last().map_or(top, |p| scale.at(p.1))).collect();
    let places = spread(&ends, 14.0, top, top + height);
    for (k, (name, points)) in curves.iter().enumerate() {
        let ink = INKS[k.min(3)];
        let line: Vec<(f64, f64)> = points.iter().map(|&(e, v)| (axis.at(e as f64), scale.at(v))).collect();
        svg.polyline(&line).stroke(ink, 1.7).attribute("stroke-linejoin", "round").title(name).done();
        let last = points.last().map_or(String::new(), |p| fixed(p.1, 3));
        svg.text(right + 10.0, places[k] + 4.0, &format!("{name} {last}")).fill(ink).done();
    }
}
