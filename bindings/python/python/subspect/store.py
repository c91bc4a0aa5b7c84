"""The activation store: one of the two contracts on disk, the same as the command line's.

A folder with ``store.json`` and one ``.npy`` (float32, C order, inputs x features) per layer, in execution order.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

import numpy as np

from . import _core, edge, html
from .errors import ParameterError, ShapeError
from .measured import loads

__all__ = ["ActivationStore", "write_store"]

#: Bytes that are written at once.
CHUNK = 32 << 20


class ActivationStore(Mapping):
    """A finished store, as a mapping from layer names (in execution order) to memory-mapped arrays."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        _core.check_store(os.fspath(folder))
        self.folder = Path(folder)
        self.manifest: dict[str, Any] = loads((self.folder / "store.json").read_text())
        self._layers = {layer["name"]: layer for layer in self.manifest["layers"]}

    def __getitem__(self, layer: str) -> np.ndarray:
        return np.load(self.folder / self._layers[layer]["file"], mmap_mode="r")

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    @property
    def n_inputs(self) -> int:
        """Rows of every layer."""
        return self.manifest["n_inputs"]

    @property
    def ids(self) -> list[str]:
        """Ids of the inputs, in the order of the rows."""
        return self.manifest["inputs"]["ids"]

    @property
    def classes(self) -> list[str]:
        """Class names."""
        return self.manifest["dataset"]["classes"]

    @property
    def labels(self) -> np.ndarray | None:
        """Class index of every input, if known."""
        found = self.manifest["inputs"]["labels"]
        return np.array(found, dtype=np.int64) if found else None

    @property
    def predictions(self) -> np.ndarray | None:
        """The network's own choice for every input, if known."""
        found = self.manifest["inputs"]["predictions"]
        return np.array(found, dtype=np.int64) if found else None

    def __repr__(self) -> str:
        return f"<ActivationStore {str(self.folder)!r}: {len(self)} layers of {self.n_inputs} inputs>"

    def _repr_html_(self) -> str:
        rows = [
            (layer["name"], layer["kind"], "x".join(map(str, layer["shape"])), layer["pool"], layer["n_features"])
            for layer in self.manifest["layers"]
        ]
        return html.table(("layer", "kind", "shape", "pool", "features"), rows, f"{self.n_inputs} inputs")


def epoch_folder(folder: Path, epoch: int) -> Path:
    """Where a recorder keeps one epoch's activations."""
    return folder / f"epoch-{epoch:05d}"


def epoch_stores(folder: str | os.PathLike[str]) -> dict[int, ActivationStore]:
    """The epochs that a recorder left in a folder, in order; unfinished ones are left out."""
    found = (path.parent for path in Path(folder).glob("epoch-*/store.json"))
    numbered = sorted((int(path.name[len("epoch-") :]), path) for path in found if path.name[len("epoch-") :].isdigit())
    return {epoch: ActivationStore(path) for epoch, path in numbered}


class Known:
    """What is known about the inputs: classes, predictions, confidence and ids, as the store keeps them."""

    def __init__(
        self,
        n: int,
        labels: Any = None,
        predictions: Any = None,
        confidence: Any = None,
        ids: Sequence[Any] | None = None,
        classes: Sequence[Any] | None = None,
    ) -> None:
        self.ids = edge.names(ids, n)
        self.labels, self.predictions, self.classes = self._classes(labels, predictions, classes)
        for what, values in (("labels", self.labels), ("predictions", self.predictions)):
            if values and len(values) != n:
                raise ShapeError(f"{what}: expected {n}, one per input, found {len(values)}")
        if confidence is None:
            self.confidence = [1.0] * n if self.predictions else []
        else:
            self.confidence = edge.array(confidence).astype(float).tolist()

    @staticmethod
    def _classes(labels: Any, predictions: Any, names: Sequence[Any] | None) -> tuple[list[int], list[int], list[str]]:
        if labels is None and predictions is None:
            return [], [], [str(c) for c in names or []]
        first = labels if labels is not None else predictions
        values = edge.array(first)
        if values.dtype.kind in "iu" and (values.size == 0 or values.min() >= 0):
            # Class numbers are kept as they are, so that they mean the same in every file.
            given = [[] if v is None else edge.array(v).astype(np.int64).tolist() for v in (labels, predictions)]
            n_classes = max((max(v) + 1 for v in given if v), default=0)
            if n_classes > max(10 * values.size, 100_000):
                raise ParameterError(f"labels: expected class numbers, found {n_classes - 1}")
            kept = [str(c) for c in names] if names is not None else [str(c) for c in range(n_classes)]
            return given[0], given[1], kept
        found = edge.Classes(first, predictions if labels is not None else None)
        kept = [str(c) for c in found.names]
        if labels is None:
            return [], found.indices.tolist(), kept
        return found.indices.tolist(), [] if found.other is None else found.other.tolist(), kept


def write_store(
    folder: str | os.PathLike[str],
    layers: Mapping[str, Any],
    *,
    labels: Any = None,
    predictions: Any = None,
    confidence: Any = None,
    ids: Sequence[Any] | None = None,
    classes: Sequence[Any] | None = None,
    name: str = "activations",
    kinds: Mapping[str, str] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    pool: str = "flatten",
    model: tuple[str, str, Sequence[int]] | None = None,
) -> ActivationStore:
    """Writes arrays (one per layer, one row per input) as an activation store and opens it.

    ``labels`` and ``predictions`` may be class numbers or names. ``model`` is ``(name, engine, input shape)``.
    """
    if not layers:
        raise ParameterError("layers: expected at least one layer, found none")
    arrays = {layer: edge.array(values) for layer, values in layers.items()}
    sizes = {layer: len(values) if values.ndim else 0 for layer, values in arrays.items()}
    n = next(iter(sizes.values()))
    for layer, size in sizes.items():
        if size != n:
            raise ShapeError(f"layer {layer!r}: expected {n} inputs, as in {next(iter(sizes))!r}, found {size}")
    known = Known(n, labels, predictions, confidence, ids, classes)
    specs = []
    for layer, values in arrays.items():
        shape = list((shapes or {}).get(layer, values.shape[1:] or (1,)))
        n_features = int(np.prod(values.shape[1:], dtype=np.int64))
        specs.append((layer, (kinds or {}).get(layer, "imported"), shape, n_features, pool))
    key = _key(arrays, known)
    inputs = (known.ids, known.labels, known.predictions, known.confidence)
    told = None if model is None else (model[0], model[1], list(model[2]))
    writer = _core.StoreWriter(os.fspath(folder), specs, inputs, name, known.classes, key, told)
    for index, values in enumerate(arrays.values()):
        for rows in chunks(values):
            writer.append(index, edge.matrix(rows.reshape(len(rows), -1)))
    writer.finish()
    return ActivationStore(folder)


def write_captured(
    folder: str | os.PathLike[str], source: Mapping[str, Any], labels: Any = None, predictions: Any = None
) -> ActivationStore:
    """:func:`write_store` with everything that ``source`` knows of its inputs and layers; what is given counts first."""
    about = getattr(source, "about", None)
    known = about() if callable(about) else {k: getattr(source, k, None) for k in ("labels", "predictions")}
    given = {"labels": labels, "predictions": predictions}
    if predictions is not None:
        known["confidence"] = None  # it was that of other predictions
    return write_store(folder, source, **{**known, **{k: v for k, v in given.items() if v is not None}})


def chunks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Runs of rows of at most :data:`CHUNK` bytes of float32."""
    step = max(1, CHUNK // max(1, 4 * int(np.prod(values.shape[1:], dtype=np.int64))))
    for start in range(0, len(values), step):
        yield values[start : start + step]


def _key(arrays: Mapping[str, np.ndarray], known: Known) -> str:
    """A hash of everything that the store holds: equal keys, equal activations."""
    digest = hashlib.blake2b(digest_size=32)
    digest.update(repr((known.ids, known.labels, known.predictions)).encode())
    for layer, values in arrays.items():
        digest.update(repr((layer, values.shape, values.dtype.str)).encode())
        for rows in chunks(values):
            digest.update(np.ascontiguousarray(rows).data)
    return digest.hexdigest()
