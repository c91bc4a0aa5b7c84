"""How similar two layers see the same inputs: CKA of kernels, graphs and activations, and maps of many layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

import numpy as np

from . import _core, edge, html
from .errors import ParameterError, ShapeError
from .expression import Expression
from .graph import AffinityGraph, as_graph
from .lists import all_lists
from .measured import Measured, column, nullable
from .progress import Progress, Watch

__all__ = [
    "SimilarityMatrix", "agreement", "best_matching", "cka", "hsic", "linear_cka", "similarity", "similarity_matrix",
    "ssc_cka",
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


def similarity(a: Any, b: Any, measure: str = "linear_cka", *, estimator: str = "biased") -> Measured:
    """Any measure of ``subspect.methods("similarities")`` of two layers: activations, or graphs, as it wants them."""
    measure = measure.replace("-", "_")
    if isinstance(a, (AffinityGraph, Expression)):
        return _core.compare_graphs(as_graph(a)._core, as_graph(b)._core, measure, estimator)
    x, y = edge.matrix(a, "the first layer", np.float64), edge.matrix(b, "the second layer", np.float64)
    return _core.compare(x, y, measure, estimator)


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
        from .measured import Undefined

        i, j = self.rows.index(pair[0]), self.columns.index(pair[1])
        return Undefined(str(self.status[i, j])) if self.status[i, j] else float(self.values.data[i, j])

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
        return f"<SimilarityMatrix {self.measure} ({self.estimator}), {len(self.rows)} x {len(self.columns)} layers>"

    def _repr_html_(self) -> str:
        return html.heat_map(self.values, self.rows, self.columns, f"{self.measure} ({self.estimator})")


def _map(found: Any, measure: str, estimator: str, names: list[str]) -> SimilarityMatrix:
    values, status = column(found, (len(names), len(names)))
    return SimilarityMatrix(values, status, measure, estimator, names, names)


def similarity_matrix(
    layers: Mapping[str, Any] | Sequence[Any],
    measure: str | None = None,
    *,
    estimator: str = "biased",
    memory: int | str = "1GiB",
    progress: Progress = False,
) -> SimilarityMatrix:
    """Similarity of all pairs of layers.

    ``layers`` maps names to activations (then ``linear_cka`` unless told otherwise) or to graphs and Expressions (then
    ``ssc_cka``). Linear CKA of many wide layers is computed in panels within ``memory``.
    """
    named = dict(layers) if isinstance(layers, Mapping) else {str(k): v for k, v in enumerate(layers)}
    if estimator not in ("biased", "debiased"):
        raise ParameterError(f"`estimator` must be biased or debiased, found {estimator!r}")
    names, operands = list(named), list(named.values())
    graphs = bool(operands) and all(isinstance(v, (AffinityGraph, Expression)) for v in operands)
    measure = (measure or ("ssc_cka" if graphs else "linear_cka")).replace("-", "_")
    which = 0 if estimator == "biased" else 1
    if measure == "ssc_cka":
        return _map(_core.ssc_cka_maps([as_graph(g)._core for g in operands])[which], measure, estimator, names)
    if measure == "linear_cka":
        held = [edge.matrix(x, name) for name, x in named.items()]
        with Watch(progress, measure) as watcher:
            return _map(_core.linear_cka_maps(held, edge.n_bytes(memory), watcher)[which], measure, estimator, names)
    return _pairwise(named, measure, estimator)


def _pairwise(named: dict[str, Any], measure: str, estimator: str) -> SimilarityMatrix:
    """All pairs one by one, for measures without an accounting of their own."""
    from .measured import is_defined

    known = {m["name"]: m for m in all_lists()["similarities"]}
    if measure not in known:
        raise ParameterError(f"no similarity measure is called {measure!r}: expected one of {', '.join(known)}")
    if known[measure]["of"] == "graphs":
        named = {name: as_graph(g) for name, g in named.items()}
    names, n = list(named), len(named)
    values, status = np.ma.masked_all((n, n)), np.full((n, n), "", dtype=object)
    for i, a in enumerate(named.values()):
        for j, b in enumerate(named.values()):
            found = similarity(a, b, measure, estimator=estimator)
            if is_defined(found):
                values[i, j] = found
            else:
                status[i, j] = found.status  # type: ignore[union-attr]
    return SimilarityMatrix(values, status, measure, estimator, names, names)


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
