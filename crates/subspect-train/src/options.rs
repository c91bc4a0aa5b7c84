//! What a training is asked for.

use std::collections::BTreeMap;

use subspect_nets::{ArchitectureSpec, Normalize};

use crate::{Optimizer, Schedule, TrainError};

/// After which epochs the weights are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Snapshots {
    /// Every one.
    #[default]
    Every,
    /// 0, 1, 2, 4, 8, ... and the last.
    Geometric,
    /// The last.
    Last,
}

impl Snapshots {
    /// The spelling in every interface.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Snapshots::Every => "every",
            Snapshots::Geometric => "geometric",
            Snapshots::Last => "last",
        }
    }

    /// Whether the weights after `epoch` of `epochs` are kept; 0 is the initialisation.
    #[must_use]
    pub fn keeps(self, epoch: usize, epochs: usize) -> bool {
        match self {
            Snapshots::Every => true,
            Snapshots::Geometric => epoch == 0 || epoch == epochs || epoch.is_power_of_two(),
            Snapshots::Last => epoch == epochs,
        }
    }
}

/// Everything that decides how a training ends.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// The network.
    pub arch: ArchitectureSpec,
    /// As it was written: `resnet8`, `cnn:width=0.5`.
    pub arch_name: String,
    /// How pixels become network input.
    pub normalize: Normalize,
    /// The same in words, for the record.
    pub normalize_name: String,
    /// Passes over the data.
    pub epochs: usize,
    /// Inputs per step.
    pub batch_size: usize,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// How it changes.
    pub schedule: Schedule,
    /// What makes a step of a gradient.
    pub optimizer: Optimizer,
    /// Weight decay of every trained tensor.
    pub weight_decay: f64,
    /// Zeros around a picture from which a crop of its own size is drawn; 0: no crop.
    pub crop: usize,
    /// Whether half of the pictures are mirrored.
    pub flip: bool,
    /// Share of the training inputs whose label is drawn anew, for studies of memorisation.
    pub label_noise: f64,
    /// Share of each class that is trained on.
    pub data_share: f64,
    /// After which epochs weights are kept.
    pub snapshots: Snapshots,
    /// Seed of everything random.
    pub seed: u64,
}

impl TrainOptions {
    /// A network with the usual settings for small pictures: one cycle of sgd, crop and flip.
    #[must_use]
    pub fn new(arch: ArchitectureSpec, arch_name: &str) -> Self {
        Self {
            arch,
            arch_name: arch_name.to_owned(),
            normalize: Normalize::None,
            normalize_name: "none".to_owned(),
            epochs: 20,
            batch_size: 128,
            learning_rate: 0.1,
            schedule: Schedule::OneCycle,
            optimizer: Optimizer::Sgd { momentum: 0.9, nesterov: false },
            weight_decay: 5e-4,
            crop: 4,
            flip: true,
            label_noise: 0.0,
            data_share: 1.0,
            snapshots: Snapshots::Every,
            seed: 0,
        }
    }

    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// [`TrainError::Option`] with the first one.
    pub fn check(&self) -> Result<(), TrainError> {
        let share = |v: f64| v > 0.0 && v <= 1.0;
        let rules: [(&'static str, bool, &str, String); 7] = [
            ("epochs", self.epochs > 0, "at least 1", self.epochs.to_string()),
            ("batch_size", self.batch_size > 1, "at least 2", self.batch_size.to_string()),
            (
                "learning_rate",
                self.learning_rate > 0.0 && self.learning_rate.is_finite(),
                "a number above 0",
                self.learning_rate.to_string(),
            ),
            (
                "weight_decay",
                self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
                "0 or more",
                self.weight_decay.to_string(),
            ),
            ("label_noise", (0.0..=1.0).contains(&self.label_noise), "0 to 1", self.label_noise.to_string()),
            ("data_share", share(self.data_share), "above 0 and at most 1", self.data_share.to_string()),
            (
                "momentum",
                !matches!(self.optimizer, Optimizer::Sgd { momentum, .. } if !(0.0..1.0).contains(&momentum)),
                "0 or more and below 1",
                self.optimizer.describe(),
            ),
        ];
        match rules.into_iter().find(|rule| !rule.1) {
            None => Ok(()),
            Some((option, _, expected, found)) => {
                Err(TrainError::Option { option, expected: expected.to_owned(), found })
            }
        }
    }

    /// Every option but architecture, normalisation and seed, which the record names by themselves.
    pub(crate) fn table(&self) -> BTreeMap<String, String> {
        let schedule = match &self.schedule {
            Schedule::Constant => "constant".to_owned(),
            Schedule::Cosine => "cosine".to_owned(),
            Schedule::OneCycle => "one_cycle".to_owned(),
            Schedule::MultiStep { milestones, factor } => {
                let at: Vec<String> = milestones.iter().map(ToString::to_string).collect();
                format!("multi_step, times {factor} at {}", at.join(", "))
            }
        };
        [
            ("epochs", self.epochs.to_string()),
            ("batch_size", self.batch_size.to_string()),
            ("learning_rate", self.learning_rate.to_string()),
            ("schedule", schedule),
            ("optimizer", self.optimizer.describe()),
            ("weight_decay", self.weight_decay.to_string()),
            ("crop", self.crop.to_string()),
            ("flip", self.flip.to_string()),
            ("label_noise", self.label_noise.to_string()),
            ("data_share", self.data_share.to_string()),
            ("snapshots", self.snapshots.as_str().to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
