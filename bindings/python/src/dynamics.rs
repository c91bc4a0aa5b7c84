//! A training watched through its snapshots: what the command line's `dynamics` does.

use std::path::PathBuf;

use pyo3::prelude::*;
use subspect_pipeline::{DynamicsSettings, Snapshots, dynamics_of};

use crate::error::Fault;
use crate::run::{Words, options};
use crate::watch::watched;

/// A folder, or the stores of one training: name, where they come from, epoch and folder of each.
#[derive(FromPyObject)]
pub(crate) enum Training {
    Folder(PathBuf),
    Stores((String, String, Vec<(u64, PathBuf)>)),
}

impl From<Training> for Snapshots {
    fn from(training: Training) -> Self {
        match training {
            Training::Folder(folder) => Snapshots::Folder(folder),
            Training::Stores((name, source, epochs)) => Snapshots::Stores { name, source, epochs },
        }
    }
}

/// Looks at one training, or at the same one from several seeds; leaves its record in `output`.
#[pyfunction]
#[pyo3(signature = (trainings, words, output, threshold, keep_activations, progress=None))]
pub(crate) fn dynamics(
    py: Python<'_>,
    trainings: Vec<Training>,
    words: Words,
    output: PathBuf,
    threshold: f64,
    keep_activations: bool,
    progress: Option<Py<PyAny>>,
) -> Result<(), Fault> {
    let trainings: Vec<Snapshots> = trainings.into_iter().map(Snapshots::from).collect();
    let command = "subspect.dynamics".to_owned();
    let settings =
        DynamicsSettings { options: options(words)?, output, threshold, keep_activations, command };
    watched(py, 0, progress.as_ref(), move |watch| {
        dynamics_of(&trainings, &settings, &[], watch).map(|_| ())
    })??;
    Ok(())
}
