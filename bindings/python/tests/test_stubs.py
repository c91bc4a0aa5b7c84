"""The package's types are consistent, and the stubs of the extension module are what it has."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import subspect

SETTINGS = str(Path(__file__).parents[1] / "pyproject.toml")
#: What the package is for: every name exists, is typed, documented and has its own test.
PROMISED = (
    "express", "affinity", "modularity", "leiden", "spectral", "measures", "cka", "ssc_cka", "similarity_matrix", "neighbors",
    "vote", "capture", "analyze", "dynamics", "compare", "report", "rank",
)


def test_the_stubs_are_what_the_extension_module_has():
    pytest.importorskip("mypy.stubtest", reason="needs mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "subspect._core", "--mypy-config-file", SETTINGS]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_mypy_finds_the_package_consistent():
    api = pytest.importorskip("mypy.api", reason="needs mypy")
    out, err, code = api.run(["--config-file", SETTINGS, "-p", "subspect"])
    assert code == 0, out + err


def test_all_that_is_exported_exists_and_has_a_docstring():
    for name in subspect.__all__:
        value = getattr(subspect, name)
        assert name == "Measured" or inspect.getdoc(value), name
    assert set(PROMISED) <= set(subspect.__all__)


@pytest.mark.parametrize("name", PROMISED)
def test_what_is_promised_is_typed_and_documented(name):
    function = getattr(subspect, name)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
    page = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
    assert f"### `{name}(" in page and len(inspect.getdoc(function)) > 40
    tests = "".join(p.read_text() for p in Path(__file__).parent.glob("test_*.py") if p.name != "test_stubs.py")
    assert f"subspect.{name}(" in tests
