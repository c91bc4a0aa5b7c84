//! A network that learns: passes forward and back with burn's tensors, one step of the optimiser, and its judgement.

use burn::tensor::{Device, Tensor, TensorData, activation};
use subspect_linalg::Measured;
use subspect_nets::{Architecture, Parameter, Weights};

use crate::TrainOptions;
use crate::examples::{Augment, Examples};
use crate::forward::{BatchStatistics, forward};
use crate::network::{Tensors, floats};
use crate::resume::State;

/// Share of the batch's statistics in the running ones (PyTorch's `momentum`).
const STATISTICS: f32 = 0.1;
/// Held-out inputs per pass.
const EVALUATED: usize = 256;

/// Inputs that are passed through together.
pub(crate) struct Batch<'b> {
    pub(crate) examples: &'b Examples,
    pub(crate) chosen: &'b [usize],
    pub(crate) augment: Option<&'b mut Augment>,
}

/// What does not change while a network learns.
pub(crate) struct Learner {
    pub(crate) architecture: Architecture,
    trained: Vec<Parameter>,
    /// Network input for every byte, by channel.
    tables: Vec<[f32; 256]>,
}

/// A batch after its pass: mean loss, right answers, and what else the pass saw.
struct Passed {
    loss: Tensor<1>,
    right: usize,
    tensors: Tensors,
    statistics: BatchStatistics,
}

impl Learner {
    pub(crate) fn new(architecture: Architecture, tables: Vec<[f32; 256]>) -> Self {
        let trained = architecture.parameters().into_iter().filter(|p| p.kind.is_trained()).collect();
        Self { architecture, trained, tables }
    }

    /// One step: loss and right answers of the batch, before it.
    pub(crate) fn step(
        &self,
        options: &TrainOptions,
        step: usize,
        rate: f64,
        batch: Batch<'_>,
        state: &mut State,
    ) -> (f64, usize) {
        let passed = self.pass(batch, &state.weights, true, &Device::flex().autodiff());
        let gradients = passed.tensors.gradients(&passed.loss.backward());
        for Parameter { name, .. } in &self.trained {
            let (Some(gradient), Some(values)) = (gradients.get(name), state.weights.values_mut(name)) else {
                continue;
            };
            let memory = state.memory.entry(name.clone()).or_default();
            options.optimizer.step(rate, options.weight_decay, step, values, gradient, memory);
        }
        follow(state, &passed.statistics);
        (scalar(passed.loss), passed.right)
    }

    /// The pass forward alone; its logits are computed and forgotten.
    pub(crate) fn forward(&self, batch: Batch<'_>, weights: &Weights) {
        self.pass(batch, weights, false, &Device::flex());
    }

    fn pass(&self, batch: Batch<'_>, weights: &Weights, training: bool, device: &Device) -> Passed {
        let Batch { examples, chosen, augment } = batch;
        let tensors = Tensors::new(&self.architecture, weights, device);
        let pictures = self.pictures(examples, chosen, augment, device);
        let (logits, statistics) = forward(&self.architecture, &tensors, pictures, training);
        let (labels, right) = self.judge(examples, chosen, &logits);
        Passed { loss: cross_entropy(logits, labels), right, tensors, statistics }
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

    /// Mean loss and accuracy on held-out inputs.
    pub(crate) fn evaluate(&self, held_out: &Examples, weights: &Weights) -> (Measured, Measured) {
        let all: Vec<usize> = (0..held_out.len()).collect();
        let (mut loss, mut right) = (0.0, 0);
        for chosen in all.chunks(EVALUATED) {
            let batch = Batch { examples: held_out, chosen, augment: None };
            let passed = self.pass(batch, weights, false, &Device::flex());
            loss += scalar(passed.loss) * chosen.len() as f64 / held_out.len() as f64;
            right += passed.right;
        }
        (Measured::finite(loss), Measured::finite(right as f64 / held_out.len() as f64))
    }
}

fn scalar(tensor: Tensor<1>) -> f64 {
    floats(tensor.into_data()).first().copied().map_or(f64::NAN, f64::from)
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
            let values = state.weights.values_mut(&format!("{name}.{suffix}")).unwrap_or_default();
            values.iter_mut().zip(batch).for_each(|(v, b)| *v += STATISTICS * (b - *v));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use subspect_linalg::Seed;
    use subspect_nets::{
        ActivationSink, ArchitectureOptions, ArchitectureSpec, BoxError, CaptureOptions, ImageShape,
        LoadOptions, Network, Normalize, PixelOrder, PixelSource, Preprocess, Progress, Resize,
        Tensor as Stored, capture,
    };

    use super::*;

    const PICTURES: usize = 6;

    const SHAPE: ImageShape = ImageShape { channels: 1, height: 8, width: 8 };

    fn examples() -> Examples {
        let pixels = (0..PICTURES * 64).map(|v| (v * v % 253) as u8).collect();
        Examples { pixels, labels: (0..PICTURES as u32).map(|i| i % 3).collect(), shape: [1, 8, 8] }
    }

    fn learner(arch: &str) -> Learner {
        let spec: ArchitectureSpec = arch.parse().unwrap();
        let others = ArchitectureOptions { n_classes: 3, input: SHAPE, ..ArchitectureOptions::default() };
        Learner::new(spec.build(&others).unwrap(), Normalize::None.tables(1).unwrap())
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
        let examples = examples();
        for arch in [
            "cnn:width=0.25",
            "mlp:width=0.1",
            "resnet8:width=0.25",
            "wrn-10-1:width=0.5",
            "resnet18:width=0.1",
        ] {
            let learner = learner(arch);
            let weights = shaken(&learner.architecture);
            let device = Device::flex();
            let tensors = Tensors::new(&learner.architecture, &weights, &device);
            let all: Vec<usize> = (0..PICTURES).collect();
            let pictures = learner.pictures(&examples, &all, None, &device);
            let ours = floats(forward(&learner.architecture, &tensors, pictures, false).0.into_data());
            let onnx = learner.architecture.to_onnx(&weights).unwrap();
            let load = LoadOptions { threads: 1, ..LoadOptions::default() };
            let mut network = Network::from_bytes(arch, onnx, None, &load).unwrap();
            let theirs = logits(&mut network, &examples.pixels);
            let size = theirs.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            for (a, b) in ours.iter().zip(&theirs) {
                assert!((a - b).abs() <= 1e-4 * size.max(1.0), "{arch}: {a} against {b}");
            }
        }
    }

    /// The loss as a function of one value, by differences of the pass forward, against the gradient.
    #[test]
    fn gradients_are_the_slopes_of_the_loss() {
        let examples = examples();
        let learner = learner("resnet8:width=0.25");
        let weights = shaken(&learner.architecture);
        let all: Vec<usize> = (0..PICTURES).collect();
        let pass = |weights: &Weights, device: &Device| {
            let batch = Batch { examples: &examples, chosen: &all, augment: None };
            learner.pass(batch, weights, true, device)
        };
        let passed = pass(&weights, &Device::flex().autodiff());
        let gradients = passed.tensors.gradients(&passed.loss.backward());
        let trained = &learner.trained;
        assert_eq!(gradients.len(), trained.len());
        for p in trained {
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
                scalar(pass(&other, &Device::flex()).loss)
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
        let read = |range: std::ops::Range<usize>, out: &mut [u8]| {
            out.copy_from_slice(&pixels[range.start * 64..range.end * 64]);
            Ok(())
        };
        let input = network.pictures().unwrap().clone();
        let preprocess =
            Preprocess::new(&input, SHAPE, PixelOrder::Chw, &Normalize::None, Resize::Never).unwrap();
        let mut rows = Rows(Vec::new());
        let layer = network.logits().unwrap();
        let mut source = PixelSource { n_inputs: PICTURES, read: &mut { read } };
        let go_on = &mut |_: Progress| ControlFlow::Continue(());
        capture(network, &[layer], &mut source, &preprocess, &CaptureOptions::default(), &mut rows, go_on)
            .unwrap();
        rows.0
    }
}
