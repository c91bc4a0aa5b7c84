//! The activation store from Python: the same writer as the command line's, fed with blocks of rows.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use numpy::PyReadonlyArray2;
use pyo3::prelude::*;
use subspect_data::record::{DatasetInfo, Inputs, ModelInfo};
use subspect_data::store::{self, ActivationStore, LayerSpec, StoreHeader};
use subspect_linalg::{Measured, Status};

use crate::array::Held;
use crate::error::{Fault, parameter};

/// One layer to come: `(name, kind, shape of one input, features, pool)`.
type Spec = (String, String, Vec<usize>, usize, String);

/// What is known about the inputs: ids, labels, predictions, confidence; all but the ids may be empty.
type Known = (Vec<String>, Vec<u32>, Vec<u32>, Vec<f32>);

/// Writes a store block by block; memory holds one block.
#[pyclass(frozen, module = "subspect._core")]
pub(crate) struct StoreWriter {
    writer: Mutex<Option<store::StoreWriter>>,
}

#[pymethods]
impl StoreWriter {
    /// Starts a store in `folder`. `name` says where the inputs come from, `model` what gave the activations.
    #[new]
    #[pyo3(signature = (folder, layers, known, name, classes, key, model=None))]
    fn new(
        folder: PathBuf,
        layers: Vec<Spec>,
        known: Known,
        name: String,
        classes: Vec<String>,
        key: String,
        model: Option<(String, String, Vec<usize>)>,
    ) -> Result<Self, Fault> {
        let (ids, labels, predictions, confidence) = known;
        let dataset = DatasetInfo {
            name,
            format: "activations".to_owned(),
            n_total: ids.len(),
            classes,
            image_shape: Vec::new(),
            normalize: "none".to_owned(),
            hash: key.clone(),
            citation: None,
        };
        let accuracy = accuracy(&predictions, &labels);
        let model = model.map(|(name, engine, input_shape)| ModelInfo {
            name,
            hash: key.clone(),
            engine,
            input_shape,
            accuracy,
        });
        let inputs = Inputs { ids, labels, predictions, confidence };
        let specs: Vec<LayerSpec> = layers
            .into_iter()
            .map(|(name, kind, shape, n_features, pool)| LayerSpec { name, kind, shape, n_features, pool })
            .collect();
        let writer =
            store::StoreWriter::create(&folder, StoreHeader { key, inputs, dataset, model }, &specs)?;
        Ok(Self { writer: Mutex::new(Some(writer)) })
    }

    /// Appends the next rows of a layer.
    fn append(&self, py: Python<'_>, layer: usize, rows: PyReadonlyArray2<'_, f32>) -> Result<(), Fault> {
        let held = Held::new(&rows)?;
        py.detach(|| {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            match writer.as_mut() {
                Some(writer) => Ok(writer.append(layer, held.view())?),
                None => Err(parameter("the store is finished already".into())),
            }
        })
    }

    /// Marks the store finished; every layer must have all of its rows.
    fn finish(&self) -> Result<(), Fault> {
        match self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(writer) => Ok(writer.finish().map(|_| ())?),
            None => Err(parameter("the store is finished already".into())),
        }
    }
}

/// Share of the inputs whose prediction is their label.
fn accuracy(predictions: &[u32], labels: &[u32]) -> Measured {
    match (predictions.is_empty(), labels.is_empty()) {
        (true, _) => Status::NoPredictions.into(),
        (_, true) => Status::NoLabels.into(),
        _ => {
            let right = predictions.iter().zip(labels).filter(|(p, l)| p == l).count();
            Measured::finite(right as f64 / labels.len() as f64)
        }
    }
}

/// Checks that `folder` holds a finished store whose files fit its manifest.
#[pyfunction]
pub(crate) fn check_store(folder: PathBuf) -> Result<(), Fault> {
    ActivationStore::open(&folder)?;
    Ok(())
}
