//! Writing an activation store, batch by batch: memory holds one batch, whatever the number of inputs.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use subspect_linalg::MatRef;

use super::manifest::{MANIFEST_FILE, STORE_SCHEMA, StoreManifest, StoredLayer};
use super::reader::ActivationStore;
use crate::dense::header_bytes;
use crate::error::{DataError, Result};
use crate::names::{file_stem, list_folder};
use crate::record::{DatasetInfo, Inputs, ModelInfo};

const DTYPE: &str = "<f4";

/// What a store says about itself, beside its layers.
#[derive(Clone, Debug)]
pub struct StoreHeader {
    /// Hash of everything that the activations depend on.
    pub key: String,
    /// The inputs in the order of the rows; `ids` decides how many rows there are.
    pub inputs: Inputs,
    /// The data set and the subset taken from it.
    pub dataset: DatasetInfo,
    /// The network, unless the activations were imported.
    pub model: Option<ModelInfo>,
}

/// One layer to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// Module path: `layer1.0.conv1`.
    pub name: String,
    /// `conv`, `block`, `embedding`, `linear`, `norm`, `activation`, `pool`, `other`, `imported`.
    pub kind: String,
    /// Output shape of one input before pooling.
    pub shape: Vec<usize>,
    /// Columns after pooling.
    pub n_features: usize,
    /// `flatten`, `avg`, `max`, `cls`, `mean`, `last`.
    pub pool: String,
}

/// A store that is being written. Dropping it before [`Self::finish`] leaves a partial store.
#[derive(Debug)]
pub struct StoreWriter {
    folder: PathBuf,
    manifest: StoreManifest,
    files: Vec<Option<File>>,
    rows: Vec<usize>,
    bytes: Vec<u8>,
}

impl StoreWriter {
    /// Starts a store in `folder`, which must be absent, empty, or an earlier store (finished or not), which is
    /// replaced. The earlier manifest is replaced first, so that old layers can never be taken for new ones.
    ///
    /// # Errors
    /// A folder with other content, layers without a name of their own, inputs that contradict each other, or
    /// [`DataError::Io`].
    pub fn create(folder: &Path, header: StoreHeader, layers: &[LayerSpec]) -> Result<Self> {
        check_header(&header, layers)?;
        let n_inputs = header.inputs.ids.len();
        prepare_folder(folder)?;
        let layers = layers.iter().enumerate().map(|(index, spec)| stored_layer(index, spec)).collect();
        let manifest = StoreManifest {
            schema: STORE_SCHEMA,
            subspect_version: env!("CARGO_PKG_VERSION").to_owned(),
            key: header.key,
            n_inputs,
            inputs: header.inputs,
            dataset: header.dataset,
            model: header.model,
            layers,
            finished: false,
        };
        manifest.write(folder)?;
        remove_old_layers(folder)?;
        let mut files = Vec::new();
        for (index, layer) in manifest.layers.iter().enumerate() {
            let path = manifest.layer_path(folder, index);
            let mut file = File::create(&path).map_err(|e| DataError::io("create", &path, e))?;
            file.write_all(&header_bytes(DTYPE, &[n_inputs, layer.n_features]))
                .map_err(|e| DataError::io("write", &path, e))?;
            files.push(Some(file));
        }
        let rows = vec![0; files.len()];
        Ok(Self { folder: folder.to_owned(), manifest, files, rows, bytes: Vec::new() })
    }

    /// Appends the next rows (inputs) to a layer, after checking that all values are finite.
    ///
    /// # Errors
    /// [`DataError::NotFinite`], a shape that does not fit, or [`DataError::Io`].
    pub fn append(&mut self, layer: usize, batch: MatRef<'_, f32>) -> Result<()> {
        let n_inputs = self.manifest.n_inputs;
        let Some(stored) = self.manifest.layers.get(layer) else {
            return Err(DataError::Argument(format!("no layer {layer}: the store has {}", self.rows.len())));
        };
        let start = self.rows[layer];
        if batch.n_cols() != stored.n_features || start + batch.n_rows() > n_inputs {
            return Err(DataError::Argument(format!(
                "layer '{}': expected up to {} rows of {} features, found {} of {}",
                stored.name,
                n_inputs - start,
                stored.n_features,
                batch.n_rows(),
                batch.n_cols()
            )));
        }
        if let Some(at) = batch.data().iter().position(|v| !v.is_finite()) {
            return Err(DataError::NotFinite {
                layer: stored.name.clone(),
                input: self.manifest.inputs.ids[start + at / batch.n_cols()].clone(),
                column: at % batch.n_cols(),
                value: batch.data()[at],
            });
        }
        let path = self.manifest.layer_path(&self.folder, layer);
        let Some(file) = &mut self.files[layer] else {
            return Err(DataError::Argument(format!("layer '{}' is finished already", stored.name)));
        };
        self.bytes.clear();
        self.bytes.extend(batch.data().iter().flat_map(|v| v.to_le_bytes()));
        file.write_all(&self.bytes).map_err(|e| DataError::io("write", &path, e))?;
        self.rows[layer] += batch.n_rows();
        Ok(())
    }

    /// Closes a layer that has all of its rows and marks it finished in the manifest on disk.
    ///
    /// # Errors
    /// When rows are missing, or [`DataError::Io`].
    pub fn finish_layer(&mut self, layer: usize) -> Result<()> {
        self.close_layer(layer)?;
        self.manifest.write(&self.folder)
    }

    fn close_layer(&mut self, layer: usize) -> Result<()> {
        let (n_inputs, found) = (self.manifest.n_inputs, self.rows[layer]);
        let path = self.manifest.layer_path(&self.folder, layer);
        let stored = &mut self.manifest.layers[layer];
        if found != n_inputs {
            return Err(DataError::Argument(format!(
                "layer '{}': expected {n_inputs} rows before finishing, found {found}",
                stored.name
            )));
        }
        // The manifest must not call finished what a power cut could still take away.
        if let Some(file) = self.files[layer].take() {
            file.sync_data().map_err(|e| DataError::io("write", &path, e))?;
        }
        stored.finished = true;
        Ok(())
    }

    /// Records the network's own answers: class index and softmax probability of every input.
    ///
    /// # Errors
    /// When there is not one of each per input.
    pub fn set_predictions(&mut self, predictions: Vec<u32>, confidence: Vec<f32>) -> Result<()> {
        let n = self.manifest.n_inputs;
        if predictions.len() != n || confidence.len() != n {
            return Err(DataError::Argument(format!(
                "expected {n} predictions and confidences, found {} and {}",
                predictions.len(),
                confidence.len()
            )));
        }
        self.manifest.inputs.predictions = predictions;
        self.manifest.inputs.confidence = confidence;
        Ok(())
    }

    /// Replaces what is known about the network, for instance once its accuracy is.
    pub fn set_model(&mut self, model: ModelInfo) {
        self.manifest.model = Some(model);
    }

    /// Finishes all layers and marks the store finished.
    ///
    /// # Errors
    /// When a layer lacks rows, or [`DataError::Io`].
    pub fn finish(mut self) -> Result<ActivationStore> {
        for layer in 0..self.rows.len() {
            if !self.manifest.layers[layer].finished {
                self.close_layer(layer)?;
            }
        }
        self.manifest.finished = true;
        self.manifest.write(&self.folder)?;
        ActivationStore::open(&self.folder)
    }
}

fn stored_layer(index: usize, spec: &LayerSpec) -> StoredLayer {
    StoredLayer {
        name: spec.name.clone(),
        kind: spec.kind.clone(),
        shape: spec.shape.clone(),
        n_features: spec.n_features,
        pool: spec.pool.clone(),
        file: format!("{index:03}-{}.npy", file_stem(&spec.name)),
        dtype: DTYPE.to_owned(),
        finished: false,
    }
}

fn check_header(header: &StoreHeader, layers: &[LayerSpec]) -> Result<()> {
    let fail = |text: String| Err(DataError::Argument(text));
    let Inputs { ids, labels, predictions, confidence } = &header.inputs;
    if ids.is_empty() {
        return fail("expected at least one input, found none".into());
    }
    for (what, n) in
        [("labels", labels.len()), ("predictions", predictions.len()), ("confidences", confidence.len())]
    {
        if n != 0 && n != ids.len() {
            return fail(format!("expected {} {what}, one per input, found {n}", ids.len()));
        }
    }
    for (index, layer) in layers.iter().enumerate() {
        if layer.n_features == 0 {
            return fail(format!("layer '{}': expected at least one feature, found none", layer.name));
        }
        if layers[..index].iter().any(|l| l.name == layer.name) {
            return fail(format!("expected layers with names of their own, found '{}' twice", layer.name));
        }
    }
    if layers.is_empty() { fail("expected at least one layer, found none".into()) } else { Ok(()) }
}

fn prepare_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|e| DataError::io("create", folder, e))?;
    if folder.join(MANIFEST_FILE).is_file() {
        return Ok(());
    }
    match list_folder(folder)?.first() {
        None => Ok(()),
        Some(other) => Err(DataError::malformed(
            folder,
            "",
            "a new or empty folder, or an activation store to replace",
            format!("'{}' and no {MANIFEST_FILE}", crate::names::file_name(other)),
            "choose another output folder",
        )),
    }
}

/// Removes the layer files of an earlier store, which are recognised by their names: `000-...npy`.
fn remove_old_layers(folder: &Path) -> Result<()> {
    for path in list_folder(folder)? {
        let name = crate::names::file_name(&path);
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        if digits >= 3 && name[digits..].starts_with('-') && name.ends_with(".npy") {
            fs::remove_file(&path).map_err(|e| DataError::io("replace", &path, e))?;
        }
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let dataset = DatasetInfo {
            name: "x".into(),
            format: "activations".into(),
            n_total: 1,
            classes: Vec::new(),
            image_shape: Vec::new(),
            normalize: "none".into(),
            hash: String::new(),
            citation: None,
        };
        let inputs = Inputs { ids: vec!["0".into()], ..Inputs::default() };
        let header = StoreHeader { key: String::new(), inputs, dataset, model: None };
        let (name, kind, pool) = ("a".to_owned(), "other".to_owned(), "flatten".to_owned());
        let layer = LayerSpec { name, kind, shape: vec![2], n_features: 2, pool };
        let mut writer = StoreWriter::create(dir.path(), header, &[layer]).unwrap();
        writer.files[0] = Some(File::create("/dev/full").unwrap());
        let err = writer.append(0, MatRef::new(&[1.0, 2.0], 1, 2).unwrap()).unwrap_err().to_string();
        assert!(err.contains("cannot write") && err.contains("000-a.npy: No space left"), "{err}");
    }
}
