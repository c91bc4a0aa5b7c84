//! Notes: the small JSON files that make a stage reusable. A note holds the stage's key, how long it took and
//! its result (or, beside a large file, that file's hash); it is trusted only when the key is the one asked for.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::PipelineError;

/// What a stage left behind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Note<T> {
    /// Of everything the result depends on.
    pub(crate) key: String,
    /// Seconds the stage took when it was computed.
    pub(crate) seconds: f64,
    /// The result.
    pub(crate) value: T,
}

impl<T: Serialize + DeserializeOwned> Note<T> {
    /// The note at `path` if it is there, whole, and under `key`. A note that cannot be read counts as absent:
    /// computing the stage again mends it.
    pub(crate) fn read(path: &Path, key: &str) -> Option<Self> {
        let text = std::fs::read(path).ok()?;
        let note: Note<T> = serde_json::from_slice(&text).ok()?;
        (note.key == key).then_some(note)
    }

    /// Writes the note, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), PipelineError> {
        let text = serde_json::to_vec(self).map_err(|e| PipelineError::io("write", path, e.into()))?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|e| PipelineError::io("create", parent, e))?;
        }
        subspect_data::atomic::write_bytes(path, &text)?;
        Ok(())
    }
}

/// BLAKE3 of a file, hex; `None` when it cannot be read.
pub(crate) fn file_hash(path: &Path) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    let mut file = std::fs::File::open(path).ok()?;
    std::io::copy(&mut file, &mut hasher).ok()?;
    Some(hasher.finalize().to_hex().to_string())
}

/// The hash of a file that was written just now.
pub(crate) fn written_hash(path: &Path) -> Result<String, PipelineError> {
    file_hash(path).ok_or_else(|| {
        PipelineError::io("read", path, std::io::Error::other("the file that was just written is gone"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_is_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/note.json");
        Note { key: "a".into(), seconds: 1.0, value: vec![1, 2] }.write(&path).unwrap();
        assert_eq!(Note::<Vec<i32>>::read(&path, "a").unwrap().value, [1, 2]);
        assert!(Note::<Vec<i32>>::read(&path, "b").is_none());
        assert!(Note::<String>::read(&path, "a").is_none());
        std::fs::write(&path, b"{\"key\": \"a").unwrap();
        assert!(Note::<Vec<i32>>::read(&path, "a").is_none());
    }
}
