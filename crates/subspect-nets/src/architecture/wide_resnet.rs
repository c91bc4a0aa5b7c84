//! Wide residual networks of depth 6n + 4 and width k: a stem of 16 channels, three groups of n blocks with 16k, 32k and
//! 64k channels. A block normalises and activates before each of its two 3x3 convolutions; where the shape changes, its
//! shortcut is a 1x1 convolution of the activated input. Zagoruyko, Komodakis, BMVC 2016, table 1.
//!
//! The option `width` multiplies the 16, 32 and 64 of groups and stem; the k of the name only those of the groups.

use super::builder::{At, Builder};
use super::{Architecture, ArchitectureInfo, ArchitectureOptions, Op};
use crate::NetsError;

pub(super) const INFO: ArchitectureInfo = ArchitectureInfo {
    name: "wrn-<6n+4>-<k>",
    prefixes: &["wrn", "wideresnet"],
    members: &["wrn-16-2", "wrn-16-4", "wrn-16-8", "wrn-28-2", "wrn-28-10", "wrn-64-2"],
    summary: "wide residual network, 16k-32k-64k channels, normalisation before convolution",
    reference: "Zagoruyko, Komodakis, BMVC 2016, table 1",
    default_depth: None,
    build,
};

fn build(numbers: &[usize], options: &ArchitectureOptions) -> Option<Result<Architecture, NetsError>> {
    let &[depth, k] = numbers else { return None };
    let is_member = depth >= 10 && depth % 6 == 4 && depth <= 1000 && (1..=100).contains(&k);
    is_member.then(|| network(depth, k, options))
}

fn network(depth: usize, k: usize, options: &ArchitectureOptions) -> Result<Architecture, NetsError> {
    let mut net = Builder::new(&format!("wrn-{depth}-{k}"), options);
    let stem = net.conv("conv1", Builder::INPUT, net.scaled(16), 3, 1);
    net.tap(stem);
    let mut x = stem;
    for (group, channels) in [(1, 16), (2, 32), (3, 64)] {
        let channels = net.scaled(channels * k);
        for index in 0..(depth - 4) / 6 {
            let stride = if group > 1 && index == 0 { 2 } else { 1 };
            x = block(&mut net, &format!("block{group}.layer.{index}"), x, channels, stride);
        }
        net.tap_block(x);
    }
    let x = net.batch_norm("bn1", x);
    let x = net.relu("relu", x);
    net.tap(x);
    net.head(x, "fc");
    net.finish()
}

fn block(net: &mut Builder, name: &str, x: At, channels: usize, stride: usize) -> At {
    let activated = net.batch_norm(&format!("{name}.bn1"), x);
    let activated = net.relu(&format!("{name}.relu1"), activated);
    let y = net.conv(&format!("{name}.conv1"), activated, channels, 3, stride);
    let y = net.batch_norm(&format!("{name}.bn2"), y);
    let y = net.relu(&format!("{name}.relu2"), y);
    let y = net.conv(&format!("{name}.conv2"), y, channels, 3, 1);
    // The published code has this shortcut wherever the number of channels changes; a step alone needs it, too.
    let shortcut = if stride == 1 && net.channels(x) == channels {
        x
    } else {
        net.conv(&format!("{name}.convShortcut"), activated, channels, 1, stride)
    };
    net.add(&format!("{name}.add"), Op::Add, &[y, shortcut])
}
