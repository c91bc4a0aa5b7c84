//! NumPy and SciPy files: round trips, files that SciPy wrote, and damage.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{fixture, shared, write_npz};
use proptest::prelude::*;
use subspect_data::dense::{read_f32, read_f64, read_labels, write_f32, write_f64, write_labels};
use subspect_data::sparse::{load_csr, save_csr};
use subspect_linalg::{Csr, CsrBuilder, Matrix};

fn small() -> Csr {
    Csr::new(3, 4, vec![0, 3, 3, 4], vec![0, 2, 3, 1], vec![-1.0, 0.5, 2.0, 2.0]).unwrap()
}

#[test]
fn matrices_that_scipy_saved_load_in_canonical_form() {
    // Unsorted columns, a duplicate (1.25 + 0.75) and an explicit zero are in the files.
    assert_eq!(load_csr(&fixture("csr_int32_f32.npz")).unwrap(), small());
    assert_eq!(load_csr(&fixture("csr_int64_f64.npz")).unwrap(), small());
    let text = load_csr(&fixture("csc.npz")).unwrap_err().to_string();
    assert!(
        text.contains("array 'format': expected 'csr', found 'csc'; save it with scipy.sparse.save_npz"),
        "{text}"
    );
    let text = load_csr(&fixture("images_u8.npz")).unwrap_err().to_string();
    assert!(
        text.contains("expected a SciPy sparse matrix (with 'format'), found the arrays images, labels"),
        "{text}"
    );
}

#[test]
fn equal_matrices_give_equal_files() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.npz"), dir.path().join("b.npz"));
    save_csr(&a, &small()).unwrap();
    save_csr(&b, &small()).unwrap();
    assert_eq!(fs::read(&a).unwrap(), fs::read(&b).unwrap());
    let whole = fs::read(&a).unwrap();
    fs::write(&a, &whole[..whole.len() - 30]).unwrap();
    assert!(load_csr(&a).unwrap_err().to_string().contains("expected a complete .npz archive"));
    let empty = Csr::empty(0, 0);
    save_csr(&b, &empty).unwrap();
    assert_eq!(load_csr(&b).unwrap(), empty);
}

#[test]
fn contradicting_sparse_parts_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npz");
    let ints = |v: &[i32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let longs = |v: &[i64]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let try_it = |shape: &[i64], indptr: &[i32], indices: &[i32], data: &[f64]| {
        let data_bytes = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        write_npz(
            &path,
            &[
                ("format", "|S3", &[], b"csr".to_vec()),
                ("shape", "<i8", &[shape.len()], longs(shape)),
                ("indptr", "<i4", &[indptr.len()], ints(indptr)),
                ("indices", "<i4", &[indices.len()], ints(indices)),
                ("data", "<f8", &[data.len()], data_bytes),
            ],
        );
        load_csr(&path).unwrap_err().to_string()
    };
    assert!(
        try_it(&[2], &[0, 1], &[0], &[1.0]).contains("array 'shape': expected two sizes, found 1 values")
    );
    assert!(
        try_it(&[2, 2], &[0, 1], &[0], &[1.0])
            .contains("array 'indptr': expected 3 row pointers from 0 to 1")
    );
    assert!(try_it(&[2, 2], &[0, 2, 1], &[0], &[1.0]).contains("ascending row pointers"));
    assert!(try_it(&[1, 2], &[0, 1], &[2], &[1.0]).contains("expected columns below 2, found 2 in row 0"));
    assert!(
        try_it(&[1, 2], &[0, 1], &[-1], &[1.0])
            .contains("array 'indices': expected numbers from 0 on, found -1")
    );
    assert!(
        try_it(&[1, 2], &[0, 1], &[0], &[1.0, 2.0]).contains("expected 1 values, one per index, found 2")
    );
    assert!(try_it(&[1, 2], &[0, 1], &[1], &[1e300]).contains("found inf in row 0, column 1"));
    assert!(try_it(&[1, i64::MAX], &[0, 1], &[1], &[1.0]).contains("at most 2^32 - 1 columns"));
    assert!(try_it(&[i64::MAX, 2], &[0, 1], &[1], &[1.0]).contains("row pointers"));
}

#[test]
fn the_oracle_arrays_read_as_float64_and_labels() {
    let test = "the_oracle_arrays_read_as_float64_and_labels";
    let Some(folder) = shared(test, "oracle") else { return };
    let x = read_f64(&folder.join("uos_30_5_3_30_x.npy")).unwrap();
    let labels = read_labels(&folder.join("uos_30_5_3_30_labels.npy")).unwrap();
    assert_eq!((x.n_rows(), x.n_cols(), labels.len()), (90, 30, 90));
    assert_eq!(labels.iter().max(), Some(&2));
}

#[test]
fn label_vectors_of_any_width() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("y.npy");
    write_labels(&path, &[3, 0, 65_535]).unwrap();
    assert_eq!(read_labels(&path).unwrap(), [3, 0, 65_535]);
    assert_eq!(read_f64(&path).unwrap().data(), [3.0, 0.0, 65_535.0]);
    write_labels(&path, &[3, 65_536]).unwrap();
    let text = read_labels(&path).unwrap_err().to_string();
    assert!(text.contains("labels, input 1: expected a label in 0..65536, found 65536"), "{text}");
    write_f32(&path, Matrix::filled(1.0, 2, 1).as_ref()).unwrap();
    assert!(read_labels(&path).unwrap_err().to_string().contains("expected an integer type, found float32"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sparse_matrices_round_trip(rows in proptest::collection::vec(
        proptest::collection::btree_map(0_u32..9, -3.0_f32..3.0, 0..6), 0..7))
    {
        let mut builder = CsrBuilder::new(9);
        for row in &rows {
            builder.push_row(&mut row.iter().map(|(&j, &v)| (j, v)).collect::<Vec<_>>());
        }
        let matrix = builder.finish();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.npz");
        save_csr(&path, &matrix).unwrap();
        prop_assert_eq!(load_csr(&path).unwrap(), matrix);
    }

    #[test]
    fn dense_matrices_round_trip(values in proptest::collection::vec(any::<f64>(), 1..40), d in 1_usize..4) {
        let n = values.len() / d;
        let x = Matrix::new(values[..n * d].to_vec(), n, d).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.npy");
        write_f64(&path, x.as_ref()).unwrap();
        let back = read_f64(&path).unwrap();
        prop_assert!(back.n_rows() == n && back.data().iter().zip(x.data()).all(|(a, b)| a.to_bits() == b.to_bits()));
        let narrow = Matrix::from_fn(n, d, |i, j| x.row(i)[j] as f32);
        write_f32(&path, narrow.as_ref()).unwrap();
        let back = read_f32(&path).unwrap();
        prop_assert!(back.data().iter().zip(narrow.data()).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
