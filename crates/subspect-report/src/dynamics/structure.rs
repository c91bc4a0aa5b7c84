//! Label modularity by layer and epoch: a heat map, and the same as lines.

use subspect_data::dynamics::SeriesRecord;
use subspect_linalg::Measured;

use super::axis::LinePanel;
use super::curves::{epochs, measure};
use crate::figure::{Anchor, Figure, Ink, Svg, fit, viridis, width};
use crate::names::LayerNames;
use crate::number::{Shown, fixed};

const WIDTH: f64 = 960.0;
const TOP: f64 = 34.0;
const HEIGHT: f64 = 270.0;

/// Draws the modularity of one training; nothing without labels.
pub(super) fn draw(series: &SeriesRecord, stem: String, names: &LayerNames) -> Option<Figure> {
    let values = measure(series, "modularity");
    let known = || values.iter().flatten().filter_map(|m| m.value());
    let (lo, hi) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if !lo.is_finite() {
        return None;
    }
    let range = (lo.min(0.0), hi.max(lo + 1e-6));
    let mut svg = Svg::new(&stem, "Label modularity by layer and epoch", WIDTH, TOP + HEIGHT + 52.0);
    heat_map(&mut svg, &values, &epochs(series), range, names);
    let at = epochs(series);
    let pad = 0.03 * (range.1 - range.0);
    let panel = LinePanel {
        tag: "b",
        title: "The same by layer",
        values: &values,
        epochs: &at,
        range: (range.0 - pad, range.1 + pad),
        level: None,
        names_left: false,
        extent: (492.0, WIDTH),
        top: TOP,
        height: HEIGHT,
    };
    panel.draw(&mut svg, &at, names);
    Some(Figure { name: stem, title: "Label modularity by layer and epoch".into(), svg: svg.finish() })
}

fn heat_map(svg: &mut Svg, values: &[Vec<Measured>], epochs: &[u64], range: (f64, f64), names: &LayerNames) {
    let left = names.short.iter().map(|s| width(s, 10.5)).fold(0.0, f64::max).min(110.0) + 12.0;
    let (cell, row) = ((468.0 - left) / epochs.len() as f64, HEIGHT / names.len() as f64);
    svg.text(0.0, TOP - 14.0, "a").size(13.0).strong().fill(Ink::Text).done();
    svg.text(16.0, TOP - 14.0, "Label modularity").size(13.0).strong().fill(Ink::Text).done();
    let hatch = svg.hatch();
    svg.open("shape-rendering=\"crispEdges\"");
    for (e, epoch) in values.iter().enumerate() {
        for (l, value) in epoch.iter().enumerate() {
            let share = |v: f64| (v - range.0) / (range.1 - range.0);
            let fill = value.value().map_or_else(|| hatch.clone(), |v| viridis(share(v)));
            let text = Shown::fixed(*value, 3).text;
            let title = format!("{}, epoch {}: {text}", names.full[l], epochs[e]);
            svg.rect(left + cell * e as f64, TOP + row * l as f64, cell + 0.2, row + 0.2)
                .attribute("fill", &fill)
                .title(&title)
                .done();
        }
    }
    svg.close();
    let every = (11.0 / row).ceil().max(1.0) as usize;
    for l in (0..names.len()).step_by(every) {
        let y = TOP + row * (l as f64 + 0.5) + 4.0;
        let text = fit(&names.short[l], 10.5, 110.0);
        svg.text(left - 7.0, y, &text).size(10.5).anchor(Anchor::End).title(&names.full[l]).done();
    }
    let every = (24.0 / cell).ceil().max(1.0) as usize;
    for e in (0..epochs.len()).step_by(every) {
        let x = left + cell * (e as f64 + 0.5);
        svg.text(x, TOP + HEIGHT + 16.0, &epochs[e].to_string()).size(10.5).anchor(Anchor::Middle).done();
    }
    colour_bar(svg, left, range);
}

fn colour_bar(svg: &mut Svg, left: f64, range: (f64, f64)) {
    const STEPS: usize = 60;
    let (y, side) = (TOP + HEIGHT + 28.0, 130.0);
    svg.text(left, y + 8.0, &fixed(range.0, 2)).size(10.5).done();
    for k in 0..STEPS {
        let x = left + 34.0 + side * k as f64 / STEPS as f64;
        let fill = viridis((k as f64 + 0.5) / STEPS as f64);
        svg.rect(x, y, side / STEPS as f64 + 0.3, 8.0).attribute("fill", &fill).done();
    }
    svg.text(left + 40.0 + side, y + 8.0, &fixed(range.1, 2)).size(10.5).done();
}
