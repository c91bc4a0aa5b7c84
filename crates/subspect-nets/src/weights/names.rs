//! What wrappers and other spellings add to the names of tensors.

use std::collections::BTreeMap;

use super::{Tensor, Weights};
use crate::Architecture;

/// Where checkpoints keep the weights beside the optimiser's state and the epoch.
const NESTED: [&str; 6] = ["state_dict", "model_state_dict", "model_state", "net", "model", "weights"];
/// What data-parallel training, compilation and training frameworks put before every name.
const WRAPPERS: [&str; 5] = ["module.", "_orig_mod.", "model.", "net.", "backbone."];
/// Spellings of one module: torchvision's, and that of networks made for CIFAR.
const SPELLINGS: [(&str, &str); 2] = [("downsample", "shortcut"), ("fc", "linear")];

/// The model's tensors by their plain names.
pub(super) fn plain(mut tensors: BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    let is_below = |name: &str, key: &str| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    if let Some(key) = NESTED.iter().find(|key| tensors.keys().any(|name| is_below(name, key))) {
        tensors.retain(|name, _| is_below(name, key));
        tensors = without(tensors, &format!("{key}."));
    }
    while let Some(prefix) =
        WRAPPERS.iter().find(|p| !tensors.is_empty() && tensors.keys().all(|name| name.starts_with(*p)))
    {
        tensors = without(tensors, prefix);
    }
    tensors
}

fn without(tensors: BTreeMap<String, Tensor>, prefix: &str) -> BTreeMap<String, Tensor> {
    tensors
        .into_iter()
        .map(|(name, tensor)| (name.strip_prefix(prefix).map(str::to_owned).unwrap_or(name), tensor))
        .collect()
}

impl Weights {
    /// The weights with the architecture's spelling of their names, where only that differs (`fc` and `linear`,
    /// `downsample` and `shortcut`).
    #[must_use]
    pub fn spelled_for(mut self, architecture: &Architecture) -> Self {
        for parameter in architecture.parameters() {
            if self.tensors.contains_key(&parameter.name) {
                continue;
            }
            let other = SPELLINGS.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).find_map(|(ours, theirs)| {
                let name = respelled(&parameter.name, ours, theirs)?;
                self.tensors.contains_key(&name).then_some(name)
            });
            if let Some(tensor) = other.and_then(|name| self.tensors.remove(&name)) {
                self.tensors.insert(parameter.name, tensor);
            }
        }
        self
    }
}

impl Weights {
    /// Values that the last operator of an architecture puts out with these weights.
    pub(crate) fn outputs_of(&self, architecture: &Architecture) -> Option<usize> {
        let name = format!("{}.weight", architecture.nodes.last()?.name);
        let own = || self.tensors.get(&name);
        let spelled = || {
            let both = SPELLINGS.iter().flat_map(|&(a, b)| [(a, b), (b, a)]);
            both.filter_map(|(ours, theirs)| respelled(&name, ours, theirs))
                .find_map(|n| self.tensors.get(&n))
        };
        own().or_else(spelled)?.shape.first().copied()
    }
}

/// `name` with the module `from` called `to`; `None` when it has no such module.
fn respelled(name: &str, from: &str, to: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('.').map(|p| if p == from { to } else { p }).collect();
    let new = parts.join(".");
    (new != name).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(from: &[&str]) -> Vec<String> {
        let tensor = Tensor { shape: vec![1], values: vec![0.0] };
        plain(from.iter().map(|n| ((*n).to_owned(), tensor.clone())).collect()).into_keys().collect()
    }

    #[test]
    fn wrappers_and_nesting_are_taken_off() {
        assert_eq!(names(&["a.weight", "b.bias"]), ["a.weight", "b.bias"]);
        assert_eq!(names(&["module.a.weight", "module.b"]), ["a.weight", "b"]);
        assert_eq!(names(&["_orig_mod.module.a"]), ["a"]);
        assert_eq!(names(&["module.a", "b"]), ["b", "module.a"]);
        let checkpoint = ["state_dict.module.a", "state_dict.module.b", "optimizer.state.0.momentum_buffer"];
        assert_eq!(names(&checkpoint), ["a", "b"]);
        assert!(names(&[]).is_empty());
    }

    #[test]
    fn only_whole_modules_are_respelled() {
        assert_eq!(respelled("fc.weight", "fc", "linear").as_deref(), Some("linear.weight"));
        assert_eq!(respelled("fc1.weight", "fc", "linear"), None);
    }
}
