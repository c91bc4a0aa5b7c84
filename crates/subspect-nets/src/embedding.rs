//! Where tokens have become vectors: the value that the first block of a text encoder reads.
//!
//! A look-up in a table by token ids starts an embedding. Other embeddings are added, the sum is scaled and, in
//! models like BERT, normalised; the value ends where more than one operator reads it (attention and the residual
//! sum) or where something else is done to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::composite::Composite;
use crate::kind::is_layer_norm;
use crate::structure::Structure;

/// The nodes that end an embedding, each with the first look-up behind it.
pub(crate) fn find_embeddings(
    structure: &Structure,
    composites: &BTreeMap<usize, Composite>,
) -> BTreeMap<usize, usize> {
    let lookups: Vec<usize> = (0..structure.nodes.len()).filter(|&i| is_lookup(structure, i)).collect();
    let mut stage: BTreeSet<usize> = lookups.iter().copied().collect();
    let mut ends = BTreeMap::new();
    // Every sum is reached from its last operand, when the others are known to belong to the stage.
    for &lookup in lookups.iter().rev().chain(&lookups) {
        let mut at = lookup;
        while let Some(next) = step(structure, composites, &stage, at) {
            stage.insert(next);
            at = next;
        }
    }
    for &lookup in &lookups {
        let mut at = lookup;
        while let Some(next) = step(structure, composites, &stage, at) {
            at = next;
        }
        ends.entry(at).or_insert(lookup);
    }
    ends
}

fn is_lookup(structure: &Structure, i: usize) -> bool {
    let node = &structure.nodes[i];
    node.op_type == "Gather"
        && node.inputs.len() == 2
        && structure.is_table(&node.inputs[0])
        && structure.is_active(&node.inputs[1])
}

/// The node that carries the embedding on from node `at`, if it is the only one that reads it.
fn step(
    structure: &Structure,
    composites: &BTreeMap<usize, Composite>,
    stage: &BTreeSet<usize>,
    at: usize,
) -> Option<usize> {
    let value = structure.nodes[at].outputs.first()?;
    if structure.is_output(value) {
        return None;
    }
    let readers = structure.consumers_of(value);
    let norm = composites.iter().find(|(_, c)| {
        c.input == *value && is_layer_norm(c.op_type) && readers.iter().all(|r| c.nodes.contains(r))
    });
    if let Some((&end, _)) = norm {
        return Some(end);
    }
    let next = structure.only_consumer(at)?;
    let from_stage =
        |v: &&str| structure.producer_of(v).is_some_and(|p| stage.contains(&p)) || **v == *value.as_str();
    let carries_on = match structure.nodes[next].op_type.as_str() {
        "Add" => structure.active_inputs(next).iter().all(from_stage),
        "Mul" | "Div" => structure.active_inputs(next).len() == 1,
        "Identity" | "Dropout" | "Cast" => true,
        op => is_layer_norm(op),
    };
    carries_on.then_some(next)
}
