//! From pixels to network input: `x = (pixel / 255 - mean) / std`, per channel.

use std::fmt;
use std::str::FromStr;

use crate::{Choice, NetsError};

/// Statistics that the model was trained with.
#[derive(Clone, Debug, PartialEq)]
pub enum Normalize {
    /// Means .485, .456, .406, deviations .229, .224, .225 (ImageNet, as torchvision's models want).
    Imagenet,
    /// Means .4914, .4822, .4465, deviations .2470, .2435, .2616 (the pixels of CIFAR-10's training images).
    Cifar10,
    /// Pixels in 0..1.
    None,
    /// One value for all channels, or one per channel.
    Custom {
        /// Means.
        mean: Vec<f64>,
        /// Deviations, none of them zero.
        std: Vec<f64>,
    },
}

/// The normalisations, for help texts.
pub static NORMALIZATIONS: &[Choice] = &[
    Choice { name: "imagenet", summary: "(pixel/255 - .485,.456,.406) / .229,.224,.225" },
    Choice { name: "cifar10", summary: "(pixel/255 - .4914,.4822,.4465) / .2470,.2435,.2616" },
    Choice { name: "none", summary: "pixel/255" },
    Choice { name: "MEAN:STD", summary: "(pixel/255 - MEAN) / STD, each 1 number or one per channel" },
];

impl Normalize {
    /// Mean and deviation of each of `channels` channels.
    ///
    /// # Errors
    /// [`NetsError::NormalizeChannels`] when the statistics are for another number of channels.
    pub fn statistics(&self, channels: usize) -> Result<Vec<(f64, f64)>, NetsError> {
        let (mean, std): (&[f64], &[f64]) = match self {
            Normalize::Imagenet => (&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]),
            Normalize::Cifar10 => (&[0.4914, 0.4822, 0.4465], &[0.2470, 0.2435, 0.2616]),
            Normalize::None => (&[0.0], &[1.0]),
            Normalize::Custom { mean, std } => (mean, std),
        };
        let fits = |v: &[f64]| v.len() == 1 || v.len() == channels;
        if !fits(mean) || !fits(std) {
            let found = mean.len().max(std.len());
            return Err(NetsError::NormalizeChannels {
                normalize: self.to_string(),
                expected: channels,
                found,
            });
        }
        let at = |v: &[f64], c: usize| if v.len() == 1 { v[0] } else { v[c] };
        Ok((0..channels).map(|c| (at(mean, c), at(std, c))).collect())
    }

    /// Network input for every byte, by channel: `(byte / 255 - mean) / deviation`.
    ///
    /// # Errors
    /// As for [`Normalize::statistics`].
    pub fn tables(&self, channels: usize) -> Result<Vec<[f32; 256]>, NetsError> {
        let table = |(mean, std)| std::array::from_fn(|v| ((v as f64 / 255.0 - mean) / std) as f32);
        Ok(self.statistics(channels)?.into_iter().map(table).collect())
    }
}

impl fmt::Display for Normalize {
    /// The canonical spelling: parsing it gives the same value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |v: &[f64]| v.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        match self {
            Normalize::Imagenet => f.write_str("imagenet"),
            Normalize::Cifar10 => f.write_str("cifar10"),
            Normalize::None => f.write_str("none"),
            Normalize::Custom { mean, std } => write!(f, "{}:{}", list(mean), list(std)),
        }
    }
}

impl FromStr for Normalize {
    type Err = NetsError;

    fn from_str(text: &str) -> Result<Self, NetsError> {
        let bad = |reason: String| NetsError::BadNormalize { found: text.to_owned(), reason };
        match text {
            "imagenet" => return Ok(Normalize::Imagenet),
            "cifar10" => return Ok(Normalize::Cifar10),
            "none" => return Ok(Normalize::None),
            _ => {}
        }
        let (mean, std) = text.split_once(':').ok_or_else(|| bad("there is no colon".to_owned()))?;
        let numbers = |part: &str| -> Result<Vec<f64>, NetsError> {
            part.split(',')
                .map(|n| match n.trim().parse::<f64>() {
                    Ok(v) if v.is_finite() => Ok(v),
                    _ => Err(bad(format!("{n:?} is not a number"))),
                })
                .collect()
        };
        let (mean, std) = (numbers(mean)?, numbers(std)?);
        if std.iter().any(|&s| s <= 0.0) {
            return Err(bad("a deviation is not positive".to_owned()));
        }
        if mean.len() != std.len() && mean.len() != 1 && std.len() != 1 {
            return Err(bad(format!("{} means and {} deviations", mean.len(), std.len())));
        }
        if mean.iter().chain(&std).any(|v| *v >= 2.0) && std.iter().any(|&s| s >= 2.0) {
            return Err(bad("the numbers look like pixels in 0..255: divide them by 255".to_owned()));
        }
        Ok(Normalize::Custom { mean, std })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_numbers_parse() {
        let n: Normalize = "0.5:0.25,0.5,0.125".parse().unwrap();
        assert_eq!(n.statistics(3).unwrap(), [(0.5, 0.25), (0.5, 0.5), (0.5, 0.125)]);
        assert_eq!("none".parse::<Normalize>().unwrap().statistics(2).unwrap(), [(0.0, 1.0); 2]);
        assert_eq!("imagenet".parse::<Normalize>().unwrap().statistics(3).unwrap()[2], (0.406, 0.225));
    }

    #[test]
    fn mistakes_are_explained() {
        let say = |t: &str| t.parse::<Normalize>().unwrap_err().to_string();
        assert!(say("imgnet").contains("no colon"));
        assert!(say("0.5:x").contains("\"x\" is not a number"));
        assert!(say("0.5:0").contains("not positive"));
        assert!(say("1,2:1,2,3").contains("2 means and 3 deviations"));
        assert!(say("127.5:127.5").contains("divide them by 255"));
        assert!(say("nan:1").contains("not a number"));
        let e = Normalize::Imagenet.statistics(1).unwrap_err().to_string();
        assert!(e.contains("has 3 channels, the model wants 1"), "{e}");
    }

    proptest! {
        #[test]
        fn the_canonical_spelling_parses_back(
            mean in proptest::collection::vec(-1.0_f64..1.5, 1..5), std in 0.001_f64..1.9)
        {
            let n = Normalize::Custom { mean, std: vec![std] };
            prop_assert_eq!(n.to_string().parse::<Normalize>().unwrap(), n);
        }
    }
}
