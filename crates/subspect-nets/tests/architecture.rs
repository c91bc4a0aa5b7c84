//! Architectures as data, and their ONNX.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Rows, names, shared};
use subspect_linalg::Seed;
use subspect_nets::*;

fn cifar(name: &str) -> Architecture {
    architecture(name, &ArchitectureOptions::default()).unwrap()
}

fn network(architecture: &Architecture, weights: &Weights) -> Network {
    let bytes = architecture.to_onnx(weights).unwrap();
    let options = LoadOptions { threads: 1, ..LoadOptions::default() };
    Network::from_bytes(&architecture.name, bytes, None, &options).unwrap()
}

#[test]
fn shared_weights_give_what_the_shared_models_give() {
    let Some(root) = shared("shared_weights_give_what_the_shared_models_give") else { return };
    for (name, ending) in [("resnet20", "pth"), ("resnet20", "safetensors"), ("resnet32", "pth")] {
        let weights = Weights::load(&root.join(format!("models/cifar10_{name}.{ending}"))).unwrap();
        let net = cifar(name);
        let mut ours = network(&net, &weights);
        let mut theirs =
            Network::load(&root.join(format!("models/cifar10_{name}.onnx")), &LoadOptions::default())
                .unwrap();
        let chosen = |net: &Network| select(net.layers(), &["conv,block,linear"]).unwrap();
        let (a, b) = (chosen(&ours), chosen(&theirs));
        assert_eq!(names(&ours, &a), names(&theirs, &b));
        let (a, b) = (rows(&mut ours, &a), rows(&mut theirs, &b));
        for (x, y) in a.layers.iter().zip(&b.layers) {
            let largest = y.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            assert!(x.len() == y.len() && x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-4 * largest));
        }
        assert_eq!(weights.fitting(), [name]);
    }
}

#[test]
fn classes_and_channels_are_those_of_the_weights() {
    let input = ImageShape { channels: 1, height: 8, width: 8 };
    for words in ["mlp:depth=11,width=0.01", "resnet18:width=0.05", "cnn:width=0.1"] {
        let spec: ArchitectureSpec = words.parse().unwrap();
        let options = ArchitectureOptions { n_classes: 7, input, ..ArchitectureOptions::default() };
        let made = spec.build(&options).unwrap();
        let found = spec.for_weights(&made.initialise(Seed::new(0)), Some(input)).unwrap();
        assert_eq!(found, made, "{words}");
    }
}

#[test]
fn other_spellings_fit() {
    let net = cifar("resnet18");
    let weights = net.initialise(Seed::new(0));
    let mut theirs = Weights::default();
    for (name, tensor) in weights.iter() {
        theirs.insert(&name.replace("downsample", "shortcut").replace("fc.", "linear."), tensor.clone());
    }
    assert!(theirs.check(&net).is_err());
    assert_eq!(theirs.fitting(), ["resnet18"]);
    assert_eq!(theirs.spelled_for(&net), weights);
}

fn rows(net: &mut Network, layers: &[usize]) -> Rows {
    common::capture_pixels(net, layers, 3, 3, &CaptureOptions::default()).unwrap().1
}

#[test]
fn parameters_are_counted_as_published() {
    let known = [
        ("resnet20", 269_722),
        ("resnet32", 464_154),
        ("resnet110", 1_727_962),
        ("resnet18", 11_173_962),
        ("resnet50", 23_520_842),
        ("resnet101", 42_512_970),
        ("wrn-28-10", 36_479_194),
        ("wrn-16-4", 2_748_890),
        ("vgg16", 14_728_266),
        ("vgg11", 9_231_114),
    ];
    for (name, n) in known {
        assert_eq!(cifar(name).n_parameters(), n, "{name}");
    }
    assert_eq!(cifar("ResNet-20"), cifar("resnet20"));
    assert_eq!(cifar("wideresnet-28-10").name, "wrn-28-10");
}

#[test]
fn every_architecture_runs() {
    let input = ImageShape { channels: 1, height: 28, width: 28 };
    for info in ARCHITECTURES {
        for name in info.members {
            let options = ArchitectureOptions { n_classes: 7, input, width: 0.1, depth: None };
            let net = architecture(name, &options).unwrap();
            assert_eq!(net.name, *name);
            let weights = net.initialise(Seed::new(3));
            assert_eq!(weights, net.initialise(Seed::new(3)));
            let mut network = network(&net, &weights);
            assert_eq!((network.n_classes(), network.pictures().unwrap().shape), (Some(7), input), "{name}");
            for tap in &net.taps {
                assert!(network.layers().iter().any(|l| l.name == *tap), "{name}: {tap}");
            }
            let logits = network.logits().unwrap();
            let rows = common::capture_pixels(&mut network, &[logits], 2, 1, &CaptureOptions::default());
            assert_eq!(rows.unwrap().1.layers[0].len(), 14, "{name}");
            let saved = Weights::from_safetensors("w", &weights.to_safetensors()).unwrap();
            assert_eq!(saved, weights);
        }
    }
}
