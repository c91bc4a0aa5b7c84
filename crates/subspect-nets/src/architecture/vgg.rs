//! Chains of 3x3 convolutions with batch normalisation: five stages of 64, 128, 256, 512 and 512 channels, each ended by
//! a pooling that halves the picture, then one matrix product. Simonyan, Zisserman, ICLR 2015, table 1 (11, 13, 16, 19);
//! the depth counts three matrix products, as there, of which networks for small pictures keep one.
//!
//! VGG-24 and 29 are those of Saini et al. 2021, who do not print their stages; here 24 has 3, 3, 5, 5, 5 convolutions and
//! 29 has 4, 4, 6, 6, 6, which goes on as from 16 to 19. A picture that is down to one row or column is not pooled again,
//! so 28 x 28 pixels do.

use super::builder::Builder;
use super::{Architecture, ArchitectureInfo, ArchitectureOptions, Op};
use crate::NetsError;

pub(super) const INFO: ArchitectureInfo = ArchitectureInfo {
    name: "vgg<11|13|16|19|24|29>",
    prefixes: &["vgg"],
    members: &["vgg11", "vgg13", "vgg16", "vgg19", "vgg24", "vgg29"],
    summary: "chain of 3x3 convolutions with batch normalisation, 64-128-256-512-512 channels",
    reference: "Simonyan, Zisserman, ICLR 2015; 24 and 29 after Saini et al. 2021",
    default_depth: None,
    build,
};

fn build(numbers: &[usize], options: &ArchitectureOptions) -> Option<Result<Architecture, NetsError>> {
    let &[depth] = numbers else { return None };
    let stages = match depth {
        11 => [1, 1, 2, 2, 2],
        13 => [2, 2, 2, 2, 2],
        16 => [2, 2, 3, 3, 3],
        19 => [2, 2, 4, 4, 4],
        24 => [3, 3, 5, 5, 5],
        29 => [4, 4, 6, 6, 6],
        _ => return None,
    };
    Some(network(depth, stages, options))
}

fn network(
    depth: usize,
    stages: [usize; 5],
    options: &ArchitectureOptions,
) -> Result<Architecture, NetsError> {
    let mut net = Builder::new(&format!("vgg{depth}"), options);
    let mut x = Builder::INPUT;
    let mut index = 0;
    // Positions in one list of modules, as in torchvision.
    let mut next = || {
        index += 1;
        format!("features.{}", index - 1)
    };
    for (n_convs, channels) in stages.into_iter().zip([64, 128, 256, 512, 512]) {
        let channels = net.scaled(channels);
        for i in 0..n_convs {
            x = net.conv_bias(&next(), x, channels, 3);
            if i + 1 == n_convs {
                net.tap(x);
            }
            x = net.batch_norm(&next(), x);
            x = net.relu(&next(), x);
        }
        let name = next();
        if net.side(x) > 1 {
            x = net.add(&name, Op::MaxPool { kernel: 2, stride: 2, padding: 0 }, &[x]);
        }
    }
    net.head(x, "classifier");
    net.finish()
}
