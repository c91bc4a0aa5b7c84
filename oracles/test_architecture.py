"""Architectures against networks written here by themselves: names, shapes and what is computed, in NumPy float64 and
without folding batch normalisation. Weights go through a safetensors file, as people's do."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import save_file

from test_engine import stored

IMAGE = (3, 16, 16)
N_IMAGES = 6


class Twin:
    """Functions of PyTorch's names over a state dict that grows as it is asked for."""

    def __init__(self, rng):
        self.rng = rng
        self.state = {}

    def tensor(self, name, shape, spread=1.0, centre=0.0):
        if name not in self.state:
            self.state[name] = (centre + spread * self.rng.standard_normal(shape)).astype(np.float32)
        return self.state[name].astype(np.float64)

    def conv(self, name, x, out, kernel, stride=1, bias=False):
        fan_in = x.shape[1] * kernel * kernel
        w = self.tensor(f"{name}.weight", (out, x.shape[1], kernel, kernel), fan_in**-0.5)
        pad = kernel // 2
        padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        windows = sliding_window_view(padded, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
        y = np.einsum("nchwij,ocij->nohw", windows, w, optimize=True)
        return y + self.tensor(f"{name}.bias", out, 0.1)[:, None, None] if bias else y

    def bn(self, name, x):
        c = x.shape[1]
        scale = self.tensor(f"{name}.weight", c, 0.2, 1.0)
        shift = self.tensor(f"{name}.bias", c, 0.2)
        mean = self.tensor(f"{name}.running_mean", c, 0.2)
        if f"{name}.running_var" not in self.state:
            self.state[f"{name}.running_var"] = self.rng.uniform(0.5, 1.5, c).astype(np.float32)
        variance = self.state[f"{name}.running_var"].astype(np.float64)
        self.state[f"{name}.num_batches_tracked"] = np.array(7)
        of = lambda v: v[:, None, None]
        return (x - of(mean)) / np.sqrt(of(variance) + 1e-5) * of(scale) + of(shift)

    def linear(self, name, x, out):
        w = self.tensor(f"{name}.weight", (out, x.shape[1]), x.shape[1] ** -0.5)
        return x @ w.T + self.tensor(f"{name}.bias", out, 0.1)


def relu(x):
    return np.maximum(x, 0)


def halved(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


def bottleneck_resnet(t, x, blocks, base):
    x = relu(t.bn("bn1", t.conv("conv1", x, base, 3)))
    for stage, n in enumerate(blocks):
        for i in range(n):
            name, c, stride = f"layer{stage + 1}.{i}", base << stage, 2 if stage and i == 0 else 1
            y = relu(t.bn(f"{name}.bn1", t.conv(f"{name}.conv1", x, c, 1)))
            y = relu(t.bn(f"{name}.bn2", t.conv(f"{name}.conv2", y, c, 3, stride)))
            y = t.bn(f"{name}.bn3", t.conv(f"{name}.conv3", y, 4 * c, 1))
            if i == 0:
                x = t.bn(f"{name}.downsample.1", t.conv(f"{name}.downsample.0", x, 4 * c, 1, stride))
            x = relu(y + x)
    return {f"layer4.{blocks[-1] - 1}": x, "fc": t.linear("fc", x.mean((2, 3)), 5)}


def basic_resnet(t, x, blocks, base):
    x = relu(t.bn("bn1", t.conv("conv1", x, base, 3)))
    for stage, n in enumerate(blocks):
        for i in range(n):
            name, c, stride = f"layer{stage + 1}.{i}", base << stage, 2 if stage and i == 0 else 1
            y = relu(t.bn(f"{name}.bn1", t.conv(f"{name}.conv1", x, c, 3, stride)))
            y = t.bn(f"{name}.bn2", t.conv(f"{name}.conv2", y, c, 3))
            if stride == 2:
                x = t.bn(f"{name}.downsample.1", t.conv(f"{name}.downsample.0", x, c, 1, stride))
            x = relu(y + x)
    return {"layer4.1": x, "fc": t.linear("fc", x.mean((2, 3)), 5)}


def wide_resnet(t, x, n, k, base):
    x = t.conv("conv1", x, base, 3)
    taps = {}
    for group in range(3):
        c = base * k << group
        for i in range(n):
            name, stride = f"block{group + 1}.layer.{i}", 2 if group and i == 0 else 1
            a = relu(t.bn(f"{name}.bn1", x))
            y = relu(t.bn(f"{name}.bn2", t.conv(f"{name}.conv1", a, c, 3, stride)))
            y = t.conv(f"{name}.conv2", y, c, 3)
            shortcut = x if x.shape == y.shape else t.conv(f"{name}.convShortcut", a, c, 1, stride)
            x = y + shortcut
        taps[f"block{group + 1}.layer.{n - 1}"] = x
    x = relu(t.bn("bn1", x))
    return {**taps, "relu": x, "fc": t.linear("fc", x.mean((2, 3)), 5)}


def vgg(t, x, stages, base):
    at = 0
    for stage, n in enumerate(stages):
        for _ in range(n):
            y = t.conv(f"features.{at}", x, base * min(1 << stage, 8), 3, bias=True)
            x = relu(t.bn(f"features.{at + 1}", y))
            last, at = f"features.{at + 2}", at + 3
        value, at = x, at + 1
        x = halved(x) if x.shape[2] > 1 else x
    return {last: value, "classifier": t.linear("classifier", x.mean((2, 3)), 5)}


def mlp(t, x, features):
    x = x.reshape(len(x), -1)
    for i in (1, 2):
        x = relu(t.linear(f"fc{i}", x, features))
    return {"relu2": x, "fc3": t.linear("fc3", x, 5)}


def cnn(t, x, base):
    for i in range(4):
        x = relu(t.bn(f"bn{i + 1}", t.conv(f"conv{i + 1}", x, base << i, 3)))
        x = halved(x) if i < 3 else x
    return {"relu4": x, "fc": t.linear("fc", x.mean((2, 3)), 5)}


TWINS = {
    "resnet18:width=0.0625": lambda t, x: basic_resnet(t, x, [2, 2, 2, 2], 4),
    "resnet50:width=0.0625": lambda t, x: bottleneck_resnet(t, x, [3, 4, 6, 3], 4),
    "wrn-16-2:width=0.25": lambda t, x: wide_resnet(t, x, 2, 2, 4),
    "wrn-10-1:width=0.25": lambda t, x: wide_resnet(t, x, 1, 1, 4),
    "vgg11:width=0.0625": lambda t, x: vgg(t, x, [1, 1, 2, 2, 2], 4),
    "vgg24:width=0.0625": lambda t, x: vgg(t, x, [3, 3, 5, 5, 5], 4),
    "cnn:width=0.25": lambda t, x: cnn(t, x, 4),
    "mlp:width=0.0625": lambda t, x: mlp(t, x, 32),
}


@pytest.mark.parametrize("arch", TWINS)
def test_an_architecture_computes_what_its_twin_does(subspect, rng, tmp_path, arch):
    images = rng.integers(0, 256, (N_IMAGES, *IMAGE[1:], 3), dtype=np.uint8)
    labels = np.arange(N_IMAGES) % 3
    np.savez(tmp_path / "data.npz", images=images, labels=labels)
    twin = Twin(rng)
    x = images.transpose(0, 3, 1, 2).astype(np.float64) / 255
    wanted = TWINS[arch](twin, x)
    save_file(twin.state, tmp_path / "weights.safetensors")
    subspect("capture", "--model", tmp_path / "weights.safetensors", "--arch", arch, "--data", tmp_path / "data.npz",
             "--inputs", N_IMAGES, "--layers", *wanted, "--output", tmp_path / "store")
    manifest, layers = stored(tmp_path / "store")
    rows = [int(i) for i in manifest["inputs"]["ids"]]
    assert set(layers) == set(wanted)
    for name, value in wanted.items():
        found = layers[name][1]
        expected = value[rows].reshape(N_IMAGES, -1)
        assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max(), name
