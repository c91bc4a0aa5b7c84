"""The notebooks run from top to bottom, and what is committed was executed without an error."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(p.name for p in FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_was_executed(name):
    cells = [c for c in json.loads((FOLDER / name).read_text())["cells"] if c["cell_type"] == "code"]
    assert [c["execution_count"] for c in cells] == list(range(1, len(cells) + 1))
    outputs = [o for c in cells for o in c["outputs"]]
    assert outputs and not any(o["output_type"] == "error" for o in outputs)
    assert "/tmp/" not in json.dumps(outputs) and "Traceback" not in json.dumps(outputs)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name, request):
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient")
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat")
    for needed in ("ipykernel", "matplotlib", "pandas"):
        pytest.importorskip(needed, reason=f"needs {needed}")
    text = (FOLDER / name).read_text()
    if "import torch" in text:
        pytest.importorskip("torch", reason="needs torch")
    if "SUBSPECT_SHARED" in text:
        os.environ["SUBSPECT_SHARED"] = str(request.getfixturevalue("shared"))
    notebook = nbformat.reads(text, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
