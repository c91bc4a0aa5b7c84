"""The stubs of the extension module name what it has, with the parameters it has."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path

import pytest

import subspect
from subspect import _core

STUB = Path(subspect.__file__).with_name("_core.pyi")


def parameters(node: ast.FunctionDef) -> list[tuple[str, bool]]:
    """Names and whether they have a default; `self` and `cls` left out."""
    names = [a.arg for a in node.args.args if a.arg not in ("self", "cls")]
    defaults = [False] * (len(names) - len(node.args.defaults)) + [True] * len(node.args.defaults)
    return list(zip(names, defaults))


def runtime_parameters(value) -> list[tuple[str, bool]]:
    found = inspect.signature(value).parameters.values()
    return [(p.name, p.default is not p.empty) for p in found if p.name not in ("self", "cls")]


def described() -> dict[str, object]:
    """Everything the stub names: functions with parameters, classes with their members."""
    out: dict[str, object] = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            out[node.name] = parameters(node)
        elif isinstance(node, ast.ClassDef):
            out[node.name] = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
        elif isinstance(node, ast.AnnAssign):
            out[node.target.id] = None
    return out


def test_every_name_is_described_and_every_description_has_a_name():
    public = {n for n in dir(_core) if not n.startswith("_")} | {"__version__"}
    assert public == set(described())


@pytest.mark.parametrize("name", [n for n, v in described().items() if isinstance(v, list)])
def test_functions_take_what_the_stub_says(name):
    assert runtime_parameters(getattr(_core, name)) == described()[name]


@pytest.mark.parametrize("name", [n for n, v in described().items() if isinstance(v, dict)])
def test_classes_have_the_members_that_the_stub_says(name):
    cls, members = getattr(_core, name), described()[name]
    assert {n for n in vars(cls) if not n.startswith("_")} == {n for n in members if not n.startswith("_")}
    for member, node in members.items():
        is_property = any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)
        if is_property:
            assert type(vars(cls)[member]).__name__ == "getset_descriptor"
        elif member == "__new__":
            if sys.version_info < (3, 10):  # inspect knows no signature of a compiled class there
                continue
            assert runtime_parameters(cls) == parameters(node)
        else:
            assert runtime_parameters(getattr(cls, member)) == parameters(node)


def test_all_that_is_exported_exists_and_has_a_docstring():
    for name in subspect.__all__:
        value = getattr(subspect, name)
        assert name == "Measured" or inspect.getdoc(value), name


def test_mypy_finds_the_package_consistent():
    api = pytest.importorskip("mypy.api", reason="needs mypy")
    out, err, code = api.run(["--config-file", str(Path(__file__).parents[1] / "pyproject.toml"), "-p", "subspect"])
    assert code == 0, out + err
