"""What there is, by name: the lists that drive the command line, the documents and these functions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from . import _core
from .errors import MethodError, ParameterError

__all__ = ["methods"]


@lru_cache(maxsize=None)
def all_lists() -> dict[str, list[dict[str, Any]]]:
    """Every list of the core."""
    return _core.lists()


def methods(kind: str = "methods") -> list[dict[str, Any]]:
    """What can be asked for, with summaries, sources, parameters and defaults.

    ``kind``: ``methods`` (self-expression), ``measures`` (of a graph against labels), ``similarities`` (of two layers),
    ``agreements`` (of two partitions), ``detectors`` (of communities), ``postprocesses``, ``approximations``, ``scores`` (of
    inputs), ``epoch_scores`` (of inputs over a training), ``compared`` (for conditions of :func:`subspect.compare`) or ``options`` (of a run).
    """
    found = all_lists()
    if kind not in found:
        raise ParameterError(f"kind: expected one of {', '.join(found)}, found {kind!r}")
    return [dict(item) for item in found[kind]]


def method_info(name: str) -> dict[str, Any]:
    """The entry of a self-expression method."""
    name = str(name).replace("-", "_")
    for item in all_lists()["methods"]:
        if item["name"] == name:
            return item
    known = ", ".join(item["name"] for item in all_lists()["methods"])
    raise MethodError(f"unknown method `{name}`: expected one of {known}")


def problem(
    method: str, parameters: dict[str, Any], tol: float | None, max_iter: int | None
) -> tuple[str, dict[str, float], float | None, int | None]:
    """A method with its parameters as the core takes them; parameters that are ``None`` take their defaults."""
    info = method_info(method)
    own = {p["name"] for p in info["parameters"]}
    given = {name: value for name, value in parameters.items() if value is not None}
    for name, value in (("tol", tol), ("max_iter", max_iter)):
        if value is None:
            continue
        if name in own:
            given[name] = value
        elif not info["certified"]:
            takes = ", ".join(sorted(own)) or "none"
            raise ParameterError(f"method `{info['name']}` has no parameter `{name}`: it takes {takes}")
    try:
        numbers = {name: float(value) for name, value in given.items()}
    except (TypeError, ValueError):
        bad = {k: v for k, v in given.items() if not isinstance(v, (int, float))}
        raise ParameterError(f"parameters of method `{info['name']}` are numbers, found {bad}") from None
    solver_tol = None if "tol" in own or tol is None else float(tol)
    solver_max = None if "max_iter" in own or max_iter is None else int(max_iter)
    return info["name"], numbers, solver_tol, solver_max
