//! Activations made elsewhere.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{f32_bytes, write_npz};
use safetensors::tensor::{Dtype, TensorView};
use subspect_data::dense::{write_f32, write_f64, write_labels};
use subspect_data::import::{ImportOptions, SOURCES, import};
use subspect_data::store::{ActivationStore, StoreStatus};
use subspect_linalg::Matrix;

fn matrix(n: usize, d: usize, start: f32) -> Matrix<f32> {
    Matrix::from_fn(n, d, |i, j| start + (i * d + j) as f32)
}

fn take(source: &Path, folder: &Path) -> Result<ActivationStore, String> {
    import(source, &ImportOptions::default(), folder, &mut |_, _, _| {}).map_err(|e| e.to_string())
}

#[test]
fn one_array_is_one_layer_with_labels_beside() {
    let dir = tempfile::tempdir().unwrap();
    let (x, y, out) = (dir.path().join("fc1.npy"), dir.path().join("y.npy"), dir.path().join("out"));
    write_f64(&x, Matrix::from_fn(4, 2, |i, j| (i + j) as f64).as_ref()).unwrap();
    write_labels(&y, &[2, 0, 1, 2]).unwrap();
    let options = ImportOptions { labels: Some(y.clone()) };
    let mut seen = Vec::new();
    let store = import(&x, &options, &out, &mut |k, n, name| seen.push((k, n, name.to_owned()))).unwrap();
    assert_eq!(seen, [(0, 1, "fc1".to_owned())]);
    assert_eq!((store.layers()[0].name.as_str(), store.layers()[0].kind.as_str()), ("fc1", "imported"));
    assert_eq!(store.layer(0).unwrap().as_ref().data(), [0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0]);
    let manifest = store.manifest();
    assert_eq!((&manifest.inputs.labels[..], &manifest.inputs.ids[3]), (&[2, 0, 1, 2][..], &"3".to_owned()));
    assert_eq!((manifest.dataset.classes.len(), manifest.dataset.format.as_str()), (3, "activations"));
    let again = import(&x, &options, &out, &mut |_, _, _| {}).unwrap();
    assert_eq!(again.manifest().key, manifest.key);

    write_labels(&y, &[2, 0, 1]).unwrap();
    let text = import(&x, &options, &out, &mut |_, _, _| {}).unwrap_err().to_string();
    assert!(text.contains("'fc1' has shape [4, 2] and") && text.contains("y.npy' has shape [3]"), "{text}");
    assert!(matches!(StoreStatus::of(&out).unwrap(), StoreStatus::Complete { .. }), "nothing lost");
}

#[test]
fn an_archive_keeps_its_order_and_its_special_arrays() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("acts.npz"), dir.path().join("out"));
    let half: Vec<u8> = [0x3c00_u16, 0xc000, 0x3800, 0x0000].iter().flat_map(|h| h.to_le_bytes()).collect();
    write_npz(
        &path,
        &[
            ("z", "<f2", &[2, 2], half),
            ("a", "<f4", &[2, 3, 1, 2], f32_bytes(matrix(2, 6, 0.0).data())),
            ("labels", "|u1", &[2], vec![1, 0]),
            ("predictions", "<i4", &[2], vec![1, 0, 0, 0, 1, 0, 0, 0]),
            ("ids", "|S2", &[2], b"x\0yy".to_vec()),
        ],
    );
    let store = take(&path, &out).unwrap();
    let names: Vec<_> = store.layers().iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["z", "a"]);
    assert_eq!(store.layer(0).unwrap().as_ref().data(), [1.0, -2.0, 0.5, 0.0]);
    assert_eq!((store.layers()[1].shape.clone(), store.layers()[1].n_features), (vec![3, 1, 2], 6));
    let inputs = &store.manifest().inputs;
    assert_eq!((&inputs.ids[..], &inputs.labels[..]), (&["x".to_owned(), "yy".to_owned()][..], &[1, 0][..]));
    assert_eq!(inputs.predictions, [1, 1]);
}

#[test]
fn safetensors_of_every_precision() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("acts.safetensors"), dir.path().join("out"));
    let single = f32_bytes(&[1.0, -2.5, 3.0, 4.0]);
    let brain: Vec<u8> = [0x3f80_u16, 0xc020, 0x4040, 0x4080].iter().flat_map(|h| h.to_le_bytes()).collect();
    let half: Vec<u8> = [0x3c00_u16, 0xc100, 0x4200, 0x4400].iter().flat_map(|h| h.to_le_bytes()).collect();
    let double: Vec<u8> = [1.0_f64, -2.5, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let labels: Vec<u8> = [1_i64, 0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = |dtype, bytes| TensorView::new(dtype, vec![2, 2], bytes).unwrap();
    let tensors = [
        ("l10", view(Dtype::F32, &single)),
        ("l2", view(Dtype::BF16, &brain)),
        ("l1", view(Dtype::F16, &half)),
        ("l3", view(Dtype::F64, &double)),
        ("labels", TensorView::new(Dtype::I64, vec![2], &labels).unwrap()),
    ];
    safetensors::serialize_to_file(tensors, None, &path).unwrap();
    let store = take(&path, &out).unwrap();
    let names: Vec<_> = store.layers().iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["l1", "l2", "l3", "l10"]);
    for k in 0..4 {
        assert_eq!(store.layer(k).unwrap().as_ref().data(), [1.0, -2.5, 3.0, 4.0], "{}", names[k]);
    }
    assert_eq!(store.manifest().inputs.labels, [1, 0]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 4]).unwrap();
    assert!(take(&path, &out).unwrap_err().contains("expected a complete safetensors file"));
}

#[test]
fn a_folder_of_arrays_in_natural_order() {
    let dir = tempfile::tempdir().unwrap();
    let (source, out) = (dir.path().join("run7"), dir.path().join("out"));
    fs::create_dir(&source).unwrap();
    write_f32(&source.join("block10.npy"), matrix(3, 2, 0.0).as_ref()).unwrap();
    write_f32(&source.join("block9.npy"), matrix(3, 4, 7.0).as_ref()).unwrap();
    write_labels(&source.join("labels.npy"), &[0, 1, 0]).unwrap();
    let store = take(&source, &out).unwrap();
    assert_eq!((store.layers()[0].name.as_str(), store.layers()[1].name.as_str()), ("block9", "block10"));
    assert_eq!(store.layer(0).unwrap().as_ref(), matrix(3, 4, 7.0).as_ref());
    assert_eq!(
        (store.manifest().dataset.name.as_str(), &store.manifest().inputs.labels[..]),
        ("run7", &[0, 1, 0][..])
    );
    // A store is such a folder too, but it cannot be imported into itself.
    assert!(take(&out, &out).unwrap_err().contains("source and output are the same folder"));
    assert!(ActivationStore::open(&out).is_ok());

    write_f32(&source.join("block10.npy"), matrix(2, 2, 0.0).as_ref()).unwrap();
    let text = take(&source, &out).unwrap_err();
    assert!(text.contains("'block9' has shape [3, 4] and 'block10' has shape [2, 2]"), "{text}");
}

#[test]
fn what_cannot_be_imported_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let file = |name: &str| {
        let path = dir.path().join(name);
        fs::write(&path, "x").unwrap();
        path
    };
    assert!(
        take(&file("x.h5"), &out)
            .unwrap_err()
            .contains("found .h5; HDF5 is not supported, convert it with Python")
    );
    assert!(take(&file("x.pt"), &out).unwrap_err().contains("pickled tensors are not supported"));
    assert!(
        take(&file("x.txt"), &out)
            .unwrap_err()
            .contains("expected activations (npy, npz, safetensors, table, folder), found .txt")
    );
    assert!(take(&dir.path().join("none.npy"), &out).unwrap_err().contains("cannot read"));
    assert!(take(&file("x.npy"), &out).unwrap_err().contains("expected the .npy magic"));
    let labels_only = dir.path().join("y.npy");
    write_labels(&labels_only, &[1, 2]).unwrap();
    let text = take(&labels_only, &out).unwrap_err();
    assert!(
        text.contains("array 'y': expected float16, bfloat16, float32 or float64, found int64"),
        "{text}"
    );
    let npz = dir.path().join("x.npz");
    write_npz(&npz, &[("labels", "|u1", &[1], vec![0])]);
    assert!(take(&npz, &out).unwrap_err().contains("expected at least one array of activations, found none"));
    write_npz(&npz, &[("a", "<f4", &[0, 2], vec![])]);
    assert!(take(&npz, &out).unwrap_err().contains("expected at least one value, found shape [0, 2]"));
    write_npz(&npz, &[("a", "<f4", &[], f32_bytes(&[1.0]))]);
    assert!(take(&npz, &out).unwrap_err().contains("expected one row per input, found a single value"));
    write_npz(&npz, &[("a", "<f4", &[2, 2], f32_bytes(&[1.0, 2.0, 3.0]))]);
    assert!(take(&npz, &out).unwrap_err().contains("array 'a': expected 2 rows"));
    write_npz(
        &npz,
        &[("a", "<f8", &[2, 1], [1.0_f64, 1e300].iter().flat_map(|v| v.to_le_bytes()).collect())],
    );
    assert!(
        take(&npz, &out)
            .unwrap_err()
            .contains("layer 'a', input 1, column 0: expected finite float32 activations, found inf")
    );
    write_npz(&npz, &[("a", "<f4", &[2, 1 << 50], f32_bytes(&[1.0]))]);
    assert!(
        take(&npz, &out).unwrap_err().contains("'unexpected end of file' after row 0"),
        "and no attempt to allocate"
    );
    assert!(SOURCES.iter().all(|s| !s.summary.is_empty()));
}

const TABLE: &str = "id;f1;Label;f2;prediction\na;1.5;cat;-2e1;dog\n\"b;c\";0;dog;3;dog\n";

#[test]
fn a_table_is_a_layer_with_names_for_classes() {
    let dir = tempfile::tempdir().unwrap();
    let (path, out) = (dir.path().join("fc 1.csv"), dir.path().join("out"));
    fs::write(&path, TABLE).unwrap();
    let store = take(&path, &out).unwrap();
    let manifest = store.manifest();
    assert_eq!((store.layers()[0].name.as_str(), store.layers()[0].n_features), ("fc 1", 2));
    assert_eq!(store.layer(0).unwrap().as_ref().data(), [1.5, -20.0, 0.0, 3.0]);
    assert_eq!(
        (&manifest.inputs.ids[..], &manifest.inputs.labels[..]),
        (&["a", "b;c"].map(str::to_owned)[..], &[0, 1][..])
    );
    assert_eq!(
        (&manifest.inputs.predictions[..], &manifest.dataset.classes[..]),
        (&[1, 1][..], &["cat", "dog"].map(str::to_owned)[..])
    );
    // The same content is not imported again.
    let written = fs::metadata(out.join("000-fc%201.npy")).unwrap().modified().unwrap();
    take(&path, &out).unwrap();
    assert_eq!(fs::metadata(out.join("000-fc%201.npy")).unwrap().modified().unwrap(), written);
}

#[test]
fn a_folder_of_tables_is_a_network() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("layers");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("l2.tsv"), "a\tb\tlabel\n1\t2\t1\n3\t4\t0\n").unwrap();
    fs::write(source.join("l10.csv"), "label,x\n1,7\n0,8\n").unwrap();
    write_f32(&source.join("l1.npy"), matrix(2, 3, 0.0).as_ref()).unwrap();
    let store = take(&source, &dir.path().join("out")).unwrap();
    assert_eq!(store.layers().iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["l1", "l2", "l10"]);
    assert_eq!(
        (&store.manifest().inputs.labels[..], store.manifest().dataset.classes.len()),
        (&[1, 0][..], 2)
    );
    fs::write(source.join("l10.csv"), "label,x\n1,7\n1,8\n").unwrap();
    let text = take(&source, &dir.path().join("out")).unwrap_err();
    assert!(
        text.contains("l10.csv, column 'label': expected the same as column 'label' of the files before"),
        "{text}"
    );
}

#[test]
fn mistakes_in_a_table_have_a_line_and_a_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    let cases = [
        ("a,b\n1,2\n3,x\n", "t.csv, line 3, column 2 ('b'): expected a finite number, found 'x'"),
        ("a,b\n1,\n", "line 2, column 2 ('b'): expected a finite number, found ''"),
        ("a,b\n1,nan\n", "line 2, column 2 ('b'): expected a finite number, found 'nan'"),
        ("a,b\n1,2\n3\n", "line 3: expected 2 columns, as in line 1, found 1"),
        ("1,2\n3,4\n", "line 1: expected names of columns, found '1,2'"),
        ("id,label\nx,1\n", "line 1: expected names of columns, found 'id,label'"),
        ("a,label,labels\n1,2,2\n", "line 1: expected one column called 'labels', found columns 2 and 3"),
        ("a,b\n", "line 2: expected values, found the end of the file"),
        ("", "line 1: expected names of columns, found an empty line"),
    ];
    for (content, expected) in cases {
        fs::write(&path, content).unwrap();
        let text = take(&path, &dir.path().join("out")).unwrap_err();
        assert!(text.contains(expected), "{content:?}: {text}");
    }
}
