//! Files that are either the old ones or the new ones, never half of either: written beside their place under a
//! temporary name, then renamed over it.
//!
//! This protects against a killed process and a full disk, and, because the new content is synchronised with the disk
//! before the renaming, against a power cut: then the old file may be back, but never half of the new one.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{DataError, Result};

/// Writes `bytes` to `path`.
///
/// # Errors
/// [`DataError::Io`] with the path; the old file, if any, is untouched.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes).map_err(|e| DataError::io("write", path, e)))
}

/// Lets `fill` write the new content of `path`, and puts it in place when `fill` succeeds.
///
/// # Errors
/// Whatever `fill` returns, or [`DataError::Io`]; the old file, if any, is untouched.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let temporary = temporary_beside(path);
    let written = fill_temporary(path, &temporary, fill)
        .and_then(|()| fs::rename(&temporary, path).map_err(|e| DataError::io("write", path, e)));
    if written.is_err() {
        // The first error is the one worth telling; a temporary file that cannot be removed is only litter.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn fill_temporary(
    path: &Path,
    temporary: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let file = File::create(temporary).map_err(|e| DataError::io("create", path, e))?;
    let mut file = BufWriter::new(file);
    fill(&mut file)?;
    file.flush().and_then(|()| file.get_ref().sync_data()).map_err(|e| DataError::io("write", path, e))
}

/// The process id and a counter keep concurrent writers of one file apart.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{n}.tmp", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_bytes(&path, b"old").unwrap();
        let failed = write_with(&path, |f| {
            f.write_all(b"half").unwrap();
            Err(DataError::Argument("stop".into()))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        write_bytes(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn the_error_names_the_file_that_was_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let err = write_bytes(&dir.path().join("no/such/x.csv"), b"").unwrap_err().to_string();
        assert!(err.contains("cannot create") && err.contains("x.csv:"), "{err}");
    }
}
