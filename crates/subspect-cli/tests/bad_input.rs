//! Bad input: a clear message, exit code 2, and nothing lost. Every message is under snapshot.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{MODEL, Scratch, sample, text};
use subspect_data::dense::{write_f32, write_labels};
use subspect_linalg::Matrix;

const DIGITS: [&str; 6] = ["run", "--model", "builtin:digits", "--data", "builtin:digits", "--output"];

fn digits<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&DIGITS[..], &["run"], rest].concat()
}

fn model() -> Vec<u8> {
    std::fs::read(MODEL).unwrap()
}

#[test]
fn not_an_onnx_file() {
    let s = Scratch::new();
    s.write("m.onnx", b"\x89PNG\r\n\x1a\n and so on");
    insta::assert_snapshot!("not_onnx", s.error(&["layers", "m.onnx"]));
    insta::assert_snapshot!("no_such_model", s.error(&["layers", "none.onnx"]));
}

#[test]
fn a_truncated_onnx_file() {
    let s = Scratch::new();
    s.write("m.onnx", &model()[..9000]);
    insta::assert_snapshot!(
        "truncated_onnx",
        s.error(&["run", "--model", "m.onnx", "--data", "builtin:digits", "--output", "r"])
    );
}

#[test]
fn an_unknown_operator_is_named() {
    let s = Scratch::new();
    let mut bytes = model();
    while let Some(at) = bytes.windows(4).position(|w| w == b"Relu") {
        bytes[at..at + 4].copy_from_slice(b"Rulu");
    }
    s.write("m.onnx", &bytes);
    insta::assert_snapshot!("unknown_operator", s.error(&["layers", "m.onnx"]));
}

#[test]
fn pictures_of_the_wrong_size() {
    let s = Scratch::new();
    s.pictures("d.npz", 30, 12, 30);
    let args = ["run", "--model", MODEL, "--data", "d.npz", "--output", "r"];
    insta::assert_snapshot!("wrong_size", s.error(&args));
    let mended = s.output(&[&args[..], &["--resize"]].concat());
    assert_eq!(mended.status.code(), Some(0), "{}", text(&mended.stderr));
}

#[test]
fn fewer_labels_than_pictures() {
    let s = Scratch::new();
    s.pictures("d.npz", 30, 8, 29);
    insta::assert_snapshot!(
        "fewer_labels",
        s.error(&["run", "--model", MODEL, "--data", "d.npz", "--output", "r"])
    );
    // The same in the layout of MNIST: 3 pictures of 8 x 8, 2 labels.
    let images = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 8][..], &[7; 3 * 64]].concat();
    s.write("t10k-images-idx3-ubyte", &images);
    s.write("t10k-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 2, 1, 0]);
    insta::assert_snapshot!(
        "fewer_labels_idx",
        s.error(&["run", "--model", MODEL, "--data", "t10k-images-idx3-ubyte", "--output", "r"])
    );
}

#[test]
fn labels_that_do_not_fit_coefficients() {
    let s = Scratch::new();
    s.activations("x.npy", 30, 6);
    s.ok(&["express", "x.npy", "--output", "c.npz"]);
    write_labels(&s.path("short.npy"), &[0, 1, 2]).unwrap();
    insta::assert_snapshot!("labels_do_not_fit", s.error(&["measure", "c.npz", "--labels", "short.npy"]));
}

#[test]
fn clusters_that_cannot_be() {
    let s = Scratch::new();
    s.activations("x.npy", 30, 6);
    s.ok(&["express", "x.npy", "--output", "c.npz"]);
    let cluster = |more: &[&str]| s.error(&[&["cluster", "c.npz"], more].concat());
    insta::assert_snapshot!("too_many_clusters", cluster(&["--n-clusters", "31"]));
    insta::assert_snapshot!("unknown_detector", cluster(&["--method", "louvain"]));
    insta::assert_snapshot!("no_number_of_clusters", cluster(&["--method", "spectral"]));
    insta::assert_snapshot!(
        "option_of_another_detector",
        cluster(&["--n-clusters", "3", "--resolution", "2"])
    );
    insta::assert_snapshot!("resolutions_no_grid", cluster(&["--resolutions", "1:0.1:5"]));
    insta::assert_snapshot!("negative_resolution", cluster(&["--resolution=-1"]));
    insta::assert_snapshot!(
        "unknown_postprocess",
        cluster(&["--n-clusters", "3", "--postprocess", "strong"])
    );
    insta::assert_snapshot!("foreign_postprocess", cluster(&["--n-clusters", "3", "--n-strongest", "5"]));
}

#[test]
fn nan_in_activations_names_layer_and_input() {
    let s = Scratch::new();
    let mut x = sample(20, 5);
    x.row_mut(7)[2] = f32::NAN;
    std::fs::create_dir(s.path("acts")).unwrap();
    write_f32(&s.path("acts/conv1.npy"), sample(20, 4).as_ref()).unwrap();
    write_f32(&s.path("acts/conv2.npy"), x.as_ref()).unwrap();
    insta::assert_snapshot!("nan_imported", s.error(&["import", "acts", "--output", "store"]));
    insta::assert_snapshot!("nan_expressed", s.error(&["express", "acts/conv2.npy", "--output", "c.npz"]));
    insta::assert_snapshot!("nan_compared", s.error(&["similarity", "acts/conv1.npy", "acts/conv2.npy"]));
    // A deviation this small overflows in the first layer.
    insta::assert_snapshot!("nan_captured", s.error(&digits(&["--normalize", "0:1e-44"])));
}

#[test]
fn an_all_zero_layer_is_data_not_an_error() {
    let s = Scratch::new();
    std::fs::create_dir(s.path("acts")).unwrap();
    write_f32(&s.path("acts/a.npy"), sample(30, 6).as_ref()).unwrap();
    write_f32(&s.path("acts/b.npy"), Matrix::filled(0.0_f32, 30, 6).as_ref()).unwrap();
    s.activations("x.npy", 30, 6);
    s.ok(&["import", "acts", "--labels", "y.npy", "--output", "store"]);
    let out = s.output(&["run", "--store", "store", "--output", "r"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    insta::assert_snapshot!("zero_layer_warning", text(&out.stderr));
    let record = common::record(&s.path("r"));
    assert_eq!(record["layers"][1]["measures"]["modularity"]["status"], "empty_graph");
    assert_eq!(record["state"], "complete");
}

#[test]
fn more_inputs_than_there_are() {
    let s = Scratch::new();
    insta::assert_snapshot!("too_many_inputs", s.error(&digits(&["--inputs", "5000"])));
}

#[test]
fn an_unknown_layer_gives_the_nearest_names() {
    let s = Scratch::new();
    insta::assert_snapshot!("unknown_layer", s.error(&digits(&["--layers", "layr2.*"])));
}

#[test]
fn output_that_cannot_be_written() {
    let s = Scratch::new();
    s.write("file", b"");
    insta::assert_snapshot!(
        "unwritable_output",
        s.error(&["run", "--model", "builtin:digits", "--data", "builtin:digits", "--output", "file/run"])
    );
    std::fs::create_dir(s.path("thesis")).unwrap();
    s.write("thesis/chapter1.tex", b"precious");
    insta::assert_snapshot!(
        "foreign_output",
        s.error(&["run", "--model", "builtin:digits", "--data", "builtin:digits", "--output", "thesis"])
    );
    assert_eq!(std::fs::read(s.path("thesis/chapter1.tex")).unwrap(), b"precious");
}

#[test]
fn options_that_make_no_sense() {
    let s = Scratch::new();
    insta::assert_snapshot!("alpha_out_of_range", s.error(&digits(&["--alpha-ratio", "2"])));
    insta::assert_snapshot!("parameter_of_another_method", s.error(&digits(&["--n-nonzero-coefs", "5"])));
    insta::assert_snapshot!("unknown_method", s.error(&digits(&["--method", "laso"])));
    insta::assert_snapshot!("bad_normalize", s.error(&digits(&["--normalize", "imagnet"])));
    insta::assert_snapshot!("nothing_to_look_at", s.error(&["run", "--output", "r"]));
    insta::assert_snapshot!("bad_memory", s.error(&digits(&["--memory", "lots"])));
}

#[test]
fn configurations_are_checked() {
    let s = Scratch::new();
    s.write("typo.toml", b"model = \"m.onnx\"\nalpha_raito = 0.1\n");
    insta::assert_snapshot!("config_typo", s.error(&["check", "typo.toml"]));
    s.write("syntax.toml", b"model = \"m.onnx\"\ninputs = = 3\n");
    insta::assert_snapshot!("config_syntax", s.error(&["check", "syntax.toml"]));
    s.write("range.toml", b"model = \"m.onnx\"\ndata = \"d\"\nalpha_ratio = 3\n");
    insta::assert_snapshot!("config_range", s.error(&["check", "range.toml"]));
    s.write("files.toml", b"model = \"m.onnx\"\ndata = \"d\"\n");
    insta::assert_snapshot!("config_files", s.error(&["check", "files.toml"]));
    s.write(
        "good.toml",
        b"model = \"builtin:digits\"\ndata = \"builtin:digits\"\nmethod = \"omp\"\nn_nonzero_coefs = 5\n",
    );
    insta::assert_snapshot!("config_good", s.ok(&["check", "good.toml"]));
}

#[test]
fn commands_on_the_wrong_thing() {
    let s = Scratch::new();
    s.activations("x.npy", 30, 6);
    std::fs::create_dir(s.path("empty")).unwrap();
    insta::assert_snapshot!("report_without_run", s.error(&["report", "empty"]));
    insta::assert_snapshot!("neighbors_without_run", s.error(&["neighbors", "empty", "--input", "1"]));
    insta::assert_snapshot!("measure_activations", s.error(&["measure", "x.npy"]));
    insta::assert_snapshot!("similarity_of_nothing", s.error(&["similarity", "x.npy", "empty"]));
    insta::assert_snapshot!(
        "similarity_without_graphs",
        s.error(&["similarity", "x.npy", "x.npy", "--measure", "ssc_cka"])
    );
    insta::assert_snapshot!("import_pickle", {
        s.write("m.pth", b"x");
        s.error(&["import", "m.pth", "--output", "store"])
    });
}
