//! Which layers a model has, and what they are called.

#![allow(clippy::unwrap_used)]

mod common;

use common::{load, names};
use subspect_nets::*;

fn table(network: &Network) -> Vec<String> {
    network
        .layers()
        .iter()
        .map(|l| {
            let mut line = format!("{} {} {} {}", l.name, l.kind, l.op_type, l.describe_shape());
            if let Some(block) = &l.replaced_by {
                line += &format!(" -> {block}");
            }
            line
        })
        .collect()
}

#[test]
fn a_residual_network_with_unfused_norms_and_a_shortcut_convolution() {
    let net = load("residual.onnx");
    assert_eq!(
        table(&net),
        [
            "conv1 conv Conv 4x8x8",
            "bn1 norm BatchNormalization 4x8x8",
            "relu activation Relu 4x8x8",
            "layer1.0.conv1 conv Conv 6x4x4",
            "layer1.0.bn1 norm BatchNormalization 6x4x4",
            "layer1.0.relu activation Relu 6x4x4",
            "layer1.0.conv2 conv Conv 6x4x4 -> layer1.0",
            "layer1.0.bn2 norm BatchNormalization 6x4x4",
            "layer1.0.downsample.0 conv Conv 6x4x4",
            "layer1.0.downsample.1 norm BatchNormalization 6x4x4",
            "layer1.0 block Add+Relu 6x4x4",
            "layer1.1.conv1 conv Conv 6x4x4",
            "layer1.1.relu activation Relu 6x4x4",
            "layer1.1.conv2 conv Conv 6x4x4 -> layer1.1",
            "layer1.1 block Add+Relu 6x4x4",
            "avgpool pool GlobalAveragePool 6x1x1",
            "fc linear Gemm 3",
            "softmax activation Softmax 3",
        ]
    );
    assert_eq!(net.softmax(), Some("Softmax"));
    assert_eq!((net.logits(), net.n_classes()), (Some(16), Some(3)));
    let paper = select(net.layers(), &["paper"]).unwrap();
    assert_eq!(
        names(&net, &paper),
        ["conv1", "layer1.0.conv1", "layer1.0.downsample.0", "layer1.0", "layer1.1.conv1", "layer1.1", "fc"]
    );
    assert_eq!(net.pictures().unwrap().fixed_batch, None);
    assert!(net.warnings().is_empty());
    assert_eq!(
        (net.name(), net.producer(), net.engine().as_str()),
        ("residual.onnx", "make.py", "rten 0.27")
    );
}

#[test]
fn nodes_without_names_get_some() {
    let net = load("unnamed.onnx");
    assert_eq!(
        table(&net),
        [
            "conv_0 conv Conv 4x6x6",
            "relu_0 activation Relu 4x6x6",
            "conv_1 conv Conv+Add 4x4x4",
            "relu_1 activation Relu 4x4x4",
            "matmul_0 linear MatMul+Add 3",
        ]
    );
    assert_eq!(net.layers()[4].value, "scores");
    assert!(net.layers()[4].is_logits);
}

#[test]
fn weights_name_layers_and_name_clashes_do_no_harm() {
    let net = load("clash.onnx");
    assert_eq!(
        table(&net),
        [
            "body.0.conv conv Conv 2x8x8",
            "relu activation Relu 2x8x8",
            "body.0.last conv Conv 2x8x8 -> body.0",
            "body.0 block Add 2x8x8",
            "head linear Gemm 3",
        ]
    );
}

#[test]
fn a_transformer_has_two_blocks_per_block() {
    let net = load("transformer.onnx");
    let shown = ["conv", "block", "linear", "norm"];
    let chosen = select(net.layers(), &shown).unwrap();
    assert_eq!(
        names(&net, &chosen),
        [
            "patch.proj",
            "blocks.0.norm1",
            "blocks.0.attn.qk",
            "blocks.0.attn.proj",
            "blocks.0.add",
            "blocks.0.norm2",
            "blocks.0.mlp.fc1",
            "blocks.0.mlp.fc2",
            "blocks.0",
            "head"
        ]
    );
    let block = &net.layers()[common::position(&net, "blocks.0")];
    assert_eq!((block.shape.as_slice(), block.channels), ([4, 8].as_slice(), Some(Channels::Last)));
    assert_eq!(Pool::Avg.n_features(block), 8);
    let product = &net.layers()[common::position(&net, "blocks.0.attn.matmul")];
    assert_eq!((product.kind, product.shape.as_slice()), (LayerKind::Other, [4, 4].as_slice()));
    assert_eq!(
        names(&net, &select(net.layers(), &["paper"]).unwrap()),
        ["patch.proj", "blocks.0.add", "blocks.0", "head"]
    );
}

#[test]
fn tensorflow_names_and_axes() {
    let net = load("channels_last.onnx");
    assert_eq!(net.pictures().unwrap().layout, Layout::Nhwc);
    assert_eq!(net.pictures().unwrap().shape, ImageShape { channels: 3, height: 8, width: 6 });
    assert_eq!(
        table(&net),
        [
            "model.conv conv Conv 4x8x6",
            "model.conv.relu activation Relu 4x8x6",
            "model.pool other ReduceMean 4",
            "model.dense linear MatMul 3"
        ]
    );
}

#[test]
fn module_scopes_of_the_newer_exporter() {
    let net = load("scopes.onnx");
    let all = select(net.layers(), &["all"]).unwrap();
    assert_eq!(names(&net, &all), ["layer1.0.conv1", "layer1.0.relu", "layer1.0.conv2", "layer1.0", "fc"]);
}

#[test]
fn fixed_batches_are_kept_and_undeclared_ones_found() {
    assert_eq!(load("fixed_batch.onnx").input().fixed_batch(), Some(4));
    let net = load("one_at_a_time.onnx");
    assert_eq!(net.pictures().unwrap().fixed_batch, Some(1));
    assert!(net.warnings()[0].contains("only one input at a time"), "{:?}", net.warnings());
}
