//! Networks and data that a program carries inside itself, named `builtin:NAME` where a path is expected.

use std::path::Path;

use subspect_data::DataError;
use subspect_data::dataset::Dataset;

/// What marks a built-in name among paths.
pub(crate) const PREFIX: &str = "builtin:";

/// A network and its data, in memory.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Name after `builtin:`.
    pub name: &'static str,
    /// File name of the network, for the record.
    pub model_name: &'static str,
    /// The network as ONNX.
    pub model: &'static [u8],
    /// Opens the data.
    pub dataset: fn() -> Result<Dataset, DataError>,
}

/// The entry of `library` that `path` names, if it names a built-in at all.
pub(crate) fn find<'a>(library: &'a [Builtin], path: &Path) -> Option<&'a Builtin> {
    let name = path.to_str()?.strip_prefix(PREFIX)?;
    library.iter().find(|b| b.name == name)
}
