//! A network with its weights as the bytes of an ONNX model (opset 13).
//!
//! Nodes are named as PyTorch's exporter names them (`/layer1/layer1.0/conv1/Conv`), so that layers get the same names
//! whether a model was written here or there, and batch normalisation is folded into the convolution before it, as
//! there. Weights are appended to the graph's bytes without a detour through a message that would copy them.

use prost::Message;

use super::fold::{fold, foldable};
use super::{Architecture, BATCH_NORM_EPSILON, Node, Op};
use crate::NetsError;
use crate::onnx::{
    AttributeProto, DimensionProto, FLOAT, GraphProto, INT64, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::weights::Weights;
use crate::wire::put_bytes;

/// The operator set: what `Slice` and `Pad` take as inputs has been settled since 11 and 13.
const OPSET: i64 = 13;
/// The format version that came with it.
const IR_VERSION: i64 = 7;
/// Name of the class scores.
const LOGITS: &str = "logits";

impl Architecture {
    /// The network with `weights` as an ONNX model.
    ///
    /// # Errors
    /// [`NetsError::Weights`] when the weights are not this network's.
    pub fn to_onnx(&self, weights: &Weights) -> Result<Vec<u8>, NetsError> {
        weights.check(self)?;
        let folded = foldable(self);
        let mut writer = Writer::default();
        let mut values: Vec<String> = vec![self.nodes[0].name.clone()];
        for (i, node) in self.nodes.iter().enumerate().skip(1) {
            if let Some((&conv, _)) = folded.iter().find(|(_, norm)| **norm == i) {
                values.push(values[conv].clone());
                continue;
            }
            let is_last = i + 1 == self.nodes.len();
            let output =
                if is_last { LOGITS.to_owned() } else { format!("{}_output_0", path(&node.name, node.op)) };
            let inputs: Vec<&str> = node.inputs.iter().map(|&x| values[x].as_str()).collect();
            let norm = folded.get(&i).map(|&norm| &self.nodes[norm]);
            writer.node(node, norm, &inputs, &output, weights);
            values.push(output);
        }
        Ok(writer.finish(self))
    }
}

/// `/layer1/layer1.0/conv1/Conv` of `layer1.0.conv1`; `/layer1/layer1.0/Relu_1` of `layer1.0.relu_1`.
fn path(name: &str, op: Op) -> String {
    let op_type = op.op_type();
    let (parent, last) = name.rsplit_once('.').map_or(("", name), |(parent, last)| (parent, last));
    let lower = op_type.to_lowercase();
    let functional = last.strip_prefix(&lower).filter(|rest| rest.is_empty() || rest.starts_with('_'));
    let (module, own) = match functional {
        Some(rest) => (parent, format!("{op_type}{rest}")),
        None => (name, op_type.to_owned()),
    };
    let mut path = String::new();
    let parts: Vec<&str> = module.split('.').filter(|p| !p.is_empty()).collect();
    for (i, part) in parts.iter().enumerate() {
        // A member of a list is written with the list's name: `layer1.0`.
        let is_index = i > 0 && part.bytes().all(|b| b.is_ascii_digit());
        path += &if is_index { format!("/{}.{part}", parts[i - 1]) } else { format!("/{part}") };
    }
    format!("{path}/{own}")
}

/// The graph as far as it is written.
#[derive(Default)]
struct Writer {
    nodes: Vec<NodeProto>,
    /// Fields `initializer` of the graph.
    tensors: Vec<u8>,
}

impl Writer {
    fn node(&mut self, node: &Node, norm: Option<&Node>, inputs: &[&str], output: &str, weights: &Weights) {
        let mut inputs: Vec<String> = inputs.iter().map(|&v| v.to_owned()).collect();
        let mut attributes = Vec::new();
        let mut name = path(&node.name, node.op);
        match node.op {
            Op::Conv { kernel, stride, padding, .. } => {
                attributes = window(kernel, stride, padding);
                attributes.push(ints("dilations", &[1, 1]));
                attributes.push(int("group", 1));
                inputs.extend(self.conv(node, norm, weights));
            }
            Op::BatchNorm { .. } => {
                attributes = vec![float("epsilon", BATCH_NORM_EPSILON), float("momentum", 0.9)];
                inputs.extend(self.own_tensors(node, weights));
            }
            Op::MaxPool { kernel, stride, padding } => attributes = window(kernel, stride, padding),
            Op::AvgPool { kernel, stride, padding } => {
                attributes = window(kernel, stride, padding);
                attributes.push(int("count_include_pad", 1));
            }
            Op::Flatten => attributes = vec![int("axis", 1)],
            Op::Linear { .. } => {
                attributes = vec![float("alpha", 1.0), float("beta", 1.0), int("transB", 1)];
                inputs.extend(self.own_tensors(node, weights));
            }
            Op::Subsample { stride, in_channels, out_channels } => {
                let (module, _) = name.rsplit_once('/').unwrap_or(("", &name));
                let module = module.to_owned();
                inputs = self.subsample(&module, &node.name, &inputs[0], stride, out_channels - in_channels);
                attributes = vec![string("mode", "constant")];
                name = format!("{module}/Pad");
            }
            Op::Input | Op::Relu | Op::Add | Op::GlobalAvgPool => {}
        }
        self.push(&name, node.op.op_type(), inputs, output, attributes);
    }

    fn push(
        &mut self,
        name: &str,
        op_type: &str,
        inputs: Vec<String>,
        output: &str,
        attributes: Vec<AttributeProto>,
    ) {
        self.nodes.push(NodeProto {
            name: Some(name.to_owned()),
            op_type: Some(op_type.to_owned()),
            input: inputs,
            output: vec![output.to_owned()],
            attribute: attributes,
            ..NodeProto::default()
        });
    }

    /// The weights of a convolution, as they are or with a normalisation folded in; gives their names.
    fn conv(&mut self, node: &Node, norm: Option<&Node>, weights: &Weights) -> Vec<String> {
        let folded = norm.and_then(|norm| Some((norm, fold(node, norm, weights)?)));
        let Some((norm, (kernel, constant))) = folded else { return self.own_tensors(node, weights) };
        let shape = &node.op.parameters(&node.name)[0].shape;
        // Another name than the module's own: these are not the values that were trained.
        let both = format!("{}+{}", node.name, norm.name);
        let names = vec![format!("{both}.weight"), format!("{both}.bias")];
        self.floats(&names[0], shape, &kernel);
        self.floats(&names[1], &shape[..1], &constant);
        names
    }

    fn own_tensors(&mut self, node: &Node, weights: &Weights) -> Vec<String> {
        let mut names = Vec::new();
        for parameter in node.op.parameters(&node.name) {
            if let Some(values) = weights.values(&parameter.name) {
                self.floats(&parameter.name, &parameter.shape, values);
            }
            names.push(parameter.name);
        }
        names
    }

    /// Every `stride`-th row and column; gives the inputs of the padding that follows.
    fn subsample(
        &mut self,
        module: &str,
        name: &str,
        x: &str,
        stride: usize,
        new_channels: usize,
    ) -> Vec<String> {
        let step = stride as i64;
        let before = (new_channels / 2) as i64;
        let after = new_channels as i64 - before;
        let mut inputs = vec![x.to_owned()];
        for (what, values) in
            [("starts", [0, 0]), ("ends", [i64::MAX, i64::MAX]), ("axes", [2, 3]), ("steps", [step, step])]
        {
            inputs.push(format!("{name}.{what}"));
            self.integers(&format!("{name}.{what}"), &values);
        }
        let sliced = format!("{module}/Slice_output_0");
        self.push(&format!("{module}/Slice"), "Slice", inputs, &sliced, Vec::new());
        self.integers(&format!("{name}.pads"), &[0, before, 0, 0, 0, after, 0, 0]);
        vec![sliced, format!("{name}.pads")]
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let dims: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        self.tensor(name, dims, FLOAT, &bytes);
    }

    fn integers(&mut self, name: &str, values: &[i64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensor(name, vec![values.len() as i64], INT64, &bytes);
    }

    fn tensor(&mut self, name: &str, dims: Vec<i64>, data_type: i32, bytes: &[u8]) {
        let head = TensorProto {
            dims,
            data_type: Some(data_type),
            name: Some(name.to_owned()),
            ..TensorProto::default()
        };
        let mut message = head.encode_to_vec();
        // TensorProto.raw_data, which the readers' message leaves out.
        put_bytes(&mut message, 9, bytes);
        put_bytes(&mut self.tensors, 5, &message);
    }

    fn finish(self, architecture: &Architecture) -> Vec<u8> {
        let input = architecture.input;
        let image = [input.channels, input.height, input.width].map(|n| n as i64);
        let graph = GraphProto {
            node: self.nodes,
            name: Some(architecture.name.clone()),
            input: vec![value_info(&architecture.nodes[0].name, &image)],
            output: vec![value_info(LOGITS, &[architecture.n_classes as i64])],
            ..GraphProto::default()
        };
        let mut graph = graph.encode_to_vec();
        graph.extend_from_slice(&self.tensors);
        let model = ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: Some("subspect".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            graph: None,
            opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        };
        let mut bytes = model.encode_to_vec();
        put_bytes(&mut bytes, 7, &graph);
        bytes
    }
}

/// A float32 value with a free batch axis.
fn value_info(name: &str, shape: &[i64]) -> ValueInfoProto {
    let batch = DimensionProto { dim_value: None, dim_param: Some("batch".to_owned()) };
    let fixed = shape.iter().map(|&n| DimensionProto { dim_value: Some(n), dim_param: None });
    let dim = std::iter::once(batch).chain(fixed).collect();
    let tensor = TensorTypeProto { elem_type: Some(FLOAT), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}

/// What convolutions and pools say of their window.
fn window(kernel: usize, stride: usize, padding: usize) -> Vec<AttributeProto> {
    let [kernel, stride, padding] = [kernel, stride, padding].map(|n| n as i64);
    vec![
        ints("kernel_shape", &[kernel, kernel]),
        ints("strides", &[stride, stride]),
        ints("pads", &[padding; 4]),
    ]
}

/// The codes of `AttributeProto.AttributeType`.
const TYPE_FLOAT: i32 = 1;
const TYPE_INT: i32 = 2;
const TYPE_STRING: i32 = 3;
const TYPE_INTS: i32 = 7;

fn attribute(name: &str, code: i32) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(code), ..AttributeProto::default() }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, TYPE_FLOAT) }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, TYPE_INT) }
}

fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec()), ..attribute(name, TYPE_STRING) }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, TYPE_INTS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_names_are_those_of_exporters() {
        let conv =
            Op::Conv { in_channels: 1, out_channels: 1, kernel: 1, stride: 1, padding: 0, bias: false };
        assert_eq!(path("layer1.0.conv1", conv), "/layer1/layer1.0/conv1/Conv");
        assert_eq!(path("layer1.0.relu_1", Op::Relu), "/layer1/layer1.0/Relu_1");
        assert_eq!(path("layer1.0.add", Op::Add), "/layer1/layer1.0/Add");
        assert_eq!(path("features.3", Op::Relu), "/features/features.3/Relu");
        assert_eq!(path("relu", Op::Relu), "/Relu");
        assert_eq!(path("relu1", Op::Relu), "/relu1/Relu");
        assert_eq!(path("block1.layer.0.conv1", conv), "/block1/layer/layer.0/conv1/Conv");
    }
}
