//! The layers of a network, in execution order.

use std::collections::{BTreeMap, BTreeSet};

use crate::LayerKind;
use crate::channels::{Channels, channel_axes};
use crate::composite::{Composite, find_composites};
use crate::embedding::find_embeddings;
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
    /// Whether a network without class scores returns this value.
    pub is_output: bool,
    /// Whether this is one of the few values that tell the network's coarse course ([`crate::Architecture::taps`]).
    pub is_tap: bool,
    /// Which axis of `shape` counts the tokens, in a text encoder.
    pub token_axis: Option<usize>,
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

/// Whether a weighted operator makes `value`, its bias included.
pub(crate) fn is_weighted_value(structure: &Structure, value: &str) -> bool {
    structure.producer_of(value).is_some_and(|at| end_of_weighted(structure, at))
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
    /// Module path that the node itself does not tell.
    module: Option<String>,
}

/// What the graph tells beyond single operators.
struct Found {
    blocks: BTreeMap<usize, Block>,
    composites: BTreeMap<usize, Composite>,
    embeddings: BTreeMap<usize, usize>,
}

/// All layers that the graph tells of. `scores` is the value of the class scores; without any, the network's outputs
/// are layers whatever makes them. Shapes are empty: they are measured by running the network.
pub(crate) fn list_layers(structure: &Structure, scores: Option<&str>) -> Vec<Layer> {
    let composites = find_composites(structure);
    let blocks = find_blocks(structure, &composites);
    let embeddings = find_embeddings(structure, &composites);
    let found = Found { blocks, composites, embeddings };
    let candidates = candidates(structure, &found, scores);
    let blocks = &found.blocks;
    let names = names(structure, &found, &candidates);
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
            is_logits: scores == Some(c.value.as_str()),
            is_output: scores.is_none() && structure.is_output(&c.value),
            is_tap: false,
            token_axis: None,
            replaced_by: replaced.get(&c.node).and_then(|add| name_of.get(add)).map(|n| (*n).clone()),
            channels: axes.get(c.value.as_str()).copied(),
            value: c.value.clone(),
            shape: Vec::new(),
        })
        .collect()
}

fn candidates(structure: &Structure, found: &Found, scores: Option<&str>) -> Vec<Candidate> {
    let Found { blocks, composites, embeddings } = found;
    let biases: BTreeMap<usize, usize> =
        (0..structure.nodes.len()).filter_map(|i| bias_add(structure, i).map(|add| (add, i))).collect();
    let with_bias: BTreeMap<usize, usize> = biases.iter().map(|(&add, &i)| (i, add)).collect();
    let block_ends: BTreeSet<usize> = blocks.values().filter_map(|b| b.end).collect();
    let steps: BTreeSet<usize> =
        composites.values().flat_map(|c| &c.nodes[..c.nodes.len() - 1]).copied().collect();
    let mut out = Vec::new();
    for (i, node) in structure.nodes.iter().enumerate() {
        let Some(value) = node.outputs.first().filter(|v| structure.is_active(v)) else { continue };
        let is_result = match scores {
            Some(scores) => value == scores,
            None => structure.is_output(value),
        };
        let kind = match kind_of(structure, i) {
            _ if blocks.contains_key(&i) => LayerKind::Block,
            _ if embeddings.contains_key(&i) => LayerKind::Embedding,
            _ if composites.contains_key(&i) => composites[&i].kind,
            Some(kind) => kind,
            // The network's result is a layer whatever makes it.
            None if is_result => LayerKind::Other,
            None => continue,
        };
        if biases.contains_key(&i) || block_ends.contains(&i) || steps.contains(&i) {
            continue;
        }
        let own = composites.get(&i).map_or(node.op_type.as_str(), |c| c.op_type);
        let tail = with_bias.get(&i).copied().or_else(|| blocks.get(&i).and_then(|b| b.end));
        let (value, op_type) = match tail {
            Some(end) => {
                let op = composites.get(&end).map_or(structure.nodes[end].op_type.as_str(), |c| c.op_type);
                (structure.nodes[end].outputs[0].clone(), format!("{own}+{op}"))
            }
            None => (value.clone(), own.to_owned()),
        };
        let module =
            embeddings.get(&i).and_then(|&lookup| embedding_module(structure, lookup, i)).or_else(|| {
                let parts =
                    composites.get(&i).map_or_else(|| tail.into_iter().collect(), |c| c.nodes.clone());
                weight_module(structure, &parts)
            });
        out.push(Candidate { node: i, value, kind, op_type, module });
    }
    out
}

/// The module whose weights some of these nodes use: `a.norm` of `a.norm.weight` or `a.norm.bias`.
fn weight_module(structure: &Structure, nodes: &[usize]) -> Option<String> {
    let mut inputs = nodes.iter().flat_map(|&i| &structure.nodes[i].inputs);
    inputs.find_map(|v| {
        let path = v.strip_suffix(".weight").or_else(|| v.strip_suffix(".bias"))?;
        (!structure.is_active(v)).then(|| path.to_owned())
    })
}

/// The module that returns the embedding, when it holds no block: `embeddings` for a sum of look-ups in
/// `embeddings.word_embeddings` and others.
fn embedding_module(structure: &Structure, lookup: usize, end: usize) -> Option<String> {
    let module = |i: usize| origin(structure, &structure.nodes[i], true).module;
    let of_lookup = module(lookup)?;
    let (parent, _) = of_lookup.rsplit_once('.')?;
    let below = |m: &str| m == parent || m.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'));
    let is_inside = |i: usize| module(i).is_some_and(|m| below(&m));
    let holds_more = (0..structure.nodes.len()).any(|i| is_weighted(structure, i) && is_inside(i));
    (end != lookup && is_inside(end) && !holds_more).then(|| parent.to_owned())
}

fn names(structure: &Structure, found: &Found, candidates: &[Candidate]) -> Vec<String> {
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
            if let (None, Some(block)) = (&own.module, found.blocks.get(&c.node)) {
                let main = origins[block.main].module.as_deref();
                own.module = main.and_then(|m| m.rsplit_once('.')).map(|(parent, _)| parent.to_owned());
            }
            let composite = found.composites.get(&c.node);
            if let Some(composite) = composite {
                own.op = composite.op_type.to_lowercase();
            }
            match &c.module {
                Some(module) if c.kind == LayerKind::Embedding => {
                    own = Origin { module: Some(module.clone()), op: String::new() };
                }
                Some(module) if own.module.is_none() => own.module = Some(module.clone()),
                _ => {}
            }
            Unnamed {
                kind: c.kind,
                origin: own,
                node_name: node.name.clone(),
                ordinal: ordinal_of[c.node],
                op_type: composite.map_or(&*node.op_type, |c| c.op_type).to_owned(),
            }
        })
        .collect();
    name_layers(&unnamed, &modules)
}

fn has_weights(structure: &Structure, i: usize) -> bool {
    kind_of(structure, i).is_some_and(LayerKind::has_weights)
}
