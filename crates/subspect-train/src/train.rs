//! The training loop: epochs of steps, an evaluation and a snapshot after each, and a record that always says how far
//! it has come.

use std::path::Path;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData, activation};
use subspect_data::dataset::Dataset;
use subspect_data::training::{EpochRecord, TRAINING_SCHEMA, TrainingData, TrainingRecord, TrainingState};
use subspect_linalg::{Measured, Seed, Status};
use subspect_nets::{Architecture, ArchitectureOptions, ImageShape, Tensor as Stored};

use crate::examples::{Augment, Examples, Tables};
use crate::forward::{BatchStatistics, forward};
use crate::network::{Tensors, floats};
use crate::resume::State;
use crate::{TrainError, TrainOptions};

/// Share of the batch's statistics in the running ones (PyTorch's `momentum`).
const STATISTICS: f32 = 0.1;
/// Held-out inputs per pass.
const EVALUATED: usize = 256;

/// Told as the training goes.
pub trait TrainMonitor {
    /// `n` inputs of epoch `epoch` have been trained on.
    fn stepped(&mut self, epoch: usize, n: usize);

    /// An epoch is over and written.
    fn finished(&mut self, epoch: &EpochRecord);

    /// True to stop: the epoch under way is dropped.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Follows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl TrainMonitor for Silent {
    fn stepped(&mut self, _epoch: usize, _n: usize) {}
    fn finished(&mut self, _epoch: &EpochRecord) {}
}

/// Trains on `data` and evaluates on `held_out`, or goes on where `folder` holds the same training unfinished.
///
/// # Errors
/// [`TrainError`]. A loss that is not finite is none: the record says [`TrainingState::Diverged`].
pub fn train(
    options: &TrainOptions,
    data: &Dataset,
    held_out: Option<&Dataset>,
    folder: &Path,
    monitor: &mut dyn TrainMonitor,
) -> Result<TrainingRecord, TrainError> {
    options.check()?;
    let mut session = Session::start(options, data, held_out)?;
    let (mut state, first) = session.resume(folder)?;
    let begins = session.record.epochs.len();
    if begins == 0 {
        session.finish_epoch(0, &state, None, folder, monitor)?;
    }
    for epoch in first..=options.epochs {
        if session.record.state == TrainingState::Diverged {
            break;
        }
        let start = Instant::now();
        let mean = session.epoch(epoch, &mut state, monitor)?;
        let seconds = start.elapsed().as_secs_f64();
        if !mean.loss.is_finite() || !is_finite(&state) {
            session.record.state = TrainingState::Diverged;
            session.record.write(folder)?;
            break;
        }
        session.finish_epoch(epoch, &state, Some((mean, seconds)), folder, monitor)?;
    }
    Ok(session.record)
}

fn is_finite(state: &State) -> bool {
    state.weights.iter().all(|(_, t)| t.values.iter().all(|v| v.is_finite()))
}

/// Means over an epoch.
struct Means {
    loss: f64,
    accuracy: f64,
    rate: f64,
}

struct Session<'o> {
    options: &'o TrainOptions,
    architecture: Architecture,
    train: Examples,
    held_out: Option<Examples>,
    tables: Tables,
    seed: Seed,
    record: TrainingRecord,
}

impl<'o> Session<'o> {
    fn start(
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
        let tables = Tables::new(&options.normalize, channels)?;
        Ok(Self { options, architecture, train, held_out, tables, seed, record })
    }

    /// The state to go on from and the epoch that comes next.
    fn resume(&mut self, folder: &Path) -> Result<(State, usize), TrainError> {
        let fresh = || State { weights: self.architecture.initialise(self.seed), ..State::default() };
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

    fn epoch(
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
            let (loss, right) = self.step(step + 1, means.rate, chosen, &mut augment, state);
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

    /// One step: loss and right answers of the batch, before it.
    fn step(
        &self,
        step: usize,
        rate: f64,
        chosen: &[usize],
        augment: &mut Augment,
        state: &mut State,
    ) -> (f64, usize) {
        let device = Device::flex().autodiff();
        let tensors = Tensors::new(&self.architecture, &state.weights, &device);
        let pictures = self.pictures(&self.train, chosen, Some(augment), &device);
        let (logits, statistics) = forward(&self.architecture, &tensors, pictures, true);
        let (labels, right) = self.judge(&self.train, chosen, &logits);
        let loss = cross_entropy(logits, labels);
        let gradients = tensors.gradients(&loss.backward());
        let loss = floats(loss.into_data()).first().copied().map_or(f64::NAN, f64::from);
        for parameter in self.architecture.parameters().iter().filter(|p| p.kind.is_trained()) {
            let Some(gradient) = gradients.get(&parameter.name) else { continue };
            let memory = state.memory.entry(parameter.name.clone()).or_default();
            let mut values = state.weights.values(&parameter.name).unwrap_or_default().to_vec();
            self.options.optimizer.step(rate, self.options.weight_decay, step, &mut values, gradient, memory);
            state.weights.insert(&parameter.name, Stored { shape: parameter.shape.clone(), values });
        }
        follow(state, &statistics);
        (loss, right)
    }

    fn pictures(
        &self,
        examples: &Examples,
        chosen: &[usize],
        augment: Option<&mut Augment>,
        device: &Device,
    ) -> Tensor<4> {
        let [c, h, w] = examples.shape;
        let values = examples.batch(chosen, &self.tables, augment);
        Tensor::from_data(TensorData::new(values, [chosen.len(), c, h, w]), device)
    }

    /// The labels as rows of 0 and 1, and how many inputs have their largest logit there.
    fn judge(&self, examples: &Examples, chosen: &[usize], logits: &Tensor<2>) -> (Tensor<2>, usize) {
        let k = self.architecture.n_classes;
        let scores = floats(logits.clone().into_data());
        let mut rows = vec![0.0_f32; chosen.len() * k];
        let mut right = 0;
        for (place, &i) in chosen.iter().enumerate() {
            let label = examples.labels[i] as usize;
            rows[place * k + label] = 1.0;
            let row = &scores[place * k..(place + 1) * k];
            right += usize::from(row.iter().enumerate().all(|(c, v)| c == label || *v < row[label]));
        }
        (Tensor::from_data(TensorData::new(rows, [chosen.len(), k]), &logits.device()), right)
    }

    /// Mean loss and accuracy on the held-out inputs.
    fn evaluate(&self, state: &State) -> (Measured, Measured) {
        let Some(held_out) = self.held_out.as_ref().filter(|h| !h.is_empty()) else {
            return (Status::NotExecuted.into(), Status::NotExecuted.into());
        };
        let device = Device::flex();
        let tensors = Tensors::new(&self.architecture, &state.weights, &device);
        let all: Vec<usize> = (0..held_out.len()).collect();
        let (mut loss, mut right) = (0.0, 0);
        for chosen in all.chunks(EVALUATED) {
            let pictures = self.pictures(held_out, chosen, None, &device);
            let (logits, _) = forward(&self.architecture, &tensors, pictures, false);
            let (labels, good) = self.judge(held_out, chosen, &logits);
            let mean = floats(cross_entropy(logits, labels).into_data())
                .first()
                .copied()
                .map_or(f64::NAN, f64::from);
            loss += mean * chosen.len() as f64 / held_out.len() as f64;
            right += good;
        }
        (Measured::finite(loss), Measured::finite(right as f64 / held_out.len() as f64))
    }

    /// Evaluates, writes the snapshot, the state to resume from, and the record, in this order.
    fn finish_epoch(
        &mut self,
        epoch: usize,
        state: &State,
        trained: Option<(Means, f64)>,
        folder: &Path,
        monitor: &mut dyn TrainMonitor,
    ) -> Result<(), TrainError> {
        let (test_loss, test_accuracy) = self.evaluate(state);
        let kept = self.options.snapshots.keeps(epoch, self.options.epochs);
        let checkpoint = kept.then(|| TrainingRecord::checkpoint_file(epoch));
        if let Some(file) = &checkpoint {
            let path = folder.join(file);
            let parent = path.parent().unwrap_or(folder);
            std::fs::create_dir_all(parent).map_err(|e| subspect_data::DataError::io("create", parent, e))?;
            state.weights.save_safetensors(&path)?;
        }
        let none = || Measured::from(Status::NotExecuted);
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

/// Mean over the batch of `-sum_c y_c log softmax(z)_c`, in nats.
fn cross_entropy(logits: Tensor<2>, labels: Tensor<2>) -> Tensor<1> {
    let n = logits.dims()[0] as f64;
    (activation::log_softmax(logits, 1) * labels).sum().neg().div_scalar(n)
}

/// Moves the running statistics towards those of the batch.
fn follow(state: &mut State, statistics: &BatchStatistics) {
    for (name, (mean, variance)) in statistics {
        for (suffix, batch) in [("running_mean", mean), ("running_var", variance)] {
            let name = format!("{name}.{suffix}");
            let mut values = state.weights.values(&name).unwrap_or_default().to_vec();
            values.iter_mut().zip(batch).for_each(|(v, b)| *v += STATISTICS * (b - *v));
            let shape = vec![values.len()];
            state.weights.insert(&name, Stored { shape, values });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;
    use subspect_data::dataset::EmbeddedImages;

    use subspect_nets::{
        ActivationSink, ArchitectureSpec, BoxError, CaptureOptions, LoadOptions, Network, Normalize,
        PixelOrder, PixelSource, Preprocess, Progress, Resize, Weights, capture,
    };

    const PICTURES: usize = 6;

    fn dataset() -> Dataset {
        EmbeddedImages {
            name: "noise".to_owned(),
            image_shape: [8, 8, 1],
            pixels: (0..PICTURES * 64).map(|v| (v * v % 253) as u8).collect::<Vec<u8>>().into(),
            labels: (0..PICTURES as u32).map(|i| i % 3).collect(),
            classes: ["a", "b", "c"].map(str::to_owned).into(),
            citation: None,
        }
        .into_dataset()
        .unwrap()
    }

    fn options(arch: &str) -> TrainOptions {
        let spec: ArchitectureSpec = arch.parse().unwrap();
        TrainOptions { crop: 0, flip: false, batch_size: PICTURES, ..TrainOptions::new(spec, arch) }
    }

    /// Weights away from the initialisation, so that every tensor matters.
    fn shaken(architecture: &Architecture) -> Weights {
        let mut weights = architecture.initialise(Seed::new(7));
        for p in architecture.parameters() {
            let values: Vec<f32> = weights.values(&p.name).unwrap().to_vec();
            let shake =
                |(i, v): (usize, &f32)| v * 0.9 + 0.05 * ((i as f32 * 0.7 + p.len() as f32).sin() + 1.1);
            let values = values.iter().enumerate().map(shake).collect();
            weights.insert(&p.name, Stored { shape: p.shape.clone(), values });
        }
        weights
    }

    #[test]
    fn the_pass_forward_is_that_of_the_engine_that_analyses_snapshots() {
        let data = dataset();
        for arch in [
            "cnn:width=0.25",
            "mlp:width=0.1",
            "resnet8:width=0.25",
            "wrn-10-1:width=0.5",
            "resnet18:width=0.1",
        ] {
            let options = options(arch);
            let session = Session::start(&options, &data, None).unwrap();
            let weights = shaken(&session.architecture);
            let device = Device::flex();
            let tensors = Tensors::new(&session.architecture, &weights, &device);
            let all: Vec<usize> = (0..PICTURES).collect();
            let pictures = session.pictures(&session.train, &all, None, &device);
            let ours = floats(forward(&session.architecture, &tensors, pictures, false).0.into_data());
            let onnx = session.architecture.to_onnx(&weights).unwrap();
            let load = LoadOptions { threads: 1, ..LoadOptions::default() };
            let mut network = Network::from_bytes(arch, onnx, None, &load).unwrap();
            let theirs = logits(&mut network, &session.train.pixels);
            let size = theirs.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            for (a, b) in ours.iter().zip(&theirs) {
                assert!((a - b).abs() <= 1e-4 * size.max(1.0), "{arch}: {a} against {b}");
            }
        }
    }

    /// The loss as a function of one value, by differences of the pass forward, against the gradient.
    #[test]
    fn gradients_are_the_slopes_of_the_loss() {
        let data = dataset();
        let options = options("resnet8:width=0.25");
        let session = Session::start(&options, &data, None).unwrap();
        let weights = shaken(&session.architecture);
        let all: Vec<usize> = (0..PICTURES).collect();
        let pass = |weights: &Weights, device: &Device| {
            let tensors = Tensors::new(&session.architecture, weights, device);
            let pictures = session.pictures(&session.train, &all, None, device);
            let (logits, _) = forward(&session.architecture, &tensors, pictures, true);
            let (labels, _) = session.judge(&session.train, &all, &logits);
            (cross_entropy(logits, labels), tensors)
        };
        let (loss, tensors) = pass(&weights, &Device::flex().autodiff());
        let gradients = tensors.gradients(&loss.backward());
        let trained: Vec<_> =
            session.architecture.parameters().into_iter().filter(|p| p.kind.is_trained()).collect();
        assert_eq!(gradients.len(), trained.len());
        for p in &trained {
            let gradient = &gradients[&p.name];
            // Along the gradient itself, so that the slope stands out of the rounding.
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            if norm < 1e-3 {
                continue;
            }
            let moved = |by: f64| {
                let mut other = weights.clone();
                let values = weights.values(&p.name).unwrap().iter().zip(gradient);
                let values =
                    values.map(|(v, g)| (f64::from(*v) + by * f64::from(*g) / norm) as f32).collect();
                other.insert(&p.name, Stored { shape: p.shape.clone(), values });
                f64::from(floats(pass(&other, &Device::flex()).0.into_data())[0])
            };
            let step = 3e-3;
            let slope = (moved(step) - moved(-step)) / (2.0 * step);
            assert!((slope - norm).abs() < 0.05 * norm + 2e-3, "{}: {slope} against {norm}", p.name);
        }
    }

    #[test]
    fn running_statistics_follow_pytorchs_convention() {
        let mut state = State::default();
        state.weights.insert("bn.running_mean", Stored { shape: vec![1], values: vec![1.0] });
        state.weights.insert("bn.running_var", Stored { shape: vec![1], values: vec![2.0] });
        follow(&mut state, &BatchStatistics::from([("bn".to_owned(), (vec![3.0], vec![6.0]))]));
        assert!((state.weights.values("bn.running_mean").unwrap()[0] - 1.2).abs() < 1e-6);
        assert!((state.weights.values("bn.running_var").unwrap()[0] - 2.4).abs() < 1e-6);
    }

    struct Rows(Vec<f32>);

    impl ActivationSink for Rows {
        fn append(&mut self, _layer: usize, _rows: usize, data: &[f32]) -> Result<(), BoxError> {
            self.0.extend_from_slice(data);
            Ok(())
        }
    }

    /// The class scores of the network's own pass over these pictures of 8 x 8 bytes.
    fn logits(network: &mut Network, pixels: &[u8]) -> Vec<f32> {
        let shape = ImageShape { channels: 1, height: 8, width: 8 };
        let read = |range: std::ops::Range<usize>, out: &mut [u8]| {
            out.copy_from_slice(&pixels[range.start * 64..range.end * 64]);
            Ok(())
        };
        let input = network.pictures().unwrap().clone();
        let preprocess =
            Preprocess::new(&input, shape, PixelOrder::Chw, &Normalize::None, Resize::Never).unwrap();
        let mut rows = Rows(Vec::new());
        let layer = network.logits().unwrap();
        let mut source = PixelSource { n_inputs: PICTURES, read: &mut { read } };
        let go_on = &mut |_: Progress| ControlFlow::Continue(());
        capture(network, &[layer], &mut source, &preprocess, &CaptureOptions::default(), &mut rows, go_on)
            .unwrap();
        rows.0
    }
}
