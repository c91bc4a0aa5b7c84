//! A multilayer perceptron: hidden layers of 512 features (times the width), each followed by a ReLU.

use super::builder::Builder;
use super::{Architecture, ArchitectureInfo, ArchitectureOptions, Op};
use crate::NetsError;

/// Hidden layers.
const DEFAULT_DEPTH: usize = 2;

pub(super) const INFO: ArchitectureInfo = ArchitectureInfo {
    name: "mlp",
    prefixes: &["mlp"],
    members: &["mlp"],
    summary: "multilayer perceptron, hidden layers of 512 features",
    reference: "Rumelhart, Hinton, Williams, Nature 1986",
    default_depth: Some(DEFAULT_DEPTH),
    build,
};

fn build(numbers: &[usize], options: &ArchitectureOptions) -> Option<Result<Architecture, NetsError>> {
    numbers.is_empty().then(|| network(options))
}

fn network(options: &ArchitectureOptions) -> Result<Architecture, NetsError> {
    let mut net = Builder::new("mlp", options);
    let mut x = net.add("flatten", Op::Flatten, &[Builder::INPUT]);
    let depth = options.depth.unwrap_or(DEFAULT_DEPTH);
    for i in 1..=depth {
        x = net.linear(&format!("fc{i}"), x, net.scaled(512));
        net.tap(x);
        x = net.relu(&format!("relu{i}"), x);
    }
    net.classify(&format!("fc{}", depth + 1), x);
    net.finish()
}
