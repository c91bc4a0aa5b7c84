"""When does a layer settle? One graph per layer and epoch, each measured and compared with the last epoch's.

Convergence of a layer at epoch e: SSC-CKA of its graph at e with its graph at the last epoch (Saini et al. 2021).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

import numpy as np

from . import html
from .errors import ParameterError
from .expression import express
from .graph import AffinityGraph, measures
from .measured import Measured, Undefined
from .progress import Progress, Watch
from .similarity import ssc_cka
from .store import epoch_stores

__all__ = ["Dynamics", "dynamics"]


@dataclass(frozen=True)
class Dynamics:
    """Values by epoch (rows) and layer; ``rows`` holds one dictionary per pair."""

    epochs: list[Any]
    layers: list[str]
    rows: list[dict[str, Any]]

    def values(self, name: str) -> np.ma.MaskedArray:
        """One quantity as an array, epochs x layers, masked where undefined."""
        if not self.rows or name not in self.rows[0]:
            known = ", ".join(k for k in (self.rows[0] if self.rows else {}) if k not in ("epoch", "layer"))
            raise ParameterError(f"no quantity is called {name!r}: expected one of {known}")
        out = np.ma.masked_all((len(self.epochs), len(self.layers)))
        for row in self.rows:
            if not isinstance(row[name], Undefined):
                out[self.epochs.index(row["epoch"]), self.layers.index(row["layer"])] = row[name]
        return out

    def to_pandas(self) -> Any:
        """One row per epoch and layer; ``NA`` where undefined."""
        import pandas as pd

        plain = [{k: None if isinstance(v, Undefined) else v for k, v in row.items()} for row in self.rows]
        return pd.DataFrame(plain).convert_dtypes()

    def plot(self, name: str = "modularity", **options: Any) -> Any:
        """:func:`subspect.plot_dynamics` of it."""
        from .plot import plot_dynamics

        return plot_dynamics(self, name, **options)

    def _repr_html_(self) -> str:
        shown = [name for name in ("modularity", "convergence") if self.rows and name in self.rows[0]]
        maps = [html.heat_map(self.values(k), [str(e) for e in self.epochs], self.layers, f"{k} by epoch") for k in shown]
        return "".join(maps)

    def __repr__(self) -> str:
        return f"<Dynamics of {len(self.layers)} layers over {len(self.epochs)} epochs>"


def _epochs(source: Any) -> list[tuple[Any, Mapping[str, Any]]]:
    if isinstance(source, (str, os.PathLike)):
        source = epoch_stores(source)
    found = getattr(source, "epochs", source)
    if callable(found):
        found = found()
    pairs = list(found.items()) if isinstance(found, Mapping) else list(enumerate(found))
    if not pairs:
        raise ParameterError("expected the activations of at least one epoch, found none")
    return pairs


def dynamics(
    source: Any,
    labels: Any = None,
    *,
    layers: Sequence[str] | None = None,
    measure: Sequence[str] = ("modularity", "sre", "vote_accuracy"),
    method: str = "lasso",
    progress: Progress = False,
    **parameters: Any,
) -> Dynamics:
    """Measures every layer at every epoch.

    ``source`` is a :class:`subspect.torch.Recorder` or its folder, or maps epochs to stores (or mappings) of activations of
    the same inputs. The last epoch is the state that ``convergence`` compares with; memory holds its graphs and one more.
    """
    pairs = _epochs(source)
    names = list(layers) if layers is not None else list(pairs[-1][1])
    labels = labels if labels is not None else getattr(source, "labels", None)
    labels = labels if labels is not None else getattr(pairs[-1][1], "labels", None)
    total, done = len(pairs) * len(names), 0
    last: dict[str, AffinityGraph] = {}
    table: dict[tuple[Any, str], dict[str, Any]] = {}
    with Watch(progress, "dynamics") as watcher:
        for epoch, activations in reversed(pairs):
            for name in names:
                graph = express(activations[name], method, **parameters).graph
                found = measures(graph, labels)
                row: dict[str, Measured | Any] = {"epoch": epoch, "layer": name}
                row.update({k: found[k] for k in measure})
                row["convergence"] = ssc_cka(graph, last.setdefault(name, graph))
                row["n_edges"] = graph.n_edges
                table[epoch, name] = row
                done += 1
                if watcher is not None:
                    watcher("advanced", f"epoch {epoch}, {name}", done, total)
    epochs = [epoch for epoch, _ in pairs]
    return Dynamics(epochs, names, [table[e, n] for e in epochs for n in names])

