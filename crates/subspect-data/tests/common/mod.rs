//! What several test programs of this crate need. Each of them uses a part.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use subspect_data::dense::NpzWriter;
use subspect_data::record::{DatasetInfo, Inputs};
use subspect_data::store::{LayerSpec, StoreHeader};

/// A file of `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A path below the shared folder, or nothing after saying on stderr which test is skipped.
pub(crate) fn shared(test: &str, relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SUBSPECT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {test}: needs ../shared");
    None
}

/// Writes an archive of raw little-endian arrays.
pub(crate) fn write_npz(path: &Path, arrays: &[(&str, &str, &[usize], Vec<u8>)]) {
    let mut npz = NpzWriter::new(std::fs::File::create(path).unwrap(), path);
    for (name, descr, shape, bytes) in arrays {
        npz.add(name, descr, shape, bytes).unwrap();
    }
    npz.finish().unwrap();
}

/// Little-endian bytes of float32 values.
pub(crate) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// What a store says about `n` inputs of two classes.
pub(crate) fn store_header(n: usize) -> StoreHeader {
    StoreHeader {
        key: "k1".into(),
        inputs: Inputs {
            ids: (0..n).map(|i| format!("in{i}")).collect(),
            labels: (0..n as u32).map(|i| i % 2).collect(),
            ..Inputs::default()
        },
        dataset: dataset_info(n),
        model: None,
    }
}

/// A data set of `n` pictures that exists on paper only.
pub(crate) fn dataset_info(n: usize) -> DatasetInfo {
    DatasetInfo {
        name: "paper".into(),
        format: "embedded".into(),
        n_total: n,
        classes: vec!["a".into(), "b".into()],
        image_shape: vec![8, 8, 1],
        normalize: "none".into(),
        hash: "0".into(),
        citation: None,
    }
}

/// A flattened layer.
pub(crate) fn layer(name: &str, n_features: usize) -> LayerSpec {
    LayerSpec {
        name: name.into(),
        kind: "conv".into(),
        shape: vec![n_features],
        n_features,
        pool: "flatten".into(),
    }
}
