//! Activations made elsewhere, into an activation store.
//!
//! Each array is one layer, N x D; more axes are flattened, one axis gives N x 1. Values may be float16, bfloat16
//! (safetensors), float32 or float64, and are stored as float32. Arrays are streamed: memory holds a block of
//! rows, unless an array is in Fortran order. A source is one file in this folder and one entry of [`SOURCES`].

mod folder;
mod layers;
mod npy;
mod npz;
mod safetensors;
mod table;

use std::path::{Path, PathBuf};

use subspect_linalg::MatRef;

use crate::dataset::numbered_classes;
use crate::dense::{AXIS_MEND, decode_labels, npy_bytes};
use crate::error::{DataError, Result};
use crate::names::{has_extension, short_name};
use crate::record::{DatasetInfo, Inputs};
use crate::store::{ActivationStore, LayerSpec, StoreHeader, StoreStatus, StoreWriter};
use layers::{Found, SourceLayer};

/// Values per block while streaming: 16 MB of float32.
const BLOCK_VALUES: usize = 1 << 22;

/// One entry of the list of sources.
pub struct SourceInfo {
    /// `npy`, `npz`, `safetensors`, `table`, `folder`.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    detect: fn(&Path) -> bool,
    find: fn(&Path) -> Result<Found>,
}

/// All sources, in the order in which a path is tried.
pub static SOURCES: &[SourceInfo] = &[
    SourceInfo {
        name: "npy",
        summary: "one .npy array: one layer, named like the file",
        detect: |p| has_extension(p, &["npy"]),
        find: npy::find,
    },
    SourceInfo {
        name: "npz",
        summary: ".npz: every array a layer in the archive's order, except `labels`, `ids` and `predictions`",
        detect: |p| has_extension(p, &["npz"]),
        find: npz::find,
    },
    SourceInfo {
        name: "safetensors",
        summary: ".safetensors: every tensor a layer in natural order of names, except `labels` and `predictions`",
        detect: |p| has_extension(p, &["safetensors"]),
        find: safetensors::find,
    },
    SourceInfo {
        name: "table",
        summary: ".csv or .tsv with a line of names: one layer, named like the file; columns id, label, prediction are no features",
        detect: table::detect,
        find: table::find,
    },
    SourceInfo {
        name: "folder",
        summary: "a folder of .npy, .csv or .tsv files: one layer each in natural order, except labels.npy, ids.npy and predictions.npy",
        detect: Path::is_dir,
        find: folder::find,
    },
];

/// What comes beside the source.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// A `.npy` vector of class indices; replaces labels in the source.
    pub labels: Option<PathBuf>,
}

/// Imports `source` into a store at `folder`, or finds that the same content is there already. `progress` is called before each layer with its index, the number of
/// layers, and its name.
///
/// # Errors
/// An unknown, broken or contradictory source, values that are not finite, or a folder that cannot be written.
pub fn import(
    source: &Path,
    options: &ImportOptions,
    folder: &Path,
    progress: &mut dyn FnMut(usize, usize, &str),
) -> Result<ActivationStore> {
    let mut found = (find_source(source)?.find)(source)?;
    if let Some(path) = &options.labels {
        let (header, bytes) = npy_bytes(path)?;
        let labels = decode_labels(path, "", &header, &bytes)?;
        found.labels = Some((path.display().to_string(), labels));
    }
    let n_inputs = check(source, &found)?;
    refuse_same_folder(source, folder)?;
    let header = store_header(source, &found, n_inputs, options)?;
    if matches!(StoreStatus::of(folder)?, StoreStatus::Complete { key } if key == header.key) {
        return ActivationStore::open(folder);
    }
    let specs: Vec<_> = found.layers.iter().map(layer_spec).collect();
    let mut writer = StoreWriter::create(folder, header, &specs)?;
    for (index, layer) in found.layers.iter().enumerate() {
        progress(index, found.layers.len(), &layer.name);
        let n_features = layer.header.n_columns();
        layer.stream(BLOCK_VALUES, &mut |values, n_rows| {
            let block =
                MatRef::new(&values, n_rows, n_features).map_err(|e| DataError::Argument(e.to_string()))?;
            writer.append(index, block)
        })?;
        writer.finish_layer(index)?;
    }
    writer.finish()
}

fn find_source(path: &Path) -> Result<&'static SourceInfo> {
    std::fs::metadata(path).map_err(|e| DataError::io("read", path, e))?;
    if let Some(source) = SOURCES.iter().find(|s| (s.detect)(path)) {
        return Ok(source);
    }
    let mend = if has_extension(path, &["h5", "hdf5"]) {
        "HDF5 is not supported, convert it with Python: import h5py, numpy; \
         numpy.savez('x.npz', **{k: v[()] for k, v in h5py.File('x.h5').items()})"
    } else if has_extension(path, &["pt", "pth", "pkl"]) {
        "pickled tensors are not supported, convert them with Python: \
         safetensors.torch.save_file({name: tensor.contiguous(), ...}, 'x.safetensors')"
    } else {
        "save the activations with numpy.save, numpy.savez or safetensors, or as a .csv table"
    };
    let known = SOURCES.iter().map(|s| s.name).collect::<Vec<_>>().join(", ");
    let found = path.extension().map_or("no extension".into(), |e| format!(".{}", e.to_string_lossy()));
    Err(DataError::malformed(path, "", format!("activations ({known})"), found, mend))
}

/// Every layer is floating point with the same number of inputs, and everything beside has one value per input.
fn check(source: &Path, found: &Found) -> Result<usize> {
    let Some(first) = found.layers.first() else {
        return Err(DataError::malformed(
            source,
            "",
            "at least one array of activations",
            "none",
            "save some layers",
        ));
    };
    for layer in &found.layers {
        let Some(&n) = layer.header.shape.first() else {
            let (expected, found) = ("one row per input", "a single value");
            return Err(DataError::malformed(&layer.path, layer.place(), expected, found, AXIS_MEND));
        };
        if !layer.header.dtype.is_float() {
            return Err(DataError::malformed(
                &layer.path,
                layer.place(),
                "float16, bfloat16, float32 or float64",
                layer.header.dtype.name(),
                "save activations as float32; class indices are found under the name 'labels'",
            ));
        }
        if layer.header.n_elements() == 0 {
            let found = format!("shape {:?}", layer.header.shape);
            return Err(DataError::malformed(
                &layer.path,
                layer.place(),
                "at least one value",
                found,
                "leave it out",
            ));
        }
        if n != first.header.shape[0] {
            return Err(mismatch(&first.name, &first.header.shape, &layer.name, &layer.header.shape));
        }
    }
    let n_inputs = first.header.shape[0];
    let lengths = [
        found.labels.as_ref().map(|(name, l)| (name, l.len())),
        found.predictions.as_ref().map(|(name, p)| (name, p.len())),
        found.ids.as_ref().map(|(name, i)| (name, i.len())),
    ];
    match lengths.into_iter().flatten().find(|(_, n)| *n != n_inputs) {
        Some((name, n)) => Err(mismatch(&first.name, &first.header.shape, name, &[n])),
        None => Ok(n_inputs),
    }
}

fn mismatch(first: &str, first_shape: &[usize], second: &str, second_shape: &[usize]) -> DataError {
    DataError::Mismatch {
        first: first.to_owned(),
        first_shape: first_shape.to_vec(),
        second: second.to_owned(),
        second_shape: second_shape.to_vec(),
    }
}

/// Replacing a store by itself would delete what is being read.
fn refuse_same_folder(source: &Path, folder: &Path) -> Result<()> {
    match (source.canonicalize(), folder.canonicalize()) {
        (Ok(a), Ok(b)) if a == b => {
            Err(DataError::Argument(format!("{}: source and output are the same folder", folder.display())))
        }
        _ => Ok(()),
    }
}

fn store_header(
    source: &Path,
    found: &Found,
    n_inputs: usize,
    options: &ImportOptions,
) -> Result<StoreHeader> {
    let hash = layers::hash(found, options.labels.as_deref())?;
    let labels = found.labels.clone().map(|(_, l)| l).unwrap_or_default();
    let inputs = Inputs {
        ids: match &found.ids {
            Some((_, ids)) => ids.clone(),
            None => (0..n_inputs).map(|i| i.to_string()).collect(),
        },
        predictions: found.predictions.clone().map(|(_, p)| p).unwrap_or_default(),
        confidence: Vec::new(),
        labels,
    };
    let dataset = DatasetInfo {
        name: short_name(source),
        format: "activations".to_owned(),
        n_total: n_inputs,
        classes: match &found.classes {
            names if options.labels.is_none() && !names.is_empty() => names.clone(),
            _ => numbered_classes(&inputs.labels),
        },
        image_shape: Vec::new(),
        normalize: "none".to_owned(),
        hash: hash.clone(),
        citation: None,
    };
    Ok(StoreHeader { key: hash, inputs, dataset, model: None })
}

fn layer_spec(layer: &SourceLayer) -> LayerSpec {
    let shape = &layer.header.shape;
    LayerSpec {
        name: layer.name.clone(),
        kind: "imported".to_owned(),
        shape: if shape.len() == 1 { vec![1] } else { shape[1..].to_vec() },
        n_features: layer.header.n_columns(),
        pool: "flatten".to_owned(),
    }
}
