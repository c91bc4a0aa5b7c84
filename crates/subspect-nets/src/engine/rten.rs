//! The pure-Rust engine: rten with its graph optimiser off, because fusion removes the values that are wanted.
//!
//! Rten runs every model in a thread pool of its own; it is given as many threads as the caller's pool has.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rten::{
    LoadError, LoadErrorKind, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView,
};
use rten_tensor::prelude::*;

use super::{Engine, Fed, FedData, ModelSource, ValueView, Visitor, external_files};
use crate::NetsError;
use crate::structure::{Node, Structure, label};
use crate::wire::{self, NodeEdit};

const NAME: &str = "rten 0.27";

/// Rten and one model.
pub(super) struct RtenEngine {
    file: String,
    model: Model,
    pool: Arc<ThreadPool>,
    wanted: Vec<NodeId>,
}

impl RtenEngine {
    pub(super) fn load(source: ModelSource<'_>) -> Result<Self, NetsError> {
        let mut options = ModelOptions::with_all_ops();
        options.enable_optimization(false).prepack_weights(true);
        for (name, bytes) in external_files(&source)? {
            options.external_data(&name, bytes);
        }
        let ModelSource { file, structure, threads, .. } = source;
        let fail =
            |reason: String| NetsError::EngineLoad { file: file.to_owned(), engine: NAME.into(), reason };
        let edits = edits(structure);
        let bytes = if edits.is_empty() {
            source.bytes
        } else {
            wire::with_node_edits(&source.bytes, &edits)
                .map_err(|e| fail(format!("its graph is damaged ({e:?})")))?
        };
        let model = quietly(|| options.load(bytes))
            .map_err(fail)?
            .map_err(|e| unknown_operator(structure, &e).unwrap_or_else(|| fail(e.to_string())))?;
        let pool = Arc::new(ThreadPool::with_num_threads(threads));
        Ok(Self { file: file.to_owned(), model, pool, wanted: Vec::new() })
    }
}

impl Engine for RtenEngine {
    fn describe(&self) -> String {
        NAME.to_owned()
    }

    fn prepare(&mut self, values: &[&str]) -> Result<(), NetsError> {
        self.wanted = values
            .iter()
            .map(|v| {
                self.model.find_node(v).ok_or_else(|| NetsError::EngineLoad {
                    file: self.file.clone(),
                    engine: NAME.into(),
                    reason: format!("it has no value {v}"),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    fn run(&mut self, inputs: &[Fed<'_>], visit: Visitor<'_>) -> Result<(), NetsError> {
        let batch = inputs.first().and_then(|f| f.shape.first()).copied().unwrap_or(0);
        let fail = |reason: String| NetsError::EngineRun { engine: NAME.into(), batch, reason };
        let mut fed = Vec::with_capacity(inputs.len());
        for input in inputs {
            let node = self.model.find_node(input.name);
            let node = node.ok_or_else(|| fail(format!("it has no input {}", input.name)))?;
            fed.push((node, value(input).map_err(fail)?));
        }
        let options = RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let run = || self.model.run(fed, &self.wanted, Some(options));
        let outputs = quietly(run).map_err(fail)?.map_err(|e| fail(e.to_string()))?;
        for (i, value) in outputs.into_iter().enumerate() {
            // One value is dropped before the next is looked at.
            match value {
                Value::FloatTensor(t) => {
                    let shape = t.shape().to_vec();
                    let data = t.into_data();
                    visit(i, ValueView { shape: &shape, data: Some(&data) })?;
                }
                other => visit(i, ValueView { shape: other.shape().as_slice(), data: None })?,
            }
        }
        Ok(())
    }
}

/// An input as rten takes it: it has one integer type, 32 bits wide.
fn value<'a>(input: &Fed<'a>) -> Result<ValueOrView<'a>, String> {
    match input.data {
        FedData::Floats(data) => {
            let view = rten::ValueView::from_shape(input.shape, data).map_err(|e| e.to_string())?;
            Ok(view.into())
        }
        FedData::Integers(data) => {
            let narrow = |&v: &i64| {
                i32::try_from(v).map_err(|_| format!("{} holds {v}, which 32 bits do not hold", input.name))
            };
            let data = data.iter().map(narrow).collect::<Result<Vec<i32>, String>>()?;
            Ok(Value::from_shape(input.shape, data).map_err(|e| e.to_string())?.into())
        }
    }
}

/// What rten needs told. It has one name space for values and nodes, so a node that is called like a value would hide
/// it; and it does not infer the `kernel_shape` of a convolution from its weight, as the format allows.
fn edits(structure: &Structure) -> BTreeMap<usize, NodeEdit> {
    let rename = structure.has_name_clash();
    let mut edits: BTreeMap<usize, NodeEdit> = BTreeMap::new();
    for (node, &position) in structure.nodes.iter().zip(&structure.file_position) {
        let name = rename.then(|| format!("{} (node {position})", node.name));
        let is_conv = matches!(node.op_type.as_str(), "Conv" | "ConvTranspose" | "ConvInteger");
        let kernel = node.inputs.get(1).filter(|_| is_conv && !node.has_kernel_shape);
        let ints =
            kernel.and_then(|w| structure.weight_shape(w)?.get(2..)).map(|k| ("kernel_shape", k.to_vec()));
        if name.is_some() || ints.is_some() {
            edits.insert(position, NodeEdit { name, ints });
        }
    }
    edits
}

/// Runs rten and turns a panic into a message: a model is the user's, and its oddities must not end the program.
fn quietly<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let text =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        format!("it broke on this model ({})", text.unwrap_or("no reason given"))
    })
}

/// Names operator and node when that is why a model did not load.
fn unknown_operator(structure: &Structure, error: &LoadError) -> Option<NetsError> {
    if error.kind() != LoadErrorKind::OperatorInvalid {
        return None;
    }
    let text = error.to_string();
    let lost = ["operator not supported", "operator not enabled", "operator uses opset version"];
    let operator =
        lost.iter().find_map(|l| text.split_once(&format!(" {l}")))?.0.rsplit(' ').next()?.to_owned();
    let named = error.node().filter(|n| !n.is_empty());
    // Rten writes `domain/Operator`.
    let is_it = |n: &&Node| operator.rsplit('/').next() == Some(n.op_type.as_str());
    let mut nodes = structure.nodes.iter().filter(is_it);
    let first = nodes.clone().next();
    let node = nodes.find(|n| named.is_some_and(|name| name.starts_with(&n.name))).or(first);
    let alternative = if cfg!(feature = "ort") {
        ", or use the engine ort"
    } else {
        ", or build with --features ort and use that engine"
    };
    Some(NetsError::UnknownOperator {
        node: node.map_or_else(|| named.unwrap_or("?").to_owned(), label),
        operator,
        engine: NAME.into(),
        alternative: alternative.into(),
    })
}
