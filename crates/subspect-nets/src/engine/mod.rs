//! Engines: programs that run a model and hand over any value inside it.

mod rten;

#[cfg(feature = "ort")]
mod ort;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::structure::Structure;
use crate::{Choice, NetsError};

/// One value of one batch.
#[derive(Clone, Copy, Debug)]
pub struct ValueView<'a> {
    /// Shape, batch axis first.
    pub shape: &'a [usize],
    /// Row-major content; `None` when the elements are not float32.
    pub data: Option<&'a [f32]>,
}

/// One input of one batch.
#[derive(Clone, Copy, Debug)]
pub struct Fed<'a> {
    /// Name of the model's input.
    pub name: &'a str,
    /// Shape, batch axis first.
    pub shape: &'a [usize],
    /// Row-major content.
    pub data: FedData<'a>,
}

/// Content of an input.
#[derive(Clone, Copy, Debug)]
pub enum FedData<'a> {
    /// Pictures.
    Floats(&'a [f32]),
    /// Token ids, masks, positions; whatever integer type or bool the model declares.
    Integers(&'a [i64]),
}

/// What receives the values of a batch: position in the list that was asked for, and the value.
pub type Visitor<'a> = &'a mut dyn FnMut(usize, ValueView<'_>) -> Result<(), NetsError>;

/// Runs one model.
pub trait Engine: Send {
    /// Name and version, for records: `rten 0.27`.
    fn describe(&self) -> String;

    /// Says which values the next calls of [`Engine::run`] hand over.
    ///
    /// # Errors
    /// [`NetsError::EngineLoad`] for a value that the model does not have.
    fn prepare(&mut self, values: &[&str]) -> Result<(), NetsError>;

    /// Runs one batch, given every input of the model, and shows the prepared values to `visit`, in the order of
    /// [`Engine::prepare`].
    ///
    /// # Errors
    /// [`NetsError::EngineRun`] when an operator fails, naming it, and whatever `visit` returns.
    fn run(&mut self, inputs: &[Fed<'_>], visit: Visitor<'_>) -> Result<(), NetsError>;
}

/// The engines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// Pure Rust, always there.
    #[default]
    Rten,
    /// The onnxruntime library that the user installed; needs the cargo feature `ort`.
    Ort,
}

/// The engines, for help texts.
pub static ENGINES: &[Choice] = &[
    Choice { name: "rten", summary: "pure Rust, nothing to install (default)" },
    Choice {
        name: "ort",
        summary: "the onnxruntime library named by ORT_DYLIB_PATH; faster, needs a build with the feature `ort`",
    },
];

impl EngineKind {
    /// The spelling in options.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EngineKind::Rten => "rten",
            EngineKind::Ort => "ort",
        }
    }
}

impl FromStr for EngineKind {
    type Err = NetsError;

    fn from_str(text: &str) -> Result<Self, NetsError> {
        [EngineKind::Rten, EngineKind::Ort].into_iter().find(|k| k.as_str() == text).ok_or_else(|| {
            NetsError::EngineMissing { engine: text.to_owned(), reason: "expected rten or ort".to_owned() }
        })
    }
}

/// What an engine needs to load a model.
pub(crate) struct ModelSource<'a> {
    pub(crate) file: &'a str,
    pub(crate) bytes: Vec<u8>,
    /// Folder of files that hold weights outside of the model.
    pub(crate) folder: Option<&'a Path>,
    pub(crate) structure: &'a Structure,
    pub(crate) threads: usize,
}

/// Loads a model into an engine.
pub(crate) fn load(kind: EngineKind, source: ModelSource<'_>) -> Result<Box<dyn Engine>, NetsError> {
    match kind {
        EngineKind::Rten => Ok(Box::new(rten::RtenEngine::load(source)?)),
        #[cfg(feature = "ort")]
        EngineKind::Ort => Ok(Box::new(ort::OrtEngine::load(source)?)),
        #[cfg(not(feature = "ort"))]
        EngineKind::Ort => Err(NetsError::EngineMissing {
            engine: "ort".to_owned(),
            reason: "this build leaves it out; build with --features ort, or use rten".to_owned(),
        }),
    }
}

/// The files that hold weights outside of a model, by the name that the model uses.
pub(crate) fn external_paths(
    file: &str,
    structure: &Structure,
    folder: Option<&Path>,
) -> Result<Vec<(String, PathBuf)>, NetsError> {
    let one = |name: &String| {
        let relative = Path::new(name);
        let stays = relative.components().all(|c| matches!(c, std::path::Component::Normal(_)));
        let path = folder.filter(|_| stays).map(|folder| (name.clone(), folder.join(relative)));
        path.ok_or_else(|| NetsError::BadGraph {
            file: file.to_owned(),
            reason: format!("its weights are in {name:?}, which is not a file beside it"),
        })
    };
    structure.external_files.iter().map(one).collect()
}

/// The content of every file that holds weights outside of the model, by the name that the model uses.
pub(crate) fn external_files(source: &ModelSource<'_>) -> Result<Vec<(String, Vec<u8>)>, NetsError> {
    let mut files = Vec::new();
    for (name, path) in external_paths(source.file, source.structure, source.folder)? {
        let bytes = std::fs::read(&path).map_err(|e| NetsError::Read { path, source: e })?;
        files.push((name, bytes));
    }
    Ok(files)
}
