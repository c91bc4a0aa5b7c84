//! The list of architectures, and finding one by its name.

use super::{Architecture, ArchitectureOptions, cnn, mlp, resnet, resnet_cifar, vgg, wide_resnet};
use crate::NetsError;

/// One family of architectures.
#[derive(Clone, Copy, Debug)]
pub struct ArchitectureInfo {
    /// How a member is written: `resnet<6n+2>`, `wrn-<depth>-<width>`.
    pub name: &'static str,
    /// What its names begin with.
    pub(crate) prefixes: &'static [&'static str],
    /// Members, as they are written.
    pub members: &'static [&'static str],
    /// What it is, in one line.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// The hidden layers that the option `depth` stands for when it is not given; `None` where the name says the depth.
    pub default_depth: Option<usize>,
    /// Builds the member with these numbers in its name; `None` when the family has no such member.
    pub(crate) build: Build,
}

/// From the numbers in a name and the options to a network.
type Build = fn(&[usize], &ArchitectureOptions) -> Option<Result<Architecture, NetsError>>;

/// Every architecture.
pub static ARCHITECTURES: &[ArchitectureInfo] =
    &[vgg::INFO, resnet::INFO, resnet_cifar::INFO, wide_resnet::INFO, cnn::INFO, mlp::INFO];

/// The architecture called `name` (`resnet20`, `wrn-28-10`, also `ResNet-20`).
///
/// # Errors
/// [`NetsError::UnknownArchitecture`] with the nearest names, [`NetsError::BadArchitecture`] when pictures of that size do
/// not fit, or an option is out of range.
pub fn architecture(name: &str, options: &ArchitectureOptions) -> Result<Architecture, NetsError> {
    let wanted = name.trim().to_ascii_lowercase();
    let (prefix, numbers) = split_name(&wanted);
    let bad = |reason: &str| NetsError::BadArchitecture { name: wanted.clone(), reason: reason.to_owned() };
    if !(options.width.is_finite() && options.width > 0.0) {
        return Err(bad("expected a width above 0"));
    }
    if options.n_classes == 0 || options.input.is_empty() {
        return Err(bad("expected at least one class and one pixel"));
    }
    let families = ARCHITECTURES.iter().filter(|f| f.prefixes.contains(&prefix));
    for family in families {
        if let (Some(_), None) = (options.depth, family.default_depth) {
            return Err(bad("its name says its depth; leave the option depth out"));
        }
        if let Some(built) = numbers.as_ref().and_then(|n| (family.build)(n, options)) {
            return built;
        }
    }
    Err(NetsError::UnknownArchitecture { nearest: nearest(&wanted), name: wanted })
}

/// `wrn-28-10` is `wrn` with 28 and 10, `resnet20` is `resnet` with 20.
fn split_name(name: &str) -> (&str, Option<Vec<usize>>) {
    let at = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let prefix = name[..at].trim_end_matches(['-', '_']);
    let numbers = &name[at..];
    if numbers.is_empty() {
        return (prefix, Some(Vec::new()));
    }
    (prefix, numbers.split(['-', '_']).map(|n| n.parse().ok()).collect())
}

/// The three members that are written most alike.
fn nearest(name: &str) -> Vec<String> {
    let members = ARCHITECTURES.iter().flat_map(|f| f.members.iter().copied());
    crate::select::most_alike(name, members, 3)
}
