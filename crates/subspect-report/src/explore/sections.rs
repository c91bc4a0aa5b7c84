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
    /// `u8`, `i16`, `u16`, `u32` or `f32`.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
}

/// The arrays and where they lie.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    bytes: Vec<u8>,
    pub(crate) table: BTreeMap<&'static str, Section>,
    /// Largest absolute coefficient of each kept layer: what [`FULL`] stands for.
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

    /// `layout`: kept layers x N x 2, each layer scaled to its largest coordinate.
    pub(crate) fn layouts(&mut self, files: &[LayerFiles], detail: &Detail) {
        let mut places: Vec<i16> = Vec::new();
        for &layer in &detail.layers {
            let Some(map) = &files[layer].layout else { continue };
            let top = largest(map.data());
            places.extend(map.data().iter().map(|&v| scaled(v, top)));
        }
        self.put("layout", "i16", &places, i16::to_le_bytes);
    }

    /// `near_index` (input or [`NONE`] in 16 bits, or 32 for more inputs), `near_affinity`, `near_coefficient`,
    /// `near_reverse`: kept layers x N x neighbours.
    pub(crate) fn neighbours(&mut self, files: &[LayerFiles], detail: &Detail) {
        let (mut index, mut affinity) = (Vec::<u32>::new(), Vec::<u16>::new());
        let (mut own, mut reverse) = (Vec::<i16>::new(), Vec::<i16>::new());
        let mut scales = Vec::new();
        for near in detail.layers.iter().filter_map(|&l| files[l].neighbours.as_ref()) {
            let top = largest(&near.affinity);
            scales.push(top);
            for i in 0..near.n_inputs() {
                let (start, end) = (near.indptr[i], near.indptr[i + 1]);
                for at in start..start + detail.n_neighbours {
                    let at = if at < end { Some(at) } else { None };
                    index.push(at.map_or(u32::MAX, |at| near.indices[at]));
                    affinity.push(at.map_or(0, |at| scaled(near.affinity[at], top).unsigned_abs()));
                    own.push(at.map_or(0, |at| scaled(near.coefficient[at], top)));
                    reverse.push(at.map_or(0, |at| scaled(near.reverse_coefficient[at], top)));
                }
            }
        }
        self.scales = scales;
        self.put("near_index", "u32", &index, u32::to_le_bytes);
        self.put("near_affinity", "u16", &affinity, u16::to_le_bytes);
        self.put("near_coefficient", "i16", &own, i16::to_le_bytes);
        self.put("near_reverse", "i16", &reverse, i16::to_le_bytes);
    }

    /// `shares`: kept layers x N x classes, in 1/255.
    pub(crate) fn class_affinity(&mut self, files: &[LayerFiles], detail: &Detail) {
        let mut shares: Vec<u8> = Vec::new();
        if detail.class_affinity {
            for near in detail.layers.iter().filter_map(|&l| files[l].neighbours.as_ref()) {
                shares.extend(
                    near.class_affinity.data().iter().map(|&v| (v.clamp(0.0, 1.0) * 255.0).round() as u8),
                );
            }
        }
        self.put("shares", "u8", &shares, |v| [v]);
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

fn class(class: Option<u32>) -> u16 {
    class.and_then(|c| u16::try_from(c).ok()).unwrap_or(NONE)
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |top, v| v.abs().max(top))
}

/// `value / top` in 1/[`FULL`].
fn scaled(value: f32, top: f32) -> i16 {
    if top > 0.0 { (value / top * FULL).round() as i16 } else { 0 }
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
    fn sixteen_bits_hold_the_sign_and_the_ends() {
        assert_eq!((scaled(-2.0, 2.0), scaled(2.0, 2.0), scaled(0.0, 0.0)), (-32_767, 32_767, 0));
        assert_eq!(class(Some(70_000)), NONE);
    }
}
