//! The pass through a network: one walk over its operators.

use std::collections::BTreeMap;

use burn::tensor::module::{avg_pool2d, batch_norm, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions, PadMode};
use burn::tensor::{Tensor, activation};
use subspect_nets::{Architecture, BATCH_NORM_EPSILON, Node, Op};

use crate::network::{Tensors, floats};

/// A value on its way: a picture with channels, or one row per input.
#[derive(Clone)]
enum Value {
    Picture(Tensor<4>),
    Row(Tensor<2>),
}

/// Mean and variance of each normalised channel over a batch, by the module's name: `unbiased` variance, as PyTorch keeps
/// it.
pub(crate) type BatchStatistics = BTreeMap<String, (Vec<f32>, Vec<f32>)>;

/// The logits of a batch. With `training`, channels are normalised by the batch, whose statistics come back.
pub(crate) fn forward(
    architecture: &Architecture,
    tensors: &Tensors,
    pictures: Tensor<4>,
    training: bool,
) -> (Tensor<2>, BatchStatistics) {
    let mut statistics = BatchStatistics::new();
    let mut values: Vec<Option<Value>> = vec![Some(Value::Picture(pictures))];
    let mut last_use = vec![0; architecture.nodes.len()];
    for (at, node) in architecture.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&i| last_use[i] = at);
    }
    for (at, node) in architecture.nodes.iter().enumerate().skip(1) {
        let inputs: Vec<Value> = node.inputs.iter().filter_map(|&i| values[i].clone()).collect();
        let value = apply(node, inputs, tensors, training, &mut statistics);
        values.push(Some(value));
        // A value that nobody wants any more gives its memory back.
        node.inputs.iter().filter(|&&i| last_use[i] == at).for_each(|&i| values[i] = None);
    }
    match values.pop().flatten() {
        Some(Value::Row(logits)) => (logits, statistics),
        _ => unreachable!("an architecture ends in one row per input"),
    }
}

fn apply(
    node: &Node,
    inputs: Vec<Value>,
    tensors: &Tensors,
    training: bool,
    statistics: &mut BatchStatistics,
) -> Value {
    let name = |suffix: &str| format!("{}.{suffix}", node.name);
    let mut inputs = inputs.into_iter();
    let (first, second) = (inputs.next(), inputs.next());
    match (node.op, first, second) {
        (Op::Conv { stride, padding, bias, .. }, Some(Value::Picture(x)), _) => {
            let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
            let bias = bias.then(|| tensors.vector(&name("bias")));
            Value::Picture(conv2d(x, tensors.kernel(&name("weight")), bias, options))
        }
        (Op::BatchNorm { .. }, Some(Value::Picture(x)), _) => {
            let (scale, shift) = (tensors.vector(&name("weight")), tensors.vector(&name("bias")));
            let epsilon = f64::from(BATCH_NORM_EPSILON);
            if !training {
                let (mean, variance) =
                    (tensors.vector(&name("running_mean")), tensors.vector(&name("running_var")));
                return Value::Picture(batch_norm(x, scale, shift, mean, variance, epsilon));
            }
            let [n, _, h, w] = x.dims();
            let found = batch_norm_train(x, scale, shift, epsilon);
            let count = (n * h * w) as f32;
            let variance = floats(found.variance.into_data());
            let unbiased = variance.into_iter().map(|v| v * count / (count - 1.0).max(1.0)).collect();
            statistics.insert(node.name.clone(), (floats(found.mean.into_data()), unbiased));
            Value::Picture(found.output)
        }
        (Op::Relu, Some(Value::Picture(x)), _) => Value::Picture(activation::relu(x)),
        (Op::Relu, Some(Value::Row(x)), _) => Value::Row(activation::relu(x)),
        (Op::Add, Some(Value::Picture(a)), Some(Value::Picture(b))) => Value::Picture(a + b),
        (Op::Add, Some(Value::Row(a)), Some(Value::Row(b))) => Value::Row(a + b),
        (Op::MaxPool { kernel, stride, padding }, Some(Value::Picture(x)), _) => {
            let mut options = MaxPoolOptions::new([kernel; 2]);
            (options.stride, options.padding) = ([stride; 2], [(padding, padding); 2]);
            Value::Picture(max_pool2d(x, options))
        }
        (Op::AvgPool { kernel, stride, padding }, Some(Value::Picture(x)), _) => {
            let mut options = AvgPoolOptions::new([kernel; 2]);
            (options.stride, options.padding) = ([stride; 2], [(padding, padding); 2]);
            Value::Picture(avg_pool2d(x, options))
        }
        (Op::GlobalAvgPool, Some(Value::Picture(x)), _) => Value::Picture(x.mean_dim(3).mean_dim(2)),
        (Op::Flatten, Some(Value::Picture(x)), _) => Value::Row(x.flatten(1, 3)),
        (Op::Linear { .. }, Some(Value::Row(x)), _) => {
            let bias = tensors.vector(&name("bias")).unsqueeze::<2>();
            Value::Row(x.matmul(tensors.matrix(&name("weight")).transpose()) + bias)
        }
        (Op::Subsample { stride, in_channels, out_channels }, Some(Value::Picture(x)), _) => {
            let before = (out_channels - in_channels) / 2;
            let after = out_channels - in_channels - before;
            // A pool of one place keeps every `stride`-th row and column.
            let mut options = MaxPoolOptions::new([1; 2]);
            options.stride = [stride; 2];
            let kept = max_pool2d(x, options);
            Value::Picture(kept.pad([(0, 0), (before, after), (0, 0), (0, 0)], PadMode::Constant(0.0)))
        }
        (op, ..) => unreachable!("the architecture was checked: {} takes other values", op.op_type()),
    }
}
