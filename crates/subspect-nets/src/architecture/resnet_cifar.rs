//! Residual networks for CIFAR of depth 6n + 2: three stages of n blocks of two 3x3 convolutions, with 16, 32 and 64
//! channels; shortcuts without parameters (option A). He, Zhang, Ren, Sun, CVPR 2016, section 4.2.

use super::builder::{At, Builder};
use super::{Architecture, ArchitectureInfo, ArchitectureOptions, Op};
use crate::NetsError;

pub(super) const INFO: ArchitectureInfo = ArchitectureInfo {
    name: "resnet<6n+2>",
    prefixes: &["resnet"],
    members: &["resnet8", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110"],
    summary: "residual network for CIFAR, 16-32-64 channels, shortcuts without parameters",
    reference: "He, Zhang, Ren, Sun, CVPR 2016, section 4.2",
    default_depth: None,
    build,
};

fn build(numbers: &[usize], options: &ArchitectureOptions) -> Option<Result<Architecture, NetsError>> {
    let &[depth] = numbers else { return None };
    // 50 is 6n + 2, too, and the name of a network with bottlenecks.
    let is_member = depth >= 8 && depth % 6 == 2 && depth != 50 && depth <= 1202;
    is_member.then(|| network(depth, options))
}

fn network(depth: usize, options: &ArchitectureOptions) -> Result<Architecture, NetsError> {
    let mut net = Builder::new(&format!("resnet{depth}"), options);
    let stem = net.conv("conv1", Builder::INPUT, net.scaled(16), 3, 1);
    net.tap(stem);
    let x = net.batch_norm("bn1", stem);
    let mut x = net.relu("relu", x);
    for (stage, channels) in [(1, 16), (2, 32), (3, 64)] {
        let channels = net.scaled(channels);
        for index in 0..(depth - 2) / 6 {
            let stride = if stage > 1 && index == 0 { 2 } else { 1 };
            x = block(&mut net, &format!("layer{stage}.{index}"), x, channels, stride);
        }
        net.tap_block(x);
    }
    net.head(x, "linear");
    net.finish()
}

fn block(net: &mut Builder, name: &str, x: At, channels: usize, stride: usize) -> At {
    let y = net.conv(&format!("{name}.conv1"), x, channels, 3, stride);
    let y = net.batch_norm(&format!("{name}.bn1"), y);
    let y = net.relu(&format!("{name}.relu"), y);
    let y = net.conv(&format!("{name}.conv2"), y, channels, 3, 1);
    let y = net.batch_norm(&format!("{name}.bn2"), y);
    let in_channels = net.channels(x);
    let shortcut = if stride == 1 && in_channels == channels {
        x
    } else {
        let op = Op::Subsample { stride, in_channels, out_channels: channels };
        net.add(&format!("{name}.shortcut"), op, &[x])
    };
    let sum = net.add(&format!("{name}.add"), Op::Add, &[y, shortcut]);
    net.relu(&format!("{name}.relu_1"), sum)
}
