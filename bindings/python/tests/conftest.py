"""What the tests share. Tests that need something that is not there are skipped by name."""

from __future__ import annotations

import os
from pathlib import Path

# Before SciPy is imported: scikit-learn's checks of array API input are skipped without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

import numpy as np  # noqa: E402
import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]


def subspaces(n: int = 240, d: int = 30, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Inputs near `k` random subspaces of dimension 4, and the subspace of each."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    x = np.empty((n, d), dtype=np.float32)
    for c in range(k):
        basis = rng.normal(size=(4, d))
        rows = labels == c
        x[rows] = rng.normal(size=(rows.sum(), 4)) @ basis + 0.05 * rng.normal(size=(rows.sum(), d))
    return x, labels


@pytest.fixture(scope="session")
def layer() -> tuple[np.ndarray, np.ndarray]:
    return subspaces()


def command_line() -> Path | None:
    """The binary, where it was built."""
    named = os.environ.get("SUBSPECT_BIN")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = [Path(named)] if named else [target / "debug" / "subspect", target / "release" / "subspect"]
    return next((p for p in found if p.is_file()), None)


@pytest.fixture(scope="session")
def binary() -> Path:
    found = command_line()
    if found is None:
        pytest.skip("needs the binary: cargo build -p subspect-cli")
    return found


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get("SUBSPECT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("needs ../shared")
    return folder


def pytest_terminal_summary(terminalreporter) -> None:
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"skipped: {report.nodeid}: {reason.removeprefix('Skipped: ')}")
