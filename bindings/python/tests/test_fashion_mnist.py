"""A PyTorch CNN trained on Fashion-MNIST: the model's own activations, and the command line on the exported ONNX."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

import subspect  # noqa: E402
import subspect.torch as st  # noqa: E402
from torch import nn  # noqa: E402

FOLDERS = (os.environ.get("SUBSPECT_FASHION_MNIST", ""), "/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module")
def folder() -> Path:
    for name in FOLDERS:
        if name and (Path(name) / "t10k-images-idx3-ubyte.gz").is_file():
            return Path(name)
    pytest.skip("needs Fashion-MNIST: SUBSPECT_FASHION_MNIST or the package dataset-fashion-mnist")


def read(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels in 0..1 (n, 1, 28, 28) and labels."""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as f:
        pixels = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as f:
        labels = np.frombuffer(f.read(), np.uint8, offset=8)
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(255)), torch.from_numpy(labels.astype(np.int64))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.fc1, self.fc2 = nn.Linear(784, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


@pytest.fixture(scope="module")
def net(folder) -> Net:
    torch.manual_seed(0)
    model, (x, y) = Net(), read(folder, "train")
    x, y = x[:12_000], y[:12_000]
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for batch in torch.randperm(12_000).repeat(3).split(100):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimiser.step()
    return model.eval()


def test_pytorch_and_the_exported_onnx_tell_the_same(net, folder, tmp_path, binary):
    onnx = tmp_path / "net.onnx"
    options = {"dynamo": False} if int(torch.__version__.split(".")[0]) >= 2 else {}
    axes = {"x": {0: "n"}, "y": {0: "n"}}
    torch.onnx.export(net, torch.zeros(1, 1, 28, 28), onnx, input_names=["x"], output_names=["y"], dynamic_axes=axes, **options)
    data = folder / "t10k-images-idx3-ubyte.gz"
    command = [binary, "run", "--model", onnx, "--data", data, "--inputs", "300", "--permutations", "19",
               "--layers", "conv", "logits", "--output", tmp_path / "cli", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    theirs = subspect.Run(tmp_path / "cli")
    x, y = read(folder, "t10k")
    chosen = [int(i) for i in theirs.record["inputs"]["ids"]]
    assert y[chosen].tolist() == theirs.record["inputs"]["labels"]

    # Bit for bit what the model itself computes.
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[chosen], y[chosen]), batch_size=50)
    found = st.capture(net, loader, layers=["conv", "logits"])
    with torch.no_grad():
        parts = [(a := net.conv1(b), net.conv2(a.relu()), net(b)) for b in x[chosen].split(50)]
    for name, column in zip(("conv1", "conv2", "fc2"), zip(*parts)):
        assert np.array_equal(found[name], torch.cat(column).flatten(1).numpy())
    assert (found.predictions == y[chosen].numpy()).mean() > 0.8

    # The same numbers as the command line's: engines differ in the last bits of float32.
    mine = subspect.analyze(found, output=tmp_path / "py", permutations=19)
    assert mine.names == theirs.names == ["conv1", "conv2", "fc2"]
    assert mine.record["inputs"]["predictions"] == theirs.record["inputs"]["predictions"]
    for one, two in zip(mine, theirs):
        assert set(one.measures) == set(two.measures)
        assert one.record["n_features"] == two.record["n_features"] and one.record["kind"] == two.record["kind"]
        for name in ("modularity", "sre", "vote_accuracy", "vote_agreement", "nnz_per_row"):
            assert one.measures[name] == pytest.approx(two.measures[name], rel=0.02, abs=5e-3), (one.name, name)
        assert abs(one.coefficients - two.coefficients).max() < 5e-3
    assert np.allclose(mine.similarity().values, theirs.similarity().values, atol=1e-3)
    assert mine.report().stat().st_size > 50_000
