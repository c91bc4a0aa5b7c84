#!/usr/bin/env python3
"""Makes the two files that `subspect demo` carries: `digits.bin.gz` and `digits_resnet.onnx`.

    python make.py data      scikit-learn's digits          -> digits.bin.gz
    python make.py train     digits.bin.gz                  -> weights.npz (not kept)
    python make.py export    weights.npz                    -> digits_resnet.onnx
    python make.py check     both files                     -> the numbers in README.md, on stdout
    python make.py all       the four above, in order

Each step imports only what it needs, so they may run in different environments:

    data     numpy, scikit-learn        made with 2.4.6, 1.9.1
    train    numpy, torch (CPU)         made with 1.24.2, 1.13.0
    export   numpy, onnx                made with 2.4.6, 1.23.2
    check    numpy, onnxruntime         made with 2.4.6, 1.32.0

Everything is seeded and training runs on one thread: the same versions give the same bytes. Another torch gives
other weights of about the same accuracy.
"""

import gzip
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
DATA = HERE / "digits.bin.gz"
WEIGHTS = HERE / "weights.npz"
MODEL = HERE / "digits_resnet.onnx"

SEED = 20210702
SIDE = 8
PIXELS = SIDE * SIDE
CLASSES = 10
HELD_OUT_PER_CLASS = 100
HELD_OUT = CLASSES * HELD_OUT_PER_CLASS
WIDTHS = (8, 16)
EPOCHS, BATCH, RATE = 60, 32, 0.02

# Every convolution, in execution order: name, its module path in the exported node names, stride, padding.
CONVOLUTIONS = [
    ("conv1", "/conv1", 1, 1),
    ("layer1.0.conv1", "/layer1/layer1.0/conv1", 1, 1),
    ("layer1.0.conv2", "/layer1/layer1.0/conv2", 1, 1),
    ("layer2.0.conv1", "/layer2/layer2.0/conv1", 2, 1),
    ("layer2.0.conv2", "/layer2/layer2.0/conv2", 1, 1),
    ("layer2.0.shortcut.0", "/layer2/layer2.0/shortcut/shortcut.0", 2, 0),
]


def data():
    """One label byte and 64 pixel bytes per record; the held-out records first, the training ones after them."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels = digits.target.astype(np.uint8)
    pixels = np.rint(digits.data * 255 / 16).astype(np.uint8)

    rng = np.random.default_rng(SEED)
    by_class = [rng.permutation(np.flatnonzero(labels == c)) for c in range(CLASSES)]
    held_out = rng.permutation(np.concatenate([rows[:HELD_OUT_PER_CLASS] for rows in by_class]))
    training = rng.permutation(np.concatenate([rows[HELD_OUT_PER_CLASS:] for rows in by_class]))

    order = np.concatenate([held_out, training])
    records = np.concatenate([labels[order, None], pixels[order]], axis=1)
    DATA.write_bytes(gzip.compress(records.tobytes(), compresslevel=9, mtime=0))


def load():
    """Images in 0..1, `n x 1 x 8 x 8`, and labels."""
    records = np.frombuffer(gzip.decompress(DATA.read_bytes()), dtype=np.uint8).reshape(-1, 1 + PIXELS)
    images = (records[:, 1:].astype(np.float32) / 255).reshape(-1, 1, SIDE, SIDE)
    return images, records[:, 0].astype(np.int64)


def network(torch):
    nn = torch.nn

    def conv(n_in, n_out, kernel, stride):
        return nn.Conv2d(n_in, n_out, kernel, stride, padding=kernel // 2, bias=False)

    class Block(nn.Module):
        def __init__(self, n_in, n_out, stride):
            super().__init__()
            self.conv1, self.bn1 = conv(n_in, n_out, 3, stride), nn.BatchNorm2d(n_out)
            self.conv2, self.bn2 = conv(n_out, n_out, 3, 1), nn.BatchNorm2d(n_out)
            self.shortcut = nn.Sequential()
            if n_in != n_out:
                self.shortcut = nn.Sequential(conv(n_in, n_out, 1, stride), nn.BatchNorm2d(n_out))

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = conv(1, WIDTHS[0], 3, 1), nn.BatchNorm2d(WIDTHS[0])
            self.layer1 = nn.Sequential(Block(WIDTHS[0], WIDTHS[0], 1))
            self.layer2 = nn.Sequential(Block(WIDTHS[0], WIDTHS[1], 2))
            self.linear = nn.Linear(WIDTHS[1], CLASSES)

        def forward(self, x):
            x = torch.relu(self.bn1(self.conv1(x)))
            return self.linear(self.layer2(self.layer1(x)).mean((2, 3)))

    return Net()


def train():
    """SGD with momentum on the training records only; writes the weights with batch norm folded in."""
    import torch

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    images, labels = (torch.from_numpy(a[HELD_OUT:].copy()) for a in load())

    net = network(torch)
    optimizer = torch.optim.SGD(net.parameters(), RATE, momentum=0.9)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(images[rows]), labels[rows]).backward()
            optimizer.step()
            schedule.step()

    state = {name: value.double().numpy() for name, value in net.state_dict().items()}
    folded = {name: state[name].astype(np.float32) for name in ("linear.weight", "linear.bias")}
    for name, *_ in CONVOLUTIONS:
        norm = name.replace("conv", "bn").replace("shortcut.0", "shortcut.1")
        scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + 1e-5)
        folded[f"{name}.weight"] = (state[f"{name}.weight"] * scale[:, None, None, None]).astype(np.float32)
        folded[f"{name}.bias"] = (state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale).astype(np.float32)
    np.savez(WEIGHTS, **folded)


def export():
    """Writes the graph with the names that torch's exporter gives, so layers are found by module path."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = dict(np.load(WEIGHTS))
    nodes = []

    def add(op, name, inputs, **attributes):
        output = f"{name}_output_0"
        nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def convolution(index, x):
        name, path, stride, pad = CONVOLUTIONS[index]
        size = list(weights[f"{name}.weight"].shape[2:])
        return add("Conv", f"{path}/Conv", [x, f"{name}.weight", f"{name}.bias"], dilations=[1, 1], group=1,
                   kernel_shape=size, pads=[pad] * 4, strides=[stride] * 2)

    def block(path, x, first, second, shortcut=None):
        y = convolution(second, add("Relu", f"{path}/Relu", [convolution(first, x)]))
        skip = x if shortcut is None else convolution(shortcut, x)
        return add("Relu", f"{path}/Relu_1", [add("Add", f"{path}/Add", [y, skip])])

    x = add("Relu", "/Relu", [convolution(0, "images")])
    x = block("/layer1/layer1.0", x, 1, 2)
    x = block("/layer2/layer2.0", x, 3, 4, shortcut=5)
    x = add("Flatten", "/Flatten", [add("GlobalAveragePool", "/avgpool/GlobalAveragePool", [x])], axis=1)
    nodes.append(helper.make_node("Gemm", [x, "linear.weight", "linear.bias"], ["logits"], name="/linear/Gemm",
                                  alpha=1.0, beta=1.0, transB=1))

    graph = helper.make_graph(
        nodes, "digits_resnet",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", CLASSES])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()])
    model = helper.make_model(graph, producer_name="subspect-demo", ir_version=7,
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model, full_check=True)
    MODEL.write_bytes(model.SerializeToString(deterministic=True))


def check():
    """Prints sizes, accuracies, and the most confident mistakes on the held-out records."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    images, labels = load()
    logits = session.run(["logits"], {"images": images})[0].astype(np.float64)
    assert np.abs(session.run(["logits"], {"images": images[:1]})[0] - logits[:1]).max() < 1e-4
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    said, sure = odds.argmax(axis=1), odds.max(axis=1)
    right = said == labels

    print(f"records {len(labels)}: {DATA.stat().st_size} bytes; model: {MODEL.stat().st_size} bytes")
    print(f"held out (records 0..{HELD_OUT}), per class: {np.bincount(labels[:HELD_OUT]).tolist()}")
    print(f"training (records {HELD_OUT}..{len(labels)}), per class: {np.bincount(labels[HELD_OUT:]).tolist()}")
    print(f"accuracy: held out {right[:HELD_OUT].mean():.4f}, training {right[HELD_OUT:].mean():.4f}")
    wrong = np.flatnonzero(~right[:HELD_OUT])
    print(f"held-out mistakes: {len(wrong)}, of which {int((sure[wrong] > 0.9).sum())} with more than 0.9")
    for row in wrong[np.argsort(-sure[wrong])][:8]:
        print(f"  record {row}: labelled {labels[row]}, predicted {said[row]} with {sure[row]:.3f}")


STEPS = {"data": data, "train": train, "export": export, "check": check}

if __name__ == "__main__":
    asked = sys.argv[1] if len(sys.argv) == 2 else ""
    if asked not in (*STEPS, "all"):
        sys.exit(__doc__)
    for name, step in STEPS.items():
        if asked in (name, "all"):
            step()
