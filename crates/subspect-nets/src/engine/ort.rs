//! The engine of the onnxruntime library that the user has installed.
//!
//! The library is loaded while the program runs, from the path in the environment variable `ORT_DYLIB_PATH`
//! (`pip install onnxruntime` puts `libonnxruntime.so.*` into its folder `capi`). Wanted values become outputs of
//! the graph, so its optimiser keeps them and is free with the rest.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SessionInputValue};
use ort::value::{Tensor, TensorElementType, TensorRef};

use super::{Engine, Fed, FedData, ModelSource, ValueView, Visitor, external_files};
use crate::onnx::{BOOL, INT32};
use crate::structure::label;
use crate::{NetsError, wire};

const LIBRARY: &str = "ORT_DYLIB_PATH";

/// Onnxruntime and one model.
pub(super) struct OrtEngine {
    file: String,
    bytes: Vec<u8>,
    external: Vec<(String, Arc<[u8]>)>,
    outputs: Vec<String>,
    /// Declared element types of the inputs.
    types: BTreeMap<String, i32>,
    threads: usize,
    version: String,
    environment: Environment,
    /// A node of every operator type, for messages.
    nodes: BTreeMap<String, String>,
    session: Option<Session>,
    wanted: Vec<String>,
}

impl OrtEngine {
    pub(super) fn load(source: ModelSource<'_>) -> Result<Self, NetsError> {
        let missing = |reason: String| NetsError::EngineMissing { engine: "ort".to_owned(), reason };
        let path = std::env::var_os(LIBRARY).filter(|p| !p.is_empty()).ok_or_else(|| {
            missing(format!(
                "set {LIBRARY} to the onnxruntime library, for instance to \
                 site-packages/onnxruntime/capi/libonnxruntime.so.1.20.0 after pip install onnxruntime"
            ))
        })?;
        let environment = environment(&path).map_err(missing)?;
        let external =
            external_files(&source)?.into_iter().map(|(name, bytes)| (name, bytes.into())).collect();
        Ok(Self {
            file: source.file.to_owned(),
            external,
            outputs: source.structure.outputs.iter().map(|o| o.name.clone()).collect(),
            types: source.structure.inputs.iter().map(|d| (d.name.clone(), d.elem_type)).collect(),
            threads: source.threads,
            version: version_of(&path.to_string_lossy()),
            environment,
            session: None,
            wanted: Vec::new(),
            nodes: source.structure.nodes.iter().rev().map(|n| (n.op_type.clone(), label(n))).collect(),
            bytes: source.bytes,
        })
    }

    fn builder(&self) -> ort::Result<SessionBuilder> {
        let mut builder = Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // Failures are returned, so the runtime need not print them as well.
            .with_log_level(LogLevel::Fatal)?;
        for (name, bytes) in &self.external {
            builder = builder.with_external_initializer_file_in_memory(name, bytes.clone())?;
        }
        Ok(builder)
    }
}

impl Engine for OrtEngine {
    fn describe(&self) -> String {
        self.version.clone()
    }

    fn prepare(&mut self, values: &[&str]) -> Result<(), NetsError> {
        if self.session.is_some() && self.wanted == values {
            return Ok(());
        }
        let fail = |reason: String| NetsError::EngineLoad {
            file: self.file.clone(),
            engine: self.version.clone(),
            reason,
        };
        let existing: Vec<&str> = self.outputs.iter().map(String::as_str).collect();
        let model = wire::with_outputs(&self.bytes, values, &existing)
            .map_err(|e| fail(format!("its graph is damaged ({e:?})")))?;
        let session = self.builder().and_then(|mut b| b.commit_from_memory(&model)).map_err(|e| {
            let text = e.to_string();
            let Some((domain, operator)) = unregistered(&text) else { return fail(text) };
            NetsError::UnknownOperator {
                operator: if domain.is_empty() {
                    operator.to_owned()
                } else {
                    format!("{domain}/{operator}")
                },
                node: self.nodes.get(operator).cloned().unwrap_or_else(|| "?".to_owned()),
                engine: self.version.clone(),
                alternative: String::new(),
            }
        })?;
        if let Some(lost) = values.iter().find(|v| !session.outputs().iter().any(|o| o.name() == **v)) {
            return Err(fail(format!("it has no value {lost}")));
        }
        self.session = Some(session);
        self.wanted = values.iter().map(|v| (*v).to_owned()).collect();
        Ok(())
    }

    fn run(&mut self, inputs: &[Fed<'_>], visit: Visitor<'_>) -> Result<(), NetsError> {
        let batch = inputs.first().and_then(|f| f.shape.first()).copied().unwrap_or(0);
        let version = self.version.clone();
        let fail = |reason: String| NetsError::EngineRun { engine: version.clone(), batch, reason };
        let session = self.session.as_mut().ok_or_else(|| fail("no values were asked for".to_owned()))?;
        // Moved into the call and never cloned: cloning a TensorRef of this version does not return.
        let mut fed: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
        for input in inputs {
            let declared = self.types.get(input.name).copied().unwrap_or(0);
            fed.push((input.name, value(input, declared).map_err(|e| fail(e.to_string()))?));
        }
        let outputs = session.run(fed).map_err(|e| fail(e.to_string()))?;
        for (i, name) in self.wanted.iter().enumerate() {
            let value = outputs.get(name).ok_or_else(|| fail(format!("it gave no value {name}")))?;
            let dims: Vec<usize> = match value.dtype().tensor_shape() {
                Some(dims) => dims.iter().map(|&d| usize::try_from(d).unwrap_or(0)).collect(),
                None => Vec::new(),
            };
            let is_float = value.dtype().tensor_type() == Some(TensorElementType::Float32);
            let data = if is_float {
                Some(value.try_extract_tensor::<f32>().map_err(|e| fail(e.to_string()))?.1)
            } else {
                None
            };
            visit(i, ValueView { shape: &dims, data })?;
        }
        Ok(())
    }
}

/// An input of the element type that the model declares.
fn value<'a>(input: &Fed<'a>, declared: i32) -> ort::Result<SessionInputValue<'a>> {
    let shape = input.shape;
    Ok(match (input.data, declared) {
        (FedData::Floats(data), _) => TensorRef::from_array_view((shape, data))?.into(),
        (FedData::Integers(data), BOOL) => {
            let flags: Vec<bool> = data.iter().map(|&v| v != 0).collect();
            Tensor::from_array((shape.to_vec(), flags))?.into()
        }
        (FedData::Integers(data), INT32) => {
            let narrow = |&v: &i64| i32::try_from(v).map_err(|e| ort::Error::new(e.to_string()));
            let narrowed = data.iter().map(narrow).collect::<ort::Result<Vec<i32>>>()?;
            Tensor::from_array((shape.to_vec(), narrowed))?.into()
        }
        (FedData::Integers(data), _) => TensorRef::from_array_view((shape, data))?.into(),
    })
}

/// The process's one environment; onnxruntime refuses a second.
fn environment(path: &OsStr) -> Result<Environment, String> {
    static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);
    let mut slot = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*slot {
        return Ok(environment.clone());
    }
    let made = ort::init_from(path)
        .map_err(|e| format!("{LIBRARY} is {}, which cannot be loaded ({e})", path.to_string_lossy()))?
        .with_name("subspect")
        .build()
        .map_err(|e| e.to_string())?;
    Ok(slot.insert(made).clone())
}

/// Domain and operator out of the runtime's `made.up:Wobble(-1) is not a registered function/op`.
fn unregistered(text: &str) -> Option<(&str, &str)> {
    let token = text.split_once(" is not a registered")?.0.rsplit(' ').next()?;
    token.split_once('(')?.0.rsplit_once(':')
}

/// `onnxruntime 1.20.0` from the name of the library; the interface itself does not tell a number.
fn version_of(path: &str) -> String {
    match path
        .rsplit_once(".so.")
        .or_else(|| path.strip_suffix(".dylib").and_then(|p| p.split_once("onnxruntime.")))
    {
        Some((_, version)) => format!("onnxruntime {version}"),
        None => "onnxruntime".to_owned(),
    }
}
