//! What a training says about itself: the training record beside its checkpoints, if there is one. It spares the user from
//! repeating what network the weights are of and how pixels become input.

use std::collections::BTreeMap;
use std::path::Path;

use subspect_data::dynamics::TrainingPoint;
use subspect_data::training::{TrainingRecord, TrainingState};

use crate::PipelineError;

/// What is known about a training; empty without a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Training {
    /// Values of options that the training settles: `arch`, `normalize`.
    pub(crate) options: BTreeMap<&'static str, String>,
    pub(crate) seed: Option<u64>,
    /// Its numbers by epoch, ascending.
    pub(crate) points: Vec<TrainingPoint>,
    /// What a reader should know: it has not ended, or not well.
    pub(crate) warning: Option<String>,
}

impl Training {
    /// Reads the record in `folder`, if there is one.
    pub(crate) fn read(folder: &Path) -> Result<Self, PipelineError> {
        if !TrainingRecord::path(folder).is_file() {
            return Ok(Self::default());
        }
        let record = TrainingRecord::read(folder)?;
        let last = record.epochs.last().map_or(0, |e| e.epoch);
        let warning = match record.state {
            TrainingState::Complete => None,
            TrainingState::Partial => Some(format!(
                "the training has not ended: its last epoch so far, {last}, is taken for the final state"
            )),
            TrainingState::Diverged => Some(format!("the training diverged after epoch {last}")),
        };
        Ok(Self {
            options: [("arch", record.arch.clone()), ("normalize", record.normalize.clone())].into(),
            seed: Some(record.seed),
            points: record.epochs.iter().map(point).collect(),
            warning,
        })
    }
}

fn point(epoch: &subspect_data::training::EpochRecord) -> TrainingPoint {
    let values = [
        ("loss", epoch.loss),
        ("accuracy", epoch.accuracy),
        ("test_loss", epoch.test_loss),
        ("test_accuracy", epoch.test_accuracy),
    ];
    let known = values.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v.value()?)));
    TrainingPoint { epoch: epoch.epoch as u64, values: known.collect() }
}
