//! Class x class share of the affinity mass, in the first and in the deepest layer.
//!
//! Row c says where the affinity of class c's inputs goes; rows sum to 100 %. The colour is one hue whose opacity
//! is the share, so the map reads the same on light and on dark paper, and the number stands in the cell.

use subspect_data::record::LayerRecord;

use super::svg::{Anchor, Ink, Svg};
use super::text::{fit, width};
use super::{Figure, FigureInfo};
use crate::context::Context;
use crate::names::class_name;
use crate::number::fixed;

pub(super) const INFO: FigureInfo =
    FigureInfo { name: "class_affinity", title: "Affinity between classes", draw: draw_first_and_last };

/// With more classes the numbers are illegible and the map says little: the page says so instead.
pub(crate) const MAX_CLASSES: usize = 40;
const WIDTH: f64 = 480.0;
const MAX_LABEL: f64 = 112.0;
const LABEL_SIZE: f64 = 11.0;

fn draw_first_and_last(context: &Context<'_>) -> Vec<Figure> {
    let layers = &context.record.layers;
    let shown = |l: &&LayerRecord| (1..=MAX_CLASSES).contains(&l.class_affinity.len());
    let last = layers.iter().rposition(|l| shown(&l));
    let first = layers.iter().position(|l| shown(&l)).filter(|f| Some(*f) != last);
    let pair = [(first, "class_affinity-first"), (last, "class_affinity")];
    pair.into_iter().filter_map(|(i, name)| Some(draw(context, &layers[i?], name))).collect()
}

fn draw(context: &Context<'_>, layer: &LayerRecord, name: &str) -> Figure {
    let n = layer.class_affinity.len();
    let labels: Vec<String> = (0..n).map(|c| class_name(context.record, c as u32)).collect();
    let longest = labels.iter().map(|l| width(l, LABEL_SIZE)).fold(0.0, f64::max).min(MAX_LABEL);
    let left = longest + 12.0;
    // Column labels slant while there is room, and the last one then leans out to the right.
    let slanted = (WIDTH - left - longest * 0.72 - 4.0) / n as f64 >= 15.0;
    let (rise, lean) =
        if slanted { (longest * 0.72 + 8.0, longest * 0.72 + 4.0) } else { (longest + 2.0, 12.0) };
    let top = 34.0 + rise;
    let side = WIDTH - left - lean;
    let cell = side / n as f64;
    let title = format!("Affinity between classes in {}", layer.name);
    let mut svg = Svg::new(name, &title, WIDTH, top + side + 46.0);
    let heading = fit(&layer.name, 13.0, WIDTH - left);
    svg.text(left, 18.0, &heading).size(13.0).strong().fill(Ink::Text).done();
    let hatch = svg.hatch();
    let size = LABEL_SIZE.min(cell * 0.85).max(7.5);
    for (c, label) in labels.iter().enumerate() {
        let text = fit(label, size, MAX_LABEL);
        let y = top + cell * (c as f64 + 0.5) + size * 0.36;
        svg.text(left - 7.0, y, &text).size(size).anchor(Anchor::End).title(label).done();
        let (x, y) = (left + cell * (c as f64 + 0.5) + size * 0.33, top - 7.0);
        svg.text(x, y, &text)
            .size(size)
            .rotate(if slanted { -45.0 } else { -90.0 }, x, y)
            .title(label)
            .done();
    }
    // Shares below 0.05 % are the background; a map of many classes is mostly that.
    svg.rect(left, top, side, side).fill(Ink::Blue).opacity(opacity(0.0)).done();
    for (c, row) in layer.class_affinity.iter().enumerate() {
        let y = top + cell * c as f64;
        if row.iter().sum::<f64>() <= 0.0 {
            let title = format!("{}: empty_graph, no edges", labels[c]);
            svg.rect(left, y, side, cell).attribute("fill", &hatch).title(&title).done();
            continue;
        }
        for (d, &share) in row.iter().enumerate() {
            if share < 0.0005 {
                continue;
            }
            let title = format!("{} \u{2192} {}: {} %", labels[c], labels[d], fixed(100.0 * share, 1));
            draw_cell(&mut svg, (left + cell * d as f64, y), cell, share, &title);
        }
    }
    for i in 1..n {
        let at = cell * i as f64;
        svg.line((left + at, top), (left + at, top + side)).stroke(Ink::Paper, gap(cell)).done();
        svg.line((left, top + at), (left + side, top + at)).stroke(Ink::Paper, gap(cell)).done();
    }
    svg.rect(left, top, side, side).attribute("fill", "none").stroke(Ink::Line, 0.8).done();
    draw_key(&mut svg, left, top + side + 14.0);
    Figure { name: name.into(), title, svg: svg.finish() }
}

fn draw_cell(svg: &mut Svg, (x, y): (f64, f64), cell: f64, share: f64, title: &str) {
    svg.rect(x, y, cell, cell).fill(Ink::Blue).opacity(opacity(share)).title(title).done();
    if cell >= 17.0 && share >= 0.005 {
        let ink = if share > 0.5 { Ink::OnBlue } else { Ink::Text };
        let text = fixed(100.0 * share, 0);
        let size = (cell * 0.36).clamp(7.5, 11.0);
        let text =
            svg.text(x + cell / 2.0, y + cell / 2.0 + size * 0.36, &text).size(size).anchor(Anchor::Middle);
        text.fill(ink).attribute("pointer-events", "none").done();
    }
}

fn gap(cell: f64) -> f64 {
    if cell > 20.0 { 1.5 } else { 0.6 }
}

/// The smallest share is not quite invisible, so that the map is seen as an area.
fn opacity(share: f64) -> f64 {
    (0.03 + 0.97 * share).clamp(0.0, 1.0)
}

fn draw_key(svg: &mut Svg, left: f64, y: f64) {
    for k in 0..=4 {
        let share = f64::from(k) / 4.0;
        let x = left + 34.0 * f64::from(k);
        svg.rect(x, y, 33.0, 8.0).fill(Ink::Blue).opacity(opacity(share)).done();
        svg.text(x + 16.5, y + 21.0, &fixed(100.0 * share, 0)).size(10.0).anchor(Anchor::Middle).done();
    }
    svg.text(left + 180.0, y + 8.5, "% of the row\u{2019}s affinity").size(10.5).fill(Ink::Text).done();
}
