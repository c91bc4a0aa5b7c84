//! Readable, unique names for layers: the module path that the exporter left behind.
//!
//! Sources, best first: module scopes in the node's metadata (PyTorch's newer exporter), a node name that is a
//! path (`/layer1/layer1.0/conv1/Conv`, `model/conv1/Conv2D`), the name of the node's weight
//! (`layer1.0.conv1.weight`), the node name as it stands, and last the operator with a running number.
//! An operator that is its module's only one takes the module's path; an operator that runs in a module with
//! children (`F.relu` in a block) takes the path and its own name; a module that runs again takes `:1`, `:2`.

use std::collections::{BTreeMap, BTreeSet};

use crate::LayerKind;
use crate::structure::{Node, Structure};

/// Where a node comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Module path; `None` when nothing tells it, empty for the network itself.
    pub(crate) module: Option<String>,
    /// The operator's name within the module; empty when the value is what the module returns.
    pub(crate) op: String,
}

/// Reads the origin of a node. `weighted` nodes may be named after their weight.
pub(crate) fn origin(structure: &Structure, node: &Node, weighted: bool) -> Origin {
    let op = node.op_type.to_lowercase();
    if let [.., module, own] = node.scopes.as_slice() {
        let module = module.split('@').next().unwrap_or_default();
        return Origin { module: Some(module.to_owned()), op: own.to_lowercase() };
    }
    // TensorFlow joins the names of fused nodes by semicolons; the first one leads.
    let name = node.name.split(';').next().unwrap_or_default();
    if name.contains('/') {
        return path_origin(name, &op);
    }
    if weighted && name.contains('.') {
        return Origin { module: Some(name.to_owned()), op };
    }
    let weight = node.inputs.iter().skip(1).find_map(|v| {
        let path = v.strip_suffix(".weight").or_else(|| v.strip_suffix(".kernel"))?;
        structure.weight_shape(v).map(|_| path.to_owned())
    });
    match weight {
        Some(module) if weighted => Origin { module: Some(module), op },
        _ => Origin { module: None, op },
    }
}

/// `/layer1/layer1.0/conv1/Conv_1` is operator `conv_1` of module `layer1.0.conv1`: a component that extends the
/// one before it (`layer1`, `layer1.0`) replaces it.
fn path_origin(name: &str, op_type: &str) -> Origin {
    let mut parts: Vec<&str> =
        name.split('/').filter(|p| !p.is_empty() && *p != "StatefulPartitionedCall").collect();
    let is_op = |p: &&&str| p.starts_with(|c: char| c.is_ascii_uppercase());
    let op = match parts.last().filter(is_op) {
        Some(last) => {
            let op = last.to_lowercase();
            parts.pop();
            op
        }
        None => op_type.to_owned(),
    };
    let mut path: Vec<&str> = Vec::new();
    for part in parts {
        if path.last().is_some_and(|last| part.strip_prefix(last).is_some_and(|rest| rest.starts_with('.'))) {
            path.pop();
        }
        path.push(part);
    }
    Origin { module: Some(path.join(".")), op }
}

/// What naming needs to know of one layer.
pub(crate) struct Unnamed {
    pub(crate) kind: LayerKind,
    pub(crate) origin: Origin,
    pub(crate) node_name: String,
    /// Position among all nodes of its operator type, for names of last resort.
    pub(crate) ordinal: usize,
    pub(crate) op_type: String,
}

/// Names for all layers, in order, without duplicates.
pub(crate) fn name_layers(layers: &[Unnamed], modules: &BTreeSet<String>) -> Vec<String> {
    let groups = Groups::of(layers);
    let mut names: Vec<String> = (0..layers.len()).map(|i| base_name(i, layers, modules, &groups)).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let taken: BTreeSet<String> = names.iter().cloned().collect();
    for name in &mut names {
        let count = seen.entry(name.clone()).or_insert(0);
        let mut candidate = name.clone();
        while *count > 0 && (candidate == *name || taken.contains(&candidate)) {
            candidate = format!("{name}:{count}");
            *count += 1;
        }
        *count = (*count).max(1);
        *name = candidate;
    }
    names
}

/// Layers by module: which operators a module runs, and its blocks.
struct Groups {
    op_types: BTreeMap<String, BTreeSet<String>>,
    blocks: BTreeMap<String, Vec<usize>>,
    reused: BTreeSet<String>,
}

impl Groups {
    fn of(layers: &[Unnamed]) -> Self {
        let mut groups =
            Groups { op_types: BTreeMap::new(), blocks: BTreeMap::new(), reused: BTreeSet::new() };
        // By operator: attention multiplies by two weights of its own, once as MatMul and once as Gemm.
        let mut weighted: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (i, l) in layers.iter().enumerate() {
            let Some(module) = &l.origin.module else { continue };
            groups.op_types.entry(module.clone()).or_default().insert(l.op_type.clone());
            if l.kind == LayerKind::Block {
                groups.blocks.entry(module.clone()).or_default().push(i);
            }
            if l.kind.has_weights() {
                *weighted.entry((module, &l.op_type)).or_default() += 1;
            }
        }
        for ((module, _), _) in weighted.iter().filter(|(_, n)| **n > 1) {
            let parents = module.match_indices('.').map(|(at, _)| module[..at].to_owned());
            groups.reused.extend(parents);
        }
        groups
    }
}

fn base_name(i: usize, layers: &[Unnamed], modules: &BTreeSet<String>, groups: &Groups) -> String {
    let layer = &layers[i];
    let Some(module) = layer.origin.module.as_deref().filter(|m| !m.is_empty()) else {
        return match (&layer.origin.module, layer.node_name.as_str()) {
            (Some(_), _) => layer.origin.op.clone(),
            (None, "") => format!("{}_{}", layer.op_type.to_lowercase(), layer.ordinal),
            (None, name) => name.to_owned(),
        };
    };
    if layer.origin.op.is_empty() {
        return module.to_owned();
    }
    let functional = || format!("{module}.{}", layer.origin.op);
    if layer.kind == LayerKind::Block {
        // A transformer block adds twice: its last addition is its output. A block that runs again is another
        // matter, and told by its weights running again.
        let last = groups.blocks[module].last() == Some(&i);
        return if last || groups.reused.contains(module) { module.to_owned() } else { functional() };
    }
    if layer.kind.has_weights() {
        return module.to_owned();
    }
    let below = format!("{module}.");
    let is_container = modules.range(below.clone()..).next().is_some_and(|m| m.starts_with(&below));
    let is_alone = groups.op_types[module].len() == 1;
    if is_container || !is_alone { functional() } else { module.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_exporters() {
        let of = |name: &str| {
            let o = path_origin(name, "conv");
            (o.module.unwrap(), o.op)
        };
        assert_eq!(of("/layer1/layer1.0/conv1/Conv"), ("layer1.0.conv1".into(), "conv".into()));
        assert_eq!(of("/conv1/Conv"), ("conv1".into(), "conv".into()));
        assert_eq!(of("/layer1/layer1.0/Relu_1"), ("layer1.0".into(), "relu_1".into()));
        assert_eq!(of("/Relu"), (String::new(), "relu".into()));
        assert_eq!(of("/features/features.0/features.0.0/Conv"), ("features.0.0".into(), "conv".into()));
        assert_eq!(of("StatefulPartitionedCall/model/conv1/Conv2D"), ("model.conv1".into(), "conv2d".into()));
        assert_eq!(of("/layer1/layer10/conv/Conv"), ("layer1.layer10.conv".into(), "conv".into()));
    }

    fn unnamed(kind: LayerKind, module: Option<&str>, op: &str, node_name: &str) -> Unnamed {
        let origin = Origin { module: module.map(str::to_owned), op: op.to_owned() };
        Unnamed { kind, origin, node_name: node_name.to_owned(), ordinal: 3, op_type: op.to_owned() }
    }

    #[test]
    fn names_are_unique_and_say_where() {
        use LayerKind::{Activation, Block, Conv, Linear};
        let layers = [
            unnamed(Conv, Some("stem"), "conv", ""),
            unnamed(Activation, Some(""), "relu", ""),
            unnamed(Linear, Some("blocks.0.attn"), "matmul", ""),
            unnamed(Block, Some("blocks.0"), "add", ""),
            unnamed(Activation, Some("blocks.0"), "gelu", ""),
            unnamed(Block, Some("blocks.0"), "add_1", ""),
            unnamed(Activation, Some("act"), "relu", ""),
            unnamed(Activation, Some("act"), "relu", ""),
            unnamed(Conv, None, "conv", "Conv_12"),
            unnamed(Conv, None, "conv", ""),
            unnamed(Conv, None, "conv", "Conv_12"),
        ];
        let modules = layers.iter().filter_map(|l| l.origin.module.clone()).collect();
        assert_eq!(
            name_layers(&layers, &modules),
            [
                "stem",
                "relu",
                "blocks.0.attn",
                "blocks.0.add",
                "blocks.0.gelu",
                "blocks.0",
                "act",
                "act:1",
                "Conv_12",
                "conv_3",
                "Conv_12:1"
            ]
        );
    }

    #[test]
    fn a_block_that_runs_twice_keeps_its_name() {
        use LayerKind::{Block, Conv};
        let layers = [
            unnamed(Conv, Some("b.conv"), "conv", ""),
            unnamed(Block, Some("b"), "add", ""),
            unnamed(Conv, Some("b.conv"), "conv", ""),
            unnamed(Block, Some("b"), "add_1", ""),
        ];
        let modules = layers.iter().filter_map(|l| l.origin.module.clone()).collect();
        assert_eq!(name_layers(&layers, &modules), ["b.conv", "b", "b.conv:1", "b:1"]);
    }
}
