//! Pooling: from a layer's output to one row of features per input.
//!
//! `flatten` keeps every value: D = C H W. `avg` and `max` keep one value per channel, over the spatial axes of
//! N x C x H x W or the tokens of N x T x C. A layer without such axes is the same under all three.

use std::fmt;
use std::str::FromStr;

use crate::channels::Channels;
use crate::{Choice, Layer, NetsError};

/// How a layer's output becomes a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pool {
    /// Every value.
    #[default]
    Flatten,
    /// Mean over space or tokens.
    Avg,
    /// Maximum over space or tokens.
    Max,
}

/// The poolings, for help texts.
pub static POOLS: &[Choice] = &[
    Choice { name: "flatten", summary: "every value is a feature (default, as in the paper)" },
    Choice { name: "avg", summary: "mean over space or tokens: one feature per channel" },
    Choice { name: "max", summary: "maximum over space or tokens: one feature per channel" },
];

impl Pool {
    /// The spelling in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Pool::Flatten => "flatten",
            Pool::Avg => "avg",
            Pool::Max => "max",
        }
    }

    /// Features per input that this pooling makes of a layer.
    #[must_use]
    pub fn n_features(self, layer: &Layer) -> usize {
        match self {
            Pool::Flatten => layer.n_values(),
            Pool::Avg | Pool::Max => Split::of(layer).channels,
        }
    }

    /// Pools `rows` outputs of `layer`, one after the other in `data`; `out` is scratch space.
    pub(crate) fn pooled<'a>(
        self,
        layer: &Layer,
        rows: usize,
        data: &'a [f32],
        out: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let split = Split::of(layer);
        if self == Pool::Flatten || split.places == 1 {
            return &data[..rows * layer.n_values()];
        }
        out.clear();
        for row in data.chunks_exact(layer.n_values().max(1)).take(rows) {
            for c in 0..split.channels {
                let values = (0..split.places).map(|p| row[split.at(c, p)]);
                out.push(match self {
                    // A sum of thousands of values: float64, rounded once.
                    Pool::Avg => (values.map(f64::from).sum::<f64>() / split.places as f64) as f32,
                    // A NaN must not hide behind a larger value: it is reported later.
                    _ => values.fold(f32::NEG_INFINITY, |a, b| if b.is_nan() || b > a { b } else { a }),
                });
            }
        }
        out
    }
}

/// One input's values as channels x places.
struct Split {
    channels: usize,
    places: usize,
    channels_last: bool,
}

impl Split {
    fn of(layer: &Layer) -> Self {
        let (shape, n) = (&layer.shape, layer.n_values());
        if shape.len() < 2 {
            return Split { channels: n, places: 1, channels_last: false };
        }
        let channels_last = layer.channels.unwrap_or(Channels::by_rank(shape.len() + 1)) == Channels::Last;
        let channels = if channels_last { shape[shape.len() - 1] } else { shape[0] };
        Split { channels, places: n.checked_div(channels).unwrap_or(1), channels_last }
    }

    fn at(&self, channel: usize, place: usize) -> usize {
        if self.channels_last { place * self.channels + channel } else { channel * self.places + place }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Pool {
    type Err = NetsError;

    fn from_str(text: &str) -> Result<Self, NetsError> {
        [Pool::Flatten, Pool::Avg, Pool::Max]
            .into_iter()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| NetsError::UnknownPool { found: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LayerKind;

    fn layer(shape: &[usize], channels: Option<Channels>) -> Layer {
        Layer {
            name: "l".into(),
            kind: LayerKind::Conv,
            op_type: "Conv".into(),
            value: "v".into(),
            shape: shape.to_vec(),
            channels,
            replaced_by: None,
            is_logits: false,
        }
    }

    fn pooled(pool: Pool, layer: &Layer, rows: usize, data: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        let out = pool.pooled(layer, rows, data, &mut out).to_vec();
        assert_eq!(out.len(), rows * pool.n_features(layer));
        out
    }

    #[test]
    fn means_and_maxima_over_space_and_tokens() {
        let data: Vec<f32> = (0..16).map(|v| v as f32).collect();
        let conv = layer(&[2, 2, 2], Some(Channels::First));
        assert_eq!(pooled(Pool::Avg, &conv, 2, &data), [1.5, 5.5, 9.5, 13.5]);
        assert_eq!(pooled(Pool::Max, &conv, 2, &data), [3.0, 7.0, 11.0, 15.0]);
        let tokens = layer(&[4, 2], None);
        assert_eq!(pooled(Pool::Avg, &tokens, 2, &data), [3.0, 4.0, 11.0, 12.0]);
        assert_eq!(pooled(Pool::Max, &tokens, 1, &data), [6.0, 7.0]);
        let nhwc = layer(&[2, 2, 2], Some(Channels::Last));
        assert_eq!(pooled(Pool::Avg, &nhwc, 1, &data), [3.0, 4.0]);
        let flat = layer(&[8], None);
        assert_eq!(pooled(Pool::Max, &flat, 2, &data), data);
        assert_eq!(pooled(Pool::Flatten, &conv, 1, &data), data[..8]);
    }

    #[test]
    fn a_nan_survives_the_maximum() {
        let l = layer(&[1, 1, 3], Some(Channels::First));
        assert!(pooled(Pool::Max, &l, 1, &[1.0, 2.0, f32::NAN])[0].is_nan());
    }

    #[test]
    fn names_parse_back() {
        for info in POOLS {
            assert_eq!(info.name.parse::<Pool>().unwrap().as_str(), info.name);
        }
        assert!("mean".parse::<Pool>().unwrap_err().to_string().contains("flatten, avg or max"));
    }
}
