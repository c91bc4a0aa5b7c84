"""The documents are those of this version: the API page, every name that they mention, and every line of code."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

import subspect
import subspect.distributed
import subspect.errors
import subspect.statistics

HOME = Path(__file__).resolve().parents[1]
PAGES = [HOME / "README.md", *sorted((HOME / "docs").glob("*.md"))]
#: With the project's own README, whose other code is for the shell.
WITH_CODE = [*PAGES, HOME.parents[1] / "README.md"]
#: What code on the pages is about, and is not the package's.
FOREIGN = {"X", "A", "B", "before", "after", "model", "loader", "range", "train_one_epoch", "Trainer", "exec"}


def spans(page: Path) -> Iterator[str]:
    """Code of a page: blocks of Python, then inline code."""
    text = page.read_text()
    yield from re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def resolve(dotted: str) -> Any:
    """What `subspect.a.b` is, modules imported on the way."""
    found: Any = subspect
    path = "subspect"
    for part in dotted.split(".")[1:]:
        path += f".{part}"
        found = getattr(found, part) if hasattr(found, part) else importlib.import_module(path)
    return found


def modules() -> list[Any]:
    names = ["subspect", "subspect.distributed", "subspect.errors", "subspect.statistics"]
    for name, needed in (("subspect.torch", "torch"), ("subspect.sklearn", "sklearn")):
        pytest.importorskip(needed, reason=f"needs {needed}")
        names.append(name)
    return [importlib.import_module(name) for name in names]


def universe() -> set[str]:
    """Every name that a document may mention: functions, classes, members, parameters, entries of the lists."""
    out = {"subspect", "numpy", "pandas", "ray", "dask", "networkx", *dir(builtins)}
    for module in modules():
        for name in module.__all__:
            value = getattr(module, name)
            out |= {name, *(n for n in dir(value) if inspect.isclass(value) and not n.startswith("__"))}
            out |= set(getattr(value, "__annotations__", {}))
            targets = [value, *(v for v in vars(value).values() if inspect.isfunction(v))] if inspect.isclass(value) else [value]
            for target in targets:
                try:
                    out |= set(inspect.signature(target).parameters)
                except (TypeError, ValueError):
                    continue
    for kind, items in subspect.lists.all_lists().items():
        out |= {kind, *(item["name"] for item in items)}
        out |= {p["name"] for item in items for p in item.get("parameters", [])}
    return out


def test_the_api_page_is_current():
    pytest.importorskip("torch", reason="needs torch")
    found = subprocess.run([sys.executable, HOME / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    if sys.version_info[:2] == (3, 11):  # how signatures are spelled differs between versions
        assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_blocks_of_code_parse(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        ast.parse(block)


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_dotted_names_exist(page):
    modules()
    found = set(re.findall(r"(?<![\w/.\"-])subspect(?:\.[A-Za-z_]\w*)+", page.read_text()))
    for dotted in sorted(found):
        resolve(dotted)


@pytest.mark.parametrize("module", ["subspect", "subspect.distributed", "subspect.errors", "subspect.statistics", "subspect.torch", "subspect.sklearn"])
def test_docstrings_name_what_exists(module):
    modules()
    source = importlib.import_module(module)
    texts = [inspect.getdoc(source) or ""]
    for name in source.__all__:
        value = getattr(source, name)
        members = [v for v in vars(value).values() if callable(v)] if inspect.isclass(value) else []
        texts += [inspect.getdoc(v) or "" for v in (value, *members) if name != "Measured"]
    for text in texts:
        for dotted in re.findall(r"(?<![\w/.-])subspect(?:\.[A-Za-z_]\w*)+", text):
            resolve(dotted)


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "api.md"], ids=lambda p: p.name)
def test_inline_names_exist(page):
    known = universe()
    for span in spans(page):
        if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", span):
            assert span in known, f"{page.name}: {span}"


@pytest.mark.parametrize("page", [p for p in WITH_CODE if p.name != "api.md"], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_calls_are_possible(page):
    """Functions that are called exist, and have the parameters that they are given by name."""
    known = {name: getattr(module, name) for module in modules() for name in module.__all__}
    checked = 0
    for span in spans(page):
        try:
            tree = ast.parse(span)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if isinstance(node.func, ast.Name):
                if called in FOREIGN or hasattr(builtins, called):
                    continue
                assert called in known, f"{page.name}: {called}"
                value = known[called]
            elif re.fullmatch(r"subspect(\.\w+)+", called):
                value = resolve(called)
            else:
                continue
            taken = inspect.signature(value).parameters
            if not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
                assert {k.arg for k in node.keywords} <= set(taken), f"{page.name}: {ast.unparse(node)}"
            checked += 1
    assert checked or page.name in ("index.md", "README.md"), f"{page.name}: no call was looked at"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), (page.name, target)


@pytest.mark.parametrize("page", [HOME / "README.md", HOME.parents[1] / "README.md"], ids=["package", "project"])
def test_the_four_lines_of_the_readme_run(page, capsys, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3))
    data = torch.utils.data.TensorDataset(torch.randn(60, 1, 8, 8), torch.arange(60) % 3)
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    snippet = re.search(r"```python\n(.*?)```", page.read_text(), re.DOTALL).group(1)
    assert len(snippet.strip().splitlines()) == 4
    exec(compile(snippet, page.name, "exec"), {"model": model, "loader": loader})
    assert capsys.readouterr().out.strip().endswith("report.html")
