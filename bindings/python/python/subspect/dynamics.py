"""When does a layer settle, and do shallower layers first? A training watched through its snapshots.

Convergence of a layer at epoch e: SSC-CKA of its graph at e with its graph at the last epoch (Saini et al. 2021), beside
linear CKA of the activations. It settles at the first epoch from which on that stays at the threshold or above.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from . import _core, edge, html
from .errors import ParameterError, StoreError
from .measured import loads
from .progress import Progress, Watch
from .run import Run, as_words, report, save_data
from .settling import OrderTest, Settling, cells, masked, settling
from .snapshots import is_in_memory, snapshots

__all__ = ["Curves", "Dynamics", "dynamics"]

_CHANGES = ("neighbour_overlap", "vote_change")


@dataclass(frozen=True)
class Curves:
    """One quantity over one training: ``values``, ``lo`` and ``hi`` are epochs x layers, masked where undefined."""

    name: str
    #: Name of the training.
    series: str
    epochs: list[int]
    layers: list[str]
    values: np.ma.MaskedArray
    lo: np.ma.MaskedArray
    hi: np.ma.MaskedArray

    def __repr__(self) -> str:
        return f"<Curves of {self.name}: {len(self.epochs)} epochs x {len(self.layers)} layers>"

    def _repr_html_(self) -> str:
        return html.heat_map(self.values, [str(e) for e in self.epochs], self.layers, f"{self.name} by epoch")


class Dynamics:
    """A training that :func:`dynamics`, or ``subspect dynamics``, looked at: ``dynamics.json`` and what lies beside it."""

    def __init__(self, path: str | os.PathLike[str], *, _keep: Any = None) -> None:
        self.path = Path(path)
        self._keep = _keep  # a temporary folder lives as long as this
        if not (self.path / "dynamics.json").is_file():
            raise StoreError(f"{self.path}: expected the folder of a training that was looked at, found no dynamics.json")

    @cached_property
    def record(self) -> dict[str, Any]:
        """The whole record."""
        return loads((self.path / "dynamics.json").read_text())

    @property
    def summary(self) -> list[str]:
        """The training in a few sentences."""
        return self.record["summary"]

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting a number."""
        return self.record["warnings"]

    @property
    def layers(self) -> list[str]:
        """Layers in execution order."""
        return [layer["name"] for layer in self.record["layers"]]

    @property
    def series(self) -> list[str]:
        """The trainings by name: one, or one per seed."""
        return [series["name"] for series in self.record["series"]]

    @property
    def epochs(self) -> list[int]:
        """Recorded epochs of the first training."""
        return self._epochs(self._series(0))

    @property
    def order(self) -> OrderTest:
        """Depth against settling epoch by SSC-CKA; :meth:`settling` has the others."""
        return self.settling().order

    def settling(
        self, measure: str = "ssc_cka", estimator: str = "biased", *, series: int | str | None = None
    ) -> Settling:
        """When the layers settle, over all trainings or in one ``series`` (position or name).

        ``measure``: ``ssc_cka`` or ``linear_cka``; ``estimator``: ``biased`` or ``debiased``. Intervals are over inputs, or over
        seeds where there are several trainings.
        """
        where = self.record if series is None else self._series(series)
        wire = self._of(where["settling"], measure, estimator)
        return settling(wire, self.layers, self.record["threshold"], self.record["level"])

    def curves(
        self, name: str = "ssc_cka", *, estimator: str = "biased", to: str = "final", series: int | str = 0
    ) -> Curves:
        """One quantity by epoch and layer.

        ``name``: ``ssc_cka`` or ``linear_cka`` (by ``estimator``, of each epoch ``to`` the ``final`` or the ``next`` one),
        ``neighbour_overlap`` or ``vote_change`` (to the next epoch), or a measure of the graphs: ``modularity``,
        ``vote_accuracy``, ``sre``, ...
        """
        if to not in ("final", "next"):
            raise ParameterError(f"to: expected final or next, found {to!r}")
        found = self._series(series)
        epochs = self._epochs(found)
        known = {c["measure"] for c in found["convergence"]}
        if name in known:
            rows = self._of(found["convergence"], name, estimator)[f"to_{to}"]
        elif name in _CHANGES:
            rows = [[{"value": layer[name]} for layer in row] for row in found["changes"]]
        else:
            rows = [[_measure(layer, name, known) for layer in epoch["layers"]] for epoch in found["epochs"]]
        parts = [masked([[cell.get(key) for cell in row] for row in rows]) for key in ("value", "lo", "hi")]
        return Curves(name, found["name"], epochs[: len(rows)], self.layers, *parts)

    def run(self, epoch: int, *, series: int | str = 0) -> Run:
        """One epoch as a run: graphs, measures, votes, neighbourhoods."""
        found = self._series(series)
        for item in found["epochs"]:
            if item["epoch"] == epoch:
                return Run(self.path / item["run"], _keep=self._keep)
        raise ParameterError(f"epoch {epoch} was not recorded: there are {', '.join(map(str, self._epochs(found)))}")

    def to_pandas(self) -> Any:
        """One row per training, epoch and layer: every measure, similarities to the final and next epoch, changes."""
        import pandas as pd

        frames = []
        for k, series in enumerate(self.series):
            epochs = self._epochs(self._series(k))
            columns = {"epoch": np.repeat(epochs, len(self.layers)), "layer": self.layers * len(epochs)}
            for name, found in self._columns(k).items():
                values = np.full((len(epochs), len(self.layers)), np.nan)
                values[: len(found)] = found.filled(np.nan)  # the last epoch has no next one
                columns[name] = values.reshape(-1)
            frames.append(pd.DataFrame({"series": series, **columns}))
        return pd.concat(frames, ignore_index=True).convert_dtypes()

    def _columns(self, series: int) -> dict[str, np.ma.MaskedArray]:
        """Every quantity of a training by the name of its column."""
        found = self._series(series)
        out = {name: self.curves(name, series=series).values for name in found["epochs"][0]["layers"][0]["measures"]}
        for item in found["convergence"]:
            name, estimator = item["measure"], item["estimator"]
            stem = name if estimator == "biased" else f"{name}_{estimator}"
            to_final, to_next = (self.curves(name, estimator=estimator, to=to, series=series) for to in ("final", "next"))
            out.update({stem: to_final.values, f"{stem}_lo": to_final.lo, f"{stem}_hi": to_final.hi})
            out[f"{stem}_next"] = to_next.values
        return {**out, **{name: self.curves(name, series=series).values for name in _CHANGES}}

    def plot(self, name: str = "ssc_cka", **options: Any) -> Any:
        """:func:`subspect.plot_dynamics` of it."""
        from .plot import plot_dynamics

        return plot_dynamics(self, name, **options)

    def plot_settling(self, measure: str = "ssc_cka", estimator: str = "biased", **options: Any) -> Any:
        """:func:`subspect.plot_settling` of its settling epochs."""
        return self.settling(measure, estimator).plot(**options)

    def report(self) -> Path:
        """Writes ``report.html`` and the figures; gives the page's path."""
        return report(self)

    def to_html(self) -> str:
        """The page as text."""
        return self.report().read_text()

    def _series(self, series: int | str) -> dict[str, Any]:
        names = self.series
        if isinstance(series, str) and series in names:
            series = names.index(series)
        if isinstance(series, str) or not -len(names) <= series < len(names):
            raise ParameterError(f"there is no training {series!r}: expected a position or one of {', '.join(names)}")
        return self.record["series"][series]

    @staticmethod
    def _epochs(series: dict[str, Any]) -> list[int]:
        return [epoch["epoch"] for epoch in series["epochs"]]

    @staticmethod
    def _of(items: list[dict[str, Any]], measure: str, estimator: str) -> dict[str, Any]:
        for item in items:
            if (item["measure"], item["estimator"]) == (measure, estimator):
                return item
        known = ", ".join(f"{i['measure']} ({i['estimator']})" for i in items)
        raise ParameterError(f"there is nothing by {measure!r} ({estimator}): expected one of {known}")

    def __repr__(self) -> str:
        where = "" if self._keep is not None else f" {str(self.path)!r}:"
        trainings = "" if len(self.series) == 1 else f" of {len(self.series)} trainings"
        return f"<Dynamics{where} {len(self.layers)} layers over {len(self.epochs)} epochs{trainings}>"

    def _repr_html_(self) -> str:
        text = "".join(f"<p>{html.escape(line)}</p>" for line in self.summary)
        by = [self.settling(measure) for measure in ("ssc_cka", "linear_cka")]
        last = self._series(0)["epochs"][-1]["layers"]
        rows = [
            (layer, *cells(by[0], k), *cells(by[1], k), *(html.number(last[k]["measures"], m) for m in ("modularity", "vote_accuracy")))
            for k, layer in enumerate(self.layers)
        ]
        head = ("layer", "settles, SSC-CKA", "interval", "settles, linear CKA", "interval", "final modularity", "final vote")
        return text + html.table(head, rows) + self.curves()._repr_html_()


def _measure(layer: dict[str, Any], name: str, others: set[str]) -> dict[str, Any]:
    """A measure of the record with its interval, if there is one."""
    if name not in layer["measures"]:
        known = ", ".join(sorted([*layer["measures"], *others, *_CHANGES]))
        raise ParameterError(f"no quantity is called {name!r}: expected one of {known}")
    return {**layer["intervals"].get(name, {}), "value": layer["measures"][name]}


def dynamics(
    source: Any,
    labels: Any = None,
    *,
    output: str | os.PathLike[str] | None = None,
    arch: str | None = None,
    data: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    layers: str | Sequence[str] | None = None,
    threshold: float = 0.95,
    keep_activations: bool = False,
    progress: Progress = False,
    **options: Any,
) -> Dynamics:
    """Follows a training through its snapshots: everything ``subspect dynamics`` does, with the same numbers.

    Parameters
    ----------
    source : Recorder, path, mapping, or list
        A :class:`subspect.torch.Recorder` or its folder; the folder of ``subspect train``; a folder of checkpoints (``.onnx``,
        or ``.safetensors`` and ``.pth`` with ``arch``) with the inputs in ``data``; ``{epoch: store or activations by layer}``; a
        list of stores or activations (epochs are numbers in the folders' names where these ascend, else positions). A list of
        trainings is the same training from several seeds: intervals are then over seeds.
    labels : optional
        Class of every input, where the source has none.
    output : path, optional
        Folder of the results: a call that was interrupted goes on there, and later epochs cost what they cost. Without it
        a temporary one, which lives as long as the returned object.
    data : path, or mapping of arrays, optional
        Inputs for checkpoints, as for :func:`subspect.capture`.
    layers : str or list, optional
        Names, globs or kinds.
    threshold : float
        Similarity to the final state from which on a layer counts as settled.
    keep_activations : bool
        Keep what checkpoints gave; activations that were in memory are not kept.
    **options
        Any option of a run, and any parameter of the method: ``inputs``, ``normalize``, ``method``, ``alpha_ratio``,
        ``permutations``, ``resamples``, ``seed``, ...
    """
    for name in ("model", "store"):
        if name in options:
            raise ParameterError(f"`{name}` is set for every epoch: give the folder of all snapshots")
    keep = tempfile.TemporaryDirectory(prefix="subspect-") if output is None else None
    root = Path(keep.name) / "dynamics" if keep else Path(os.fspath(output))  # type: ignore[arg-type]
    root.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, Mapping):
        data = save_data(data, root.parent / f"{root.name}-data.npz")
    given: dict[str, Any] = {"arch": arch, "data": data, "layers": layers, **options}
    if labels is not None and not is_in_memory(source):
        given["labels"] = _labels_file(labels, root.parent / f"{root.name}-labels.npy")
    with snapshots(source, labels, root.parent) as trainings, Watch(progress, "dynamics") as watcher:
        _core.dynamics(trainings, as_words(given), os.fspath(root), float(threshold), bool(keep_activations), watcher)
    return Dynamics(root, _keep=keep)


def _labels_file(labels: Any, path: Path) -> Path:
    """Labels as the file that the core reads."""
    if isinstance(labels, (str, os.PathLike)):
        return Path(os.fspath(labels))
    values = edge.array(labels)
    kept = values.ndim == 1 and values.dtype.kind in "iu" and values.size > 0 and values.min() >= 0
    np.save(path, values if kept else edge.Classes(labels).indices.astype(np.int64))  # class numbers stay as they are
    return path
