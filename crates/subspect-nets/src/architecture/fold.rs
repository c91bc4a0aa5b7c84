//! Batch normalisation folded into the convolution before it, as exporters do for networks that are not trained on.
//!
//! With `s = scale / sqrt(variance + epsilon)` the weights of an output channel become `s w` and its constant
//! `(b - mean) s + shift`.

use std::collections::BTreeMap;

use super::{Architecture, BATCH_NORM_EPSILON, Node, Op};
use crate::weights::Weights;

/// For each convolution that is read by a batch normalisation and by nothing else, the position of that normalisation.
pub(super) fn foldable(architecture: &Architecture) -> BTreeMap<usize, usize> {
    let nodes = &architecture.nodes;
    let readers = |i: usize| nodes.iter().filter(|n| n.inputs.contains(&i)).count();
    let mut found = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let (Op::BatchNorm { .. }, &[x]) = (node.op, node.inputs.as_slice()) else { continue };
        if matches!(nodes[x].op, Op::Conv { .. }) && readers(x) == 1 {
            found.insert(x, at);
        }
    }
    found
}

/// Weights and constants of a convolution with the normalisation folded in. `None` when a tensor is missing.
pub(super) fn fold(conv: &Node, norm: &Node, weights: &Weights) -> Option<(Vec<f32>, Vec<f32>)> {
    let of_norm = |suffix: &str| weights.values(&format!("{}.{suffix}", norm.name));
    let (scale, shift) = (of_norm("weight")?, of_norm("bias")?);
    let (mean, variance) = (of_norm("running_mean")?, of_norm("running_var")?);
    let kernel = weights.values(&format!("{}.weight", conv.name))?;
    let bias = weights.values(&format!("{}.bias", conv.name));
    let factor: Vec<f64> = scale
        .iter()
        .zip(variance)
        .map(|(&s, &v)| f64::from(s) / (f64::from(v) + f64::from(BATCH_NORM_EPSILON)).sqrt())
        .collect();
    let per_channel = kernel.len() / factor.len().max(1);
    let folded = kernel
        .chunks(per_channel.max(1))
        .zip(&factor)
        .flat_map(|(channel, f)| channel.iter().map(move |&w| (f64::from(w) * f) as f32))
        .collect();
    let constant = (0..factor.len())
        .map(|c| {
            let b = bias.map_or(0.0, |b| f64::from(b[c]));
            ((b - f64::from(mean[c])) * factor[c] + f64::from(shift[c])) as f32
        })
        .collect();
    Some((folded, constant))
}
