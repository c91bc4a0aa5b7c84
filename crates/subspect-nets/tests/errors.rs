//! Files that are no usable model, each with a message that says why.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{fixture, load_error};
use subspect_nets::*;

fn of_bytes(bytes: &[u8]) -> String {
    Network::from_bytes("model.onnx", bytes.to_vec(), None, &LoadOptions::default()).unwrap_err().to_string()
}

#[test]
fn a_missing_file_is_named() {
    let e = Network::load(Path::new("no/such.onnx"), &LoadOptions::default()).unwrap_err().to_string();
    assert!(e.contains("cannot read no/such.onnx"), "{e}");
}

#[test]
fn other_files_are_recognised() {
    let says = |bytes: &[u8], what: &str| {
        let e = of_bytes(bytes);
        assert!(e.contains("model.onnx is not an ONNX model") && e.contains(what), "{e}");
    };
    says(b"", "an empty file");
    says(b"PK\x03\x04abcdefgh", "torch.onnx.export");
    says(b"\x80\x02}q\x00", "pickle");
    says(b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull");
    says(b"\x89PNG\r\n\x1a\n", "a picture");
    says(b"hello, this is a text file about networks", "at byte 0");
    says(b"\x40\x01\x00\x00\x00\x00\x00\x00{\"w\":{}}", "safetensors");
}

#[test]
fn every_truncation_is_an_error_and_most_are_called_so() {
    let whole = std::fs::read(fixture("residual.onnx")).unwrap();
    let mut called_truncated = 0;
    for len in 1..whole.len() {
        // The last bytes are the operator sets, which a model can do without.
        match Network::from_bytes("m", whole[..len].to_vec(), None, &LoadOptions::default()) {
            Err(NetsError::Truncated { needed, found, .. }) => {
                assert!(needed > found && found == len as u64);
                called_truncated += 1;
            }
            Err(_) => {}
            Ok(_) => assert!(len + 16 > whole.len(), "{len} of {} bytes were accepted", whole.len()),
        }
    }
    assert!(called_truncated + 32 > whole.len(), "{called_truncated} of {}", whole.len());
}

#[test]
fn damaged_bytes_never_panic() {
    let whole = std::fs::read(fixture("unnamed.onnx")).unwrap();
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for at in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at] = damaged[at].wrapping_add(85);
        drop(Network::from_bytes("m", damaged, None, &LoadOptions { threads: 1, ..LoadOptions::default() }));
    }
    std::panic::set_hook(quiet);
}

#[test]
fn unknown_operators_are_named() {
    let e = load_error("unknown_operator.onnx");
    assert!(e.contains("operator made.up/Wobble of node /wobbly/Wobble is not supported by rten"), "{e}");
}

#[test]
fn weights_beside_the_model_are_found_or_missed_by_name() {
    let net = common::load("external.onnx");
    assert_eq!(net.layers().len(), common::load("fixed_batch.onnx").layers().len());
    assert_eq!(net.external_files(), [fixture("external.data")]);
    let bytes = std::fs::read(fixture("external.onnx")).unwrap();
    let e = of_bytes(&bytes);
    assert!(e.contains("its weights are in \"external.data\""), "{e}");
    let empty = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("external.onnx"), empty.path().join("m.onnx")).unwrap();
    let e = Network::load(&empty.path().join("m.onnx"), &LoadOptions::default()).unwrap_err().to_string();
    assert!(e.contains("cannot read") && e.contains("external.data"), "{e}");
}

#[test]
fn an_engine_that_is_not_there_is_explained() {
    assert!("torch".parse::<EngineKind>().unwrap_err().to_string().contains("expected rten or ort"));
    for info in ENGINES {
        assert_eq!(info.name.parse::<EngineKind>().unwrap().as_str(), info.name);
    }
    if cfg!(not(feature = "ort")) {
        let options = LoadOptions { engine: EngineKind::Ort, ..LoadOptions::default() };
        let e = Network::load(&fixture("residual.onnx"), &options).unwrap_err().to_string();
        assert!(e.contains("--features ort"), "{e}");
    }
}
