"""`subspect capture` against onnxruntime: every layer that is stored, from the same pixels."""

import numpy as np
import onnx
import onnxruntime
import pytest

from conftest import ROOT, parse

IMAGENET = (np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]))

# Our names of the demo network's values, and the names of the same values in the file. A block is what its module
# returns: the sum after its activation.
DEMO_VALUES = {
    "conv1": "/conv1/Conv_output_0",
    "relu": "/Relu_output_0",
    "layer1.0.conv1": "/layer1/layer1.0/conv1/Conv_output_0",
    "layer1.0.conv2": "/layer1/layer1.0/conv2/Conv_output_0",
    "layer1.0": "/layer1/layer1.0/Relu_1_output_0",
    "layer2.0.conv1": "/layer2/layer2.0/conv1/Conv_output_0",
    "layer2.0.shortcut.0": "/layer2/layer2.0/shortcut/shortcut.0/Conv_output_0",
    "layer2.0": "/layer2/layer2.0/Relu_1_output_0",
    "avgpool": "/avgpool/GlobalAveragePool_output_0",
    "linear": "logits",
}


def onnxruntime_values(path, fed, wanted):
    """The named values of a model, by graph outputs added to it; optimisation off, so that none is fused away. What is
    fed are pictures, or token arrays by name."""
    model = onnx.load(str(path))
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in known)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = fed if isinstance(fed, dict) else {model.graph.input[0].name: fed.astype(np.float32)}
    values = session.run(list(wanted), feed)
    return dict(zip(wanted, values))


def stored(folder):
    manifest = parse((folder / "store.json").read_text())
    return manifest, {layer["name"]: (layer, np.load(folder / layer["file"])) for layer in manifest["layers"]}


def assert_close(found, wanted):
    """Relative to the layer's largest value: single values may be near 0."""
    assert found.shape == wanted.shape and found.dtype == np.float32
    assert np.abs(found - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("pool", ["flatten", "avg", "max"])
def test_the_demo_network(subspect, demo_model, digits, tmp_path, pool):
    subspect("capture", "--model", demo_model, "--data", "builtin:digits", "--inputs", 150, "--layers", *DEMO_VALUES,
             "--pool", pool, "--batch-size", 64, "--output", tmp_path / "store")
    manifest, layers = stored(tmp_path / "store")
    images, labels = digits
    rows = [int(i) for i in manifest["inputs"]["ids"]]
    assert manifest["inputs"]["labels"] == labels[rows].tolist()
    wanted = onnxruntime_values(demo_model, images[rows, None] / 255.0, DEMO_VALUES.values())
    assert [name for name in layers] == [name for name in DEMO_VALUES]
    for name, (layer, found) in layers.items():
        value = wanted[DEMO_VALUES[name]]
        assert layer["shape"] == list(value.shape[1:])
        if pool == "flatten" or value.ndim == 2:
            value = value.reshape(len(value), -1)
        else:
            value = value.mean(axis=(2, 3)) if pool == "avg" else value.max(axis=(2, 3))
        assert_close(found, value)
    logits = wanted["logits"].astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert manifest["inputs"]["predictions"] == logits.argmax(axis=1).tolist()
    np.testing.assert_allclose(manifest["inputs"]["confidence"], (odds / odds.sum(1, keepdims=True)).max(1), rtol=1e-4)
    accuracy = np.mean(logits.argmax(axis=1) == labels[rows])
    assert manifest["model"]["accuracy"]["value"] == pytest.approx(accuracy)


def test_layers_are_in_execution_order(subspect, demo_model):
    answer = subspect("layers", demo_model, "--layers", "all")
    listed = [layer["name"] for layer in answer["layers"]]
    assert [name for name in listed if name in DEMO_VALUES] == list(DEMO_VALUES)
    assert len(listed) == len(set(listed))
    assert answer["layers"][-1]["is_logits"] and answer["n_classes"] == 10


def cifar10_test(shared, rows):
    records = np.fromfile(shared / "data" / "cifar10" / "test_batch.bin", np.uint8).reshape(-1, 3073)[rows]
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].tolist()


@pytest.mark.parametrize("network", ["resnet20", "resnet32"])
def test_a_residual_network_on_cifar10(subspect, shared, tmp_path, network):
    model = shared / "models" / f"cifar10_{network}.onnx"
    subspect("capture", "--model", model, "--data", shared / "data" / "cifar10", "--normalize", "imagenet",
             "--inputs", 50, "--layers", "conv,block,logits", "--output", tmp_path / "store")
    manifest, layers = stored(tmp_path / "store")
    pixels, labels = cifar10_test(shared, [int(i) for i in manifest["inputs"]["ids"]])
    assert manifest["inputs"]["labels"] == labels
    mean, deviation = (v[None, :, None, None] for v in IMAGENET)
    # Each stored layer must be the output of exactly one convolution, block or product, in execution order; a block
    # ends with the activation of its sum.
    graph = onnx.load(str(model)).graph
    activated = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "Relu"}
    values = {node.output[0]: ("conv", node.output[0]) for node in graph.node if node.op_type == "Conv"}
    values |= {node.output[0]: ("linear", node.output[0]) for node in graph.node if node.op_type in ("Gemm", "MatMul")}
    values |= {node.output[0]: ("block", activated[node.output[0]]) for node in graph.node if node.op_type == "Add"}
    expected = [values[node.output[0]] for node in graph.node if node.output[0] in values]
    wanted = onnxruntime_values(model, (pixels / 255.0 - mean) / deviation, [value for _, value in expected])
    assert [layer["kind"] for layer, _ in layers.values()] == [kind for kind, _ in expected]
    for (_, found), (_, value) in zip(layers.values(), expected):
        assert_close(found, wanted[value].reshape(50, -1))


ENCODER = ROOT / "crates" / "subspect-nets" / "tests" / "fixtures" / "encoder.onnx"

# Our names of the text encoder's values, and the names of the same values in the file. A sum of residuals ends with
# the normalisation of its module.
ENCODER_VALUES = {
    "embeddings": "/embeddings/LayerNorm/Add_1_output_0",
    "encoder.layer.0.attention.self.query": "/encoder/layer.0/attention/self/query/Add_output_0",
    "encoder.layer.0.attention.output": "/encoder/layer.0/attention/output/LayerNorm/Add_1_output_0",
    "encoder.layer.0.intermediate.intermediate_act_fn":
        "/encoder/layer.0/intermediate/intermediate_act_fn/Mul_1_output_0",
    "encoder.layer.1.output": "last_hidden_state",
    "pooler.activation": "pooler_output",
}


def pooled(values, mask, pool):
    """Rows of N x T x F values; padding takes no part, except in `flatten`."""
    if pool == "flatten" or values.ndim == 2:
        return values.reshape(len(values), -1)
    rows = [v[m] for v, m in zip(values, mask.astype(bool))]
    how = {"mean": lambda r: r.mean(0), "avg": lambda r: r.mean(0), "max": lambda r: r.max(0), "cls": lambda r: r[0],
           "last": lambda r: r[-1]}[pool]
    return np.stack([how(row) for row in rows])


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
@pytest.mark.parametrize("pool", ["flatten", "avg", "mean", "max", "cls", "last"])
def test_a_text_encoder(subspect, rng, tmp_path, pool, dtype):
    n, length = 30, 11
    mask = (np.arange(length) < rng.integers(1, length + 1, n)[:, None]).astype(dtype)
    ids = rng.integers(1, 40, (n, length)).astype(dtype) * mask
    types = rng.integers(0, 2, (n, length)).astype(dtype) * mask
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
    labels = rng.integers(0, 3, n)
    np.savez(tmp_path / "tokens.npz", **feed, labels=labels, ids=np.array([f"sentence {i}" for i in range(n)]))
    subspect("capture", "--model", ENCODER, "--data", tmp_path / "tokens.npz", "--layers", *ENCODER_VALUES, "--pool",
             pool, "--batch-size", 8, "--output", tmp_path / "store")
    manifest, layers = stored(tmp_path / "store")
    assert manifest["inputs"]["labels"] == labels.tolist() and manifest["inputs"]["ids"][3] == "sentence 3"
    assert manifest["dataset"]["format"] == "tokens" and manifest["inputs"]["predictions"] == []
    assert list(layers) == list(ENCODER_VALUES)
    wanted = onnxruntime_values(ENCODER, {k: v.astype(np.int64) for k, v in feed.items()}, ENCODER_VALUES.values())
    for name, (layer, found) in layers.items():
        assert layer["pool"] == pool
        assert_close(found, pooled(wanted[ENCODER_VALUES[name]], mask, pool))


def test_a_text_encoder_of_which_the_data_lack_an_input(subspect, tmp_path):
    np.savez(tmp_path / "tokens.npz", input_ids=np.ones((4, 3), np.int64), attention_mask=np.ones((4, 3), np.int64))
    found = subspect.run("capture", "--model", ENCODER, "--data", tmp_path / "tokens.npz", "--output", tmp_path / "s",
                         code=2)
    assert "an input token_type_ids (int64, N x T), the data have input_ids, attention_mask" in found.stderr
