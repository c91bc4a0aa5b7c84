//! Choosing an architecture in words: `resnet20`, `wrn-28-10:width=0.5`, `cnn:depth=4,classes=100,input=1x28x28`.

use std::fmt;
use std::str::FromStr;

use super::{Architecture, architecture};
use crate::{ImageShape, NetsError};

/// What can be chosen of every architecture.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchitectureOptions {
    /// Number of classes.
    pub n_classes: usize,
    /// The picture.
    pub input: ImageShape,
    /// Factor of the number of channels (of features, in a network without convolutions).
    pub width: f64,
    /// Number of hidden layers where the name does not say it (`cnn`, `mlp`); `None` takes the default.
    pub depth: Option<usize>,
}

impl Default for ArchitectureOptions {
    /// CIFAR-10 at the published width.
    fn default() -> Self {
        let input = ImageShape { channels: 3, height: 32, width: 32 };
        Self { n_classes: 10, input, width: 1.0, depth: None }
    }
}

/// An architecture by name with the options that were given; the others come from the data or the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchitectureSpec {
    /// `resnet20`.
    pub name: String,
    /// Factor of the number of channels.
    pub width: Option<f64>,
    /// Number of hidden layers.
    pub depth: Option<usize>,
    /// Number of classes.
    pub n_classes: Option<usize>,
    /// The picture.
    pub input: Option<ImageShape>,
}

impl ArchitectureSpec {
    /// The options that were given, with `others` in the place of those that were not.
    #[must_use]
    pub fn options(&self, others: &ArchitectureOptions) -> ArchitectureOptions {
        ArchitectureOptions {
            n_classes: self.n_classes.unwrap_or(others.n_classes),
            input: self.input.unwrap_or(others.input),
            width: self.width.unwrap_or(others.width),
            depth: self.depth.or(others.depth),
        }
    }

    /// The network, with `others` in the place of the options that were not given.
    ///
    /// # Errors
    /// As for [`architecture`].
    pub fn build(&self, others: &ArchitectureOptions) -> Result<Architecture, NetsError> {
        architecture(&self.name, &self.options(others))
    }
}

impl FromStr for ArchitectureSpec {
    type Err = NetsError;

    fn from_str(text: &str) -> Result<Self, NetsError> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let name = name.trim().to_ascii_lowercase();
        let mut spec = Self { name, width: None, depth: None, n_classes: None, input: None };
        for part in rest.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let bad = |reason: String| NetsError::BadArchitectureSpec { found: text.to_owned(), reason };
            let (key, value) = part.split_once('=').ok_or_else(|| bad(format!("{part:?} has no value")))?;
            let (key, value) = (key.trim(), value.trim());
            let wrong = |expected: &str| bad(format!("{key} is {value:?}, expected {expected}"));
            let count = || {
                let n = value.parse().ok().filter(|n: &usize| *n > 0);
                n.ok_or_else(|| wrong("a whole number from 1"))
            };
            match key {
                "width" => {
                    let width = value.parse().ok().filter(|w: &f64| w.is_finite() && *w > 0.0);
                    spec.width = Some(width.ok_or_else(|| wrong("a factor above 0, as 0.5"))?);
                }
                "depth" => spec.depth = Some(count()?),
                "classes" => spec.n_classes = Some(count()?),
                "input" => {
                    spec.input = Some(image_shape(value).ok_or_else(|| wrong("CxHxW, as 3x32x32"))?);
                }
                _ => return Err(bad(format!("there is no option {key:?}"))),
            }
        }
        Ok(spec)
    }
}

/// `3x32x32`.
fn image_shape(text: &str) -> Option<ImageShape> {
    let parts: Option<Vec<usize>> =
        text.split('x').map(|p| p.parse().ok().filter(|n: &usize| *n > 0)).collect();
    let &[channels, height, width] = parts?.as_slice() else { return None };
    Some(ImageShape { channels, height, width })
}

impl fmt::Display for ArchitectureSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = [
            self.width.map(|w| format!("width={w}")),
            self.depth.map(|d| format!("depth={d}")),
            self.n_classes.map(|n| format!("classes={n}")),
            self.input.map(|i| format!("input={}", i.describe())),
        ];
        let given: Vec<String> = options.into_iter().flatten().collect();
        let separator = if given.is_empty() { "" } else { ":" };
        write!(f, "{}{separator}{}", self.name, given.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_written() {
        for text in ["resnet20", "wrn-28-10:width=0.5", "cnn:depth=4,classes=100,input=1x28x28"] {
            let spec: ArchitectureSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
        let spec: ArchitectureSpec = "MLP: width = 2".parse().unwrap();
        assert_eq!((spec.name.as_str(), spec.width), ("mlp", Some(2.0)));
        let options = spec.options(&ArchitectureOptions { n_classes: 7, ..ArchitectureOptions::default() });
        assert_eq!((options.n_classes, options.width), (7, 2.0));
    }

    #[test]
    fn mistakes_are_answered_with_the_options() {
        for (text, part) in [
            ("cnn:width", "\"width\" has no value"),
            ("cnn:width=-1", "width is \"-1\", expected a factor above 0"),
            ("cnn:depth=0", "whole number from 1"),
            ("cnn:input=3x32", "CxHxW"),
            ("cnn:colour=1", "no option \"colour\""),
        ] {
            let e = text.parse::<ArchitectureSpec>().unwrap_err().to_string();
            assert!(e.contains(part) && e.contains("width, depth, classes, input"), "{e}");
        }
    }
}
