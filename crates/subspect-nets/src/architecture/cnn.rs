//! A small convolutional network: 3x3 convolutions with batch normalisation and ReLU, of 16, 32, 64 ... channels
//! (doubling, up to 128, times the width), a pooling after each but the last, then the mean over all places.

use super::builder::Builder;
use super::{Architecture, ArchitectureInfo, ArchitectureOptions, Op};
use crate::NetsError;

/// Convolutions.
const DEFAULT_DEPTH: usize = 4;

pub(super) const INFO: ArchitectureInfo = ArchitectureInfo {
    name: "cnn",
    prefixes: &["cnn"],
    members: &["cnn"],
    summary: "small convolutional network, 16-32-64-128 channels",
    reference: "LeCun, Bottou, Bengio, Haffner, Proc. IEEE 1998",
    default_depth: Some(DEFAULT_DEPTH),
    build,
};

fn build(numbers: &[usize], options: &ArchitectureOptions) -> Option<Result<Architecture, NetsError>> {
    numbers.is_empty().then(|| network(options))
}

fn network(options: &ArchitectureOptions) -> Result<Architecture, NetsError> {
    let mut net = Builder::new("cnn", options);
    let mut x = Builder::INPUT;
    let depth = options.depth.unwrap_or(DEFAULT_DEPTH);
    for i in 1..=depth {
        let channels = net.scaled(16 << (i - 1).min(3));
        x = net.conv(&format!("conv{i}"), x, channels, 3, 1);
        net.tap(x);
        x = net.batch_norm(&format!("bn{i}"), x);
        x = net.relu(&format!("relu{i}"), x);
        if i < depth && net.side(x) > 1 {
            x = net.add(&format!("pool{i}"), Op::MaxPool { kernel: 2, stride: 2, padding: 0 }, &[x]);
        }
    }
    net.head(x, "fc");
    net.finish()
}
