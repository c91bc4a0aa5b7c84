"""Whatever holds a training, as the core takes it: folders, or activation stores with their epochs."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Iterator, Mapping, Sequence, Union

import numpy as np

from .errors import ParameterError
from .store import ActivationStore, write_captured

__all__: list[str] = []

#: A folder, or name, origin, and epoch and folder of every store.
Snapshots = Union[str, "tuple[str, str, list[tuple[int, str]]]"]

_HINT = "give a folder, a Recorder, {epoch: activations}, or a list of these for several seeds"


@contextmanager
def snapshots(source: Any, labels: Any, beside: Path) -> Iterator[list[Snapshots]]:
    """The trainings in ``source``; arrays in memory are written into a folder that is removed in the end."""
    many = _several(source)
    with TemporaryDirectory(prefix="subspect-", dir=beside) as name:
        out = []
        for k, item in enumerate(many):
            title = "training" if len(many) == 1 else f"training-{k + 1}"
            out.append(_training(item, labels, Path(name) / title, title))
        yield out


def is_in_memory(source: Any) -> bool:
    """Whether any of its epochs lies in memory, so that labels are written with it."""
    for training in _several(source):
        found = _epochs(training)
        if found is not None and not all(_folder(item) for item in found.values()):
            return True
    return False


def _folder(item: Any) -> str | None:
    """Where an epoch's activations lie, if on disk."""
    if isinstance(item, ActivationStore):
        return os.fspath(item.folder)
    if isinstance(item, (str, os.PathLike)):
        return os.fspath(item)
    store = getattr(item, "store", None)
    return os.fspath(store.folder) if isinstance(store, ActivationStore) else None


def _is_epoch(item: Any) -> bool:
    """Activations of one moment: a store, a file of arrays, or arrays by layer."""
    if isinstance(item, (str, os.PathLike)):
        path = Path(item)
        return path.suffix in (".npz", ".h5") or (path / "store.json").is_file()
    return isinstance(item, Mapping) and not any(isinstance(v, (Mapping, str, os.PathLike)) for v in item.values())


def _several(source: Any) -> list[Any]:
    """One training as a list of one; a list is several trainings, unless all of it are epochs."""
    if not isinstance(source, Sequence) or isinstance(source, str):
        return [source]
    if not source:
        raise ParameterError(f"expected a training, found an empty list: {_HINT}")
    kinds = {_is_epoch(item) for item in source}
    if len(kinds) > 1:
        raise ParameterError(f"expected either epochs or trainings, found both in one list: {_HINT}")
    return [source] if kinds == {True} else list(source)


def _epochs(training: Any) -> dict[int, Any] | None:
    """Activations by epoch; ``None`` for a folder, which the core reads."""
    if isinstance(training, (str, os.PathLike)):
        return None
    found = getattr(training, "epochs", training)
    if isinstance(found, Mapping) and not _is_epoch(found):
        wrong = [e for e in found if not isinstance(e, (int, np.integer)) or isinstance(e, bool) or e < 0]
        if wrong:
            raise ParameterError(f"expected epochs as whole numbers from 0 on, found {wrong[0]!r}")
        return {int(epoch): item for epoch, item in found.items()}
    if isinstance(found, Mapping) and found:
        raise ParameterError(f"expected activations of several epochs, found those of one: {_HINT}")
    if not isinstance(found, (Mapping, Sequence)):
        raise TypeError(f"expected a training, found {type(training).__name__}: {_HINT}")
    return dict(zip(_numbers(found), found)) if not isinstance(found, Mapping) else {}


def _numbers(items: Sequence[Any]) -> list[int]:
    """Epochs of a list: the last number in every folder's name where these ascend, else the positions."""
    names = [Path(folder).name if (folder := _folder(item)) else "" for item in items]
    found = [re.findall(r"\d+", name) for name in names]
    if all(found):
        numbers = [int(digits[-1]) for digits in found]
        if all(a < b for a, b in zip(numbers, numbers[1:])):
            return numbers
    return list(range(len(items)))


def _training(training: Any, labels: Any, folder: Path, title: str) -> Snapshots:
    epochs = _epochs(training)
    if epochs is None:
        return os.fspath(training)
    own = getattr(training, "folder", None)
    if own is not None:
        return os.fspath(own)  # a recorder with a folder
    labels = labels if labels is not None else getattr(training, "labels", None)
    out = []
    for epoch, item in epochs.items():
        place = _folder(item)
        if place is None:
            if not isinstance(item, Mapping):
                raise TypeError(f"epoch {epoch}: expected activations by layer or a store, found {type(item).__name__}")
            place = os.fspath(write_captured(folder / f"epoch-{epoch:05d}", item, labels=labels).folder)
        out.append((epoch, place))
    origin = "activations in memory"
    if epochs and all(map(_folder, epochs.values())):
        origin = os.path.commonpath([os.path.abspath(place) for _, place in out])
    return title, origin, out
