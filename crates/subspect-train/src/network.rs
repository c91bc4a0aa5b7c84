//! The values of a network under training: tensors by name, in the order in which the operators ask for them.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use subspect_nets::{Architecture, Weights};

/// Trained tensors and running statistics as burn's tensors, for one step or one evaluation.
pub(crate) struct Tensors {
    by_name: BTreeMap<String, Held>,
}

/// A tensor of its own rank.
pub(crate) enum Held {
    Vector(Tensor<1>),
    Matrix(Tensor<2>),
    Kernel(Tensor<4>),
}

impl Tensors {
    /// All tensors of `weights`; trained ones follow their gradient where the device does.
    pub(crate) fn new(architecture: &Architecture, weights: &Weights, device: &Device) -> Self {
        let mut by_name = BTreeMap::new();
        for parameter in architecture.parameters() {
            let values = weights.values(&parameter.name).unwrap_or_default().to_vec();
            let data = TensorData::new(values, parameter.shape.clone());
            let follow = parameter.kind.is_trained() && device.is_autodiff();
            by_name.insert(parameter.name, Held::new(data, parameter.shape.len(), follow, device));
        }
        Self { by_name }
    }

    pub(crate) fn vector(&self, name: &str) -> Tensor<1> {
        match self.by_name.get(name) {
            Some(Held::Vector(t)) => t.clone(),
            _ => unreachable!("{name} is a vector of the architecture"),
        }
    }

    pub(crate) fn matrix(&self, name: &str) -> Tensor<2> {
        match self.by_name.get(name) {
            Some(Held::Matrix(t)) => t.clone(),
            _ => unreachable!("{name} is a matrix of the architecture"),
        }
    }

    pub(crate) fn kernel(&self, name: &str) -> Tensor<4> {
        match self.by_name.get(name) {
            Some(Held::Kernel(t)) => t.clone(),
            _ => unreachable!("{name} is a kernel of the architecture"),
        }
    }

    /// Gradient of every trained tensor after `loss.backward()`.
    pub(crate) fn gradients(&self, found: &burn::tensor::Gradients) -> BTreeMap<String, Vec<f32>> {
        let values = |held: &Held| match held {
            Held::Vector(t) => t.grad(found).map(|g| g.into_data()),
            Held::Matrix(t) => t.grad(found).map(|g| g.into_data()),
            Held::Kernel(t) => t.grad(found).map(|g| g.into_data()),
        };
        let all = self.by_name.iter().filter_map(|(name, held)| Some((name.clone(), floats(values(held)?))));
        all.collect()
    }
}

impl Held {
    fn new(data: TensorData, rank: usize, follow: bool, device: &Device) -> Self {
        match rank {
            1 => Held::Vector(following(Tensor::from_data(data, device), follow)),
            2 => Held::Matrix(following(Tensor::from_data(data, device), follow)),
            _ => Held::Kernel(following(Tensor::from_data(data, device), follow)),
        }
    }
}

fn following<const D: usize>(tensor: Tensor<D>, follow: bool) -> Tensor<D> {
    if follow { tensor.require_grad() } else { tensor }
}

/// The values of a tensor that this crate made of float32.
pub(crate) fn floats(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().try_into_vec().unwrap_or_default()
}
