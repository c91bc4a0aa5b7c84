"""The binary under test, the shared data, and a seed for every test."""

import gzip
import json
import os
import subprocess
import zlib
from pathlib import Path

# Before NumPy: waiting BLAS threads would take the cores that the binary under test needs.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "crates" / "subspect-cli" / "assets" / "demo"


def refuse(word):
    raise ValueError(f"{word} is not JSON")


class Subspect:
    """Runs the binary; every answer is read as strict JSON, so a NaN on stdout fails the test."""

    def __init__(self, program):
        self.program = program

    def __call__(self, *args):
        return parse(self.run(*args, "--format", "json", "--quiet").stdout)

    def run(self, *args, code=0):
        found = subprocess.run([self.program, *map(str, args)], capture_output=True, text=True, timeout=120)
        assert found.returncode == code, f"exit code {found.returncode}, expected {code}\n{found.stderr}"
        return found


def parse(text):
    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="session")
def subspect():
    program = Path(os.environ.get("SUBSPECT_BIN", ROOT / "target" / "debug" / "subspect")).resolve()
    if not program.is_file():
        pytest.exit(f"no binary at {program}: run `cargo build -p subspect-cli`, or set SUBSPECT_BIN", 2)
    return Subspect(program)


@pytest.fixture
def shared(request):
    """Real data, pretrained networks and stored oracle values; they are not part of the repository."""
    folder = Path(os.environ.get("SUBSPECT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{request.node.name}: needs ../shared")
    return folder


@pytest.fixture
def rng(request):
    """A generator of the test's own: adding a test changes no other test's numbers."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture(scope="session")
def demo_model():
    return DEMO / "digits_resnet.onnx"


@pytest.fixture(scope="session")
def digits():
    """Held-out digits of the demo, `1000 x 8 x 8` bytes, and their labels: record number = position."""
    records = np.frombuffer(gzip.decompress((DEMO / "digits.bin.gz").read_bytes()), np.uint8).reshape(-1, 65)
    return records[:1000, 1:].reshape(-1, 8, 8), records[:1000, 0].astype(np.int64)


@pytest.fixture(scope="session")
def demo_run(subspect, demo_model, tmp_path_factory):
    """A whole run of the demo's network over 200 digits."""
    output = tmp_path_factory.mktemp("demo") / "run"
    answer = subspect("run", "--model", demo_model, "--data", "builtin:digits", "--inputs", 200, "--output", output)
    assert answer["state"] == "complete"
    return output


@pytest.fixture(scope="session")
def demo_record(demo_run):
    return parse((demo_run / "record.json").read_text())
