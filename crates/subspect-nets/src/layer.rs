//! The layers of a network, in execution order.

use std::collections::{BTreeMap, BTreeSet};

use crate::LayerKind;
use crate::channels::{Channels, channel_axes};
use crate::kind::{is_weighted, kind_of};
use crate::names::{Origin, Unnamed, name_layers, origin};
use crate::residual::{Block, find_blocks};
use crate::structure::Structure;

/// One layer: a value of the graph that can be captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Module path, unique within the network: `layer1.0.conv1`.
    pub name: String,
    /// What it is.
    pub kind: LayerKind,
    /// ONNX operator: `Conv`; `MatMul+Add` for a product with its bias, `Add+Relu` for the end of a block.
    pub op_type: String,
    /// Name of the value in the graph.
    pub value: String,
    /// Shape for one input, without the batch axis: `[16, 32, 32]`.
    pub shape: Vec<usize>,
    /// Where the channels are, if the graph tells; else [`Channels::by_rank`] is the guess.
    pub channels: Option<Channels>,
    /// Name of the residual block whose output stands for this layer in the paper's choice.
    pub replaced_by: Option<String>,
    /// Whether these are the network's class scores, before any softmax.
    pub is_logits: bool,
}

impl Layer {
    /// Values for one input.
    #[must_use]
    pub fn n_values(&self) -> usize {
        self.shape.iter().product()
    }

    /// `16x32x32`.
    #[must_use]
    pub fn describe_shape(&self) -> String {
        self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
    }
}

/// The class scores of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scores {
    /// The value before any softmax.
    pub(crate) value: String,
    /// The softmax operator behind it.
    pub(crate) softmax: Option<String>,
}

/// The scores behind a graph output: softmax and operators that only reshape are looked through when a weighted
/// operator lies behind them.
pub(crate) fn find_scores(structure: &Structure, output: &str) -> Scores {
    let mut softmax = None;
    let mut scores = output.to_owned();
    let mut value = output.to_owned();
    while let Some(at) = structure.producer_of(&value) {
        let node = &structure.nodes[at];
        let is_softmax = matches!(node.op_type.as_str(), "Softmax" | "LogSoftmax");
        if !(is_softmax || reshapes_only(&node.op_type)) {
            if end_of_weighted(structure, at) {
                scores.clone_from(&value);
            }
            break;
        }
        let Some(input) = node.inputs.first() else { break };
        value.clone_from(input);
        if is_softmax && softmax.is_none() {
            softmax = Some(node.op_type.clone());
            scores.clone_from(input);
        }
    }
    Scores { value: scores, softmax }
}

fn reshapes_only(op: &str) -> bool {
    matches!(op, "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Identity" | "Dropout" | "Cast")
}

/// Whether node `at` is a weighted operator or the bias of one.
fn end_of_weighted(structure: &Structure, at: usize) -> bool {
    let bias_of = || {
        let [input] = structure.active_inputs(at)[..] else { return false };
        structure.producer_of(input).is_some_and(|p| bias_add(structure, p) == Some(at))
    };
    is_weighted(structure, at) || bias_of()
}

/// The addition of a constant that follows weighted node `i` and nothing else reads around.
fn bias_add(structure: &Structure, i: usize) -> Option<usize> {
    let value = structure.nodes[i].outputs.first()?;
    let [add] = structure.consumers_of(value) else { return None };
    let is_bias = is_weighted(structure, i)
        && structure.nodes[*add].op_type == "Add"
        && structure.active_inputs(*add).len() == 1
        && !structure.is_output(value);
    is_bias.then_some(*add)
}

struct Candidate {
    node: usize,
    value: String,
    kind: LayerKind,
    op_type: String,
}

/// All layers that the graph tells of. Shapes are empty: they are measured by running the network.
pub(crate) fn list_layers(structure: &Structure, scores: &str) -> Vec<Layer> {
    let blocks = find_blocks(structure);
    let candidates = candidates(structure, &blocks, scores);
    let names = names(structure, &blocks, &candidates);
    let axes = channel_axes(structure);
    let name_of: BTreeMap<usize, &String> = candidates.iter().zip(&names).map(|(c, n)| (c.node, n)).collect();
    let replaced: BTreeMap<usize, usize> =
        blocks.iter().filter(|(_, b)| b.replaces).map(|(&add, b)| (b.main, add)).collect();
    candidates
        .iter()
        .zip(&names)
        .map(|(c, name)| Layer {
            name: name.clone(),
            kind: c.kind,
            op_type: c.op_type.clone(),
            is_logits: c.value == scores,
            replaced_by: replaced.get(&c.node).and_then(|add| name_of.get(add)).map(|n| (*n).clone()),
            channels: axes.get(c.value.as_str()).copied(),
            value: c.value.clone(),
            shape: Vec::new(),
        })
        .collect()
}

fn candidates(structure: &Structure, blocks: &BTreeMap<usize, Block>, scores: &str) -> Vec<Candidate> {
    let biases: BTreeMap<usize, usize> =
        (0..structure.nodes.len()).filter_map(|i| bias_add(structure, i).map(|add| (add, i))).collect();
    let with_bias: BTreeMap<usize, usize> = biases.iter().map(|(&add, &i)| (i, add)).collect();
    let block_ends: BTreeMap<usize, usize> =
        blocks.iter().filter_map(|(&add, b)| b.activation.map(|end| (end, add))).collect();
    let mut out = Vec::new();
    for (i, node) in structure.nodes.iter().enumerate() {
        let Some(value) = node.outputs.first().filter(|v| structure.is_active(v)) else { continue };
        let kind = match (kind_of(structure, i), blocks.contains_key(&i)) {
            (_, true) => LayerKind::Block,
            (Some(kind), _) => kind,
            // The class scores are a layer whatever makes them.
            (None, _) if value == scores => LayerKind::Other,
            (None, _) => continue,
        };
        if biases.contains_key(&i) || block_ends.contains_key(&i) {
            continue;
        }
        let tail = with_bias.get(&i).copied().or_else(|| blocks.get(&i).and_then(|b| b.activation));
        let candidate = match tail {
            Some(end) => Candidate {
                node: i,
                value: structure.nodes[end].outputs[0].clone(),
                kind,
                op_type: format!("{}+{}", node.op_type, structure.nodes[end].op_type),
            },
            None => Candidate { node: i, value: value.clone(), kind, op_type: node.op_type.clone() },
        };
        out.push(candidate);
    }
    out
}

fn names(structure: &Structure, blocks: &BTreeMap<usize, Block>, candidates: &[Candidate]) -> Vec<String> {
    let origins: Vec<Origin> = (0..structure.nodes.len())
        .map(|i| origin(structure, &structure.nodes[i], has_weights(structure, i)))
        .collect();
    let modules: BTreeSet<String> = origins.iter().filter_map(|o| o.module.clone()).collect();
    let mut ordinals: BTreeMap<&str, usize> = BTreeMap::new();
    let ordinal_of: Vec<usize> = structure
        .nodes
        .iter()
        .map(|n| {
            let next = ordinals.entry(&n.op_type).or_insert(0);
            *next += 1;
            *next - 1
        })
        .collect();
    let unnamed: Vec<Unnamed> = candidates
        .iter()
        .map(|c| {
            let node = &structure.nodes[c.node];
            let mut own = origins[c.node].clone();
            if let (None, Some(block)) = (&own.module, blocks.get(&c.node)) {
                let main = origins[block.main].module.as_deref();
                own.module = main.and_then(|m| m.rsplit_once('.')).map(|(parent, _)| parent.to_owned());
            }
            Unnamed {
                kind: c.kind,
                origin: own,
                node_name: node.name.clone(),
                ordinal: ordinal_of[c.node],
                op_type: node.op_type.clone(),
            }
        })
        .collect();
    name_layers(&unnamed, &modules)
}

fn has_weights(structure: &Structure, i: usize) -> bool {
    kind_of(structure, i).is_some_and(LayerKind::has_weights)
}
