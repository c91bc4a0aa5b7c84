//! Whole trainings on small synthetic pictures: they learn, repeat, resume, diverge with a status, and their snapshots run
//! in the engine that analyses them.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

use std::path::Path;

use subspect_data::dataset::{Dataset, EmbeddedImages};
use subspect_data::training::{EpochRecord, TrainingRecord, TrainingState};
use subspect_linalg::Seed;
use subspect_nets::{ArchitectureSpec, Weights};
use subspect_statistics::below;
use subspect_train::{Optimizer, Schedule, Silent, Snapshots, TrainError, TrainMonitor, TrainOptions, train};

/// Three classes of 8 x 8 pictures: a bright bar at the top, in the middle or at the bottom, in noise.
fn bars(n: usize, seed: u64) -> Dataset {
    let mut rng = Seed::new(seed).rng();
    let mut pixels = Vec::new();
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 3).collect();
    for &label in &labels {
        for y in 0..8_u32 {
            for _ in 0..8 {
                let lit = y / 3 == label && y < 8;
                pixels.push((below(&mut rng, 90) + if lit { 120 } else { 0 }) as u8);
            }
        }
    }
    EmbeddedImages {
        name: "bars".to_owned(),
        image_shape: [8, 8, 1],
        pixels: pixels.into(),
        labels,
        classes: ["top", "middle", "bottom"].map(str::to_owned).into(),
        citation: None,
    }
    .into_dataset()
    .unwrap()
}

fn options(arch: &str) -> TrainOptions {
    let spec: ArchitectureSpec = arch.parse().unwrap();
    TrainOptions {
        epochs: 4,
        batch_size: 20,
        learning_rate: 0.05,
        crop: 0,
        flip: false,
        ..TrainOptions::new(spec, arch)
    }
}

fn weights(folder: &Path, epoch: usize) -> Weights {
    Weights::load(&folder.join(TrainingRecord::checkpoint_file(epoch))).unwrap()
}

#[test]
fn networks_of_every_kind_learn_and_leave_their_snapshots() {
    let (data, held_out) = (bars(120, 1), bars(60, 2));
    for arch in ["cnn:width=0.25", "mlp:width=0.1", "resnet8:width=0.25"] {
        let dir = tempfile::tempdir().unwrap();
        let record = train(&options(arch), &data, Some(&held_out), dir.path(), &mut Silent).unwrap();
        assert_eq!((record.state, record.epochs.len()), (TrainingState::Complete, 5), "{arch}");
        let accuracy = |e: &EpochRecord| e.test_accuracy.value().unwrap();
        assert!(accuracy(&record.epochs[4]) > 0.9, "{arch}: {:?}", record.epochs[4]);
        let loss: Vec<f64> = record.epochs[1..].iter().map(|e| e.loss.value().unwrap()).collect();
        assert!(loss[3] < 0.7 * loss[0], "{arch}: {loss:?}");
        assert!((0..5).all(|epoch| !weights(dir.path(), epoch).is_empty()));
        assert_eq!(TrainingRecord::read(dir.path()).unwrap(), record);
    }
}

/// Stops after the first step of an epoch.
struct StopIn(usize, bool);

impl TrainMonitor for StopIn {
    fn stepped(&mut self, epoch: usize, _n: usize) {
        self.1 |= epoch == self.0;
    }
    fn finished(&mut self, _epoch: &EpochRecord) {}
    fn is_cancelled(&self) -> bool {
        self.1
    }
}

#[test]
fn a_resumed_training_ends_with_the_bits_of_an_unbroken_one() {
    let data = bars(90, 3);
    for optimizer in [Optimizer::Sgd { momentum: 0.9, nesterov: true }, Optimizer::AdamW] {
        let o = TrainOptions {
            optimizer,
            crop: 1,
            flip: true,
            label_noise: 0.1,
            ..options("resnet8:width=0.25")
        };
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        train(&o, &data, None, whole.path(), &mut Silent).unwrap();
        let stopped = train(&o, &data, None, broken.path(), &mut StopIn(3, false)).unwrap_err();
        assert!(matches!(stopped, TrainError::Interrupted { epoch: 2, epochs: 4 }), "{stopped}");
        let partial = TrainingRecord::read(broken.path()).unwrap();
        assert_eq!((partial.state, partial.epochs.len()), (TrainingState::Partial, 3));
        let record = train(&o, &data, None, broken.path(), &mut Silent).unwrap();
        assert_eq!((record.state, record.data.n_relabelled), (TrainingState::Complete, 9));
        assert_eq!(weights(whole.path(), 4), weights(broken.path(), 4));
        // Nothing is trained again, and another training does not take the folder.
        assert_eq!(train(&o, &data, None, broken.path(), &mut Silent).unwrap(), record);
        let other = TrainOptions { seed: 1, ..o };
        let refused = train(&other, &data, None, broken.path(), &mut Silent).unwrap_err().to_string();
        assert!(refused.contains("another seed (0)"), "{refused}");
    }
}

#[test]
fn what_diverges_says_so_and_keeps_what_was_finished() {
    let dir = tempfile::tempdir().unwrap();
    let schedule = Schedule::MultiStep { milestones: vec![1], factor: 1e30 };
    let o = TrainOptions { schedule, ..options("mlp:width=0.1") };
    let record = train(&o, &bars(60, 4), None, dir.path(), &mut Silent).unwrap();
    assert_eq!(record.state, TrainingState::Diverged);
    assert_eq!(record.epochs.len(), 2);
    assert!(weights(dir.path(), 1).iter().all(|(_, t)| t.values.iter().all(|v| v.is_finite())));
}

#[test]
fn snapshots_are_kept_as_asked_and_options_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let o = TrainOptions { snapshots: Snapshots::Geometric, epochs: 5, ..options("mlp:width=0.1") };
    let record = train(&o, &bars(60, 4), None, dir.path(), &mut Silent).unwrap();
    let kept: Vec<usize> = record.checkpoints(dir.path()).map(|(epoch, _)| epoch).collect();
    assert_eq!(kept, [0, 1, 2, 4, 5]);
    let bad = TrainOptions { data_share: 0.0, ..o };
    let refused = train(&bad, &bars(60, 4), None, dir.path(), &mut Silent).unwrap_err().to_string();
    assert!(refused.starts_with("data_share: expected above 0"), "{refused}");
}
