//! A trained ResNet-20 on CIFAR-10 test images, where the shared files are at hand.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::path::PathBuf;

use common::{Scratch, record};

fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("SUBSPECT_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    folder.join("models/cifar10_resnet20.onnx").is_file().then_some(folder)
}

#[test]
fn class_structure_grows_from_stem_to_logits() {
    let Some(shared) = shared() else {
        eprintln!("skipped: class_structure_grows_from_stem_to_logits: needs ../shared");
        return;
    };
    let (model, data) = (shared.join("models/cifar10_resnet20.onnx"), shared.join("data/cifar10"));
    let (model, data) = (model.to_str().unwrap(), data.to_str().unwrap());
    let s = Scratch::new();
    s.ok(&[
        "run",
        "--model",
        model,
        "--data",
        data,
        "--normalize",
        "imagenet",
        "--layers",
        "conv1",
        "layer2.2",
        "layer3.2",
        "logits",
        "--output",
        "r",
    ]);
    let record = record(&s.path("r"));
    let value =
        |layer: usize, name: &str| record["layers"][layer]["measures"][name]["value"].as_f64().unwrap();
    let modularity: Vec<f64> = (0..4).map(|l| value(l, "modularity")).collect();
    assert!(modularity.windows(2).all(|w| w[0] < w[1]), "{modularity:?}");
    assert!((0.05..0.18).contains(&modularity[0]) && (0.58..0.70).contains(&modularity[3]), "{modularity:?}");
    assert!((0.55..0.61).contains(&modularity[2]), "{modularity:?}");
    // Over seeds 0 to 3 the vote is right for .888 to .903 of the inputs and agrees on .924 to .941.
    assert!(value(2, "vote_accuracy") > 0.87 && value(2, "vote_agreement") > 0.91);
    let accuracy = record["model"]["accuracy"]["value"].as_f64().unwrap();
    assert!((0.89..0.95).contains(&accuracy), "{accuracy}");
    assert_eq!(record["warnings"].as_array().unwrap().len(), 0, "{}", record["warnings"]);

    // Without the normalisation that the network was trained with it is worse, and the same graphs are not reused.
    s.ok(&["run", "--model", model, "--data", data, "--layers", "logits", "--output", "r"]);
    let log = std::fs::read_to_string(s.path("r/log.txt")).unwrap();
    let second = &log[log.rfind("starts:").unwrap()..];
    assert!(second.contains("graphs linear: computed"), "{second}");
}
