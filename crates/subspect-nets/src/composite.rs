//! Layers that the exporter wrote as several operators, found by their shape in the graph.
//!
//! Below opset 17 PyTorch writes layer normalisation `(x - mean x) / sqrt(mean (x - mean x)^2 + eps) * w + b` as up to
//! nine operators, and GELU `x (1 + erf(x / sqrt 2)) / 2` as five. Only their last value is a layer; the others are
//! steps on the way.

use std::collections::BTreeMap;

use crate::LayerKind;
use crate::structure::Structure;

/// Several operators that are one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Composite {
    pub(crate) kind: LayerKind,
    /// The operator that it stands for, as later opsets call it.
    pub(crate) op_type: &'static str,
    /// The value that goes in.
    pub(crate) input: String,
    /// All of its nodes; the last one makes its value.
    pub(crate) nodes: Vec<usize>,
}

/// The composites of a graph, by the node that ends them.
pub(crate) fn find_composites(structure: &Structure) -> BTreeMap<usize, Composite> {
    let find = |i: usize| match structure.nodes[i].op_type.as_str() {
        "Div" => layer_norm(structure, i),
        "Erf" => gelu(structure, i),
        _ => None,
    };
    (0..structure.nodes.len())
        .filter_map(find)
        .filter_map(|composite| Some((*composite.nodes.last()?, composite)))
        .collect()
}

/// Layer normalisation around its division.
fn layer_norm(structure: &Structure, division: usize) -> Option<Composite> {
    let [centred, deviation] = structure.active_inputs(division)[..] else { return None };
    let root = made_by(structure, deviation, &["Sqrt"])?;
    let sum = made_by(structure, only_operand(structure, root)?, &["Add"])?;
    let variance = made_by(structure, only_operand(structure, sum)?, &["ReduceMean"])?;
    let square = made_by(structure, only_operand(structure, variance)?, &["Pow", "Mul"])?;
    let (squared, mut cast) = through_cast(structure, structure.active_inputs(square).first()?);
    let difference = made_by(structure, centred, &["Sub"])?;
    let again = made_by(structure, &squared, &["Sub"])?;
    let [input, mean] = structure.active_inputs(difference)[..] else { return None };
    let mean = made_by(structure, mean, &["ReduceMean"])?;
    if structure.active_inputs(mean).first() != Some(&input)
        || structure.active_inputs(again).first() != Some(&input)
    {
        return None;
    }
    let mut nodes = vec![mean, difference];
    nodes.append(&mut cast);
    if again != difference {
        nodes.push(again);
    }
    nodes.extend([square, variance, sum, root, division]);
    // Weight and bias, which a norm without affine part leaves out.
    for op in ["Mul", "Add"] {
        let last = *nodes.last()?;
        match structure.only_consumer(last) {
            Some(next) if structure.nodes[next].op_type == op && structure.active_inputs(next).len() == 1 => {
                nodes.push(next);
            }
            _ => break,
        }
    }
    let input = input.to_owned();
    Some(Composite { kind: LayerKind::Norm, op_type: "LayerNormalization", input, nodes })
}

/// GELU around its error function.
fn gelu(structure: &Structure, erf: usize) -> Option<Composite> {
    let scaled = made_by(structure, only_operand(structure, erf)?, &["Div", "Mul"])?;
    let input = only_operand(structure, scaled)?;
    let sum = structure.only_consumer(erf).filter(|&n| is_by_constant(structure, n, "Add"))?;
    let product = structure.only_consumer(sum).filter(|&n| structure.nodes[n].op_type == "Mul")?;
    let gate = structure.nodes[sum].outputs.first()?;
    let other = structure.active_inputs(product).into_iter().find(|v| v != gate)?;
    let mut nodes = vec![scaled, erf, sum];
    if other == input {
        nodes.push(product);
        nodes.push(structure.only_consumer(product).filter(|&n| is_by_constant(structure, n, "Mul"))?);
    } else {
        let half = made_by(structure, other, &["Mul"])?;
        if only_operand(structure, half)? != input {
            return None;
        }
        nodes.extend([half, product]);
    }
    Some(Composite { kind: LayerKind::Activation, op_type: "Gelu", input: input.to_owned(), nodes })
}

/// The node that makes `value`, when its operator is one of `ops`.
fn made_by(structure: &Structure, value: &str, ops: &[&str]) -> Option<usize> {
    structure.producer_of(value).filter(|&p| ops.contains(&structure.nodes[p].op_type.as_str()))
}

/// The one operand of a node that depends on the input.
fn only_operand(structure: &Structure, node: usize) -> Option<&str> {
    match structure.active_inputs(node)[..] {
        [one] => Some(one),
        _ => None,
    }
}

fn is_by_constant(structure: &Structure, node: usize, op: &str) -> bool {
    structure.nodes[node].op_type == op && structure.active_inputs(node).len() == 1
}

/// What a value is a cast of, and the casts.
fn through_cast(structure: &Structure, value: &str) -> (String, Vec<usize>) {
    let (mut value, mut casts) = (value.to_owned(), Vec::new());
    while let Some(cast) = made_by(structure, &value, &["Cast"]) {
        casts.push(cast);
        match structure.nodes[cast].inputs.first() {
            Some(input) => value.clone_from(input),
            None => break,
        }
    }
    (value, casts)
}
