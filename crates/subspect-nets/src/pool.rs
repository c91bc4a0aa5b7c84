//! Pooling: from a layer's output to one row of features per input.
//!
//! `flatten` keeps every value: D = C H W. `avg`, `mean` and `max` keep one value per channel, over the spatial axes of
//! N x C x H x W or the tokens of N x T x C; `cls` and `last` keep one token of N x T x C. Padding, as an attention
//! mask tells it, takes no part in any of them but `flatten`: with mask m, `mean` is `sum_t m_t x_t / sum_t m_t`, `cls`
//! and `last` are the first and the last position with m_t = 1. A layer without such axes is the same under all.

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
    /// The first token.
    Cls,
    /// Mean over tokens or space: another name of [`Pool::Avg`], kept apart so that records say what was asked for.
    Mean,
    /// The last token.
    Last,
}

/// The poolings, for help texts.
pub static POOLS: &[Choice] = &[
    Choice { name: "flatten", summary: "every value is a feature (default, as in the paper)" },
    Choice { name: "avg", summary: "mean over space or tokens: one feature per channel" },
    Choice { name: "max", summary: "maximum over space or tokens: one feature per channel" },
    Choice { name: "cls", summary: "the first token, as BERT's classifiers take it" },
    Choice { name: "mean", summary: "mean over the tokens that the attention mask keeps; the same as avg" },
    Choice { name: "last", summary: "the last token that the attention mask keeps" },
];

impl Pool {
    /// The spelling in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Pool::Flatten => "flatten",
            Pool::Avg => "avg",
            Pool::Max => "max",
            Pool::Cls => "cls",
            Pool::Mean => "mean",
            Pool::Last => "last",
        }
    }

    const ALL: [Pool; 6] = [Pool::Flatten, Pool::Avg, Pool::Max, Pool::Cls, Pool::Mean, Pool::Last];

    /// Refuses to take one token where there are none.
    ///
    /// # Errors
    /// [`NetsError::PoolNeedsTokens`].
    pub fn check(self, layer: &Layer) -> Result<(), NetsError> {
        let has_tokens = layer.token_axis.is_some() || layer.shape.len() < 2 || {
            layer.shape.len() == 2 && Split::of(layer).outer == 1
        };
        match self {
            Pool::Cls | Pool::Last if !has_tokens => Err(NetsError::PoolNeedsTokens {
                pool: self.as_str(),
                layer: layer.name.clone(),
                shape: layer.describe_shape(),
            }),
            _ => Ok(()),
        }
    }

    /// Features per input that this pooling makes of a layer.
    #[must_use]
    pub fn n_features(self, layer: &Layer) -> usize {
        match self {
            Pool::Flatten => layer.n_values(),
            _ => Split::of(layer).n_channels(),
        }
    }

    /// Pools `rows` outputs of `layer`, one after the other in `data`; `mask` tells for each of their tokens whether it
    /// counts; `out` is scratch space.
    pub(crate) fn pooled<'a>(
        self,
        layer: &Layer,
        rows: usize,
        data: &'a [f32],
        mask: Option<&[bool]>,
        out: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let split = Split::of(layer);
        if self == Pool::Flatten || split.places == 1 {
            return &data[..rows * layer.n_values()];
        }
        out.clear();
        let mask = mask.filter(|_| layer.token_axis.is_some());
        let mut places: Vec<usize> = (0..split.places).collect();
        for (i, row) in data.chunks_exact(layer.n_values().max(1)).take(rows).enumerate() {
            if let Some(mask) = mask.and_then(|m| m.get(i * split.places..(i + 1) * split.places)) {
                places.clear();
                places.extend((0..split.places).filter(|&p| mask[p]));
            }
            match self {
                Pool::Cls => places.truncate(1),
                Pool::Last => drop(places.drain(..places.len().saturating_sub(1))),
                _ => {}
            }
            self.pool_row(&split, &places, row, out);
            if mask.is_none() {
                places.clear();
                places.extend(0..split.places);
            }
        }
        out
    }

    fn pool_row(self, split: &Split, places: &[usize], row: &[f32], out: &mut Vec<f32>) {
        for (outer, inner) in (0..split.outer).flat_map(|o| (0..split.inner).map(move |i| (o, i))) {
            let values = places.iter().map(|&p| row[(outer * split.places + p) * split.inner + inner]);
            out.push(match self {
                // A NaN must not hide behind a larger value: it is reported later.
                Pool::Max => values.fold(f32::NEG_INFINITY, |a, b| if b.is_nan() || b > a { b } else { a }),
                // A sum of thousands of values: float64, rounded once.
                _ => (values.map(f64::from).sum::<f64>() / places.len() as f64) as f32,
            });
        }
    }
}

/// One input's values as outer x places x inner; outer x inner are the channels.
struct Split {
    outer: usize,
    places: usize,
    inner: usize,
}

impl Split {
    fn of(layer: &Layer) -> Self {
        let (shape, n) = (&layer.shape, layer.n_values());
        if let Some(axis) = layer.token_axis {
            let (outer, inner) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
            return Split { outer, places: shape[axis], inner };
        }
        if shape.len() < 2 {
            return Split { outer: n, places: 1, inner: 1 };
        }
        let channels_last = layer.channels.unwrap_or(Channels::by_rank(shape.len() + 1)) == Channels::Last;
        let channels = if channels_last { shape[shape.len() - 1] } else { shape[0] };
        let places = n.checked_div(channels).unwrap_or(1);
        if channels_last {
            Split { outer: 1, places, inner: channels }
        } else {
            Split { outer: channels, places, inner: 1 }
        }
    }

    fn n_channels(&self) -> usize {
        self.outer * self.inner
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
        Pool::ALL
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
            is_tap: false,
            is_output: false,
            token_axis: None,
        }
    }

    fn pooled(pool: Pool, layer: &Layer, rows: usize, data: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        let out = pool.pooled(layer, rows, data, None, &mut out).to_vec();
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
    fn padding_takes_no_part() {
        // Two inputs of three tokens of two features, padded on the right and on the left.
        let data = [1.0, 2.0, 3.0, 4.0, 9.0, 9.0, 9.0, 9.0, 5.0, 6.0, 7.0, 8.0];
        let mask = [true, true, false, false, true, true];
        let tokens = Layer { token_axis: Some(0), ..layer(&[3, 2], None) };
        let expected = [
            (Pool::Mean, [2.0, 3.0, 6.0, 7.0]),
            (Pool::Avg, [2.0, 3.0, 6.0, 7.0]),
            (Pool::Max, [3.0, 4.0, 7.0, 8.0]),
            (Pool::Cls, [1.0, 2.0, 5.0, 6.0]),
            (Pool::Last, [3.0, 4.0, 7.0, 8.0]),
        ];
        for (pool, values) in expected {
            let mut out = Vec::new();
            assert_eq!(pool.pooled(&tokens, 2, &data, Some(&mask), &mut out), values, "{pool}");
        }
        assert_eq!(pooled(Pool::Last, &tokens, 2, &data), [9.0, 9.0, 7.0, 8.0]);
        // Heads x tokens x features.
        let heads = Layer { token_axis: Some(1), ..layer(&[2, 3, 1], None) };
        let values = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let mut out = Vec::new();
        assert_eq!(Pool::Mean.pooled(&heads, 1, &values, Some(&mask[..3]), &mut out), [1.5, 3.5]);
    }

    #[test]
    fn one_token_needs_tokens() {
        let conv = layer(&[2, 4, 4], Some(Channels::First));
        let e = Pool::Cls.check(&conv).unwrap_err().to_string();
        assert!(e.contains("layer l of 2x4x4 has no tokens"), "{e}");
        for fits in [layer(&[8], None), layer(&[5, 8], Some(Channels::Last))] {
            assert!(Pool::Last.check(&fits).is_ok());
        }
        assert!(Pool::Max.check(&conv).is_ok());
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
        assert!("median".parse::<Pool>().unwrap_err().to_string().contains("expected flatten, avg, max"));
    }
}
