//! Residual blocks: additions of two branches, and the convolution whose place the block's output takes.
//!
//! In the 2021 paper a block's last convolution stands for the block: it is taken after the residual addition. An `Add` of two values that both
//! depend on the input is a block when at least one of them comes from a convolution or a matrix product through
//! operators that only pass it on (normalisation, scaling, transposition, activation, ...). Of two such branches
//! the one with more weighted operators on its longest path is the main one, so a 1x1 shortcut convolution stays a
//! layer of its own.
//!
//! The block's output is what its module returns: where a single activation follows the addition (ResNet), the
//! value after it; where the sum goes on unchanged (pre-activation networks, transformers), the sum.

use std::collections::BTreeMap;

use crate::kind::{is_activation, is_norm, is_weighted};
use crate::structure::Structure;

/// A residual addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The last weighted node of the main branch.
    pub(crate) main: usize,
    /// Whether the block's output replaces it: nothing but normalisation and scaling lies between them.
    pub(crate) replaces: bool,
    /// The activation that ends the block, if it is all that reads the sum.
    pub(crate) activation: Option<usize>,
}

/// The blocks of a graph, by the node of their addition.
pub(crate) fn find_blocks(structure: &Structure) -> BTreeMap<usize, Block> {
    let depth = weighted_depth(structure);
    let mut blocks = BTreeMap::new();
    for (i, node) in structure.nodes.iter().enumerate() {
        if !matches!(node.op_type.as_str(), "Add" | "Sum") {
            continue;
        }
        let operands = structure.active_inputs(i);
        if operands.len() < 2 {
            continue;
        }
        let branches = operands.iter().filter_map(|v| branch_end(structure, v));
        // The first of equally deep branches: exporters write `out + shortcut(x)`.
        let main = branches.fold(None, |best: Option<Branch>, b| match best {
            Some(a) if depth[a.node] >= depth[b.node] => Some(a),
            _ => Some(b),
        });
        if let Some(main) = main {
            let activation = final_activation(structure, i);
            blocks.insert(i, Block { main: main.node, replaces: !main.through_activation, activation });
        }
    }
    blocks
}

/// The one activation that reads the sum and is all that reads it.
fn final_activation(structure: &Structure, add: usize) -> Option<usize> {
    let sum = structure.nodes[add].outputs.first()?;
    let [next] = structure.consumers_of(sum) else { return None };
    (is_activation(&structure.nodes[*next].op_type) && !structure.is_output(sum)).then_some(*next)
}

/// Weighted operators on the longest path from the input to each node, the node itself among them.
fn weighted_depth(structure: &Structure) -> Vec<usize> {
    let mut depth = vec![0; structure.nodes.len()];
    for i in 0..structure.nodes.len() {
        let operands = structure.active_inputs(i);
        let before = operands.iter().filter_map(|v| structure.producer_of(v)).map(|p| depth[p]).max();
        depth[i] = before.unwrap_or(0) + usize::from(is_weighted(structure, i));
    }
    depth
}

struct Branch {
    node: usize,
    through_activation: bool,
}

/// Follows one operand back to the weighted operator that it comes from.
fn branch_end(structure: &Structure, value: &str) -> Option<Branch> {
    let (mut value, mut through_activation) = (value.to_owned(), false);
    loop {
        let at = structure.producer_of(&value)?;
        if is_weighted(structure, at) {
            return Some(Branch { node: at, through_activation });
        }
        let active = structure.active_inputs(at);
        let op = structure.nodes[at].op_type.as_str();
        let next = match op {
            "Mul" if active.len() == 2 => gated(structure, active[0], active[1], &mut through_activation),
            "Add" | "Sub" | "Mul" | "Div" if active.len() == 1 => active[0],
            "Identity" | "Dropout" | "Cast" | "Transpose" | "Reshape" | "Flatten" | "Squeeze"
            | "Unsqueeze" | "QuantizeLinear" | "DequantizeLinear" => *active.first()?,
            op if is_norm(op) => *active.first()?,
            op if is_activation(op) => {
                through_activation = true;
                *active.first()?
            }
            _ => return None,
        };
        value = next.to_owned();
    }
}

/// Of `x * gate` the value that is gated. `x * sigmoid(x)` is the activation SiLU.
fn gated<'a>(structure: &Structure, a: &'a str, b: &'a str, through_activation: &mut bool) -> &'a str {
    let is_gate = |v: &str| structure.producer_of(v).filter(|&p| is_activation(&structure.nodes[p].op_type));
    let (value, gate) = if is_gate(a).is_some() && is_gate(b).is_none() { (b, a) } else { (a, b) };
    if let Some(gate) = is_gate(gate) {
        *through_activation |= structure.nodes[gate].inputs.first().is_some_and(|v| v == value);
    }
    value
}
