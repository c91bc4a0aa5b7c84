//! The moments of a training in a folder: checkpoints or activation stores, each with its epoch.
//!
//! The epoch is the last whole number in a name without its ending (`epoch-00007`, `resnet20-7.onnx`), so that `epoch-2`
//! comes before `epoch-10`. Entries without a number stand beside the series.

use std::path::{Path, PathBuf};

use subspect_data::store::MANIFEST_FILE;

use super::training::Training;
use crate::PipelineError;

/// What a moment was saved as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Activations: a store, or a file that is imported.
    Store,
    /// A network: ONNX, or weights of a named architecture.
    Network,
}

/// One moment of a training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) epoch: u64,
    pub(crate) path: PathBuf,
}

/// A training's moments, ascending.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) source: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) moments: Vec<Moment>,
    pub(crate) training: Training,
}

impl Series {
    /// Finds the moments in `path`, or in its folder `checkpoints`.
    ///
    /// # Errors
    /// When there are fewer than two, two of one epoch, or both networks and activations.
    pub(crate) fn find(path: &Path) -> Result<Self, PipelineError> {
        let inner = path.join("checkpoints");
        let folder = if inner.is_dir() { inner } else { path.to_owned() };
        let mut found: Vec<(Kind, Moment)> = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(|e| PipelineError::io("read", &folder, e))? {
            let path = entry.map_err(|e| PipelineError::io("read", &folder, e))?.path();
            if let (Some(kind), Some(epoch)) = (kind(&path), epoch(&path)) {
                found.push((kind, Moment { epoch, path }));
            }
        }
        found.sort_by(|a, b| (a.1.epoch, &a.1.path).cmp(&(b.1.epoch, &b.1.path)));
        let kind = one_kind(&folder, &found)?;
        let moments: Vec<Moment> = found.into_iter().map(|(_, m)| m).collect();
        if let Some(pair) = moments.windows(2).find(|w| w[0].epoch == w[1].epoch) {
            return Err(refused(
                &folder,
                "one entry per epoch",
                format!("{} and {} for epoch {}", name(&pair[0].path), name(&pair[1].path), pair[0].epoch),
                "move one of them away",
            ));
        }
        Ok(Self { name: name(path), source: path.to_owned(), kind, moments, training: Training::read(path)? })
    }
}

fn one_kind(folder: &Path, found: &[(Kind, Moment)]) -> Result<Kind, PipelineError> {
    const EXPECTED: &str = "two or more checkpoints (.onnx, .safetensors, .pth) or activation stores with their epoch in \
                            the name, such as epoch-0003.onnx";
    let mend = "give the folder of the snapshots; a training that saves none has no dynamics";
    let Some((kind, first)) = found.first() else {
        return Err(refused(folder, EXPECTED, "none".into(), mend));
    };
    if let Some((_, other)) = found.iter().find(|(k, _)| k != kind) {
        return Err(refused(
            folder,
            "either networks or activations",
            format!("{} and {}", name(&first.path), name(&other.path)),
            "put them in folders of their own",
        ));
    }
    if found.len() == 1 {
        return Err(refused(folder, EXPECTED, format!("only {}", name(&first.path)), mend));
    }
    Ok(*kind)
}

fn refused(folder: &Path, expected: &str, found: String, mend: &str) -> PipelineError {
    PipelineError::Input {
        what: folder.display().to_string(),
        expected: expected.into(),
        found,
        mend: mend.into(),
    }
}

/// The last part of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn kind(path: &Path) -> Option<Kind> {
    if path.is_dir() {
        return path.join(MANIFEST_FILE).is_file().then_some(Kind::Store);
    }
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    match ending.as_str() {
        _ if name(path).starts_with('.') => None,
        "onnx" | "safetensors" | "pth" | "pt" | "ckpt" => Some(Kind::Network),
        "npz" | "h5" => Some(Kind::Store),
        _ => None,
    }
}

fn epoch(path: &Path) -> Option<u64> {
    let stem = if path.is_dir() { name(path) } else { path.file_stem()?.to_string_lossy().into_owned() };
    let end = stem.rfind(|c: char| c.is_ascii_digit())? + 1;
    let digits = stem[..end].bytes().rev().take_while(u8::is_ascii_digit).count();
    stem[end - digits..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str]) -> Result<Series, PipelineError> {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        Series::find(dir.path())
    }

    #[test]
    fn epochs_are_numbers_wherever_the_snapshots_lie() {
        let series = of(&["net20-2.onnx", "net20-10.onnx", "net20-1.onnx", "best.onnx", "log3.txt"]).unwrap();
        assert_eq!(series.moments.iter().map(|m| m.epoch).collect::<Vec<_>>(), [1, 2, 10]);
        assert_eq!(series.kind, Kind::Network);
        let inner =
            of(&["checkpoints/epoch-0000.safetensors", "checkpoints/epoch-0004.safetensors", "7.onnx"]);
        assert_eq!(inner.unwrap().moments[1].epoch, 4);
        let stores = of(&["epoch-00000/store.json", "epoch-00012/store.json", "notes/readme"]).unwrap();
        assert_eq!((stores.kind, stores.moments[1].epoch), (Kind::Store, 12));
    }

    #[test]
    fn what_is_no_series_says_why() {
        let error = |files: &[&str]| of(files).unwrap_err().to_string();
        assert!(error(&["a.txt"]).contains("found none"));
        assert!(error(&["best.onnx", "epoch-1.onnx"]).contains("found only epoch-1.onnx"));
        assert!(error(&["1.onnx", "01.onnx"]).contains("01.onnx and 1.onnx for epoch 1"));
        assert!(error(&["1.onnx", "2/store.json"]).contains("either networks or activations"));
        assert!(Series::find(Path::new("/nowhere")).unwrap_err().to_string().contains("cannot read"));
    }
}
