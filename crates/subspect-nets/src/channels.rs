//! Which axis holds the channels, so that pooling averages over the others.
//!
//! Convolutions put channels first (N x C x spatial), matrix products and layer normalisation last
//! (N x tokens x C); a transposition can turn one into the other, and other operators (reshapes
//! among them: N x C x H x W becomes N x C x HW) keep the axis. A value that nothing tells about follows its rank: first for pictures (4 axes and more), last for tokens (3).

use std::collections::BTreeMap;

use crate::structure::{Node, Structure};

/// Place of the channels behind the batch axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Directly behind the batch axis.
    First,
    /// The last axis.
    Last,
}

impl Channels {
    /// The guess for a value of `rank` axes, the batch axis among them.
    #[must_use]
    pub fn by_rank(rank: usize) -> Self {
        if rank == 3 { Channels::Last } else { Channels::First }
    }
}

/// The channel axis of every value that the graph tells about.
pub(crate) fn channel_axes(structure: &Structure) -> BTreeMap<&str, Channels> {
    let mut axes: BTreeMap<&str, Channels> = BTreeMap::new();
    for node in &structure.nodes {
        let inherited = node.inputs.iter().find_map(|v| axes.get(v.as_str()).copied());
        if let Some(axis) = axis_after(node, inherited) {
            for v in &node.outputs {
                axes.insert(v, axis);
            }
        }
    }
    axes
}

fn axis_after(node: &Node, inherited: Option<Channels>) -> Option<Channels> {
    match node.op_type.as_str() {
        "Conv"
        | "ConvTranspose"
        | "BatchNormalization"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "LRN"
        | "MaxPool"
        | "AveragePool"
        | "GlobalAveragePool"
        | "GlobalMaxPool" => Some(Channels::First),
        "MatMul"
        | "LayerNormalization"
        | "SkipLayerNormalization"
        | "RMSNormalization"
        | "SimplifiedLayerNormalization" => Some(Channels::Last),
        "Transpose" => transposed(&node.perm, inherited),
        "Gather" | "Shape" => None,
        _ => inherited,
    }
}

fn transposed(perm: &[i64], before: Option<Channels>) -> Option<Channels> {
    let (last, rank) = (perm.len().checked_sub(1)?, perm.len());
    let before = before.unwrap_or(Channels::by_rank(rank));
    let axis = match before {
        Channels::First => 1,
        Channels::Last => last as i64,
    };
    match perm.iter().position(|&p| p == axis)? {
        1 => Some(Channels::First),
        at if at == last => Some(Channels::Last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transpositions_move_the_axis() {
        assert_eq!(transposed(&[0, 2, 3, 1], None), Some(Channels::Last));
        assert_eq!(transposed(&[0, 3, 1, 2], Some(Channels::Last)), Some(Channels::First));
        assert_eq!(transposed(&[0, 2, 1], Some(Channels::First)), Some(Channels::Last));
        assert_eq!(transposed(&[0, 1, 3, 2], None), Some(Channels::First));
        assert_eq!(transposed(&[], None), None);
    }
}
