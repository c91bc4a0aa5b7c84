//! Residual blocks: additions of two branches, and the convolution whose place the block's output takes.
//!
//! In the 2021 paper a block's last convolution stands for the block: it is taken after the residual addition. An `Add` of two values that both
//! depend on the input is a block when at least one of them comes from a convolution or a matrix product through
//! operators that only pass it on (normalisation, scaling, transposition, activation, ...). Of two such branches
//! the one with more weighted operators on its longest path is the main one, so a 1x1 shortcut convolution stays a
//! layer of its own.
//!
//! The block's output is what its module returns: where a single activation follows the addition (ResNet), the
//! value after it; where a layer normalisation of the same module follows (BERT), the value after that; where the sum
//! goes on unchanged (pre-activation networks, most later transformers), the sum.

use std::collections::BTreeMap;

use crate::LayerKind;
use crate::composite::Composite;
use crate::kind::{is_activation, is_layer_norm, is_norm, is_weighted};
use crate::names::origin;
use crate::structure::Structure;

/// A residual addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The last weighted node of the main branch.
    pub(crate) main: usize,
    /// Whether the block's output replaces it: nothing but normalisation and scaling lies between them.
    pub(crate) replaces: bool,
    /// The node of the activation or normalisation that ends the block, if it is all that reads the sum.
    pub(crate) end: Option<usize>,
}

/// The blocks of a graph, by the node of their addition.
pub(crate) fn find_blocks(
    structure: &Structure,
    composites: &BTreeMap<usize, Composite>,
) -> BTreeMap<usize, Block> {
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
        let branches = operands.iter().filter_map(|v| branch_end(structure, composites, v));
        // The first of equally deep branches: exporters write `out + shortcut(x)`.
        let main = branches.fold(None, |best: Option<Branch>, b| match best {
            Some(a) if depth[a.node] >= depth[b.node] => Some(a),
            _ => Some(b),
        });
        if let Some(main) = main {
            let end = final_activation(structure, i).or_else(|| final_norm(structure, composites, i));
            blocks.insert(i, Block { main: main.node, replaces: !main.through_activation, end });
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

/// The layer normalisation that is all that reads the sum and lies within the module that adds. That of another module
/// belongs to what follows: the norm before a head, after the last block.
fn final_norm(structure: &Structure, composites: &BTreeMap<usize, Composite>, add: usize) -> Option<usize> {
    let sum = structure.nodes[add].outputs.first()?;
    let readers = structure.consumers_of(sum);
    let end = match structure.only_consumer(add) {
        Some(next) if is_layer_norm(&structure.nodes[next].op_type) => next,
        _ if structure.is_output(sum) => return None,
        _ => {
            let all_in = |c: &Composite| c.input == *sum && readers.iter().all(|r| c.nodes.contains(r));
            *composites.iter().find(|(_, c)| c.kind == LayerKind::Norm && all_in(c))?.0
        }
    };
    let module = |i: usize| origin(structure, &structure.nodes[i], false).module;
    let (own, of_norm) = (module(add)?, module(end)?);
    (!own.is_empty() && of_norm.strip_prefix(&own).is_some_and(|rest| rest.starts_with('.'))).then_some(end)
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
fn branch_end(structure: &Structure, composites: &BTreeMap<usize, Composite>, value: &str) -> Option<Branch> {
    let (mut value, mut through_activation) = (value.to_owned(), false);
    loop {
        let at = structure.producer_of(&value)?;
        if is_weighted(structure, at) {
            return Some(Branch { node: at, through_activation });
        }
        if let Some(composite) = composites.get(&at) {
            through_activation |= composite.kind == LayerKind::Activation;
            value.clone_from(&composite.input);
            continue;
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
