"""Writes api.md from the docstrings of the package: `python docs/generate.py` (`--check` only compares)."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

MODULES = ("subspect", "subspect.statistics", "subspect.torch", "subspect.sklearn", "subspect.distributed", "subspect.errors")
OUT = Path(__file__).with_name("api.md")


def signature(value: object) -> str:
    try:
        found = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    return str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def section(name: str, value: object) -> list[str]:
    kind = "class " if inspect.isclass(value) else ""
    shown = "" if inspect.isclass(value) and issubclass(value, Exception) else signature(value) if callable(value) else ""
    out = [f"### {kind}`{name}{shown}`", "", inspect.getdoc(value) or "", ""]
    if inspect.isclass(value):
        for member, item in vars(value).items():
            if member.startswith("_") or not inspect.getdoc(item):
                continue
            if isinstance(item, property) or type(item).__name__ == "cached_property":
                out += [f"- `.{member}`: {(inspect.getdoc(item) or '').splitlines()[0]}"]
            elif inspect.isfunction(item):
                out += [f"- `.{member}{signature(item)}`: {(inspect.getdoc(item) or '').splitlines()[0]}"]
        out.append("")
    return out


def page() -> str:
    out = ["# API", "", "Generated from the docstrings by `python docs/generate.py`.", ""]
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        out += [f"## {module_name}", "", inspect.getdoc(module) or "", ""]
        for name in module.__all__:
            value = getattr(module, name)
            if name != "Measured" and (callable(value) or inspect.isclass(value)):
                out += section(name, value)
    return "\n".join(out).replace("\n\n\n", "\n\n").rstrip() + "\n"


if __name__ == "__main__":
    text = page()
    if "--check" in sys.argv:
        sys.exit(0 if OUT.is_file() and OUT.read_text() == text else "api.md is stale: python docs/generate.py")
    OUT.write_text(text)
