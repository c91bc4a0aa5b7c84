//! `subspect express` beyond one exact solve: over another dictionary, along a path, by an approximation; and the vote.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{MODEL, Scratch, sample};
use subspect_data::dense::{read_labels, write_f32, write_labels};
use subspect_data::sparse::load_csr;
use subspect_linalg::Matrix;

/// 60 atoms and 20 other inputs of three classes, with labels.
fn split(s: &Scratch) {
    let all = sample(80, 9);
    let part =
        |from: usize, to: usize| Matrix::new(all.data()[from * 9..to * 9].to_vec(), to - from, 9).unwrap();
    write_f32(&s.path("atoms.npy"), part(0, 60).as_ref()).unwrap();
    write_f32(&s.path("new.npy"), part(60, 80).as_ref()).unwrap();
    let labels: Vec<u32> = (0..80).map(|i| (i % 3) as u32).collect();
    write_labels(&s.path("atoms_y.npy"), &labels[..60]).unwrap();
    write_labels(&s.path("new_y.npy"), &labels[60..]).unwrap();
}

fn certificate(s: &Scratch, name: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(s.path(name)).unwrap()).unwrap()
}

#[test]
fn new_inputs_are_expressed_over_a_dictionary_and_vote() {
    let s = Scratch::new();
    split(&s);
    let out = s.ok(&["express", "new.npy", "--dictionary", "atoms.npy", "--output", "c.npz"]);
    assert!(out.contains("20 x 9 over 60 atoms: 20 of 20 rows converged"), "{out}");
    let c = load_csr(&s.path("c.npz")).unwrap();
    assert_eq!((c.n_rows(), c.n_cols()), (20, 60));
    assert_eq!(certificate(&s, "c.json")["n_atoms"], 60);
    let vote = ["vote", "c.npz", "--labels", "atoms_y.npy"];
    let told = s.json(&[&vote[..], &["--truth", "new_y.npy", "--output", "v.npy"]].concat());
    assert!(told["accuracy"]["value"].as_f64().unwrap() > 0.9, "{told}");
    assert_eq!(told["n_without_vote"], 0);
    assert_eq!(read_labels(&s.path("v.npy")).unwrap().len(), 20);
    assert!(s.ok(&vote).starts_with("20 inputs over 60 atoms, 0 without a vote"));
    assert_eq!(s.json(&vote)["accuracy"], serde_json::Value::Null);

    // A store of several layers serves as well.
    s.ok(&["import", "atoms.npy", "--labels", "atoms_y.npy", "--output", "store"]);
    s.ok(&["express", "new.npy", "--dictionary", "store", "--output", "again.npz"]);
    assert_eq!(std::fs::read(s.path("again.npz")).unwrap(), std::fs::read(s.path("c.npz")).unwrap());
    s.ok(&["import", "new.npy", "--labels", "new_y.npy", "--output", "new_store"]);
    let stored = s.json(&["vote", "c.npz", "--labels", "store", "--truth", "new_store"]);
    assert_eq!(stored["accuracy"], told["accuracy"]);
    assert_eq!(stored["network_accuracy"], serde_json::Value::Null);
}

#[test]
fn votes_are_compared_with_the_answers_of_a_network() {
    let s = Scratch::new();
    let capture = ["capture", "--model", MODEL, "--data", "builtin:digits", "--layers", "logits"];
    let captured = s.json(&[&capture[..], &["--inputs", "200", "--output", "st"]].concat());
    // Every input is expressed by its own copy among the atoms, so the votes are the labels.
    s.ok(&[
        "express",
        "st",
        "--layer",
        "logits",
        "--dictionary",
        "st",
        "--method",
        "omp",
        "--n-nonzero-coefs",
        "1",
        "--output",
        "c.npz",
    ]);
    let told = s.json(&["vote", "c.npz", "--labels", "st", "--truth", "st"]);
    assert_eq!(told["accuracy"]["value"], 1.0);
    assert_eq!(told["network_accuracy"], captured["accuracy"]);
    assert_eq!(told["agreement"], captured["accuracy"]);
    let text = s.ok(&["vote", "c.npz", "--labels", "st", "--truth", "st"]);
    assert!(text.contains("agreement with it: 0.9"), "{text}");
}

#[test]
fn a_sample_of_rows_is_those_rows_of_the_whole() {
    let s = Scratch::new();
    split(&s);
    s.ok(&["express", "atoms.npy", "--tol", "1e-10", "--output", "all.npz"]);
    for memory in ["1GiB", "1KiB"] {
        let sample = ["express", "atoms.npy", "--tol", "1e-10", "--rows", "9", "--memory", memory];
        let out = s.ok(&[&sample[..], &["--output", "some.npz"]].concat());
        assert!(out.contains("60 x 9: 9 of 9 sampled rows converged"), "{out}");
        let rows = certificate(&s, "some.json")["sampled_rows"].as_array().unwrap().clone();
        let (all, some) = (load_csr(&s.path("all.npz")).unwrap(), load_csr(&s.path("some.npz")).unwrap());
        assert_eq!((some.n_rows(), some.n_cols(), rows.len()), (9, 60, 9));
        for (k, row) in rows.iter().enumerate() {
            let row = row.as_u64().unwrap() as usize;
            for j in 0..60 {
                assert!((some.get(k, j) - all.get(row, j)).abs() < 1e-5, "{memory} row {row} column {j}");
            }
        }
    }
    assert!(
        s.ok(&["express", "atoms.npy", "--rows", "999", "--output", "c.npz"]).contains("60 of 60 sampled")
    );
}

#[test]
fn what_does_not_fit_a_dictionary_is_told() {
    let s = Scratch::new();
    split(&s);
    s.activations("wide.npy", 30, 12);
    let over = |atoms: &str, rest: &[&str]| {
        s.error(&[&["express", "new.npy", "--dictionary", atoms, "--output", "c.npz"], rest].concat())
    };
    insta::assert_snapshot!("dictionary_of_other_features", over("wide.npy", &[]));
    insta::assert_snapshot!("dictionary_in_sample_only", over("atoms.npy", &["--method", "saini2021"]));
    insta::assert_snapshot!("dictionary_and_path", over("atoms.npy", &["--auto", "knee"]));
    let mut bad = sample(20, 9);
    bad.row_mut(4)[1] = f32::INFINITY;
    write_f32(&s.path("inf.npy"), bad.as_ref()).unwrap();
    insta::assert_snapshot!("dictionary_not_finite", over("inf.npy", &[]));
    s.ok(&["express", "new.npy", "--dictionary", "atoms.npy", "--output", "c.npz"]);
    insta::assert_snapshot!("vote_wrong_labels", s.error(&["vote", "c.npz", "--labels", "new_y.npy"]));
    insta::assert_snapshot!(
        "vote_wrong_truth",
        s.error(&["vote", "c.npz", "--labels", "atoms_y.npy", "--truth", "atoms_y.npy"])
    );
}

#[test]
fn a_row_without_atoms_has_no_vote() {
    let s = Scratch::new();
    split(&s);
    let mut x = sample(4, 9);
    x.row_mut(2).fill(0.0);
    write_f32(&s.path("x.npy"), x.as_ref()).unwrap();
    s.ok(&["express", "x.npy", "--dictionary", "atoms.npy", "--output", "c.npz"]);
    let told = s.json(&["vote", "c.npz", "--labels", "atoms_y.npy", "--output", "v.npy"]);
    assert_eq!(told["n_without_vote"], 1);
    let bytes = std::fs::read(s.path("v.npy")).unwrap();
    let last: Vec<i64> =
        bytes[bytes.len() - 32..].chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(last[2], -1);
    assert!(last.iter().all(|v| (-1..3).contains(v)));
}

#[test]
fn a_path_is_a_table_and_a_rule_chooses_from_it() {
    let s = Scratch::new();
    s.activations("x.npy", 90, 12);
    let table = s.ok(&["express", "x.npy", "--path", "0.1,0.5,0.02"]);
    assert!(table.starts_with("alpha_ratio  nonzeros/row"), "{table}");
    assert_eq!(
        table.lines().nth(3).unwrap().trim().split("  ").next(),
        Some("0.0200"),
        "densest last: {table}"
    );
    let path = s.json(&["express", "x.npy", "--path-points", "5"]);
    let points = path["path"]["points"].as_array().unwrap();
    assert_eq!(points.len(), 5);
    assert!(points.iter().all(|p| p["gap_max"]["value"].as_f64().unwrap() <= 1e-6));

    let out = s.ok(&["express", "x.npy", "--target-nonzeros", "6", "--output", "t.npz"]);
    assert!(out.contains("  chosen"), "{out}");
    let c = load_csr(&s.path("t.npz")).unwrap();
    assert!((c.nnz() as f64 / 90.0 - 6.0).abs() <= 0.12, "{}", c.nnz());
    let told = certificate(&s, "t.json");
    assert_eq!(told["parameters"]["alpha_ratio"], told["path"]["chosen"]);
    assert_eq!(
        (&told["path"]["rule"], &told["path"]["target_met"]),
        (&"target_nonzeros".into(), &true.into())
    );
    // The chosen ratio given by hand is the same solve.
    let ratio = told["path"]["chosen"].as_f64().unwrap().to_string();
    s.ok(&["express", "x.npy", "--alpha-ratio", &ratio, "--output", "again.npz"]);
    assert_eq!(std::fs::read(s.path("again.npz")).unwrap(), std::fs::read(s.path("t.npz")).unwrap());

    let out = s.ok(&["express", "x.npy", "--target-nonzeros", "80", "--output", "f.npz"]);
    assert!(out.contains("no alpha_ratio comes within 2 % of 80 non-zeros per row"), "{out}");
    assert_eq!(certificate(&s, "f.json")["path"]["target_met"], false);

    s.ok(&["express", "x.npy", "--auto", "knee", "--method", "elastic_net", "--output", "k.npz"]);
    let told = certificate(&s, "k.json");
    assert_eq!(
        (&told["path"]["rule"], told["path"]["points"].as_array().unwrap().len()),
        (&"knee".into(), 12)
    );
}

#[test]
fn a_path_that_makes_no_sense_is_told() {
    let s = Scratch::new();
    s.activations("x.npy", 30, 6);
    let wrong = |rest: &[&str]| s.error(&[&["express", "x.npy"], rest].concat());
    insta::assert_snapshot!("path_bad_ratio", wrong(&["--path", "0.1,2"]));
    insta::assert_snapshot!("path_no_number", wrong(&["--path", "0.1,many"]));
    insta::assert_snapshot!("path_one_point", wrong(&["--path-points", "1"]));
    insta::assert_snapshot!("path_and_output", wrong(&["--path", "0.1,0.2", "--output", "c.npz"]));
    insta::assert_snapshot!("path_without_alpha", wrong(&["--path", "0.1,0.2", "--method", "omp"]));
    insta::assert_snapshot!("auto_unknown", wrong(&["--auto", "elbow", "--output", "c.npz"]));
    insta::assert_snapshot!("auto_without_output", wrong(&["--auto", "knee"]));
    insta::assert_snapshot!("target_negative", wrong(&["--target-nonzeros", "-3", "--output", "c.npz"]));
    insta::assert_snapshot!(
        "knee_of_two",
        wrong(&["--auto", "knee", "--path-points", "2", "--output", "c.npz"])
    );
}

#[test]
fn approximations_tell_their_error() {
    let s = Scratch::new();
    s.activations("x.npy", 90, 30);
    let how = |name: &str, size: &str, rest: &[&str]| -> Vec<String> {
        ["express", "x.npy", "--approximate", name, "--approximate-size", size, "--output", "a.npz"]
            .iter()
            .chain(rest)
            .map(|t| (*t).to_owned())
            .collect()
    };
    for (name, size) in [("projection", "12"), ("landmarks", "40"), ("neighbours", "10")] {
        let args = how(name, size, &["--check-rows", "30"]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let out = s.ok(&args);
        assert!(out.contains(&format!("approximation: {name}, {size} ")), "{out}");
        assert!(out.contains("on 30 rows"), "{out}");
        let told = certificate(&s, "a.json");
        let error = &told["approximation"]["error"];
        assert!(error["objective_gap_mean"]["value"].as_f64().unwrap() > 0.0, "{told}");
        assert!(error["l1_recall"]["value"].as_f64().unwrap() <= 1.0);
        assert_eq!(load_csr(&s.path("a.npz")).unwrap().n_cols(), 90);
    }
    let blind = how("landmarks", "40", &["--check-rows", "0"]);
    let blind: Vec<&str> = blind.iter().map(String::as_str).collect();
    assert!(s.ok(&blind).contains("its error was not measured"));
    let wrong = |name, size, rest: &[&str]| {
        let args = how(name, size, rest);
        s.error(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    insta::assert_snapshot!("approximate_unknown", wrong("nystrom", "10", &[]));
    insta::assert_snapshot!("approximate_size_zero", wrong("landmarks", "0", &[]));
    insta::assert_snapshot!("approximate_too_many", wrong("neighbours", "5000", &[]));
    insta::assert_snapshot!("approximate_not_omp", wrong("neighbours", "5", &["--method", "omp"]));
    insta::assert_snapshot!(
        "approximate_without_size",
        s.error(&["express", "x.npy", "--approximate", "landmarks", "--output", "c.npz"])
    );
}
