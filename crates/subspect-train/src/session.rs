//! One training under way: its data, its network, and the record that always says how far it has come.

use std::path::Path;

use subspect_data::dataset::Dataset;
use subspect_data::training::{EpochRecord, TRAINING_SCHEMA, TrainingData, TrainingRecord, TrainingState};
use subspect_linalg::{Measured, Seed, Status};
use subspect_nets::{ArchitectureOptions, ImageShape};

use crate::examples::{Augment, Examples};
use crate::learner::{Batch, Learner};
use crate::resume::{State, save_weights};
use crate::{TrainError, TrainMonitor, TrainOptions};

/// Means over an epoch.
pub(crate) struct Means {
    pub(crate) loss: f64,
    accuracy: f64,
    rate: f64,
}

pub(crate) struct Session<'o> {
    options: &'o TrainOptions,
    learner: Learner,
    train: Examples,
    held_out: Option<Examples>,
    seed: Seed,
    pub(crate) record: TrainingRecord,
}

impl<'o> Session<'o> {
    pub(crate) fn start(
        options: &'o TrainOptions,
        data: &Dataset,
        held_out: Option<&Dataset>,
    ) -> Result<Self, TrainError> {
        let [height, width, channels] = data.image_shape();
        let input = ImageShape { channels, height, width };
        let n_classes = data.classes().len().max(data.labels().iter().max().map_or(0, |&c| c as usize + 1));
        let others = ArchitectureOptions { n_classes, input, ..ArchitectureOptions::default() };
        let architecture = options.arch.build(&others)?;
        if architecture.n_classes < n_classes || architecture.input != input {
            let expected = format!("{n_classes} classes and pictures of {}", input.describe());
            let found = format!("{} and {}", architecture.n_classes, architecture.input.describe());
            return Err(TrainError::Option { option: "arch", expected, found });
        }
        let seed = Seed::new(options.seed).axis("training");
        let chosen = Examples::share(data.labels(), options.data_share, seed.axis("share"));
        if chosen.len() < 2 {
            let found = chosen.len().to_string();
            return Err(TrainError::Option { option: "data", expected: "at least 2 inputs".into(), found });
        }
        let mut train = Examples::read(data, &chosen)?;
        let hash = data.hash(&chosen)?;
        let n_relabelled = train.relabel(options.label_noise, n_classes, seed.axis("noise"));
        let all = |d: &Dataset| Examples::read(d, &(0..d.len()).collect::<Vec<_>>());
        let held_out = held_out.map(all).transpose()?;
        if let Some(other) = held_out.as_ref().filter(|h| h.shape != train.shape) {
            let (expected, found) = (format!("{:?}", train.shape), format!("{:?}", other.shape));
            return Err(TrainError::Option { option: "held-out data", expected, found });
        }
        let most = held_out.as_ref().and_then(|h| h.labels.iter().max());
        if let Some(label) = most.filter(|&&label| label as usize >= architecture.n_classes) {
            let (expected, found) = (format!("labels below {}", architecture.n_classes), label.to_string());
            return Err(TrainError::Option { option: "held-out data", expected, found });
        }
        let record = TrainingRecord {
            schema: TRAINING_SCHEMA,
            subspect_version: env!("CARGO_PKG_VERSION").to_owned(),
            state: TrainingState::Partial,
            arch: options.arch_name.clone(),
            n_classes: architecture.n_classes,
            input: [channels, height, width],
            normalize: options.normalize_name.clone(),
            data: TrainingData {
                name: data.name().to_owned(),
                format: data.format().to_owned(),
                classes: data.classes().to_vec(),
                n_train: train.len(),
                n_test: held_out.as_ref().map_or(0, Examples::len),
                n_relabelled,
                hash,
            },
            seed: options.seed,
            options: options.table(),
            epochs: Vec::new(),
        };
        let learner = Learner::new(architecture, options.normalize.tables(channels)?);
        Ok(Self { options, learner, train, held_out, seed, record })
    }

    /// The state to go on from and the epoch that comes next.
    pub(crate) fn resume(&mut self, folder: &Path) -> Result<(State, usize), TrainError> {
        let fresh = || State { weights: self.learner.architecture.initialise(self.seed), ..State::default() };
        if !TrainingRecord::path(folder).is_file() {
            return Ok((fresh(), 1));
        }
        let found = TrainingRecord::read(folder)?;
        if let Some((what, value)) = self.difference(&found) {
            let folder = folder.display().to_string();
            return Err(TrainError::OtherTraining { folder, what, found: value });
        }
        let Some(last) = found.epochs.last().map(|e| e.epoch) else { return Ok((fresh(), 1)) };
        let state = if found.state == TrainingState::Partial { State::load(folder, last)? } else { fresh() };
        self.record = found;
        Ok((state, last + 1))
    }

    /// The first setting in which another record differs.
    fn difference(&self, other: &TrainingRecord) -> Option<(String, String)> {
        let mine = &self.record;
        let named = [
            ("architecture", &mine.arch, &other.arch),
            ("normalisation", &mine.normalize, &other.normalize),
            ("data", &mine.data.hash, &other.data.hash),
            ("seed", &mine.seed.to_string(), &other.seed.to_string()),
        ];
        if let Some((what, _, theirs)) = named.into_iter().find(|(_, a, b)| a != b) {
            return Some((what.to_owned(), theirs.clone()));
        }
        let differing = mine.options.iter().find(|(name, value)| other.options.get(*name) != Some(value));
        differing.map(|(name, _)| (name.clone(), other.options.get(name).cloned().unwrap_or_default()))
    }

    pub(crate) fn epoch(
        &mut self,
        epoch: usize,
        state: &mut State,
        monitor: &mut dyn TrainMonitor,
    ) -> Result<Means, TrainError> {
        let options = self.options;
        let seed = self.seed.axis("epoch").index(epoch as u64);
        let order = self.train.order(seed.axis("order"));
        let mut augment = Augment::new(options.crop, options.flip, seed.axis("augmentation"));
        let size = options.batch_size.min(self.train.len());
        // The rest of a division would be a batch of another size, with other statistics.
        let per_epoch = (self.train.len() / size).max(1);
        let steps = per_epoch * options.epochs;
        let mut means = Means { loss: 0.0, accuracy: 0.0, rate: 0.0 };
        for (k, chosen) in order.chunks_exact(size).enumerate() {
            if monitor.is_cancelled() {
                return Err(TrainError::Interrupted { epoch: epoch - 1, epochs: options.epochs });
            }
            let step = (epoch - 1) * per_epoch + k;
            means.rate = options.schedule.rate(options.learning_rate, step, steps, per_epoch);
            let batch = Batch { examples: &self.train, chosen, augment: Some(&mut augment) };
            let (loss, right) = self.learner.step(options, step + 1, means.rate, batch, state);
            means.loss += loss / per_epoch as f64;
            means.accuracy += right as f64 / (per_epoch * size) as f64;
            if !loss.is_finite() {
                means.loss = loss;
                return Ok(means);
            }
            monitor.stepped(epoch, chosen.len());
        }
        Ok(means)
    }

    /// Evaluates, writes the snapshot, the state to resume from, and the record, in this order.
    pub(crate) fn finish_epoch(
        &mut self,
        epoch: usize,
        state: &State,
        trained: Option<(Means, f64)>,
        folder: &Path,
        monitor: &mut dyn TrainMonitor,
    ) -> Result<(), TrainError> {
        let none = || Measured::from(Status::NotExecuted);
        let held_out = self.held_out.as_ref().filter(|h| !h.is_empty());
        let (test_loss, test_accuracy) =
            held_out.map_or((none(), none()), |h| self.learner.evaluate(h, &state.weights));
        let kept = self.options.snapshots.keeps(epoch, self.options.epochs);
        let checkpoint = kept.then(|| TrainingRecord::checkpoint_file(epoch));
        if let Some(file) = &checkpoint {
            save_weights(&state.weights, &folder.join(file))?;
        }
        let n = self.train.len() as f64;
        let record = EpochRecord {
            epoch,
            loss: trained.as_ref().map_or_else(none, |(m, _)| Measured::finite(m.loss)),
            accuracy: trained.as_ref().map_or_else(none, |(m, _)| Measured::finite(m.accuracy)),
            test_loss,
            test_accuracy,
            learning_rate: trained.as_ref().map_or(0.0, |(m, _)| m.rate),
            seconds: trained.as_ref().map_or(0.0, |(_, s)| *s),
            images_per_second: trained.as_ref().map_or(0.0, |(_, s)| if *s > 0.0 { n / s } else { 0.0 }),
            checkpoint,
        };
        let is_last = epoch == self.options.epochs;
        if !is_last {
            state.save(folder, epoch)?;
        }
        self.record.epochs.push(record);
        self.record.state = if is_last { TrainingState::Complete } else { TrainingState::Partial };
        self.record.write(folder)?;
        if epoch > 0 {
            State::forget(folder, epoch - 1);
        }
        if let Some(last) = self.record.epochs.last() {
            monitor.finished(last);
        }
        Ok(())
    }
}
