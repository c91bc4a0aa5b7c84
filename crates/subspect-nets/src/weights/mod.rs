//! Trained values by name, as PyTorch's `state_dict()` holds them.

mod check;
mod load;
mod names;
mod save;

use std::collections::BTreeMap;

pub use check::WeightsProblem;

/// One tensor: its shape, outputs first, and its values in C order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Vec<f32>,
}

/// Tensors in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Adds a tensor, or replaces the one of that name.
    ///
    /// # Panics
    /// When the shape does not say the number of values.
    pub fn insert(&mut self, name: &str, tensor: Tensor) {
        assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len(), "{name}");
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// The tensor called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// The values of the tensor called `name`.
    #[must_use]
    pub fn values(&self, name: &str) -> Option<&[f32]> {
        self.get(name).map(|t| t.values.as_slice())
    }

    /// The same, to be changed in place.
    pub fn values_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        self.tensors.get_mut(name).map(|t| t.values.as_mut_slice())
    }

    /// All tensors, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Number of tensors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }
}
