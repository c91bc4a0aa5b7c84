"""The documents are those of this version: the API page, and every line of code that is shown."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import subspect

HOME = Path(__file__).resolve().parents[1]
PAGES = [HOME / "README.md", *sorted((HOME / "docs").glob("*.md"))]


def test_the_api_page_is_current():
    pytest.importorskip("torch", reason="needs torch")
    found = subprocess.run([sys.executable, HOME / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    if sys.version_info[:2] == (3, 11):  # how signatures are spelled differs between versions
        assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_code_that_is_shown_parses_and_names_what_exists(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "subspect":
                if node.attr != "torch":
                    assert hasattr(subspect, node.attr), (page.name, node.attr)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), (page.name, target)


def test_the_four_lines_of_the_readme_run(capsys, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3))
    data = torch.utils.data.TensorDataset(torch.randn(60, 1, 8, 8), torch.arange(60) % 3)
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    snippet = re.search(r"```python\n(.*?)```", (HOME / "README.md").read_text(), re.DOTALL).group(1)
    exec(compile(snippet, "README.md", "exec"), {"model": model, "loader": loader})
    assert capsys.readouterr().out.strip().endswith("report.html")
