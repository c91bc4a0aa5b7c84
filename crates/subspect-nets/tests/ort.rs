//! The onnxruntime engine against the pure-Rust one. Needs the library named by `ORT_DYLIB_PATH`.
#![cfg(feature = "ort")]
#![allow(clippy::unwrap_used)]

mod common;

use common::{capture_pixels, fixture, load, shared};
use subspect_nets::*;

fn load_ort(path: &std::path::Path, test: &str) -> Option<Network> {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("skipped: {test}: needs ORT_DYLIB_PATH");
        return None;
    }
    let options = LoadOptions { engine: EngineKind::Ort, threads: 2, ..LoadOptions::default() };
    Some(Network::load(path, &options).unwrap())
}

fn assert_same(a: &mut Network, b: &mut Network, n: usize) {
    assert_eq!(a.layers(), b.layers());
    let all = select(a.layers(), &["all"]).unwrap();
    let options = CaptureOptions::default();
    let channels = a.pictures().unwrap().shape.channels;
    let (left, left_rows) = capture_pixels(a, &all, n, channels, &options).unwrap();
    let (right, right_rows) = capture_pixels(b, &all, n, channels, &options).unwrap();
    assert_eq!(left.predictions, right.predictions);
    for (layer, (x, y)) in a.layers().iter().zip(left_rows.layers.iter().zip(&right_rows.layers)) {
        let largest = x.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        for (p, q) in x.iter().zip(y) {
            assert!((p - q).abs() <= 1e-4 * largest, "{} {}: {p} {q}", a.name(), layer.name);
        }
    }
}

#[test]
fn both_engines_agree_on_every_value() {
    for file in
        ["residual", "unnamed", "clash", "transformer", "channels_last", "scopes", "fixed_batch", "external"]
    {
        let file = format!("{file}.onnx");
        let Some(mut ort) = load_ort(&fixture(&file), "both_engines_agree_on_every_value") else { return };
        assert!(ort.engine().starts_with("onnxruntime"), "{}", ort.engine());
        assert_same(&mut load(&file), &mut ort, 5);
    }
}

#[test]
fn both_engines_agree_on_resnet20() {
    let Some(root) = shared("both_engines_agree_on_resnet20") else { return };
    let path = root.join("models/cifar10_resnet20.onnx");
    let Some(mut ort) = load_ort(&path, "both_engines_agree_on_resnet20") else { return };
    let mut rten = Network::load(&path, &LoadOptions::default()).unwrap();
    assert_same(&mut rten, &mut ort, 7);
}

#[test]
fn one_input_at_a_time_is_found_out() {
    let Some(net) = load_ort(&fixture("one_at_a_time.onnx"), "one_input_at_a_time_is_found_out") else {
        return;
    };
    assert_eq!(net.pictures().unwrap().fixed_batch, Some(1));
}

#[test]
fn an_unknown_operator_is_named() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("skipped: an_unknown_operator_is_named: needs ORT_DYLIB_PATH");
        return;
    }
    let options = LoadOptions { engine: EngineKind::Ort, ..LoadOptions::default() };
    let e = Network::load(&fixture("unknown_operator.onnx"), &options).unwrap_err().to_string();
    assert!(e.contains("Wobble") && e.contains("/wobbly/Wobble"), "{e}");
}
