//! The arrays of the packed data. Every array starts at a multiple of 4 bytes, little-endian.

use std::collections::BTreeMap;

use serde::Serialize;
use subspect_data::record::RunRecord;

use super::LayerFiles;
use super::detail::Detail;
use crate::sprite::Sprite;

/// Stands for no class, no tile, no neighbour.
pub(crate) const NONE: u16 = u16::MAX;
/// Largest stored coordinate and coefficient.
const FULL: f32 = 32_767.0;

/// Where an array lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Section {
    /// Bytes from the start of the arrays.
    pub(crate) offset: usize,
    /// Number of elements.
    pub(crate) length: usize,
    /// `u8`, `i8`, `i16`, `u16`, `u32` or `f32`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// The arrays and where they lie.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    bytes: Vec<u8>,
    pub(crate) table: BTreeMap<&'static str, Section>,
    /// Largest affinity of each linked layer: what [`FULL`] stands for.
    pub(crate) scales: Vec<f32>,
}

impl Sections {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn put<T: Copy, const W: usize>(
        &mut self,
        name: &'static str,
        kind: &'static str,
        values: &[T],
        to_bytes: impl Fn(T) -> [u8; W],
    ) {
        let offset = self.bytes.len();
        self.bytes.extend(values.iter().flat_map(|&v| to_bytes(v)));
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.table.insert(name, Section { offset, length: values.len(), kind });
    }

    /// `labels`, `predictions` (class or [`NONE`]) and `confidence` (in 1/65535), each N.
    pub(crate) fn inputs(&mut self, record: &RunRecord) {
        let inputs = &record.inputs;
        let classes = |of: &[u32]| -> Vec<u16> { of.iter().map(|&c| class(Some(c))).collect() };
        self.put("labels", "u16", &classes(&inputs.labels), u16::to_le_bytes);
        self.put("predictions", "u16", &classes(&inputs.predictions), u16::to_le_bytes);
        let confidence: Vec<u16> =
            inputs.confidence.iter().map(|&p| (p.clamp(0.0, 1.0) * f32::from(u16::MAX)) as u16).collect();
        self.put("confidence", "u16", &confidence, u16::to_le_bytes);
    }

    /// `votes`: all layers x N.
    pub(crate) fn votes(&mut self, record: &RunRecord) {
        let n = record.inputs.ids.len();
        let votes: Vec<u16> = record
            .layers
            .iter()
            .flat_map(|l| (0..n).map(|i| class(l.votes.get(i).copied().flatten())))
            .collect();
        self.put("votes", "u16", &votes, u16::to_le_bytes);
    }

    /// `layout`, `near_...` and `shares`: what belongs to single layers.
    pub(crate) fn layer_arrays(&mut self, files: &[LayerFiles], detail: &Detail) {
        self.layouts(files, detail);
        self.neighbours(files, detail);
        self.class_affinity(files, detail);
    }

    /// `layout`: mapped layers x N x 2, each layer scaled to its largest coordinate.
    fn layouts(&mut self, files: &[LayerFiles], detail: &Detail) {
        let mut places: Vec<f32> = Vec::new();
        for file in detail.mapped.iter().map(|&l| &files[l]) {
            let Some(map) = &file.layout else { continue };
            let top = file.reach.unwrap_or_else(|| largest(map.data()));
            places.extend(map.data().iter().map(|&v| if top > 0.0 { v / top } else { 0.0 }));
        }
        self.shares_of_full("layout", &places, detail.coarse);
    }

    /// Values between -1 and 1 in 16 bits, or in 8.
    fn shares_of_full(&mut self, name: &'static str, values: &[f32], coarse: bool) {
        if coarse {
            let values: Vec<i8> = values.iter().map(|v| (v * 127.0).round() as i8).collect();
            self.put(name, "i8", &values, i8::to_le_bytes);
        } else {
            let values: Vec<i16> = values.iter().map(|v| (v * FULL).round() as i16).collect();
            self.put(name, "i16", &values, i16::to_le_bytes);
        }
    }

    /// `near_index` (input, or all bits for none), `near_coefficient`, `near_reverse`: linked layers x N x neighbours.
    /// The affinity is the sum of the sizes of both.
    fn neighbours(&mut self, files: &[LayerFiles], detail: &Detail) {
        let mut index = Vec::<u32>::new();
        let (mut own, mut reverse) = (Vec::<f32>::new(), Vec::<f32>::new());
        for near in detail.linked.iter().filter_map(|&l| files[l].neighbours.as_ref()) {
            let top = largest(&near.affinity);
            self.scales.push(top);
            let share = |v: f32| if top > 0.0 { (v / top).clamp(-1.0, 1.0) } else { 0.0 };
            for i in 0..near.n_inputs() {
                let (start, end) = (near.indptr[i], near.indptr[i + 1]);
                for at in start..start + detail.n_neighbours {
                    let at = if at < end { Some(at) } else { None };
                    index.push(at.map_or(u32::MAX, |at| near.indices[at]));
                    own.push(at.map_or(0.0, |at| share(near.coefficient[at])));
                    reverse.push(at.map_or(0.0, |at| share(near.reverse_coefficient[at])));
                }
            }
        }
        if index.iter().all(|&i| i < u32::from(NONE) || i == u32::MAX) {
            let index: Vec<u16> = index.into_iter().map(|i| u16::try_from(i).unwrap_or(NONE)).collect();
            self.put("near_index", "u16", &index, u16::to_le_bytes);
        } else {
            self.put("near_index", "u32", &index, u32::to_le_bytes);
        }
        self.shares_of_full("near_coefficient", &own, detail.coarse);
        self.shares_of_full("near_reverse", &reverse, detail.coarse);
    }

    /// `shares`: linked layers x N x classes, in 1/255.
    fn class_affinity(&mut self, files: &[LayerFiles], detail: &Detail) {
        let mut shares: Vec<u8> = Vec::new();
        if detail.class_affinity {
            for near in detail.linked.iter().filter_map(|&l| files[l].neighbours.as_ref()) {
                shares.extend(near.class_affinity.data().iter().map(|&v| eighth(v, detail.coarse)));
            }
        }
        self.put("shares", "u8", &shares, |v| [v]);
    }

    /// `label_share` and `choice_share`: all layers x N, the share of an input's affinity on its own class and on the
    /// network's choice in 1/255; where not all layers are linked, so that the way of an input through the layers can
    /// be drawn all the same.
    pub(crate) fn paths(&mut self, record: &RunRecord, files: &[LayerFiles], detail: &Detail) {
        let is_wanted = detail.linked.len() < files.len() && files.iter().all(|f| f.neighbours.is_some());
        let of = |classes: &[u32], is_wanted: bool| -> Vec<u8> {
            let near = files.iter().filter_map(|f| f.neighbours.as_ref()).filter(|_| is_wanted);
            near.flat_map(|near| {
                classes.iter().enumerate().map(|(i, &c)| (&near.class_affinity, i, c as usize))
            })
            .map(|(of, i, c)| if c < of.n_cols() { of.row(i)[c] } else { 0.0 })
            .map(|share| eighth(share, !detail.choices))
            .collect()
        };
        let inputs = &record.inputs;
        self.put("label_share", "u8", &of(&inputs.labels, is_wanted), |v| [v]);
        self.put("choice_share", "u8", &of(&inputs.predictions, is_wanted && detail.choices), |v| [v]);
    }

    /// `scores`: scores x N, NaN where a score is undefined.
    pub(crate) fn scores(&mut self, record: &RunRecord) {
        let n = record.inputs.ids.len();
        let values: Vec<f32> = record
            .scores
            .iter()
            .flat_map(|s| {
                (0..n).map(|i| s.values.get(i).and_then(|v| v.value()).map_or(f32::NAN, |v| v as f32))
            })
            .collect();
        self.put("scores", "f32", &values, f32::to_le_bytes);
    }

    /// `tiles`: place of each input's picture in the sprite, or [`NONE`].
    pub(crate) fn tiles(&mut self, sprite: &Sprite, n_inputs: usize) {
        let tiles: Vec<u16> = (0..n_inputs)
            .map(|i| sprite.place(i).and_then(|k| u16::try_from(k).ok()).unwrap_or(NONE))
            .collect();
        self.put("tiles", "u16", &tiles, u16::to_le_bytes);
    }
}

/// A share in 1/255; coarse ones in steps of 1/15, which take half the room when they are compressed.
fn eighth(share: f32, coarse: bool) -> u8 {
    let steps = if coarse { 15.0 } else { 255.0 };
    ((share.clamp(0.0, 1.0) * steps).round() * (255.0 / steps)) as u8
}

fn class(class: Option<u32>) -> u16 {
    class.and_then(|c| u16::try_from(c).ok()).unwrap_or(NONE)
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |top, v| v.abs().max(top))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_aligned_and_found_again() {
        let mut s = Sections::default();
        s.put("a", "u8", &[1_u8, 2, 3], |v| [v]);
        s.put("b", "u16", &[7_u16], u16::to_le_bytes);
        assert_eq!(s.bytes(), [1, 2, 3, 0, 7, 0, 0, 0]);
        assert_eq!(s.table["b"], Section { offset: 4, length: 1, kind: "u16" });
    }

    #[test]
    fn few_bits_hold_the_sign_and_the_ends() {
        let mut s = Sections::default();
        s.shares_of_full("fine", &[-1.0, 1.0], false);
        s.shares_of_full("coarse", &[-1.0, 1.0], true);
        assert_eq!(s.bytes(), [1, 0x80, 0xff, 0x7f, 0x81, 0x7f, 0, 0]);
        assert_eq!(class(Some(70_000)), NONE);
    }
}
