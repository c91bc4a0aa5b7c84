//! Protocol-buffer bytes, one field at a time: telling ONNX from other files, and small edits that leave
//! everything else, the weights above all, untouched.
//!
//! A message is a sequence of fields `key value`, `key = 8 number + wire type` as a varint; the wire types here
//! are 0 (varint), 1 (8 bytes), 2 (length and bytes) and 5 (4 bytes). Source: the Protocol Buffers encoding
//! guide.

use std::collections::BTreeMap;

use crate::NetsError;

/// One field of a message, with its place in the bytes that were scanned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    pub(crate) wire_type: u8,
    /// Content of a field of wire type 2, else empty.
    pub(crate) bytes: &'a [u8],
    /// The field with its key, as it stands in the message.
    pub(crate) raw: &'a [u8],
}

/// What stopped a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanError {
    /// Not a field at all, or a wire type that the format does not use.
    Malformed { at: usize },
    /// A field ends beyond the last byte.
    Truncated { needed: u64 },
}

/// Iterates over the fields of one message.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn varint(&mut self) -> Result<u64, ScanError> {
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(ScanError::Truncated { needed: self.at as u64 + 1 })?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ScanError::Malformed { at: start })
    }

    fn field(&mut self) -> Result<Field<'a>, ScanError> {
        let start = self.at;
        let key = self.varint()?;
        let (number, wire_type) = (key >> 3, (key & 7) as u8);
        let length = match wire_type {
            0 => self.varint().map(|_| 0)?,
            1 => 8,
            2 => self.varint()?,
            5 => 4,
            _ => return Err(ScanError::Malformed { at: start }),
        };
        if number == 0 {
            return Err(ScanError::Malformed { at: start });
        }
        let end = (self.at as u64).saturating_add(length);
        if end > self.bytes.len() as u64 {
            return Err(ScanError::Truncated { needed: end });
        }
        let content = &self.bytes[self.at..end as usize];
        self.at = end as usize;
        let bytes = if wire_type == 2 { content } else { &[] };
        Ok(Field { number, wire_type, bytes, raw: &self.bytes[start..self.at] })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            (self.bytes, self.at) = (&[], 0);
        }
        Some(field)
    }
}

/// The wire type of every field that a `ModelProto` may have.
fn model_field(number: u64) -> Option<u8> {
    match number {
        1 | 5 => Some(0),
        2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25 | 26 => Some(2),
        _ => None,
    }
}

/// Checks that `bytes` are one whole ONNX model, without decoding it.
///
/// # Errors
/// [`NetsError::NotOnnx`] when the bytes are something else (saying what, where it is known), and
/// [`NetsError::Truncated`] when they are the beginning of a model.
pub(crate) fn check_model(file: &str, bytes: &[u8]) -> Result<(), NetsError> {
    let not_onnx = |found: String| Err(NetsError::NotOnnx { file: file.to_owned(), found });
    if let Some(found) = known_other_format(bytes) {
        return not_onnx(found.to_owned());
    }
    let mut has_graph = false;
    let mut start = 0;
    for field in Fields::new(bytes) {
        match field {
            Ok(f) if model_field(f.number) == Some(f.wire_type) => {
                has_graph |= f.number == 7;
                start += f.raw.len();
            }
            Err(ScanError::Truncated { needed }) if starts_model_field(&bytes[start..]) => {
                return Err(NetsError::Truncated {
                    file: file.to_owned(),
                    needed,
                    found: bytes.len() as u64,
                });
            }
            _ => return not_onnx(format!("bytes that are no field of a model at byte {start}")),
        }
    }
    if has_graph {
        return Ok(());
    }
    Err(NetsError::Truncated {
        file: file.to_owned(),
        needed: bytes.len() as u64 + 1,
        found: bytes.len() as u64,
    })
}

fn starts_model_field(bytes: &[u8]) -> bool {
    let mut fields = Fields::new(bytes);
    fields.varint().is_ok_and(|key| model_field(key >> 3) == Some((key & 7) as u8))
}

/// Files that people pass by mistake, by their first bytes.
fn known_other_format(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if bytes.is_empty() {
        Some("an empty file")
    } else if starts(b"PK\x03\x04") {
        Some("a zip archive (a PyTorch checkpoint is one: export the model with torch.onnx.export)")
    } else if starts(b"\x80\x02") || starts(b"\x80\x04") {
        Some("a Python pickle (export the model with torch.onnx.export)")
    } else if starts(b"\x89PNG") || starts(b"\xff\xd8\xff") {
        Some("a picture (the network goes to --model, pictures to --data)")
    } else if starts(b"\x89HDF") {
        Some("an HDF5 file (convert a Keras model with tf2onnx)")
    } else if starts(b"version https://git-lfs") {
        Some("a Git LFS pointer (fetch the file itself with git lfs pull)")
    } else if starts(b"\x1f\x8b") {
        Some("a gzip file (decompress it first)")
    } else if bytes.get(8) == Some(&b'{') && bytes[..8].get(6..8) == Some(&[0, 0]) {
        Some("a safetensors file (weights without a graph: export the model to ONNX)")
    } else {
        None
    }
}

/// Appends `value` as a varint.
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field of wire type 2.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The model with its graph replaced by `edit(graph)`; every other field is copied as it stands.
fn edit_graph(
    model: &[u8],
    edit: impl Fn(&[u8]) -> Result<Vec<u8>, ScanError>,
) -> Result<Vec<u8>, ScanError> {
    let mut out = Vec::with_capacity(model.len() + 4096);
    for field in Fields::new(model) {
        let field = field?;
        if field.number == 7 {
            put_bytes(&mut out, 7, &edit(field.bytes)?);
        } else {
            out.extend_from_slice(field.raw);
        }
    }
    Ok(out)
}

/// The model with `values` as further graph outputs, so that a runtime hands them over. Values that are outputs
/// already are left alone. No type is written: runtimes infer it.
///
/// # Errors
/// [`ScanError`] when the bytes are not a whole message; a model that passed [`check_model`] can fail only inside
/// its graph.
#[cfg_attr(not(feature = "ort"), allow(dead_code))]
pub(crate) fn with_outputs(model: &[u8], values: &[&str], existing: &[&str]) -> Result<Vec<u8>, ScanError> {
    edit_graph(model, |graph| {
        let mut out = graph.to_vec();
        for name in values.iter().filter(|v| !existing.contains(v)) {
            let mut info = Vec::new();
            put_bytes(&mut info, 1, name.as_bytes());
            put_bytes(&mut out, 12, &info);
        }
        Ok(out)
    })
}

/// A change to one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeEdit {
    /// A new name.
    pub(crate) name: Option<String>,
    /// A list of integers to add as an attribute, with its name.
    pub(crate) ints: Option<(&'static str, Vec<i64>)>,
}

/// The model with the nodes at the positions that `edits` has (in file order) changed.
///
/// # Errors
/// As for [`with_outputs`].
pub(crate) fn with_node_edits(model: &[u8], edits: &BTreeMap<usize, NodeEdit>) -> Result<Vec<u8>, ScanError> {
    edit_graph(model, |graph| {
        let mut out = Vec::with_capacity(graph.len() + 4096);
        let mut position = 0;
        for field in Fields::new(graph) {
            let field = field?;
            if field.number != 1 {
                out.extend_from_slice(field.raw);
                continue;
            }
            match edits.get(&position) {
                Some(edit) => put_bytes(&mut out, 1, &edit_node(field.bytes, edit)?),
                None => out.extend_from_slice(field.raw),
            }
            position += 1;
        }
        Ok(out)
    })
}

fn edit_node(bytes: &[u8], edit: &NodeEdit) -> Result<Vec<u8>, ScanError> {
    let mut node = Vec::with_capacity(bytes.len() + 64);
    for part in Fields::new(bytes) {
        let part = part?;
        if part.number != 3 || edit.name.is_none() {
            node.extend_from_slice(part.raw);
        }
    }
    if let Some(name) = &edit.name {
        put_bytes(&mut node, 3, name.as_bytes());
    }
    if let Some((name, ints)) = &edit.ints {
        let mut attribute = Vec::new();
        put_bytes(&mut attribute, 1, name.as_bytes());
        for &v in ints {
            put_varint(&mut attribute, 8 << 3);
            put_varint(&mut attribute, v as u64);
        }
        // AttributeProto.type = INTS.
        put_varint(&mut attribute, 20 << 3);
        put_varint(&mut attribute, 7);
        put_bytes(&mut node, 5, &attribute);
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::onnx::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

    fn model() -> Vec<u8> {
        let node = |op: &str, name: &str| NodeProto {
            op_type: Some(op.into()),
            name: Some(name.into()),
            output: vec![name.into()],
            ..NodeProto::default()
        };
        let weight = TensorProto { dims: vec![300, 2], name: Some("w".into()), ..TensorProto::default() };
        let graph = GraphProto {
            node: vec![node("Conv", "a"), node("Relu", "b")],
            initializer: vec![weight],
            output: vec![ValueInfoProto { name: Some("b".into()), ..ValueInfoProto::default() }],
            ..GraphProto::default()
        };
        ModelProto { ir_version: Some(8), graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
    }

    fn graph_of(bytes: &[u8]) -> GraphProto {
        check_model("m", bytes).unwrap();
        ModelProto::decode(bytes).unwrap().graph.unwrap()
    }

    #[test]
    fn outputs_are_added_once_and_nothing_else_changes() {
        let bytes = model();
        let graph = graph_of(&with_outputs(&bytes, &["a", "b"], &["b"]).unwrap());
        let names: Vec<_> = graph.output.iter().map(|o| o.name.clone().unwrap()).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!((graph.node, graph.initializer), (graph_of(&bytes).node, graph_of(&bytes).initializer));
    }

    #[test]
    fn nodes_are_renamed_and_given_attributes() {
        let edit = NodeEdit { name: Some("new".into()), ints: Some(("kernel_shape", vec![3, 200])) };
        let graph = graph_of(&with_node_edits(&model(), &BTreeMap::from([(0, edit)])).unwrap());
        assert_eq!(graph.node[0].name.as_deref(), Some("new"));
        assert_eq!(graph.node[0].attribute[0].name.as_deref(), Some("kernel_shape"));
        assert_eq!(graph.node[0].attribute[0].ints, [3, 200]);
        assert_eq!(graph.node[1], graph_of(&model()).node[1]);
    }

    #[test]
    fn no_edit_gives_the_same_bytes() {
        assert_eq!(with_node_edits(&model(), &BTreeMap::new()).unwrap(), model());
    }
}
