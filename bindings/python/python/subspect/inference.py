"""Maps of CKA with what chance alone would give, and intervals over inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from . import _core, edge
from .errors import ParameterError
from .expression import Expression
from .graph import AffinityGraph, as_graph
from .measured import column
from .progress import Progress, Watch
from .similarity import SimilarityMatrix

__all__ = ["SimilarityInference", "similarity_inference"]

_QUANTITIES = ("values", "null_mean", "null_sd", "z", "p", "p_familywise", "lo", "hi")


@dataclass(frozen=True)
class SimilarityInference:
    """Layer x layer maps of one estimator: the similarity, its null under reordered inputs, its interval.

    ``null_mean``, ``null_sd`` and ``z`` are exact over all orders. ``p`` comes from draws; ``p_familywise`` takes the number of
    cells into account (step-down max-T). On the diagonal null and interval are ``not_applicable``.
    """

    values: SimilarityMatrix
    null_mean: SimilarityMatrix
    null_sd: SimilarityMatrix
    z: SimilarityMatrix
    p: SimilarityMatrix
    p_familywise: SimilarityMatrix
    lo: SimilarityMatrix
    hi: SimilarityMatrix

    def to_pandas(self) -> Any:
        """One row per pair of layers."""
        import pandas as pd

        names = self.values.rows
        pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
        frame = pd.DataFrame({"first": [names[i] for i, _ in pairs], "second": [names[j] for _, j in pairs]})
        for name in _QUANTITIES:
            found = getattr(self, name).values.filled(float("nan"))
            frame["value" if name == "values" else name] = [found[i, j] for i, j in pairs]
        return frame.convert_dtypes()

    def __repr__(self) -> str:
        return f"<SimilarityInference {self.values.title}, {len(self.values.rows)} layers>"

    def _repr_html_(self) -> str:
        return self.values._repr_html_() + self.p_familywise._repr_html_()


def similarity_inference(
    layers: Mapping[str, Any] | Sequence[Any],
    *,
    estimator: str = "biased",
    n_permutations: int = 1000,
    n_resamples: int = 1000,
    level: float = 0.95,
    memory: int | str = "1GiB",
    random_state: Any = 0,
    progress: Progress = False,
) -> SimilarityInference:
    """CKA of all pairs of layers with nulls, familywise p values and intervals.

    ``layers`` maps names to graphs or Expressions (SSC-CKA) or to activations (linear CKA). ``estimator``: ``biased`` or
    ``debiased``.
    """
    named = dict(layers) if isinstance(layers, Mapping) else {str(k): v for k, v in enumerate(layers)}
    operands = list(named.values())
    draws = (int(n_permutations), int(n_resamples), float(level), edge.seed(random_state))
    if min(draws[:2]) < 0:
        raise ParameterError(f"`n_permutations` and `n_resamples` must be at least 0, found {draws[:2]}")
    with Watch(progress, "inference") as watcher:
        if operands and all(isinstance(v, (AffinityGraph, Expression)) for v in operands):
            measure = "ssc_cka"
            found = _core.graph_inference([as_graph(g)._core for g in operands], draws, watcher)
        else:
            measure = "linear_cka"
            held = [edge.matrix(x, name) for name, x in named.items()]
            found = _core.activation_inference(held, draws, edge.n_bytes(memory), watcher)
    if estimator not in found:
        raise ParameterError(f"`estimator` must be one of {', '.join(found)}, found {estimator!r}")
    names = list(named)

    def matrix(name: str) -> SimilarityMatrix:
        values, status = column(found[estimator][name], (len(names), len(names)))
        title = measure if name == "values" else f"{name} of {measure}"
        return SimilarityMatrix(values, status, title, estimator, names, names)

    return SimilarityInference(**{name: matrix(name) for name in _QUANTITIES})
