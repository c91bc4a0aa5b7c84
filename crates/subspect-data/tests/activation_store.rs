//! The activation store: what is written is mapped back, and what was interrupted or damaged says so.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{layer, store_header};
use proptest::prelude::*;
use subspect_data::store::{ActivationStore, MANIFEST_FILE, StoreStatus, StoreWriter};
use subspect_linalg::{MatRef, Matrix};

fn matrix(n: usize, d: usize) -> Matrix<f32> {
    Matrix::from_fn(n, d, |i, j| (i * 100 + j) as f32 - 0.5)
}

#[test]
fn batches_become_layers_that_numpy_can_read() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("store");
    let (a, b) = (matrix(5, 3), matrix(5, 7));
    let layers = [layer("layer1.0.conv1", 3), layer("/odd name:0", 7)];
    let mut writer = StoreWriter::create(&folder, store_header(5), &layers).unwrap();
    for (from, to) in [(0, 2), (2, 4), (4, 5)] {
        writer.append(0, a.as_ref().rows(from, to)).unwrap();
        writer.append(1, b.as_ref().rows(from, to)).unwrap();
    }
    writer.set_predictions(vec![1, 0, 1, 0, 1], vec![0.5; 5]).unwrap();
    let store = writer.finish().unwrap();
    assert_eq!(
        (store.n_inputs(), store.layer_index("/odd name:0"), store.layer_index("x")),
        (5, Some(1), None)
    );
    assert_eq!(store.layer(0).unwrap().as_ref(), a.as_ref());
    assert_eq!(store.layer(1).unwrap().as_ref(), b.as_ref());
    assert_eq!(store.layers()[0].file, "000-layer1.0.conv1.npy");
    assert_eq!(store.layers()[1].file, "001-%2Fodd%20name%3A0.npy");
    assert_eq!(store.manifest().inputs.predictions, [1, 0, 1, 0, 1]);
    assert_eq!(StoreStatus::of(&folder).unwrap(), StoreStatus::Complete { key: "k1".into() });
    // 64-byte padded header, then little-endian floats: NumPy's own layout.
    let bytes = fs::read(folder.join("000-layer1.0.conv1.npy")).unwrap();
    assert_eq!((&bytes[..8], bytes.len()), (&b"\x93NUMPY\x01\x00"[..], 128 + 5 * 3 * 4));
    assert_eq!(bytes[128..132], (-0.5_f32).to_le_bytes());
    assert_eq!(ActivationStore::open(&folder).unwrap().manifest(), store.manifest());
}

#[test]
fn a_value_that_is_not_finite_is_located() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = StoreWriter::create(dir.path(), store_header(4), &[layer("conv1", 2)]).unwrap();
    writer.append(0, matrix(2, 2).as_ref()).unwrap();
    let err =
        writer.append(0, MatRef::new(&[0.0, 1.0, 2.0, f32::NAN], 2, 2).unwrap()).unwrap_err().to_string();
    assert!(
        err.contains("layer 'conv1', input in3, column 1: expected finite float32 activations, found NaN"),
        "{err}"
    );
}

#[test]
fn an_interrupted_store_is_detected_and_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    assert_eq!(StoreStatus::of(folder).unwrap(), StoreStatus::Absent);
    let mut writer = StoreWriter::create(folder, store_header(4), &[layer("a", 2), layer("b", 2)]).unwrap();
    writer.append(0, matrix(4, 2).as_ref()).unwrap();
    writer.finish_layer(0).unwrap();
    writer.append(1, matrix(3, 2).as_ref()).unwrap();
    assert!(
        writer.finish_layer(1).unwrap_err().to_string().contains("expected 4 rows before finishing, found 3")
    );
    drop(writer);
    assert_eq!(StoreStatus::of(folder).unwrap(), StoreStatus::Partial);
    let err = ActivationStore::open(folder).unwrap_err().to_string();
    assert!(
        err.contains(
            "the activation store is incomplete: layer 'b' was not finished; capture or import again"
        ),
        "{err}"
    );

    let mut writer = StoreWriter::create(folder, store_header(1), &[layer("c", 2)]).unwrap();
    writer.append(0, matrix(1, 2).as_ref()).unwrap();
    writer.finish().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["000-c.npy", "store.json"]);
}

#[test]
fn damaged_stores_say_which_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let open = || ActivationStore::open(folder).unwrap_err().to_string();
    assert!(open().contains("expected an activation store with store.json, found a folder without it"));
    let mut writer = StoreWriter::create(folder, store_header(4), &[layer("a", 2)]).unwrap();
    writer.append(0, matrix(4, 2).as_ref()).unwrap();
    writer.finish().unwrap();
    let file = folder.join("000-a.npy");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 3]).unwrap();
    let text = open();
    assert!(text.contains("000-a.npy, byte 157: expected 160 bytes for shape [4, 2] of float32"), "{text}");
    assert_eq!(StoreStatus::of(folder).unwrap(), StoreStatus::Partial);
    subspect_data::dense::write_f32(&file, matrix(3, 2).as_ref()).unwrap();
    assert!(
        open().contains("expected shape [4, 2] of float32 in C order, as the manifest says, found [3, 2]")
    );
    fs::remove_file(&file).unwrap();
    assert!(open().contains("cannot read") && open().contains("000-a.npy"));

    let manifest = folder.join(MANIFEST_FILE);
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, &text[..text.len() / 2]).unwrap();
    assert!(open().contains("expected the JSON of one activation store") && open().contains("cut short"));
    fs::write(&manifest, text.replacen("\"schema\": 1", "\"schema\": 99", 1)).unwrap();
    assert!(open().contains("has schema 99, but this version of Subspect reads up to 1"), "{}", open());
    assert!(StoreStatus::of(folder).is_err(), "a newer store is not ours to replace");
}

#[test]
fn contradictions_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("s");
    let create = |n: usize, layers: &[_]| {
        StoreWriter::create(&folder, store_header(n), layers).unwrap_err().to_string()
    };
    assert!(create(0, &[layer("a", 1)]).contains("at least one input"));
    assert!(create(2, &[]).contains("at least one layer"));
    assert!(create(2, &[layer("a", 0)]).contains("at least one feature"));
    assert!(create(2, &[layer("a", 1), layer("a", 2)]).contains("found 'a' twice"));
    let mut header = store_header(3);
    header.inputs.labels.pop();
    let err = StoreWriter::create(&folder, header, &[layer("a", 1)]).unwrap_err().to_string();
    assert!(err.contains("expected 3 labels, one per input, found 2"), "{err}");
    assert!(!folder.exists());

    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("thesis.tex"), "years of work").unwrap();
    assert!(
        create(2, &[layer("a", 1)])
            .contains("found 'thesis.tex' and no store.json; choose another output folder")
    );
    fs::remove_file(folder.join("thesis.tex")).unwrap();

    let mut writer = StoreWriter::create(&folder, store_header(2), &[layer("a", 2)]).unwrap();
    let err = writer.append(0, matrix(1, 3).as_ref()).unwrap_err().to_string();
    assert!(err.contains("layer 'a': expected up to 2 rows of 2 features, found 1 of 3"), "{err}");
    assert!(writer.append(0, matrix(3, 2).as_ref()).is_err());
    assert!(writer.append(1, matrix(1, 2).as_ref()).is_err());
    assert!(writer.set_predictions(vec![0], vec![0.1]).is_err());
    writer.append(0, matrix(2, 2).as_ref()).unwrap();
    writer.set_predictions(vec![0, 1], vec![0.1, f32::NAN]).unwrap();
    assert!(writer.finish().unwrap_err().to_string().contains("NaN"), "no NaN reaches the disk");
    assert_eq!(StoreStatus::of(&folder).unwrap(), StoreStatus::Partial);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However rows are cut into batches, the same file comes out.
    #[test]
    fn batching_does_not_matter(n in 1_usize..20, d in 1_usize..6, cuts in proptest::collection::vec(1_usize..5, 20)) {
        let dir = tempfile::tempdir().unwrap();
        let x = matrix(n, d);
        let mut writer = StoreWriter::create(dir.path(), store_header(n), &[layer("x", d)]).unwrap();
        let mut start = 0;
        for cut in cuts {
            let end = (start + cut).min(n);
            writer.append(0, x.as_ref().rows(start, end)).unwrap();
            start = end;
        }
        let store = writer.finish().unwrap();
        let back = store.layer(0).unwrap();
        prop_assert_eq!(back.as_ref(), x.as_ref());
    }
}
