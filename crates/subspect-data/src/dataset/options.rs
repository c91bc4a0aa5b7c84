//! How to open a data set.

use std::str::FromStr;

use crate::error::DataError;

/// Choices beyond the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Layout by its name in [`FORMATS`](super::FORMATS); found from the path when not given.
    pub format: Option<String>,
    /// Part of a folder that has several; the test part when not given.
    pub split: Option<Split>,
    /// Height and width that every picture is brought to (bilinear).
    pub resize: Option<(usize, usize)>,
    /// CIFAR-100: the 20 coarse classes instead of the 100 fine ones.
    pub coarse_labels: bool,
}

/// Part of a data set that comes in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// Held-out inputs.
    #[default]
    Test,
    /// Inputs that networks are trained on.
    Train,
    /// Training inputs, then held-out ones.
    All,
}

impl Split {
    /// The spelling used on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Split::Test => "test",
            Split::Train => "train",
            Split::All => "all",
        }
    }
}

impl FromStr for Split {
    type Err = DataError;
    fn from_str(s: &str) -> Result<Self, DataError> {
        [Split::Test, Split::Train, Split::All].into_iter().find(|x| x.as_str() == s).ok_or_else(|| {
            DataError::UnknownName { what: "split", name: s.to_owned(), known: "test, train, all".into() }
        })
    }
}

impl OpenOptions {
    /// Refuses a split where there are no parts to choose from.
    pub(super) fn refuse_split(&self, path: &std::path::Path) -> Result<(), DataError> {
        match self.split {
            None => Ok(()),
            Some(split) => Err(DataError::malformed(
                path,
                "",
                format!("a folder with parts, because the split '{}' was asked for", split.as_str()),
                "data without parts",
                "leave the split out, or give the folder",
            )),
        }
    }
}
