//! Whether the disk holds what is about to be captured: N inputs of D features in float32 are `4 N D` bytes.

use std::path::Path;

use crate::PipelineError;
use crate::options::show_bytes;

/// Refuses to begin what cannot end: `needed` bytes in `folder`, where an earlier store makes room.
pub(super) fn check(folder: &Path, needed: u64) -> Result<(), PipelineError> {
    let existing = folder.ancestors().find(|f| f.is_dir()).filter(|f| !f.as_os_str().is_empty());
    // A file system that does not tell is no reason to stop.
    match fs4::available_space(existing.unwrap_or(Path::new("."))) {
        Ok(free) => compare(folder, needed, free + replaced(folder)),
        Err(_) => Ok(()),
    }
}

fn compare(folder: &Path, needed: u64, free: u64) -> Result<(), PipelineError> {
    if needed <= free {
        return Ok(());
    }
    Err(PipelineError::Input {
        what: folder.display().to_string(),
        expected: format!("{} of free space for the activations", show_bytes(needed)),
        found: show_bytes(free),
        mend: "capture fewer inputs (--inputs) or layers (--layers), pool them (--pool avg), or choose another disk with \
               --output"
            .into(),
    })
}

/// Bytes of the layers that are replaced.
fn replaced(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let layers = entries.flatten().filter(|e| e.path().extension().is_some_and(|x| x == "npy"));
    layers.filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_refused_with_both_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("not/yet/there");
        assert!(check(&folder, 1).is_ok());
        let e = check(&folder, u64::MAX).unwrap_err();
        assert!(e.to_string().contains("of free space for the activations, found"), "{e}");
        assert!(e.help().unwrap().contains("--pool avg"));
        assert!(compare(&folder, 4 << 30, 4 << 30).is_ok());
        let e = compare(&folder, 4 << 30, 1 << 20).unwrap_err().to_string();
        assert!(e.ends_with("expected 4GiB of free space for the activations, found 1MiB"), "{e}");
        std::fs::write(dir.path().join("000-conv.npy"), [0; 10]).unwrap();
        assert_eq!(replaced(dir.path()), 10);
    }
}
