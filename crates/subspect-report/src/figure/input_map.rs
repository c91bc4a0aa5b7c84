//! A layer's inputs at the places that its affinity graph gives them, coloured by class.
//!
//! Classes are named at the medians of their inputs. Inputs are drawn in rounds, a share of every class in each, so that
//! no class lies on top of all others; a round of a class is one path of dots, which keeps files of 10,000 inputs small.

use std::fmt::Write as _;

use subspect_data::file_stem;
use subspect_linalg::Matrix;

use super::Figure;
use super::colour::class_colour;
use super::svg::{Anchor, Ink, Svg, coordinate};
use super::text::{fit, width};
use crate::context::Context;
use crate::names::class_name;
use crate::number::count;

const WIDTH: f64 = 480.0;
const TOP: f64 = 40.0;
const MARGIN: f64 = 12.0;
/// Rounds in which the inputs are drawn.
const ROUNDS: usize = 16;
/// With more classes than this, colours repeat too often to be told apart: all inputs are grey.
const MAX_CLASSES: usize = 20;
/// Fewest inputs of a class that is named on the map.
const MIN_NAMED: usize = 5;
const KEY_SIZE: f64 = 10.5;

/// Draws the map of a layer.
pub(crate) fn draw(context: &Context<'_>, layer: usize, layout: &Matrix<f32>) -> Figure {
    let record = context.record;
    let name = &record.layers[layer].name;
    let side = WIDTH - 2.0 * MARGIN;
    let n_classes = Some(record.dataset.classes.len()).filter(|n| (1..=MAX_CLASSES).contains(n)).unwrap_or(0);
    let labels: Vec<String> = (0..n_classes).map(|c| class_name(record, c as u32)).collect();
    let keys = keys(&labels, side);
    let n_rows = keys.last().map_or(0, |k| k.1 + 1);
    let title = format!("Inputs as {name} sees them");
    let mut svg = Svg::new("map", &title, WIDTH, TOP + side + 22.0 + 17.0 * n_rows as f64);
    svg.text(MARGIN, 18.0, &fit(name, 13.0, side)).size(13.0).strong().fill(Ink::Text).done();
    let about = format!("{} inputs, laid out from the affinity graph", count(layout.n_rows()));
    svg.text(MARGIN, 33.0, &about).size(KEY_SIZE).done();

    let places = places(layout, side);
    let class = |i: usize| record.inputs.labels.get(i).map(|&c| c as usize).filter(|&c| c < n_classes);
    let radius = (90.0 / (places.len() as f64).sqrt()).clamp(1.0, 3.6);
    for round in 0..ROUNDS {
        for c in (0..n_classes).map(Some).chain([None]) {
            dots(&mut svg, &places, radius, c, |i| i % ROUNDS == round && class(i) == c);
        }
    }
    for (c, label) in labels.iter().enumerate() {
        let own: Vec<(f64, f64)> =
            (0..places.len()).filter(|&i| class(i) == Some(c)).map(|i| places[i]).collect();
        if own.len() >= MIN_NAMED {
            let (x, y) = (median(own.iter().map(|p| p.0)), median(own.iter().map(|p| p.1)));
            let text = svg.text(x, y + 4.0, label).size(12.0).strong().anchor(Anchor::Middle).fill(Ink::Text);
            text.stroke(Ink::Paper, 3.0)
                .attribute("paint-order", "stroke")
                .attribute("stroke-linejoin", "round")
                .done();
        }
    }
    for ((x, row), (c, label)) in keys.iter().zip(labels.iter().enumerate()) {
        let (x, y) = (MARGIN + x, TOP + side + 20.0 + 17.0 * *row as f64);
        svg.circle((x + 4.0, y - 3.7), 4.0).attribute("fill", class_colour(c)).done();
        svg.text(x + 12.0, y, label).size(KEY_SIZE).fill(Ink::Text).done();
    }
    Figure { name: format!("map-{}", file_stem(name)), title, svg: svg.finish() }
}

/// Places on the sheet: the largest coordinate touches the margin.
fn places(layout: &Matrix<f32>, side: f64) -> Vec<(f64, f64)> {
    let top = layout.data().iter().fold(0.0_f64, |top, v| top.max(f64::from(*v).abs()));
    let share = |v: f32| if top > 0.0 { f64::from(v) / top } else { 0.0 };
    let place = |row: &[f32]| {
        let (x, y) = (share(row[0]), share(row[1]));
        (MARGIN + side * (1.0 + 0.97 * x) / 2.0, TOP + side * (1.0 - 0.97 * y) / 2.0)
    };
    (0..layout.n_rows()).map(|i| place(layout.row(i))).collect()
}

/// The inputs that are `wanted` as one path: strokes of no length with round ends.
fn dots(
    svg: &mut Svg,
    places: &[(f64, f64)],
    radius: f64,
    class: Option<usize>,
    wanted: impl Fn(usize) -> bool,
) {
    let mut d = String::new();
    for (_, &(x, y)) in places.iter().enumerate().filter(|&(i, _)| wanted(i)) {
        let _ = write!(d, "M{},{}h.01", coordinate(x), coordinate(y));
    }
    if !d.is_empty() {
        let path = svg.path(&d).attribute("fill", "none").attribute("stroke-linecap", "round");
        let path = path.number("stroke-width", 2.0 * radius).number("stroke-opacity", 0.88);
        path.attribute("stroke", class.map_or("#8a8f98", class_colour)).done();
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Where the classes' keys stand: x and row.
fn keys(labels: &[String], side: f64) -> Vec<(f64, usize)> {
    let (mut x, mut row) = (0.0, 0);
    let mut out = Vec::new();
    for label in labels {
        let room = 12.0 + width(label, KEY_SIZE) + 12.0;
        if x > 0.0 && x + room > side {
            (x, row) = (0.0, row + 1);
        }
        out.push((x, row));
        x += room;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_a_dot_within_the_sheet() {
        let layout = Matrix::from_fn(50, 2, |i, j| if j == 0 { i as f32 - 25.0 } else { (i % 7) as f32 });
        let places = places(&layout, 400.0);
        assert!(
            places
                .iter()
                .all(|p| (MARGIN..=MARGIN + 400.0).contains(&p.0) && (TOP..=TOP + 400.0).contains(&p.1))
        );
        let mut svg = Svg::new("t", "t", 10.0, 10.0);
        dots(&mut svg, &places, 2.0, Some(1), |i| i % 2 == 0);
        assert_eq!(svg.finish().matches("h.01").count(), 25);
    }

    #[test]
    fn keys_break_into_rows_that_fit() {
        let labels: Vec<String> = (0..12).map(|c| format!("class number {c}")).collect();
        let keys = keys(&labels, 456.0);
        assert!(keys.last().unwrap().1 > 0);
        for ((x, _), label) in keys.iter().zip(&labels) {
            assert!(x + 12.0 + width(label, KEY_SIZE) <= 456.0);
        }
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
    }
}
