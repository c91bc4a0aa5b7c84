//! The snapshots of one training in a folder, by epoch.
//!
//! A snapshot is an ONNX model or a file of weights; its epoch is the last whole number in its name without the ending
//! (`resnet20-epoch-7.pth` is epoch 7). Epochs may be far apart: schedules that thin out have gaps. Files without a
//! number (`best.pth`, `last.pth`) stand beside the series and do not belong to it.

use std::path::{Path, PathBuf};

use crate::{NetsError, Weights};

/// One snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// After which epoch it was taken.
    pub epoch: usize,
    /// The file.
    pub path: PathBuf,
}

/// The snapshots in a folder, in the order of their epochs.
///
/// # Errors
/// [`NetsError::Read`], and [`NetsError::Checkpoints`] when there is none, when two have one epoch, or when the names
/// belong to more than one series.
pub fn find_checkpoints(folder: &Path) -> Result<Vec<Checkpoint>, NetsError> {
    let read = |source| NetsError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if is_snapshot(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    let bad = |reason: String| NetsError::Checkpoints { folder: folder.to_owned(), reason };
    let mut found: Vec<(Numbered, PathBuf)> = Vec::new();
    for path in paths {
        if let Some(numbered) = Numbered::of(&path).map_err(bad)? {
            found.push((numbered, path));
        }
    }
    found.sort_by_key(|(numbered, _)| numbered.epoch);
    let Some((first, first_path)) = found.first() else {
        return Err(bad(
            "it has no file .onnx, .safetensors, .pth, .pt or .ckpt with a number in its name".to_owned()
        ));
    };
    if let Some((_, path)) = found.iter().find(|(n, _)| n.series != first.series) {
        return Err(bad(format!(
            "expected the snapshots of one training, found {} and {}; put each training in a folder of its own",
            name(first_path),
            name(path)
        )));
    }
    if let Some(pair) = found.windows(2).find(|pair| pair[0].0.epoch == pair[1].0.epoch) {
        return Err(bad(format!(
            "expected one file per epoch, found {} and {} for epoch {}; move one of them away",
            name(&pair[0].1),
            name(&pair[1].1),
            pair[0].0.epoch
        )));
    }
    Ok(found.into_iter().map(|(numbered, path)| Checkpoint { epoch: numbered.epoch, path }).collect())
}

fn is_snapshot(path: &Path) -> bool {
    let is_hidden = name(path).starts_with('.');
    let is_model = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx"));
    !is_hidden && (is_model || Weights::is_weights_file(path)) && path.is_file()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A file name taken apart at its last number.
struct Numbered {
    epoch: usize,
    /// What stands before and after the number.
    series: (String, String),
}

impl Numbered {
    /// `None` without a number.
    fn of(path: &Path) -> Result<Option<Self>, String> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Some(end) = stem.rfind(|c: char| c.is_ascii_digit()).map(|at| at + 1) else { return Ok(None) };
        let start =
            stem[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + last_len(&stem[..end], at));
        let epoch = stem[start..end].parse().map_err(|_| {
            format!("expected an epoch, found the number {} in {}", &stem[start..end], name(path))
        })?;
        Ok(Some(Self { epoch, series: (stem[..start].to_owned(), stem[end..].to_owned()) }))
    }
}

/// Bytes of the character at `at`.
fn last_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(files: &[&str]) -> Result<Vec<(usize, String)>, String> {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(folder.path().join(file), b"x").unwrap();
        }
        let found = find_checkpoints(folder.path()).map_err(|e| e.to_string())?;
        Ok(found.into_iter().map(|c| (c.epoch, name(&c.path))).collect())
    }

    #[test]
    fn epochs_are_numbers_and_not_words() {
        let found =
            find(&["net20-epoch-10.pth", "net20-epoch-2.pth", "net20-epoch-1.pth", "best.pth", "log.txt"]);
        let expected = [1, 2, 10].map(|n| (n, format!("net20-epoch-{n}.pth")));
        assert_eq!(found.unwrap(), expected);
        assert_eq!(find(&["é7.onnx", "é12.onnx"]).unwrap()[1].0, 12);
        assert_eq!(find(&["0001.safetensors", "0000.safetensors", ".0002.safetensors"]).unwrap().len(), 2);
        assert_eq!(find(&["5-weights.pt", "40-weights.pt"]).unwrap()[0].0, 5);
    }

    #[test]
    fn what_is_no_series_is_told() {
        for (files, part) in [
            (&["best.pth"][..], "no file .onnx"),
            (&["epoch-1.pth", "epoch-01.pth"], "found epoch-01.pth and epoch-1.pth for epoch 1"),
            (&["epoch-1.pth", "epoch-1.onnx"], "for epoch 1"),
            (&["a-1.pth", "b-2.pth"], "found a-1.pth and b-2.pth"),
            (&["epoch-99999999999999999999999.pth"], "found the number 999"),
        ] {
            let e = find(files).unwrap_err();
            assert!(e.contains(part), "{e}");
        }
        assert!(find_checkpoints(Path::new("/nowhere")).unwrap_err().to_string().contains("cannot read"));
    }
}
