//! When each layer settles, by depth: one row per layer, SSC-CKA above linear CKA, with intervals.

use subspect_data::dynamics::{Censored, DynamicsRecord, SettlingEpoch, SettlingRecord};

use super::axis::EpochAxis;
use crate::figure::{Anchor, Figure, Ink, Svg, fit, width};
use crate::names::LayerNames;
use crate::number::fixed;

const WIDTH: f64 = 960.0;
const TOP: f64 = 40.0;

/// Draws the biased estimators of the whole record.
pub(super) fn draw(record: &DynamicsRecord, names: &LayerNames) -> Option<Figure> {
    let of = |measure: &str| record.settling.iter().find(|s| s.measure == measure && s.estimator == "biased");
    let both = [(of("ssc_cka")?, "SSC-CKA", Ink::Blue), (of("linear_cka")?, "linear CKA", Ink::Orange)];
    let mut epochs: Vec<u64> = record.series.iter().flat_map(|s| s.epochs.iter().map(|e| e.epoch)).collect();
    epochs.sort_unstable();
    epochs.dedup();
    let n = names.len();
    let step = (420.0 / n as f64).clamp(9.0, 26.0);
    let bottom = TOP + step * n as f64;
    let left = names.short.iter().map(|s| width(s, 10.5)).fold(0.0, f64::max).min(140.0) + 18.0;
    let axis = EpochAxis::new(epochs, left, WIDTH - 24.0);
    let mut svg = Svg::new("settling", "When each layer settles", WIDTH, bottom + 42.0);
    svg.text(0.0, 16.0, "Settling epoch by depth").size(13.0).strong().fill(Ink::Text).done();
    axis.draw(&mut svg, TOP - 6.0, bottom);
    legend(&mut svg, &both);
    let every = (11.0 / step).ceil().max(1.0) as usize;
    for l in 0..n {
        let y = TOP + step * (l as f64 + 0.5);
        if l % every == 0 {
            let text = fit(&names.short[l], 10.5, 140.0);
            svg.text(left - 10.0, y + 4.0, &text).size(10.5).anchor(Anchor::End).title(&names.full[l]).done();
        }
        svg.line((left, y), (WIDTH - 24.0, y)).stroke(Ink::Grid, 0.7).done();
        for (k, (found, label, ink)) in both.iter().enumerate() {
            let place = y + (k as f64 - 0.5) * (step * 0.36);
            mark(&mut svg, &axis, &found.layers[l], place, *ink, &format!("{}, {label}", names.full[l]));
        }
    }
    Some(Figure { name: "settling".into(), title: "When each layer settles".into(), svg: svg.finish() })
}

fn legend(svg: &mut Svg, both: &[(&SettlingRecord, &str, Ink); 2]) {
    let mut x = 190.0;
    for (_, label, ink) in both {
        svg.circle((x, 12.0), 3.6).fill(*ink).done();
        svg.text(x + 9.0, 16.0, label).fill(*ink).done();
        x += width(label, 11.5) + 34.0;
    }
    if both.iter().any(|b| b.0.layers.iter().any(|s| s.censored != Censored::No)) {
        svg.circle((x, 12.0), 3.6).fill(Ink::Paper).stroke(Ink::Muted, 1.4).done();
        svg.text(x + 9.0, 16.0, "known only as a bound: by the first epoch, or not before the last").done();
    }
}

/// A point with its interval; hollow where it is only a bound.
fn mark(svg: &mut Svg, axis: &EpochAxis, s: &SettlingEpoch, y: f64, ink: Ink, label: &str) {
    let Some(epoch) = s.epoch.value() else { return };
    let mut title = format!("{label}: {}", fixed(epoch, 1));
    if let (Some(lo), Some(hi)) = (s.lo.value(), s.hi.value()) {
        title += &format!(" ({} to {})", fixed(lo, 1), fixed(hi, 1));
        svg.line((axis.at(lo), y), (axis.at(hi), y))
            .stroke(ink, 1.6)
            .attribute("stroke-opacity", "0.55")
            .done();
    }
    let point = svg.circle((axis.at(epoch), y), 3.6);
    match s.censored {
        Censored::No => point.fill(ink).stroke(Ink::Paper, 0.8).title(&title).done(),
        _ => point.fill(Ink::Paper).stroke(ink, 1.5).title(&title).done(),
    }
}
