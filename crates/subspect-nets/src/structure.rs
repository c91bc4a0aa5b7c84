//! A model's graph as a list of nodes in execution order, and what depends on the input.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use prost::Message;

use crate::NetsError;
use crate::onnx::{DOUBLE, FLOAT, FLOAT16, ModelProto, NodeProto, ValueInfoProto, data_type_name};
use crate::wire;

/// One operator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) op_type: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    /// Module scopes that PyTorch's newer exporter leaves, outermost first, the node's own name last.
    pub(crate) scopes: Vec<String>,
    /// Permutation of a `Transpose`.
    pub(crate) perm: Vec<i64>,
    /// Whether there is an attribute `kernel_shape`, which convolutions may leave out.
    pub(crate) has_kernel_shape: bool,
}

/// A graph input or output as it is declared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) elem_type: i32,
    /// `None` where the size is open, and for the whole when no shape is declared.
    pub(crate) dims: Option<Vec<Option<usize>>>,
}

impl Declared {
    /// `images: float32[N, 3, 32, 32]`.
    pub(crate) fn describe(&self) -> String {
        let dims = match &self.dims {
            None => String::from("?"),
            Some(d) => {
                d.iter().map(|d| d.map_or("?".into(), |d| d.to_string())).collect::<Vec<_>>().join(", ")
            }
        };
        format!("{}: {}[{dims}]", self.name, data_type_name(self.elem_type))
    }

    pub(crate) fn is_float(&self) -> bool {
        [FLOAT, FLOAT16, DOUBLE].contains(&self.elem_type)
    }
}

/// The graph.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    /// `pytorch 2.4.0`, or empty.
    pub(crate) producer: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) inputs: Vec<Declared>,
    pub(crate) outputs: Vec<Declared>,
    /// Files beside the model that hold weights.
    pub(crate) external_files: BTreeSet<String>,
    /// Position of each node in the file; execution order may differ from it.
    pub(crate) file_position: Vec<usize>,
    /// Shapes of the weights.
    initializers: BTreeMap<String, Vec<i64>>,
    producers: HashMap<String, usize>,
    consumers: HashMap<String, Vec<usize>>,
    active: BTreeSet<String>,
}

impl Structure {
    /// Reads the structure out of a model's bytes.
    ///
    /// # Errors
    /// [`NetsError::NotOnnx`], [`NetsError::Truncated`] and, for a graph without nodes or outputs or with a cycle,
    /// [`NetsError::BadGraph`].
    pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Self, NetsError> {
        wire::check_model(file, bytes)?;
        let model = ModelProto::decode(bytes).map_err(|e| NetsError::NotOnnx {
            file: file.to_owned(),
            found: format!("damaged content ({e})"),
        })?;
        let bad = |reason: &str| NetsError::BadGraph { file: file.to_owned(), reason: reason.to_owned() };
        let graph = model.graph.ok_or_else(|| bad("there is no graph"))?;
        if graph.node.is_empty() {
            return Err(bad("its graph has no nodes"));
        }
        if graph.output.is_empty() {
            return Err(bad("its graph has no outputs"));
        }
        let initializers: BTreeMap<String, Vec<i64>> =
            graph.initializer.iter().filter_map(|t| Some((t.name.clone()?, t.dims.clone()))).collect();
        let external_files = graph
            .initializer
            .iter()
            .flat_map(|t| &t.external_data)
            .filter(|e| e.key.as_deref() == Some("location"))
            .filter_map(|e| e.value.clone())
            .collect();
        let inputs =
            graph.input.iter().map(declared).filter(|d| !initializers.contains_key(&d.name)).collect();
        let (version, name) =
            (model.producer_version.unwrap_or_default(), model.producer_name.unwrap_or_default());
        let mut structure = Structure {
            producer: format!("{name} {version}").trim().to_owned(),
            outputs: graph.output.iter().map(declared).collect(),
            inputs,
            external_files,
            initializers,
            ..Structure::default()
        };
        let nodes: Vec<Node> = graph.node.into_iter().map(node).collect();
        structure
            .sort(nodes)
            .map_err(|name| bad(&format!("node {name} waits for a value that nothing makes")))?;
        Ok(structure)
    }

    /// Takes the nodes in execution order: file order wherever that is one, else the first order in which every
    /// node finds its inputs.
    fn sort(&mut self, nodes: Vec<Node>) -> Result<(), String> {
        let made: BTreeSet<&str> = nodes.iter().flat_map(|n| n.outputs.iter().map(String::as_str)).collect();
        let waits_for = |n: &Node| -> Vec<String> {
            n.inputs.iter().filter(|v| made.contains(v.as_str())).cloned().collect()
        };
        let mut waiting: Vec<(usize, Node, Vec<String>)> =
            nodes.iter().cloned().enumerate().map(|(i, n)| (i, n.clone(), waits_for(&n))).collect();
        let mut done: BTreeSet<String> = BTreeSet::new();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for (i, node, needs) in waiting {
                if needs.iter().all(|v| done.contains(v)) {
                    done.extend(node.outputs.iter().cloned());
                    self.file_position.push(i);
                    self.nodes.push(node);
                } else {
                    later.push((i, node, needs));
                }
            }
            if later.len() == before {
                return Err(label(&later[0].1));
            }
            waiting = later;
        }
        for (i, n) in self.nodes.iter().enumerate() {
            for v in n.outputs.iter().filter(|v| !v.is_empty()) {
                self.producers.insert(v.clone(), i);
            }
            for v in n.inputs.iter().filter(|v| !v.is_empty()) {
                self.consumers.entry(v.clone()).or_default().push(i);
            }
        }
        Ok(())
    }

    /// Marks every value that depends on the content of one of `inputs`. What depends only on their shapes does not
    /// count.
    pub(crate) fn activate<S: AsRef<str>>(&mut self, inputs: &[S]) {
        self.active = inputs.iter().map(|name| name.as_ref().to_owned()).collect();
        for n in &self.nodes {
            // Control flow reads outer values that it does not list, so it counts as depending on the input.
            let active = match n.op_type.as_str() {
                "Shape" | "Size" => false,
                "If" | "Loop" | "Scan" => true,
                _ => n.inputs.iter().any(|v| self.active.contains(v)),
            };
            if active {
                self.active.extend(n.outputs.iter().filter(|v| !v.is_empty()).cloned());
            }
        }
    }

    /// Whether `value` depends on the content of the input.
    pub(crate) fn is_active(&self, value: &str) -> bool {
        self.active.contains(value)
    }

    /// Inputs of node `i` that depend on the content of the input, in order.
    pub(crate) fn active_inputs(&self, i: usize) -> Vec<&str> {
        self.nodes[i].inputs.iter().map(String::as_str).filter(|v| self.is_active(v)).collect()
    }

    /// The node that makes `value`.
    pub(crate) fn producer_of(&self, value: &str) -> Option<usize> {
        self.producers.get(value).copied()
    }

    /// The nodes that read `value`, in execution order.
    pub(crate) fn consumers_of(&self, value: &str) -> &[usize] {
        self.consumers.get(value).map_or(&[], Vec::as_slice)
    }

    /// The node that reads the value of node `i`, when it is the only one and the value is not an output.
    pub(crate) fn only_consumer(&self, i: usize) -> Option<usize> {
        let value = self.nodes[i].outputs.first().filter(|v| !self.is_output(v))?;
        match self.consumers_of(value) {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Whether `value` is a matrix of weights, as such or handed on by an `Identity` (weights that are shared).
    pub(crate) fn is_table(&self, value: &str) -> bool {
        let handed_on = || {
            let node = &self.nodes[self.producer_of(value)?];
            (node.op_type == "Identity").then(|| node.inputs.first())?
        };
        self.weight_shape(value).or_else(|| self.weight_shape(handed_on()?)).is_some_and(|s| s.len() == 2)
    }

    /// Whether `value` is a graph output.
    pub(crate) fn is_output(&self, value: &str) -> bool {
        self.outputs.iter().any(|o| o.name == value)
    }

    /// Shape of the weight `value`; `None` when it is not a weight of the file.
    pub(crate) fn weight_shape(&self, value: &str) -> Option<&[i64]> {
        self.initializers.get(value).map(Vec::as_slice)
    }

    /// Whether a node is called like a value: engines with one name space for both confuse them.
    pub(crate) fn has_name_clash(&self) -> bool {
        let declared: BTreeSet<&str> =
            self.inputs.iter().chain(&self.outputs).map(|d| d.name.as_str()).collect();
        self.nodes.iter().any(|n| {
            !n.name.is_empty()
                && (self.producers.contains_key(&n.name)
                    || self.consumers.contains_key(&n.name)
                    || declared.contains(n.name.as_str()))
        })
    }
}

/// What to call a node in a message: its name, or the value that it makes.
pub(crate) fn label(node: &Node) -> String {
    if !node.name.is_empty() {
        return node.name.clone();
    }
    node.outputs.first().map_or_else(|| node.op_type.clone(), |v| format!("that makes {v}"))
}

fn declared(info: &ValueInfoProto) -> Declared {
    let tensor = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let dims = tensor.and_then(|t| t.shape.as_ref()).map(|s| {
        s.dim.iter().map(|d| d.dim_value.and_then(|v| usize::try_from(v).ok()).filter(|&v| v > 0)).collect()
    });
    Declared {
        name: info.name.clone().unwrap_or_default(),
        elem_type: tensor.and_then(|t| t.elem_type).unwrap_or(0),
        dims,
    }
}

fn node(proto: NodeProto) -> Node {
    let props: BTreeMap<&str, &str> = proto
        .metadata_props
        .iter()
        .map(|p| (p.key.as_deref().unwrap_or_default(), p.value.as_deref().unwrap_or_default()))
        .collect();
    let scopes = props.get("pkg.torch.onnx.name_scopes").map(|s| python_list(s)).unwrap_or_default();
    let attribute = |name: &str| proto.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    let perm = attribute("perm").map(|a| a.ints.clone());
    Node {
        has_kernel_shape: attribute("kernel_shape").is_some(),
        scopes,
        perm: perm.unwrap_or_default(),
        name: proto.name.unwrap_or_default(),
        op_type: proto.op_type.unwrap_or_default(),
        inputs: proto.input,
        outputs: proto.output,
    }
}

/// The strings of a printed Python list: `['', 'layer1', 'layer1.0']`.
fn python_list(text: &str) -> Vec<String> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    if inner.is_empty() {
        return Vec::new();
    }
    inner.split(',').map(|s| s.trim().trim_matches(['\'', '"']).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_of_the_newer_exporter_are_read() {
        assert_eq!(
            python_list("['', 'layer1', 'layer1.0.conv1', 'conv2d']"),
            ["", "layer1", "layer1.0.conv1", "conv2d"]
        );
        assert!(python_list("[]").is_empty());
    }
}
