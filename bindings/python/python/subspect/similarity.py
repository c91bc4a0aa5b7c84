"""How similar two layers see the same inputs: CKA of kernels, graphs and activations, and maps of many layers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

import numpy as np

from . import _core, edge, html
from .errors import ParameterError, ShapeError
from .expression import Expression
from .graph import AffinityGraph, as_graph
from .lists import all_lists
from .measured import Measured, Undefined, column, nullable
from .progress import Progress, Watch

__all__ = [
    "SimilarityMatrix", "agreement", "best_matching", "cka", "hsic", "linear_cka", "similarity", "similarity_between",
    "similarity_matrix", "ssc_cka",
]


def cka(K: Any, L: Any, *, estimator: str = "biased") -> Measured:
    """CKA of two kernels (``N x N``, symmetric): ``HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))``.

    ``estimator``: ``biased`` (Gretton 2005) or ``debiased`` (Song 2012). With few inputs and many features the biased
    value of independent data is close to 1: look at the debiased one, too.
    """
    return _core.cka(_kernel(K, "K"), _kernel(L, "L"), estimator)


def hsic(K: Any, L: Any, *, estimator: str = "biased") -> Measured:
    """HSIC of two kernels (``N x N``, symmetric)."""
    return _core.hsic(_kernel(K, "K"), _kernel(L, "L"), estimator)


def _kernel(k: Any, name: str) -> np.ndarray:
    if hasattr(k, "toarray"):
        k = k.toarray()
    return edge.matrix(k, name, np.float64)


def linear_cka(X: Any, Y: Any, *, estimator: str = "biased") -> Measured:
    """Linear CKA of two activation matrices over the same inputs (rows), in float64."""
    return similarity(X, Y, "linear_cka", estimator=estimator)


def ssc_cka(a: Any, b: Any, *, estimator: str = "biased") -> Measured:
    """SSC-CKA: CKA whose kernels are the affinity graphs themselves (Saini et al. 2021). Never densifies."""
    return similarity(as_graph(a), as_graph(b), "ssc_cka", estimator=estimator)


def similarity(
    a: Any, b: Any, measure: str = "linear_cka", *, estimator: str | None = None, **parameters: Any
) -> Measured:
    """Any measure of ``subspect.methods("similarities")`` of two layers: activations, or graphs, as it wants them.

    Parameters of the measure (``n_neighbors=20``, ``sigma=0.5``, ``estimator="debiased"``) go by name; the list has
    their defaults and ranges.
    """
    measure, chosen = measure.replace("-", "_"), given(estimator, parameters)
    if isinstance(a, (AffinityGraph, Expression)):
        return _core.compare_graphs(as_graph(a)._core, as_graph(b)._core, measure, chosen)
    x, y = edge.matrix(a, "the first layer", np.float64), edge.matrix(b, "the second layer", np.float64)
    return _core.compare(x, y, measure, chosen)


def given(estimator: str | None, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """Parameters as the core takes them."""
    named = parameters if estimator is None else {**parameters, "estimator": estimator}
    return [(name, str(value)) for name, value in named.items()]


@dataclass(frozen=True)
class SimilarityMatrix:
    """Layer x layer similarity. ``values`` is masked where undefined, and ``status`` says why ("" where defined)."""

    values: np.ma.MaskedArray
    status: np.ndarray
    measure: str
    estimator: str
    rows: list[str]
    columns: list[str]

    def __getitem__(self, pair: tuple[str, str]) -> Measured:
        i, j = self.rows.index(pair[0]), self.columns.index(pair[1])
        return Undefined(str(self.status[i, j])) if self.status[i, j] else float(self.values.data[i, j])

    @property
    def title(self) -> str:
        """The measure, and its estimator where it has one."""
        return f"{self.measure} ({self.estimator})" if self.estimator else self.measure

    def to_numpy(self) -> np.ma.MaskedArray:
        """The values, masked where undefined."""
        return self.values

    def to_pandas(self) -> Any:
        """A data frame; ``NA`` where undefined."""
        import pandas as pd

        columns = {name: nullable(pd, self.values[:, k]) for k, name in enumerate(self.columns)}
        return pd.DataFrame(columns, index=self.rows)

    def plot(self, **options: Any) -> Any:
        """:func:`subspect.plot_similarity` of it."""
        from .plot import plot_similarity

        return plot_similarity(self, **options)

    def __repr__(self) -> str:
        return f"<SimilarityMatrix {self.title}, {len(self.rows)} x {len(self.columns)} layers>"

    def _repr_html_(self) -> str:
        return html.heat_map(self.values, self.rows, self.columns, self.title)


def as_matrix(values: Any, measure: str, estimator: str, rows: list[str], columns: list[str]) -> SimilarityMatrix:
    """A map from nested lists of floats and ``Undefined``."""
    status = np.array([[v.status if isinstance(v, Undefined) else "" for v in row] for row in values], dtype=object)
    numbers = np.array([[np.nan if isinstance(v, Undefined) else v for v in row] for row in values], dtype=float)
    masked: Any = np.ma.MaskedArray(numbers, mask=status != "", fill_value=np.nan)
    return SimilarityMatrix(masked, status, measure, estimator, rows, columns)


def similarity_between(
    a: Any, b: Any, measure: str | None = None, *, estimator: str | None = None, memory: int | str = "4GiB",
    progress: Progress = False, **parameters: Any,
) -> SimilarityMatrix:
    """Similarity of every layer of ``a`` with every layer of ``b``: runs, stores, or files of activations or graphs.

    ``measure`` is a name of ``subspect.methods("similarities")``; by default ``linear_cka`` for activations, ``ssc_cka`` for
    graphs and runs.
    """
    chosen = given(estimator, parameters)
    with Watch(progress, "similarity") as watcher:
        found = _core.compare_files(_place(a), _place(b), measure, chosen, edge.n_bytes(memory), watcher)
    return as_matrix(found["values"], found["measure"], found["estimator"], found["rows"], found["columns"])


def _place(x: Any) -> str:
    """Where a run, a store or a file lies."""
    return os.fspath(getattr(x, "path", None) or getattr(x, "folder", None) or x)


def similarity_matrix(
    layers: Mapping[str, Any] | Sequence[Any],
    measure: str | None = None,
    *,
    estimator: str | None = None,
    memory: int | str = "1GiB",
    progress: Progress = False,
    **parameters: Any,
) -> SimilarityMatrix:
    """Similarity of all pairs of layers by any measure of ``subspect.methods("similarities")``.

    ``layers`` maps names to activations (then ``linear_cka`` unless told otherwise) or to graphs and Expressions (then
    ``ssc_cka``). What a layer is compared by is made once per layer while all of it fits into ``memory``; linear CKA of
    many wide layers is computed in panels.
    """
    named = dict(layers) if isinstance(layers, Mapping) else {str(k): v for k, v in enumerate(layers)}
    names, operands = list(named), list(named.values())
    graphs = bool(operands) and all(isinstance(v, (AffinityGraph, Expression)) for v in operands)
    measure = (measure or ("ssc_cka" if graphs else "linear_cka")).replace("-", "_")
    known = {m["name"]: m for m in all_lists()["similarities"]}
    if measure not in known:
        raise ParameterError(f"no similarity measure is called {measure!r}: expected one of {', '.join(known)}")
    chosen = given(estimator, parameters)
    if known[measure]["of"] == "graphs":
        found = _core.graph_map([as_graph(g)._core for g in operands], measure, chosen)
    else:
        held = [edge.matrix(x, name) for name, x in named.items()]
        with Watch(progress, measure) as watcher:
            found = _core.activation_map(held, measure, chosen, edge.n_bytes(memory), watcher)
    values, status = column(found, (len(names), len(names)))
    shown = dict(chosen).get("estimator") or next(
        (p["default"] for p in known[measure]["parameters"] if p["name"] == "estimator"), ""
    )
    return SimilarityMatrix(values, status, measure, str(shown), names, names)


def agreement(labels: Any, found: Any) -> dict[str, Measured]:
    """How far two partitions agree: every measure of ``subspect.methods("agreements")`` by name (NMI, ARI, ...)."""
    a, b = edge.Classes(labels), edge.Classes(found)
    if len(a.indices) != len(b.indices):
        raise ShapeError(f"expected as many labels on both sides, found {len(a.indices)} and {len(b.indices)}")
    values = _core.agreement(a.parts, b.parts)
    return {m["name"]: values[m["name"]] for m in all_lists()["agreements"]}


def best_matching(weights: Any) -> list[int | None]:
    """The column matched with every row such that the sum of the (whole) weights is largest; each is used once."""
    return _core.best_matching(np.asarray(weights).tolist())
