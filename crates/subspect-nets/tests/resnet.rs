//! The pretrained CIFAR-10 networks beside the repository.

#![allow(clippy::unwrap_used)]

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use common::{Rows, fixture, names, shared};
use subspect_nets::*;

const IMAGE: ImageShape = ImageShape { channels: 3, height: 32, width: 32 };

fn load(root: &Path, model: &str) -> Network {
    Network::load(&root.join("models").join(model), &LoadOptions::default()).unwrap()
}

/// Captures `layers` of the first `n` test images; gives the labels too.
fn capture_cifar(root: &Path, net: &mut Network, layers: &[usize], n: usize) -> (Captured, Rows, Vec<u32>) {
    let records = std::fs::read(root.join("data/cifar10/test_batch.bin")).unwrap();
    let plan =
        Preprocess::new(net.pictures().unwrap(), IMAGE, PixelOrder::Chw, &Normalize::Imagenet, Resize::Never)
            .unwrap();
    let mut read = |range: std::ops::Range<usize>, out: &mut [u8]| {
        for (picture, i) in out.chunks_exact_mut(3072).zip(range) {
            picture.copy_from_slice(&records[i * 3073 + 1..(i + 1) * 3073]);
        }
        Ok(())
    };
    let mut source = PixelSource { n_inputs: n, read: &mut read };
    let mut rows = Rows::default();
    let options = CaptureOptions::default();
    let go_on = &mut |_| ControlFlow::Continue(());
    let captured = capture(net, layers, &mut source, &plan, &options, &mut rows, go_on).unwrap();
    let labels = records.chunks_exact(3073).take(n).map(|r| u32::from(r[0])).collect();
    (captured, rows, labels)
}

#[test]
fn resnet20_has_the_papers_layers() {
    let Some(root) = shared("resnet20_has_the_papers_layers") else { return };
    let net = load(&root, "cifar10_resnet20.onnx");
    let mut paper = vec!["conv1".to_owned()];
    for stage in 1..=3 {
        for block in 0..3 {
            paper.push(format!("layer{stage}.{block}.conv1"));
            paper.push(format!("layer{stage}.{block}"));
        }
    }
    paper.push("linear".to_owned());
    assert_eq!(names(&net, &select(net.layers(), &["paper"]).unwrap()), paper);
    assert_eq!(paper.len(), 20);
    let whole = select(net.layers(), &["conv,block,linear"]).unwrap();
    assert_eq!(whole.len(), 29);
    assert_eq!(names(&net, &whole)[..4], ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer1.0"]);
    assert_eq!(
        (net.n_classes(), net.pictures().unwrap().shape, net.input().fixed_batch()),
        (Some(10), IMAGE, None)
    );
    assert_eq!(net.layers()[net.logits().unwrap()].name, "linear");
    assert_eq!(net.producer(), "pytorch 1.13.0");
    let e = select(net.layers(), &["layer3.2.conv3"]).unwrap_err().to_string();
    assert!(e.contains("layer3.2.conv"), "{e}");
}

#[test]
fn resnet20_equals_onnxruntime() {
    let Some(root) = shared("resnet20_equals_onnxruntime") else { return };
    let text = std::fs::read_to_string(fixture("resnet20.json")).unwrap();
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    let table = table.as_object().unwrap();
    let mut net = load(&root, "cifar10_resnet20.onnx");
    let chosen: Vec<usize> = table.keys().map(|name| common::position(&net, name)).collect();
    let (_, rows, _) = capture_cifar(&root, &mut net, &chosen, 4);
    for ((name, expected), (&layer, data)) in table.iter().zip(chosen.iter().zip(&rows.layers)) {
        let number = |key: &str, i: usize| expected[key][i].as_f64().unwrap();
        let stride = expected["stride"].as_u64().unwrap() as usize;
        for (i, row) in data.chunks(net.layers()[layer].n_values()).enumerate() {
            let (mut sum, mut square) = (0.0, 0.0);
            for v in row.iter().map(|v| f64::from(*v)) {
                sum += v;
                square += v * v;
            }
            let (norm, scale) = (number("norm", i), number("norm", i) / (row.len() as f64).sqrt());
            assert!((square.sqrt() - norm).abs() < 1e-3 * norm, "{name} {i}: norm {}", square.sqrt());
            assert!(
                (sum - number("sum", i)).abs() < 1e-3 * norm * (row.len() as f64).sqrt(),
                "{name} {i}: sum {sum}"
            );
            for (found, v) in row.iter().step_by(stride).zip(expected["values"][i].as_array().unwrap()) {
                let v = v.as_f64().unwrap();
                // Relative to the value, or to a typical one where it is nearly zero.
                assert!(
                    (f64::from(*found) - v).abs() < 1e-3 * v.abs().max(0.1 * scale),
                    "{name} {i}: {found} {v}"
                );
            }
        }
    }
}

#[test]
fn resnet20_is_the_same_to_the_bit_for_any_number_of_threads() {
    let Some(root) = shared("resnet20_is_the_same_to_the_bit_for_any_number_of_threads") else { return };
    let path = root.join("models/cifar10_resnet20.onnx");
    let rows = [1, 2, 5].map(|threads| {
        let mut net = Network::load(&path, &LoadOptions { threads, ..LoadOptions::default() }).unwrap();
        let all = select(net.layers(), &["all"]).unwrap();
        capture_cifar(&root, &mut net, &all, 70).1.layers
    });
    assert!(rows[0] == rows[1] && rows[0] == rows[2]);
}

fn accuracy(model: &str, arch: Option<&str>, test: &str, expected: f64) {
    let Some(root) = shared(test) else { return };
    let spec: Option<ArchitectureSpec> = arch.map(|a| a.parse().unwrap());
    let path = root.join("models").join(model);
    let mut net = Network::load_any(&path, spec.as_ref(), &LoadOptions::default()).unwrap();
    let logits = net.logits().unwrap();
    let (captured, _, labels) = capture_cifar(&root, &mut net, &[logits], 10_000);
    let right = captured.predictions.iter().zip(&labels).filter(|(p, l)| p == l).count();
    assert_eq!(right as f64 / 100.0, expected);
}

#[test]
#[ignore = "slow: 10,000 images"]
fn resnet20_classifies_91_73_percent() {
    accuracy("cifar10_resnet20.onnx", None, "resnet20_classifies_91_73_percent", 91.73);
}

#[test]
#[ignore = "slow: 10,000 images"]
fn resnet32_classifies_92_63_percent() {
    accuracy("cifar10_resnet32.onnx", None, "resnet32_classifies_92_63_percent", 92.63);
}

#[test]
#[ignore = "slow: 10,000 images"]
fn weights_of_resnet20_classify_91_73_percent() {
    let test = "weights_of_resnet20_classify_91_73_percent";
    accuracy("cifar10_resnet20.pth", Some("resnet20"), test, 91.73);
}

#[test]
#[ignore = "slow: 10,000 images"]
fn weights_of_resnet32_classify_92_63_percent() {
    let test = "weights_of_resnet32_classify_92_63_percent";
    accuracy("cifar10_resnet32.safetensors", Some("resnet32"), test, 92.63);
}
