//! Block score along an ordered axis: one panel per kind of map, one line per combination of the other axes through the
//! means over the seeds, every run a point; dashed the upper end of the null. Values stand evenly apart, in their order.

use std::collections::BTreeMap;

use subspect_data::sweep::{Trend, TrendPoint};
use subspect_linalg::Measured;

use crate::figure::{Anchor, Figure, Ink, Scale, Svg, fit, measure_title, spread, viridis};
use crate::number::fixed;

const WIDTH: f64 = 960.0;
const TOP: f64 = 34.0;
const HEIGHT: f64 = 190.0;
/// The axis of snapshots; its values are shown as the epochs that they come to.
const EPOCH: &str = "epoch";
/// From one row of panels to the next.
const ROW: f64 = TOP + HEIGHT + 52.0;
const SIZE: f64 = 10.5;
/// Room for the names of lines.
const NAMES: f64 = 130.0;

/// `epochs=5, width=2`.
pub(super) fn place(values: &BTreeMap<String, String>) -> String {
    values.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", ")
}

/// The trends of one axis.
pub(super) fn draw(axis: &str, trends: &[&Trend]) -> Figure {
    let mut panels: Vec<(String, Vec<&Trend>)> = Vec::new();
    for trend in trends {
        let title = format!("{}, {}", measure_title(&trend.measure), trend.estimator);
        match panels.iter_mut().find(|(known, _)| *known == title) {
            Some((_, lines)) => lines.push(trend),
            None => panels.push((title, vec![trend])),
        }
    }
    let name = format!("trend-{}", axis.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let title = format!("Block score by {axis}");
    let mut svg = Svg::new(&name, &title, WIDTH, ROW * panels.len().div_ceil(2) as f64);
    let values = || trends.iter().flat_map(|t| &t.points).flat_map(|p| [p.score, p.null_hi]);
    let low = values().filter_map(Measured::value).fold(0.0, f64::min);
    for (k, (title, lines)) in panels.iter().enumerate() {
        let left = if k % 2 == 0 { 0.0 } else { 492.0 };
        let panel = Panel { axis, title, lines, left, top: ROW * (k / 2) as f64 + TOP, low };
        panel.draw(&mut svg);
    }
    Figure { name, title, svg: svg.finish() }
}

struct Panel<'a> {
    axis: &'a str,
    title: &'a str,
    lines: &'a [&'a Trend],
    left: f64,
    top: f64,
    low: f64,
}

impl Panel<'_> {
    fn draw(&self, svg: &mut Svg) {
        let (left, bottom) = (self.left + 34.0, self.top + HEIGHT);
        let right = self.left + 468.0 - if self.lines.len() > 1 { NAMES } else { 16.0 };
        let scale = Scale::new((self.low, 1.0), 5, (bottom, self.top));
        svg.text(self.left, self.top - 14.0, self.title).size(13.0).strong().fill(Ink::Text).done();
        for tick in scale.ticks() {
            let y = scale.at(tick);
            svg.line((left, y), (right, y)).stroke(Ink::Grid, 1.0).done();
            svg.text(left - 6.0, y + 4.0, &fixed(tick, scale.digits())).size(SIZE).anchor(Anchor::End).done();
        }
        let stops = self.stops();
        let step = (right - left) / stops.len().max(1) as f64;
        let at = |x: f64| {
            let k = stops.iter().position(|s| s.0 == x).unwrap_or(0);
            left + step * (k as f64 + 0.5)
        };
        for (x, label) in &stops {
            let text = fit(label, SIZE, step.max(20.0));
            svg.text(at(*x), bottom + 16.0, &text).size(SIZE).anchor(Anchor::Middle).title(label).done();
        }
        let middle = (left + right) / 2.0;
        svg.text(middle, bottom + 32.0, self.axis).size(SIZE).anchor(Anchor::Middle).done();
        let mut ends = Vec::new();
        for (k, trend) in self.lines.iter().enumerate() {
            ends.extend(
                self.line(svg, trend, &colour(k, self.lines.len()), (&at, &scale)).map(|end| (k, end)),
            );
        }
        if self.lines.len() > 1 {
            self.names(svg, right, &ends);
        }
    }

    /// Distinct values of the axis with how they were written, ascending.
    fn stops(&self) -> Vec<(f64, String)> {
        let label = |p: &TrendPoint| if self.axis == EPOCH { p.x.to_string() } else { p.value.clone() };
        let mut stops: Vec<(f64, String)> =
            self.lines.iter().flat_map(|t| &t.points).map(|p| (p.x, label(p))).collect();
        stops.sort_by(|a, b| a.0.total_cmp(&b.0));
        stops.dedup_by(|a, b| a.0 == b.0);
        stops
    }

    /// Points, the line through their means and that of the null; where the line ends.
    fn line(
        &self,
        svg: &mut Svg,
        trend: &Trend,
        colour: &str,
        (at, scale): (&dyn Fn(f64) -> f64, &Scale),
    ) -> Option<(f64, f64)> {
        let through = |of: fn(&TrendPoint) -> Measured| -> Vec<(f64, f64)> {
            let groups = trend.points.chunk_by(|a, b| a.x == b.x);
            groups
                .filter_map(|same| {
                    let values: Vec<f64> = same.iter().filter_map(|p| of(p).value()).collect();
                    let mean = values.iter().sum::<f64>() / values.len() as f64;
                    (!values.is_empty()).then(|| (at(same[0].x), scale.at(mean)))
                })
                .collect()
        };
        let null = svg.polyline(&through(|p| p.null_hi)).attribute("stroke", colour);
        null.number("stroke-width", 1.0).dashed("4 3").title("upper end of the null").done();
        let means = through(|p| p.score);
        svg.polyline(&means).attribute("stroke", colour).number("stroke-width", 1.6).done();
        for point in &trend.points {
            let Some(score) = point.score.value() else { continue };
            let title = format!("{}: {}", point.cell, fixed(score, 3));
            let mark = svg.circle((at(point.x), scale.at(score)), 3.2).attribute("fill", colour);
            mark.title(&title).done();
        }
        means.last().copied()
    }

    fn names(&self, svg: &mut Svg, right: f64, ends: &[(usize, (f64, f64))]) {
        let wanted: Vec<f64> = ends.iter().map(|e| e.1.1).collect();
        let places = spread(&wanted, 13.0, self.top, self.top + HEIGHT);
        for (&(k, (x, y)), height) in ends.iter().zip(places) {
            let name = place(&self.lines[k].fixed);
            svg.polyline(&[(x + 5.0, y), (right + 8.0, height)]).stroke(Ink::Line, 0.8).done();
            let text = fit(&name, SIZE, NAMES - 14.0);
            svg.text(right + 11.0, height + 4.0, &text).size(SIZE).title(&name).done();
        }
    }
}

/// Of line `k` of `n`.
fn colour(k: usize, n: usize) -> String {
    viridis(0.25 + 0.5 * k as f64 / n.saturating_sub(1).max(1) as f64)
}
