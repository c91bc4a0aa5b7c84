"""Whole runs: analyse captured activations or an ONNX network, read the record, write the page."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

import numpy as np
import scipy.sparse as sp

from . import _core, edge, html
from .errors import ParameterError, StoreError
from .graph import AffinityGraph, affinity
from .measured import Measured, Undefined, loads, show
from .progress import Progress, Watch
from .similarity import SimilarityMatrix, as_matrix
from .store import ActivationStore, write_captured

if TYPE_CHECKING:
    from .dynamics import Dynamics

__all__ = ["LayerResult", "Run", "analyze", "capture", "layers", "report"]


@dataclass(frozen=True)
class LayerResult:
    """What one layer gave; ``record`` is its entry in ``record.json``."""

    name: str
    record: dict[str, Any]
    run: Run

    @property
    def measures(self) -> dict[str, Measured]:
        """Class structure and votes by name."""
        return self.record["measures"]

    @property
    def coefficients(self) -> sp.csr_array:
        """``C``, float32; row i expresses input i."""
        return sp.csr_array(sp.load_npz(self.run.path / self.record["graph"]))

    @property
    def graph(self) -> AffinityGraph:
        """The affinity graph."""
        return affinity(self.coefficients)

    @property
    def votes(self) -> np.ma.MaskedArray:
        """Class index that every input's neighbours speak for, masked where there is none."""
        found = self.record["votes"]
        return np.ma.MaskedArray([v or 0 for v in found], mask=[v is None for v in found], dtype=np.int64)


class Run:
    """A finished run: ``record.json`` and everything beside it in ``path``."""

    def __init__(self, path: str | os.PathLike[str], *, _keep: Any = None) -> None:
        self.path = Path(path)
        self._keep = _keep  # a temporary folder lives as long as the run
        if not (self.path / "record.json").is_file():
            raise StoreError(f"{self.path}: expected a run directory, found no record.json: run it again")

    @cached_property
    def record(self) -> dict[str, Any]:
        """The whole record."""
        return loads((self.path / "record.json").read_text())

    @property
    def summary(self) -> list[str]:
        """The run in a few sentences."""
        return self.record["summary"]

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting a number."""
        return self.record["warnings"]

    @property
    def labels(self) -> np.ndarray | None:
        """Class index of every input."""
        found = self.record["inputs"]["labels"]
        return np.array(found) if found else None

    @property
    def names(self) -> list[str]:
        """Layers in execution order."""
        return [layer["name"] for layer in self.record["layers"]]

    def __len__(self) -> int:
        return len(self.record["layers"])

    def __iter__(self) -> Iterator[LayerResult]:
        return (LayerResult(layer["name"], layer, self) for layer in self.record["layers"])

    def __getitem__(self, layer: str | int) -> LayerResult:
        names = self.names
        if isinstance(layer, str):
            if layer not in names:
                raise ParameterError(f"no layer is called {layer!r}: the run has {', '.join(names)}")
            layer = names.index(layer)
        record = self.record["layers"][layer]
        return LayerResult(record["name"], record, self)

    def similarity(self, measure: str = "ssc_cka", estimator: str = "biased") -> SimilarityMatrix:
        """The layer x layer map of a measure."""
        for found in self.record["similarity"]:
            if (found["measure"], found["estimator"]) == (measure, estimator):
                return as_matrix(found["values"], measure, estimator, self.names, self.names)
        known = ", ".join(sorted({s["measure"] for s in self.record["similarity"]})) or "none"
        raise ParameterError(f"the run has no map of {measure!r} ({estimator}): it has {known}")

    def report(self) -> Path:
        """Writes ``report.html`` and the figures; gives the page's path."""
        return report(self)

    def to_html(self) -> str:
        """The page as text."""
        page = self.path / "report.html"
        return (page if page.is_file() else self.report()).read_text()

    def to_pandas(self) -> Any:
        """One row per layer: kind, features, every measure (``NA`` where undefined), the null's upper bound."""
        import pandas as pd

        rows = []
        for layer in self.record["layers"]:
            null = layer["modularity_null"]
            row = {"layer": layer["name"], "kind": layer["kind"], "n_features": layer["n_features"]}
            row.update({k: _number(v) for k, v in layer["measures"].items()})
            row.update({"null_hi": _number(null["hi"]), "null_p": _number(null["p"])})
            rows.append(row)
        return pd.DataFrame(rows).set_index("layer").convert_dtypes()

    def plot_modularity(self, **options: Any) -> Any:
        """:func:`subspect.plot_modularity` of it."""
        from .plot import plot_modularity

        return plot_modularity(self, **options)

    def plot_similarity(self, measure: str = "ssc_cka", estimator: str = "biased", **options: Any) -> Any:
        """:func:`subspect.plot_similarity` of one of its maps."""
        return self.similarity(measure, estimator).plot(**options)

    def __repr__(self) -> str:
        where = "" if self._keep is not None else f" {str(self.path)!r}:"  # a temporary folder's name says nothing
        return f"<Run{where} {len(self)} layers of {len(self.record['inputs']['ids'])} inputs>"

    def _repr_html_(self) -> str:
        shown = ("modularity", "sre", "vote_accuracy", "vote_agreement")
        rows = [
            (layer["name"], layer["kind"], layer["n_features"],
             *(show(layer["measures"].get(k, "-")) for k in shown), show(layer["modularity_null"]["hi"]))
            for layer in self.record["layers"]
        ]
        text = "".join(f"<p>{html.escape(line)}</p>" for line in self.summary)
        maps = ""
        if any(s["measure"] == "ssc_cka" for s in self.record["similarity"]):
            maps = self.similarity()._repr_html_()
        return text + html.table(("layer", "kind", "features", *shown, "null, 97.5 %"), rows) + maps


def _number(value: Any) -> Any:
    return None if isinstance(value, Undefined) else value


def run_folder(run: Any) -> str:
    """Where a run, or anything else with a folder, lies."""
    return os.fspath(getattr(run, "path", run))


def as_words(options: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Options as the command line would give them."""

    def word(value: Any) -> str:
        if isinstance(value, (bool, np.bool_)):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)

    def words(value: Any) -> list[str]:
        many = isinstance(value, (list, tuple, set))
        return [word(v) for v in value] if many else [word(value)]

    return [(name, words(value)) for name, value in options.items() if value is not None]


def analyze(
    source: Any = None,
    labels: Any = None,
    predictions: Any = None,
    *,
    output: str | os.PathLike[str] | None = None,
    model: str | os.PathLike[str] | None = None,
    data: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    layers: str | Sequence[str] | None = None,
    progress: Progress = False,
    **options: Any,
) -> Run:
    """One graph per layer, its class structure, the maps between layers: everything ``subspect run`` does.

    Parameters
    ----------
    source : mapping, ActivationStore, path, or what ``subspect.torch.capture`` returned
        Activations by layer, in execution order. Or give ``model`` (an ONNX file) and ``data`` (see :func:`capture`).
    labels, predictions : optional
        Class of every input, and the network's own choice; a store may hold them already.
    output : path, optional
        Run directory. Without it a temporary one, which lives as long as the returned object.
    layers : str or list, optional
        Names, globs or kinds.
    **options
        Any option of ``subspect.methods("options")`` and any parameter of the method: ``method``, ``alpha_ratio``,
        ``permutations``, ``similarity``, ``memory``, ``seed``, ...
    """
    keep = tempfile.TemporaryDirectory(prefix="subspect-") if output is None else None
    root = Path(keep.name) / "run" if keep else Path(os.fspath(output))  # type: ignore[arg-type]
    given: dict[str, Any] = {"output": root, "layers": layers, **options}
    if model is not None or data is not None:
        if source is not None or labels is not None or predictions is not None:
            raise ParameterError("give either activations (with labels and predictions), or model and data")
        if isinstance(data, Mapping):
            data = save_data(data, (Path(keep.name) if keep else root.parent) / f"{root.name}-data.npz")
        given.update(model=model, data=data)
    else:
        given.update(_stored(source, labels, predictions, root, keep))
    with Watch(progress, "analyze") as watcher:
        _core.run(as_words(given), "subspect.analyze", watcher)
    return Run(root, _keep=keep)


def _stored(source: Any, labels: Any, predictions: Any, root: Path, keep: Any) -> dict[str, Any]:
    """The options that name the store with the activations, after writing one where there is none."""
    if source is None:
        raise ParameterError("expected activations (a mapping or a store), or model and data")
    if isinstance(source, (str, os.PathLike)):
        source = ActivationStore(source)
    store = source if isinstance(source, ActivationStore) else getattr(source, "store", None)
    if isinstance(store, ActivationStore) and predictions is None and (labels is None or _same(labels, store.labels)):
        return {"store": store.folder}
    if not isinstance(source, Mapping):
        raise TypeError(f"expected a mapping from layers to activations, or a store, found {type(source).__name__}")
    folder = (Path(keep.name) if keep else root.parent) / f"{root.name}-activations"
    write_captured(folder, source, labels, predictions)
    return {"store": folder}


def _same(a: Any, b: Any) -> bool:
    return b is not None and np.array_equal(edge.array(a), b)


def report(run: Run | Dynamics | str | os.PathLike[str]) -> Path:
    """Writes the page (one self-contained HTML file) and figures of a finished run or training; gives the page's path."""
    page, _ = _core.render(run_folder(run))
    return Path(page)


def capture(
    model: str | os.PathLike[str],
    data: Mapping[str, Any] | str | os.PathLike[str],
    store: str | os.PathLike[str],
    *,
    layers: str | Sequence[str] | None = None,
    progress: Progress = False,
    **options: Any,
) -> ActivationStore:
    """Runs an ONNX network over a data set and stores every selected layer's activations.

    ``data``: a path, or arrays by name: integer ids ``n x tokens`` called like the network's inputs (``input_ids``,
    ``attention_mask``) for token models, ``images`` otherwise, and ``labels``. Options are those of ``subspect capture``:
    ``inputs``, ``normalize``, ``pool``, ``batch_size``, ``split``, ... For PyTorch models in memory see :mod:`subspect.torch`.
    """
    with tempfile.TemporaryDirectory(prefix="subspect-") as folder, Watch(progress, "capture") as watcher:
        where = save_data(data, Path(folder) / "data.npz") if isinstance(data, Mapping) else data
        given = {"model": model, "data": where, "layers": layers, **options}
        _core.capture(as_words(given), os.fspath(store), watcher)
    return ActivationStore(store)


def save_data(data: Mapping[str, Any], path: Path) -> Path:
    """A data set given as arrays by name, as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: edge.array(values) for name, values in data.items()})
    return path


def layers(model: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Layers of an ONNX network in execution order: name, kind, shape, number of features."""
    return _core.layers(os.fspath(model))
