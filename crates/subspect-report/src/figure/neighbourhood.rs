//! One input with its strongest neighbours in a layer, as pictures with signed coefficients, and how its affinity is
//! shared among the classes.
//!
//! The number below a neighbour is `C_ij`, its weight in the input's own expression; an arrow stands for a neighbour
//! that only uses the input itself, with its weight `C_ji`. Colours follow a class's part in the story: that of the
//! label, that of the network's prediction, or another.

use base64::Engine as _;
use subspect_data::file_stem;
use subspect_data::record::{NeighbourRecord, NeighbourhoodRecord};

use super::Figure;
use super::svg::{Anchor, Ink, Svg};
use super::text::fit;
use crate::context::Context;
use crate::number::fixed;
use crate::panel::{Card, card};

const WIDTH: f64 = 960.0;
const TOP: f64 = 58.0;
const SUBJECT: f64 = 150.0;
/// Side of a neighbour's picture, and what it takes with its texts.
const TILE: f64 = 76.0;
const CELL: (f64, f64) = (94.0, 122.0);
const COLUMNS: usize = 5;
/// Most neighbours.
const MAX: usize = 2 * COLUMNS;
const LEFT: f64 = 196.0;
const BARS: f64 = 700.0;

/// Draws an input's neighbourhood; `picture` gives an input's picture as PNG.
pub(crate) fn draw(
    context: &Context<'_>,
    near: &NeighbourhoodRecord,
    picture: &dyn Fn(usize) -> Option<Vec<u8>>,
) -> Figure {
    let card = card(context, near);
    let n_rows = near.neighbours.len().min(MAX).div_ceil(COLUMNS).max(1);
    let bars = 24.0 * card.bars.len() as f64;
    let height = TOP + (CELL.1 * n_rows as f64).max(SUBJECT + 40.0).max(bars + 44.0);
    let title = format!("Neighbours of input {} in {}", card.id, card.layer);
    let mut svg = Svg::new("neighbourhood", &title, WIDTH, height);
    heading(&mut svg, &card);
    image(&mut svg, (12.0, TOP), SUBJECT, picture(near.input), &card.id);
    svg.text(12.0, TOP + SUBJECT + 17.0, &fit(&format!("input {}", card.id), 11.0, SUBJECT))
        .size(11.0)
        .done();
    for (k, n) in near.neighbours.iter().take(MAX).enumerate() {
        let at = (LEFT + CELL.0 * (k % COLUMNS) as f64, TOP + CELL.1 * (k / COLUMNS) as f64);
        let about = &card.neighbours[k];
        image(&mut svg, at, TILE, picture(n.input), &about.id);
        let ink = ink(about.role);
        svg.rect(at.0, at.1 + TILE, TILE, 3.0).fill(ink).done();
        let middle = at.0 + TILE / 2.0;
        svg.text(middle, at.1 + TILE + 17.0, &weight(n))
            .size(11.5)
            .strong()
            .anchor(Anchor::Middle)
            .fill(Ink::Text)
            .done();
        let class = fit(&about.class, 10.5, CELL.0 - 4.0);
        svg.text(middle, at.1 + TILE + 31.0, &class)
            .size(10.5)
            .anchor(Anchor::Middle)
            .fill(text_ink(ink))
            .done();
    }
    if near.neighbours.is_empty() {
        svg.text(LEFT, TOP + 20.0, "empty_graph: this input has no neighbours here").size(11.5).done();
    }
    draw_bars(&mut svg, &card);
    let name = format!("neighbourhood-{}-{}", file_stem(&card.id), file_stem(&card.layer));
    Figure { name, title, svg: svg.finish() }
}

fn heading(svg: &mut Svg, card: &Card) {
    let title = format!("Input {} in {}", card.id, card.layer);
    svg.text(12.0, 18.0, &fit(&title, 13.0, WIDTH - 24.0)).size(13.0).strong().fill(Ink::Text).done();
    let confidence =
        if card.confidence.is_empty() { String::new() } else { format!(", confidence {}", card.confidence) };
    let line = format!("label {}, network {}{confidence}. {}", card.label, card.prediction, card.verdict);
    svg.text(12.0, 36.0, &fit(&line, 11.5, WIDTH - 24.0)).size(11.5).done();
}

/// The coefficient with its sign, or an arrow and the reverse one.
fn weight(near: &NeighbourRecord) -> String {
    match near.coefficient {
        c if c > 0.0 => format!("+{}", fixed(c, 3)),
        c if c < 0.0 => fixed(c, 3),
        _ => format!("\u{2190} {}", fixed(near.reverse_coefficient, 3)),
    }
}

fn ink(role: &str) -> Ink {
    match role {
        "label" => Ink::Blue,
        "prediction" => Ink::Orange,
        _ => Ink::Line,
    }
}

/// Lines are too light for text.
fn text_ink(ink: Ink) -> Ink {
    if ink == Ink::Line { Ink::Muted } else { ink }
}

/// A picture, or a field with the id where there is none.
fn image(svg: &mut Svg, (x, y): (f64, f64), side: f64, png: Option<Vec<u8>>, id: &str) {
    let Some(png) = png else {
        svg.rect(x, y, side, side).fill(Ink::Grid).done();
        svg.text(x + side / 2.0, y + side / 2.0 + 4.0, &fit(id, 10.5, side - 8.0))
            .size(10.5)
            .anchor(Anchor::Middle)
            .done();
        return;
    };
    let data = base64::engine::general_purpose::STANDARD.encode(png);
    let image =
        svg.element("image").number("x", x).number("y", y).number("width", side).number("height", side);
    let image =
        image.attribute("preserveAspectRatio", "xMidYMid meet").attribute("image-rendering", "optimizeSpeed");
    image.attribute("href", &format!("data:image/png;base64,{data}")).title(&format!("input {id}")).done();
}

fn draw_bars(svg: &mut Svg, card: &Card) {
    let (label_end, track) = (BARS + 92.0, 116.0);
    if !card.bars.is_empty() {
        svg.text(BARS, TOP + 8.0, "share of its affinity").size(10.5).done();
    }
    for (k, bar) in card.bars.iter().enumerate() {
        let y = TOP + 20.0 + 24.0 * k as f64;
        let ink = ink(bar.role);
        let share: f64 = bar.width.parse().unwrap_or(0.0);
        let name = fit(&bar.class, 11.0, label_end - BARS);
        svg.text(label_end - 8.0, y + 11.0, &name).size(11.0).anchor(Anchor::End).fill(text_ink(ink)).done();
        svg.rect(label_end, y, track, 14.0).fill(Ink::Grid).done();
        svg.rect(label_end, y, track * share / 100.0, 14.0).fill(ink).done();
        let text = if bar.is_vote { format!("{} vote", bar.share) } else { bar.share.clone() };
        svg.text(label_end + track + 6.0, y + 11.0, &text).size(11.0).fill(Ink::Text).done();
    }
    if let Some(others) = &card.others {
        svg.text(label_end, TOP + 32.0 + 24.0 * card.bars.len() as f64, others).size(10.5).done();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coefficient_keeps_its_sign_and_an_arrow_says_who_uses_whom() {
        let near = |coefficient, reverse_coefficient| NeighbourRecord {
            input: 0,
            affinity: 1.0,
            coefficient,
            reverse_coefficient,
        };
        assert_eq!(weight(&near(0.25, 0.0)), "+0.250");
        assert_eq!(weight(&near(-0.25, 0.5)), "\u{2212}0.250");
        assert_eq!(weight(&near(0.0, -0.5)), "\u{2190} \u{2212}0.500");
    }
}
