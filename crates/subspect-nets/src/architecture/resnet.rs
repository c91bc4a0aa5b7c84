//! Residual networks with four stages of 64, 128, 256 and 512 channels, and the stem for small pictures: blocks of two
//! 3x3 convolutions (18, 34) or bottlenecks 1x1, 3x3, 1x1 with four times the channels (50, 101); 1x1 convolutions as
//! shortcuts. He, Zhang, Ren, Sun, CVPR 2016, table 1; strides are in the 3x3 convolutions.

use super::builder::{At, Builder};
use super::{Architecture, ArchitectureInfo, ArchitectureOptions, Op};
use crate::NetsError;

pub(super) const INFO: ArchitectureInfo = ArchitectureInfo {
    name: "resnet<18|34|50|101>",
    prefixes: &["resnet"],
    members: &["resnet18", "resnet34", "resnet50", "resnet101"],
    summary: "residual network, 64-128-256-512 channels, 1x1 convolutions as shortcuts",
    reference: "He, Zhang, Ren, Sun, CVPR 2016, table 1",
    default_depth: None,
    build,
};

fn build(numbers: &[usize], options: &ArchitectureOptions) -> Option<Result<Architecture, NetsError>> {
    let &[depth] = numbers else { return None };
    let (blocks, is_deep) = match depth {
        18 => ([2, 2, 2, 2], false),
        34 => ([3, 4, 6, 3], false),
        50 => ([3, 4, 6, 3], true),
        101 => ([3, 4, 23, 3], true),
        _ => return None,
    };
    Some(network(depth, blocks, is_deep, options))
}

fn network(
    depth: usize,
    blocks: [usize; 4],
    is_deep: bool,
    options: &ArchitectureOptions,
) -> Result<Architecture, NetsError> {
    let mut net = Builder::new(&format!("resnet{depth}"), options);
    let stem = net.conv("conv1", Builder::INPUT, net.scaled(64), 3, 1);
    net.tap(stem);
    let x = net.batch_norm("bn1", stem);
    let mut x = net.relu("relu", x);
    for (stage, n_blocks) in (1..).zip(blocks) {
        let channels = net.scaled(32 << stage);
        for index in 0..n_blocks {
            let stride = if stage > 1 && index == 0 { 2 } else { 1 };
            let name = format!("layer{stage}.{index}");
            x = if is_deep {
                bottleneck(&mut net, &name, x, channels, stride)
            } else {
                basic(&mut net, &name, x, channels, stride)
            };
        }
        net.tap_block(x);
    }
    net.head(x, "fc");
    net.finish()
}

fn basic(net: &mut Builder, name: &str, x: At, channels: usize, stride: usize) -> At {
    let y = net.conv(&format!("{name}.conv1"), x, channels, 3, stride);
    let y = net.batch_norm(&format!("{name}.bn1"), y);
    let y = net.relu(&format!("{name}.relu"), y);
    let y = net.conv(&format!("{name}.conv2"), y, channels, 3, 1);
    let y = net.batch_norm(&format!("{name}.bn2"), y);
    join(net, name, x, y, stride, "relu_1")
}

fn bottleneck(net: &mut Builder, name: &str, x: At, channels: usize, stride: usize) -> At {
    let y = net.conv(&format!("{name}.conv1"), x, channels, 1, 1);
    let y = net.batch_norm(&format!("{name}.bn1"), y);
    let y = net.relu(&format!("{name}.relu"), y);
    let y = net.conv(&format!("{name}.conv2"), y, channels, 3, stride);
    let y = net.batch_norm(&format!("{name}.bn2"), y);
    let y = net.relu(&format!("{name}.relu_1"), y);
    let y = net.conv(&format!("{name}.conv3"), y, 4 * channels, 1, 1);
    let y = net.batch_norm(&format!("{name}.bn3"), y);
    join(net, name, x, y, stride, "relu_2")
}

/// Adds the shortcut, which is a convolution where the shape changes.
fn join(net: &mut Builder, name: &str, x: At, y: At, stride: usize, relu: &str) -> At {
    let channels = net.channels(y);
    let shortcut = if stride == 1 && net.channels(x) == channels {
        x
    } else {
        let s = net.conv(&format!("{name}.downsample.0"), x, channels, 1, stride);
        net.batch_norm(&format!("{name}.downsample.1"), s)
    };
    let sum = net.add(&format!("{name}.add"), Op::Add, &[y, shortcut]);
    net.relu(&format!("{name}.{relu}"), sum)
}
