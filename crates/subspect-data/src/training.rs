//! The training record: what was trained, on what, and how it went. `training.json` beside the folder of checkpoints.
//!
//! It is the contract between a training and whoever looks at its snapshots. A checkpoint is a safetensors file of the
//! weights by PyTorch's names; the record says what architecture they belong to and what input the network saw, so
//! that nothing else is needed to run a snapshot.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use subspect_linalg::Measured;

use crate::error::{DataError, Result};
use crate::rundir::Table;
use crate::{atomic, json};

/// Version of this layout. A reader refuses a larger one and says so.
pub const TRAINING_SCHEMA: u32 = 1;
/// Name of the record in a training's folder.
pub const TRAINING_FILE: &str = "training.json";
/// Folder of the snapshots in a training's folder.
pub const CHECKPOINTS: &str = "checkpoints";

/// A whole training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRecord {
    /// [`TRAINING_SCHEMA`] at the time of writing.
    pub schema: u32,
    /// Version of Subspect that wrote it.
    pub subspect_version: String,
    /// Whether it has ended, and how.
    pub state: TrainingState,
    /// The architecture as it was asked for: `resnet8`, `cnn:depth=4,width=0.5`.
    pub arch: String,
    /// Number of classes.
    pub n_classes: usize,
    /// `[channels, height, width]` of one input.
    pub input: [usize; 3],
    /// How pixels became network input: `imagenet`, `cifar10`, `none` or `mean:std`.
    pub normalize: String,
    /// What it was trained on.
    pub data: TrainingData,
    /// Seed of the initialisation, the order, the augmentation, the label noise and the share of the data.
    pub seed: u64,
    /// Every other option, name to value.
    pub options: BTreeMap<String, String>,
    /// The initialisation (epoch 0) and every finished epoch, in order.
    pub epochs: Vec<EpochRecord>,
}

/// Whether a training has ended, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainingState {
    /// Epochs are missing: it is running or was stopped, and can be resumed.
    Partial,
    /// All epochs are there.
    Complete,
    /// The loss or a weight was no longer finite; the epochs before are kept.
    Diverged,
}

/// The inputs of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingData {
    /// Short name of the data set.
    pub name: String,
    /// Its layout: `cifar10`, `idx`, `embedded`, ...
    pub format: String,
    /// Class names.
    pub classes: Vec<String>,
    /// Inputs that were trained on, after [`data_share`](TrainingRecord::options).
    pub n_train: usize,
    /// Held-out inputs; 0 without them.
    pub n_test: usize,
    /// Training inputs whose label was redrawn.
    pub n_relabelled: usize,
    /// BLAKE3 over the training inputs, hex, before labels were redrawn.
    pub hash: String,
}

/// One epoch. Epoch 0 is the network before training: nothing but its held-out values and its checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// 0 for the initialisation.
    pub epoch: usize,
    /// Mean training loss (cross entropy, nats) over the epoch's batches, with the weights of their time.
    pub loss: Measured,
    /// Share of training inputs predicted as labelled, likewise.
    pub accuracy: Measured,
    /// Mean loss on the held-out inputs after the epoch.
    pub test_loss: Measured,
    /// Share of held-out inputs predicted as labelled after the epoch.
    pub test_accuracy: Measured,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Wall seconds of the epoch's steps, without the evaluation.
    pub seconds: f64,
    /// Training inputs per second.
    pub images_per_second: f64,
    /// The snapshot relative to the training's folder, if one was kept.
    pub checkpoint: Option<String>,
}

impl TrainingRecord {
    /// Path of the record in a training's folder.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(TRAINING_FILE)
    }

    /// `checkpoints/epoch-0007.safetensors`, relative to the training's folder.
    #[must_use]
    pub fn checkpoint_file(epoch: usize) -> String {
        format!("{CHECKPOINTS}/epoch-{epoch:04}.safetensors")
    }

    /// Reads the record of a training's folder.
    ///
    /// # Errors
    /// A record that is missing, cut short, or newer than this program.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = Self::path(folder);
        let text = std::fs::read(&path).map_err(|e| DataError::io("read", &path, e))?;
        json::parse(&path, &text, "training record", TRAINING_SCHEMA)
    }

    /// Writes the record and `tables/training.csv`, each atomically.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Argument`] when the record holds a NaN.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = Self::path(folder);
        let tables = folder.join("tables");
        std::fs::create_dir_all(&tables).map_err(|e| DataError::io("create", &tables, e))?;
        self.table().write(&tables.join("training.csv"))?;
        atomic::write_bytes(&path, &json::to_bytes(&path, self)?)
    }

    /// One row per epoch.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new(&[
            "epoch",
            "loss",
            "accuracy",
            "test_loss",
            "test_accuracy",
            "learning_rate",
            "seconds",
            "images_per_second",
            "checkpoint",
        ]);
        for e in &self.epochs {
            table.push(vec![
                e.epoch.into(),
                e.loss.into(),
                e.accuracy.into(),
                e.test_loss.into(),
                e.test_accuracy.into(),
                e.learning_rate.into(),
                e.seconds.into(),
                e.images_per_second.into(),
                e.checkpoint.clone().into(),
            ]);
        }
        table
    }

    /// Epochs with a snapshot, and its path.
    pub fn checkpoints<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = (usize, PathBuf)> + 'a {
        self.epochs.iter().filter_map(|e| Some((e.epoch, folder.join(e.checkpoint.as_ref()?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::Status;

    fn example() -> TrainingRecord {
        let epoch = |epoch, loss, checkpoint| EpochRecord {
            epoch,
            loss,
            accuracy: Measured::finite(0.5),
            test_loss: Measured::finite(1.25),
            test_accuracy: Measured::finite(0.25),
            learning_rate: 0.1,
            seconds: 2.0,
            images_per_second: 100.0,
            checkpoint,
        };
        TrainingRecord {
            schema: TRAINING_SCHEMA,
            subspect_version: "0.1.0".into(),
            state: TrainingState::Partial,
            arch: "resnet8".into(),
            n_classes: 10,
            input: [3, 32, 32],
            normalize: "cifar10".into(),
            data: TrainingData {
                name: "cifar10".into(),
                format: "cifar10".into(),
                classes: vec!["cat".into()],
                n_train: 200,
                n_test: 100,
                n_relabelled: 0,
                hash: "00".into(),
            },
            seed: 0,
            options: BTreeMap::from([("epochs".to_owned(), "2".to_owned())]),
            epochs: vec![
                epoch(0, Status::NotExecuted.into(), Some(TrainingRecord::checkpoint_file(0))),
                epoch(1, Measured::finite(2.5), None),
            ],
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let record = example();
        record.write(dir.path()).unwrap();
        assert_eq!(TrainingRecord::read(dir.path()).unwrap(), record);
        let table = std::fs::read_to_string(dir.path().join("tables/training.csv")).unwrap();
        let expected = "0,not_executed,0.5,1.25,0.25,0.1,2.0,100.0,checkpoints/epoch-0000.safetensors";
        assert_eq!(table.lines().nth(1), Some(expected));
        let kept: Vec<_> = record.checkpoints(dir.path()).collect();
        assert_eq!(kept, [(0, dir.path().join("checkpoints/epoch-0000.safetensors"))]);
    }

    #[test]
    fn a_missing_and_a_newer_record_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let missing = TrainingRecord::read(dir.path()).unwrap_err().to_string();
        assert!(missing.contains("cannot read") && missing.contains(TRAINING_FILE), "{missing}");
        let newer = TrainingRecord { schema: TRAINING_SCHEMA + 1, ..example() };
        newer.write(dir.path()).unwrap();
        let newer = TrainingRecord::read(dir.path()).unwrap_err().to_string();
        assert!(newer.contains("training record has schema 2"), "{newer}");
    }
}
