//! Trainings of a sweep. The pipeline knows no training library: whoever calls it supplies a [`Trainer`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use subspect_data::training::TrainingRecord;

use super::epoch::snapshot_epoch;
use crate::PipelineError;
use crate::options::{Options, known_options};

/// Trains networks from options by name.
pub trait Trainer {
    /// The options that there are.
    fn names(&self) -> Vec<String>;

    /// Checks options before anything is computed; `place` is what messages call the configuration.
    ///
    /// # Errors
    /// The first value that cannot be used.
    fn outline(&self, options: &Options, place: &str) -> Result<TrainingOutline, PipelineError>;

    /// Trains into `folder`, or goes on where it holds the same training unfinished.
    ///
    /// # Errors
    /// [`PipelineError::Interrupted`], or what the training met. A loss that is not finite is none.
    fn train(&self, options: &Options, folder: &Path) -> Result<TrainingRecord, PipelineError>;
}

/// What is known of a training beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingOutline {
    /// The network in words.
    pub arch: String,
    /// How pixels become network input.
    pub normalize: String,
    /// The data; their training part is trained on.
    pub data: PathBuf,
    /// Layout of the data, where their path hides it.
    pub data_format: Option<String>,
    /// Held-out data, where they are not part of the data.
    pub test_data: Option<PathBuf>,
    /// Passes over the data.
    pub epochs: usize,
    /// Epochs whose weights are kept.
    pub kept: Vec<usize>,
}

/// One training of a sweep; cells with the same options share it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTraining {
    /// Unique name, made of the values that vary.
    pub name: String,
    /// Its folder, relative to the sweep's.
    pub folder: String,
    /// Its options.
    pub options: Options,
    /// What they come to.
    pub outline: TrainingOutline,
}

/// Which weights of which training a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Position in [`super::SweepPlan::trainings`].
    pub training: usize,
    /// The epoch.
    pub epoch: usize,
}

/// Collects the trainings of a sweep while its cells are read.
pub(super) struct Trainings<'a> {
    trainer: Option<&'a dyn Trainer>,
    /// By options.
    known: BTreeMap<Vec<(String, Vec<String>)>, usize>,
    pub(super) planned: Vec<PlannedTraining>,
}

impl<'a> Trainings<'a> {
    pub(super) fn new(trainer: Option<&'a dyn Trainer>) -> Self {
        Self { trainer, known: BTreeMap::new(), planned: Vec::new() }
    }

    /// The training with these options, planned now unless another cell has it; its checkpoint at `epoch`. `name` is
    /// made of those values that vary.
    pub(super) fn snapshot(
        &mut self,
        table: &toml::Table,
        name: &str,
        epoch: &str,
        place: &str,
    ) -> Result<Snapshot, PipelineError> {
        let trainer = self.trainer.ok_or_else(|| PipelineError::Missing {
            what: format!("what trains the networks of {place}"),
            mend: "this build cannot train; build it with its default features (train)".into(),
        })?;
        let names = trainer.names();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let options = known_options(table, &format!("{place}, train"), &names)?;
        let key: Vec<_> = options.names().map(|n| (n.to_owned(), options.list(n))).collect();
        let training = match self.known.get(&key) {
            Some(&index) => index,
            None => {
                let outline = trainer.outline(&options, place)?;
                let folder = format!("trainings/{}", super::cell::folder_name(name));
                if let Some(other) = self.planned.iter().find(|t| t.folder == folder) {
                    let reason = format!("expected trainings whose names differ, found {} twice", other.name);
                    return Err(PipelineError::Training { place: place.to_owned(), reason });
                }
                self.planned.push(PlannedTraining { name: name.to_owned(), folder, options, outline });
                self.known.insert(key, self.planned.len() - 1);
                self.planned.len() - 1
            }
        };
        let epoch = snapshot_epoch(epoch, &self.planned[training].outline, place)?;
        Ok(Snapshot { training, epoch })
    }
}
