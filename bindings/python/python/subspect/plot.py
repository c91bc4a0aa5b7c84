"""Figures for notebooks and papers. Every function returns ``(fig, ax)``; matplotlib is imported when one is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import numpy as np

from .errors import ParameterError
from .measured import Undefined

if TYPE_CHECKING:
    from .dynamics import Dynamics
    from .graph import Votes
    from .run import Run
    from .settling import Settling
    from .similarity import SimilarityMatrix

__all__ = ["plot_class_affinity", "plot_dynamics", "plot_modularity", "plot_settling", "plot_similarity", "plot_votes"]


def _axes(ax: Any, figsize: tuple[float, float]) -> tuple[Any, Any]:
    import matplotlib.pyplot as plt

    if ax is not None:
        return ax.figure, ax
    return plt.subplots(figsize=figsize, layout="constrained")


def _layer_ticks(ax: Any, names: Sequence[str]) -> None:
    ax.set_xticks(range(len(names)))
    ax.set_xticklabels(names, rotation=45 if len(names) < 25 else 90, ha="right", fontsize=8)


def plot_modularity(run: Run, *, ax: Any = None) -> tuple[Any, Any]:
    """Label modularity and affinity vote by layer, above the band that permuted labels reach."""
    names = run.names
    fig, ax = _axes(ax, (max(5.0, 0.35 * len(names) + 2), 3.6))
    where = np.arange(len(names))

    def line(values: list[Any]) -> np.ndarray:
        return np.array([np.nan if isinstance(v, Undefined) else v for v in values], dtype=float)

    nulls = [layer.record["modularity_null"] for layer in run]
    ax.fill_between(where, line([n["lo"] for n in nulls]), line([n["hi"] for n in nulls]), color="0.8", label="permuted labels, 95 %")
    ax.plot(where, line([layer.measures["modularity"] for layer in run]), marker="o", label="label modularity")
    votes = line([layer.measures["vote_accuracy"] for layer in run])
    if np.isfinite(votes).any():
        ax.plot(where, votes, marker="s", linestyle="--", label="affinity vote: accuracy")
    _layer_ticks(ax, names)
    ax.set_ylabel("value")
    ax.legend(fontsize=8)
    return fig, ax


def plot_similarity(matrix: SimilarityMatrix, *, ax: Any = None, cmap: str = "viridis", annotate: bool | None = None) -> tuple[Any, Any]:
    """A layer x layer map; undefined entries are grey."""
    n_rows, n_columns = matrix.values.shape
    fig, ax = _axes(ax, (max(4.0, 0.3 * n_columns + 2.5), max(3.2, 0.3 * n_rows + 1.8)))
    import matplotlib

    colours = matplotlib.colormaps[cmap].copy()
    colours.set_bad("0.7")
    low = min(0.0, float(matrix.values.min())) if matrix.values.count() else 0.0
    image = ax.imshow(matrix.values, cmap=colours, vmin=low, origin="lower")
    _layer_ticks(ax, matrix.columns)
    ax.set_yticks(range(n_rows))
    ax.set_yticklabels(matrix.rows, fontsize=8)
    if annotate if annotate is not None else n_rows * n_columns <= 100:
        for (i, j), value in np.ndenumerate(matrix.values.filled(np.nan)):
            if np.isfinite(value):
                ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7, color="white" if value < 0.6 else "black")
    fig.colorbar(image, ax=ax, label=matrix.title)
    return fig, ax


def plot_class_affinity(shares: Any, classes: Sequence[Any] | None = None, *, ax: Any = None) -> tuple[Any, Any]:
    """Where the affinity of every class goes: the matrix of :func:`subspect.class_affinity`."""
    values = np.asarray(shares)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ParameterError(f"expected a class x class matrix, found shape {values.shape}")
    names = [str(c) for c in (classes if classes is not None else range(len(values)))]
    fig, ax = _axes(ax, (max(4.0, 0.4 * len(names) + 2), max(3.4, 0.4 * len(names) + 1.4)))
    image = ax.imshow(values, vmin=0.0, cmap="viridis")
    _layer_ticks(ax, names)
    ax.set_yticks(range(len(names)))
    ax.set_yticklabels(names, fontsize=8)
    ax.set_xlabel("to class")
    ax.set_ylabel("from class")
    fig.colorbar(image, ax=ax, label="share of affinity")
    return fig, ax


def plot_votes(votes: Votes, i: int, *, ax: Any = None) -> tuple[Any, Any]:
    """The class affinity of one input as bars, its vote highlighted."""
    if not 0 <= i < len(votes.class_affinity):
        raise ParameterError(f"expected an input below {len(votes.class_affinity)}, found {i}")
    fig, ax = _axes(ax, (max(4.0, 0.4 * len(votes.classes) + 1.5), 2.8))
    shares = votes.class_affinity[i]
    colours = ["tab:orange" if votes.labels[i] is not np.ma.masked and c == votes.labels[i] else "tab:blue" for c in votes.classes]
    ax.bar(range(len(shares)), shares, color=colours)
    _layer_ticks(ax, [str(c) for c in votes.classes])
    ax.set_ylabel("class affinity")
    ax.set_title(f"input {i}")
    return fig, ax


def plot_dynamics(
    found: Dynamics, name: str = "ssc_cka", *, estimator: str = "biased", to: str = "final", series: int | str = 0, ax: Any = None,
) -> tuple[Any, Any]:
    """One quantity by epoch, one line per layer with its interval: early layers dark, late layers light.

    ``name``, ``estimator``, ``to`` and ``series`` as for :meth:`subspect.Dynamics.curves`. A dotted line marks the threshold of settling.
    """
    import matplotlib

    fig, ax = _axes(ax, (6.0, 3.6))
    curves = found.curves(name, estimator=estimator, to=to, series=series)
    values, lo, hi = (part.filled(np.nan) for part in (curves.values, curves.lo, curves.hi))
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, max(len(curves.layers), 1)))
    for k, layer in enumerate(curves.layers):
        ax.plot(curves.epochs, values[:, k], marker="o", markersize=4, color=colours[k], label=layer)
        ax.fill_between(curves.epochs, lo[:, k], hi[:, k], color=colours[k], alpha=0.15, linewidth=0)
    converges = name.endswith("_cka")
    if converges and to == "final":
        ax.axhline(found.record["threshold"], color="0.5", linestyle=":", linewidth=1)
    ax.set_xlabel("epoch")
    ax.set_ylabel(f"{name} ({estimator}) to the {to} epoch" if converges else name)
    if len(curves.layers) <= 15:
        ax.legend(fontsize=8)
    return fig, ax


def plot_settling(found: Settling, *, ax: Any = None) -> tuple[Any, Any]:
    """Settling epoch by depth with its interval; a triangle where the recorded epochs only bound it."""
    fig, ax = _axes(ax, (max(5.0, 0.35 * len(found.layers) + 2), 3.6))
    where = np.arange(len(found.layers))
    epochs, lo, hi = (part.filled(np.nan) for part in (found.epochs, found.lo, found.hi))
    ax.vlines(where, lo, hi, color="0.6")
    for kind, marker in (("no", "o"), ("by_first", "v"), ("at_last", "^"), ("mixed", "D")):
        chosen = np.array([c == kind for c in found.censored]) & np.isfinite(epochs)
        if chosen.any():
            label = "settles" if kind == "no" else f"censored: {kind}"
            ax.plot(where[chosen], epochs[chosen], marker=marker, linestyle="", color="tab:blue", label=label)
    _layer_ticks(ax, found.layers)
    ax.set_ylabel("epoch")
    title = f"{found.measure} ({found.estimator}), {100 * found.level:.0f} % over {found.over}"
    rho = found.order.spearman.value
    ax.set_title(title if isinstance(rho, Undefined) else f"{title}: rho = {rho:.2f}", fontsize=9)
    if np.isfinite(epochs).any():
        ax.legend(fontsize=8)
    return fig, ax
