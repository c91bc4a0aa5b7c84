//! The axis of epochs, and panels of lines over it: one line per layer, coloured by depth and named where lines are apart.

use subspect_linalg::Measured;

use crate::figure::{Anchor, Ink, Scale, Svg, fit, spread, viridis, width};
use crate::names::LayerNames;
use crate::number::fixed;

/// Trainings at least this long have a logarithmic axis: most happens early.
const LONG: u64 = 40;
/// Most lines that are named.
const MAX_LABELS: usize = 14;
const SIZE: f64 = 10.5;

/// Where epochs stand.
#[derive(Clone)]
pub(super) struct EpochAxis {
    epochs: Vec<u64>,
    is_log: bool,
    left: f64,
    right: f64,
}

impl EpochAxis {
    pub(super) fn new(epochs: Vec<u64>, left: f64, right: f64) -> Self {
        let span = epochs.last().unwrap_or(&0) - epochs.first().unwrap_or(&0);
        EpochAxis { epochs, is_log: span >= LONG, left, right }
    }

    fn place(&self, epoch: f64) -> f64 {
        let first = *self.epochs.first().unwrap_or(&0) as f64;
        if self.is_log { (1.0 + (epoch - first).max(0.0)).ln() } else { epoch - first }
    }

    /// Horizontal place of an epoch, which may lie between two.
    pub(super) fn at(&self, epoch: f64) -> f64 {
        let end = self.place(*self.epochs.last().unwrap_or(&0) as f64).max(1e-9);
        self.left + (self.right - self.left) * self.place(epoch) / end
    }

    pub(super) fn label(&self) -> &'static str {
        if self.is_log { "epoch (logarithmic)" } else { "epoch" }
    }

    /// Epochs that are named: far enough apart, the first and the last among them.
    fn ticks(&self) -> Vec<u64> {
        let Some((&first, &last)) = self.epochs.first().zip(self.epochs.last()) else { return Vec::new() };
        let mut out = vec![first];
        let room = 30.0;
        let is_round = |e: u64| {
            let digits: u64 = 10_u64.pow(e.max(1).ilog10());
            let leads = e.is_multiple_of(digits) && [1, 2, 5].contains(&(e / digits));
            e == 0 || leads || !self.is_log && e.is_multiple_of(5)
        };
        let candidates: Vec<u64> = match self.epochs.len() <= 12 {
            true => self.epochs.clone(),
            false => (first..=last).filter(|&e| is_round(e)).collect(),
        };
        for e in candidates {
            let x = self.at(e as f64);
            let far = out.last().is_none_or(|&o| x - self.at(o as f64) >= room);
            if far && self.right - x >= room {
                out.push(e);
            }
        }
        if last > first {
            out.push(last);
        }
        out
    }

    pub(super) fn draw(&self, svg: &mut Svg, top: f64, bottom: f64) {
        for e in self.ticks() {
            let x = self.at(e as f64);
            svg.line((x, top), (x, bottom)).stroke(Ink::Grid, 1.0).done();
            svg.text(x, bottom + 16.0, &e.to_string()).size(SIZE).anchor(Anchor::Middle).done();
        }
        let middle = (self.left + self.right) / 2.0;
        svg.text(middle, bottom + 32.0, self.label()).size(SIZE).anchor(Anchor::Middle).done();
    }
}

/// Colour of layer `l` of `n`: the middle of viridis, which can be seen on paper of either theme.
pub(super) fn depth_colour(l: usize, n: usize) -> String {
    viridis(0.1 + 0.72 * l as f64 / n.saturating_sub(1).max(1) as f64)
}

/// A panel of lines.
pub(super) struct LinePanel<'a> {
    pub(super) tag: &'a str,
    pub(super) title: &'a str,
    /// One row per epoch, one value per layer.
    pub(super) values: &'a [Vec<Measured>],
    /// Epoch of every row.
    pub(super) epochs: &'a [u64],
    pub(super) range: (f64, f64),
    /// A dashed line across, if any.
    pub(super) level: Option<f64>,
    /// Names stand at the left end, where a panel's lines all meet at the right one.
    pub(super) names_left: bool,
    /// Horizontal extent, names included.
    pub(super) extent: (f64, f64),
    pub(super) top: f64,
    pub(super) height: f64,
}

impl LinePanel<'_> {
    pub(super) fn draw(&self, svg: &mut Svg, all_epochs: &[u64], names: &LayerNames) {
        let room = names.short.iter().map(|s| width(s, SIZE)).fold(0.0, f64::max).min(110.0) + 14.0;
        let (from, to) = self.extent;
        let (left, right) = if self.names_left { (from + room, to - 34.0) } else { (from + 34.0, to - room) };
        let axis = EpochAxis::new(all_epochs.to_vec(), left, right);
        let bottom = self.top + self.height;
        let scale = Scale::new(self.range, 5, (bottom, self.top));
        svg.text(from, self.top - 14.0, self.tag).size(13.0).strong().fill(Ink::Text).done();
        svg.text(from + 16.0, self.top - 14.0, self.title).size(13.0).strong().fill(Ink::Text).done();
        axis.draw(svg, self.top, bottom);
        for tick in scale.ticks() {
            let y = scale.at(tick);
            svg.line((left, y), (right, y)).stroke(Ink::Grid, 1.0).done();
            let text = fixed(tick, scale.digits());
            if self.names_left {
                svg.text(right + 6.0, y + 4.0, &text).size(SIZE).done();
            } else {
                svg.text(left - 6.0, y + 4.0, &text).size(SIZE).anchor(Anchor::End).done();
            }
        }
        if let Some(level) = self.level {
            let y = scale.at(level);
            svg.line((left, y), (right, y)).stroke(Ink::Muted, 1.0).dashed("4 3").done();
            svg.text(left + 4.0, y - 4.0, &fixed(level, 2)).size(SIZE).done();
        }
        for l in 0..names.len() {
            self.line(svg, &axis, &scale, l, names);
        }
        self.names(svg, (left, right), &scale, names);
    }

    fn line(&self, svg: &mut Svg, axis: &EpochAxis, scale: &Scale, l: usize, names: &LayerNames) {
        let colour = depth_colour(l, names.len());
        let mut run: Vec<(f64, f64)> = Vec::new();
        let mut runs = Vec::new();
        for (row, &epoch) in self.values.iter().zip(self.epochs) {
            match row[l].value() {
                Some(v) => run.push((axis.at(epoch as f64), scale.at(v))),
                None => runs.extend((!run.is_empty()).then(|| std::mem::take(&mut run))),
            }
        }
        runs.push(run);
        for points in runs.iter().filter(|r| !r.is_empty()) {
            let line = svg.polyline(points).attribute("stroke", &colour).number("stroke-width", 1.6);
            line.attribute("stroke-linejoin", "round").title(&names.full[l]).done();
            if points.len() == 1 {
                svg.circle(points[0], 2.2).attribute("fill", &colour).title(&names.full[l]).done();
            }
        }
    }

    /// Names where the lines begin, or end.
    fn names(&self, svg: &mut Svg, (left, right): (f64, f64), scale: &Scale, names: &LayerNames) {
        let at = |l: usize| {
            let mut rows: Box<dyn Iterator<Item = &Vec<Measured>>> = Box::new(self.values.iter());
            if !self.names_left {
                rows = Box::new(self.values.iter().rev());
            }
            rows.find_map(|row| row[l].value()).map(|v| scale.at(v))
        };
        let every = names.len().div_ceil(MAX_LABELS).max(1);
        let last = names.len() - 1;
        let named: Vec<(usize, f64)> = (0..names.len())
            .filter(|l| l % every == 0 && last - l >= every || *l == last)
            .filter_map(|l| Some((l, at(l)?)))
            .collect();
        let wanted: Vec<f64> = named.iter().map(|n| n.1).collect();
        let places = spread(&wanted, 13.0, self.top, self.top + self.height);
        for (&(l, y), place) in named.iter().zip(places) {
            let text = fit(&names.short[l], SIZE, 108.0);
            let (x, end, anchor) = match self.names_left {
                true => (left - 12.0, left - 1.0, Anchor::End),
                false => (right + 12.0, right + 1.0, Anchor::Start),
            };
            let near = if self.names_left { x + 3.0 } else { x - 3.0 };
            svg.polyline(&[(end, y), (near, place)]).stroke(Ink::Line, 0.8).done();
            // Text keeps the ink of text: colours of depth are too pale for letters.
            svg.text(x, place + 4.0, &text).size(SIZE).anchor(anchor).title(&names.full[l]).done();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_stand_in_order_and_long_trainings_are_logarithmic() {
        let short = EpochAxis::new((0..=10).collect(), 0.0, 100.0);
        assert_eq!((short.at(0.0), short.at(5.0), short.at(10.0)), (0.0, 50.0, 100.0));
        let long = EpochAxis::new((0..=200).collect(), 0.0, 1000.0);
        assert!(long.is_log && long.at(14.0) > 500.0 && (long.at(200.0) - 1000.0).abs() < 1e-9);
        let ticks = long.ticks();
        assert_eq!((ticks.first(), ticks.last()), (Some(&0), Some(&200)));
        assert!(ticks.windows(2).all(|w| w[0] < w[1]));
        let two = EpochAxis::new(vec![3, 4], 0.0, 100.0);
        assert_eq!(two.ticks(), [3, 4]);
    }
}
