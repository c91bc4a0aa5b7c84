//! The moments of a training in a folder: checkpoints or activation stores, each with its epoch.
//!
//! Checkpoints are found by [`find_checkpoints`]; stores likewise: the epoch is the last whole number in a name, so that
//! `epoch-2` comes before `epoch-10`, and entries without a number stand beside the series.

use std::path::{Path, PathBuf};

use subspect_data::store::MANIFEST_FILE;
use subspect_data::training::CHECKPOINTS;
use subspect_nets::find_checkpoints;

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

/// A training to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshots {
    /// A folder with its checkpoints or activation stores, named by the epoch.
    Folder(PathBuf),
    /// Activation stores wherever they lie, for callers that know the epochs.
    Stores {
        /// Name of the training.
        name: String,
        /// Where they come from, for the record.
        source: String,
        /// Epoch and folder of every store, in any order.
        epochs: Vec<(u64, PathBuf)>,
    },
}

/// A training's moments, ascending.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) kind: Kind,
    pub(crate) moments: Vec<Moment>,
    pub(crate) training: Training,
}

impl Series {
    /// The moments of a training.
    ///
    /// # Errors
    /// When there are fewer than two, two of one epoch, or both networks and activations.
    pub(crate) fn of(snapshots: &Snapshots) -> Result<Self, PipelineError> {
        match snapshots {
            Snapshots::Folder(path) => Self::find(path),
            Snapshots::Stores { name, source, epochs } => {
                let moment = |(epoch, path): &(u64, PathBuf)| Moment { epoch: *epoch, path: path.clone() };
                let moments = ascending(epochs.iter().map(moment).collect(), source)?;
                if moments.len() < 2 {
                    let mend = "record the training at several epochs";
                    return Err(refused(source, "two epochs or more", moments.len().to_string(), mend));
                }
                let (name, source) = (name.clone(), source.clone());
                Ok(Self { name, source, kind: Kind::Store, moments, training: Training::default() })
            }
        }
    }

    /// Finds the moments in `path`, or in its folder `checkpoints`.
    fn find(path: &Path) -> Result<Self, PipelineError> {
        let inner = path.join(CHECKPOINTS);
        let folder = if inner.is_dir() { inner } else { path.to_owned() };
        let place = folder.display().to_string();
        let stores = stores(&folder)?;
        let networks = find_checkpoints(&folder);
        let (kind, moments) = match (stores.first(), networks) {
            (None, networks) => {
                let moment = |c: subspect_nets::Checkpoint| Moment { epoch: c.epoch as u64, path: c.path };
                (Kind::Network, networks?.into_iter().map(moment).collect())
            }
            (Some(store), Ok(networks)) => {
                let found = format!(
                    "{} and {}",
                    name(&store.path),
                    networks.first().map_or(String::new(), |c| name(&c.path))
                );
                let mend = "put them in folders of their own";
                return Err(refused(&place, "either networks or activations", found, mend));
            }
            (Some(_), Err(_)) => (Kind::Store, stores),
        };
        if let [only] = &moments[..] {
            let mend = "give the folder of all snapshots; a training that saves one has no dynamics";
            return Err(refused(&place, "two epochs or more", format!("only {}", name(&only.path)), mend));
        }
        let source = path.display().to_string();
        Ok(Self { name: name(path), source, kind, moments, training: Training::read(path)? })
    }
}

/// The activation stores in a folder, by epoch.
fn stores(folder: &Path) -> Result<Vec<Moment>, PipelineError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| PipelineError::io("read", folder, e))? {
        let path = entry.map_err(|e| PipelineError::io("read", folder, e))?.path();
        if let (true, Some(epoch)) = (is_store(&path), epoch(&path)) {
            found.push(Moment { epoch, path });
        }
    }
    ascending(found, &folder.display().to_string())
}

/// Moments by epoch, of which each may have one.
fn ascending(mut found: Vec<Moment>, place: &str) -> Result<Vec<Moment>, PipelineError> {
    found.sort_by(|a, b| (a.epoch, &a.path).cmp(&(b.epoch, &b.path)));
    if let Some(pair) = found.windows(2).find(|w| w[0].epoch == w[1].epoch) {
        let found =
            format!("{} and {} for epoch {}", name(&pair[0].path), name(&pair[1].path), pair[0].epoch);
        return Err(refused(place, "one store per epoch", found, "move one of them away"));
    }
    Ok(found)
}

fn refused(what: &str, expected: &str, found: String, mend: &str) -> PipelineError {
    PipelineError::Input { what: what.into(), expected: expected.into(), found, mend: mend.into() }
}

/// The last part of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A store, or a file of activations that can be imported.
fn is_store(path: &Path) -> bool {
    match path.is_dir() {
        true => path.join(MANIFEST_FILE).is_file(),
        false => !name(path).starts_with('.') && path.extension().is_some_and(|e| e == "npz" || e == "h5"),
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
        assert!(error(&["a.txt"]).contains("no file .onnx"));
        assert!(error(&["best.onnx", "epoch-1.onnx"]).contains("found only epoch-1.onnx"));
        assert!(error(&["1.npz", "01.npz"]).contains("01.npz and 1.npz for epoch 1"));
        assert!(error(&["1.onnx", "2/store.json"]).contains("either networks or activations"));
        assert!(Series::find(Path::new("/nowhere")).unwrap_err().to_string().contains("cannot read"));
    }

    #[test]
    fn stores_that_the_caller_numbers_are_sorted_and_checked() {
        let of = |epochs: &[u64]| {
            let epochs = epochs.iter().map(|e| (*e, PathBuf::from(format!("s{e}")))).collect();
            Series::of(&Snapshots::Stores { name: "t".into(), source: "arrays".into(), epochs })
        };
        let series = of(&[10, 2, 0]).unwrap();
        assert_eq!(series.moments.iter().map(|m| m.epoch).collect::<Vec<_>>(), [0, 2, 10]);
        assert_eq!((series.kind, series.source.as_str()), (Kind::Store, "arrays"));
        assert!(of(&[3]).unwrap_err().to_string().contains("two epochs or more"));
        assert!(of(&[3, 4, 3]).unwrap_err().to_string().contains("arrays: expected one store per epoch"));
    }
}
