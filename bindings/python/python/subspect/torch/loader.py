"""Running a model over a loader: batches taken apart, moved to the model's device, labels collected."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch

from ..progress import Progress, Watch
from .captured import Capture
from .selection import Layers

__all__ = ["capture"]


def capture(
    model: torch.nn.Module,
    loader: Any = None,
    *,
    layers: Layers = "paper",
    store: Any = None,
    pool: str = "flatten",
    labels: Any = None,
    ids: Optional[Sequence[Any]] = None,
    classes: Optional[Sequence[str]] = None,
    n_inputs: Optional[int] = None,
    train: Optional[bool] = False,
    chunk_bytes: int = 64 << 20,
    progress: Progress = False,
) -> Capture:
    """Activations of a model's layers.

    Without ``loader``: a context manager that watches the calls inside its block. With one: runs the model over it,
    without gradients, and returns the finished :class:`Capture`.

    Parameters
    ----------
    loader : iterable or tensor, optional
        Batches: a tensor, ``(inputs, labels, ...)``, or a dictionary (with ``labels``) that the model takes by name.
    layers : str, list or function
        See :func:`select`; by default the paper's layers and the logits.
    store : path, optional
        Write an activation store there; memory then holds one batch. Otherwise everything is kept in memory.
    pool : str
        One of :data:`POOLS`.
    labels, ids, classes : optional
        What is known about the inputs; labels of the loader are taken by themselves.
    n_inputs : int, optional
        Stop after so many inputs of the loader.
    train : bool or None
        Mode of the model meanwhile; ``None`` leaves it alone. Restored afterwards.
    chunk_bytes : int
        Most bytes that are moved from a device at once.
    """
    found = Capture(model, layers, store, pool, train, chunk_bytes)
    found.labels, found.ids, found.classes = labels, ids, classes
    if loader is None:
        return found
    collected: List[Any] = []
    device = next((p.device for p in found.model.parameters()), torch.device("cpu"))
    total = n_inputs or _length(loader)
    with Watch(progress, "capture") as watcher, found, torch.no_grad(), torch.random.fork_rng(devices=[]):
        for batch in [loader] if isinstance(loader, torch.Tensor) else loader:
            args, kwargs, y = _unpack(batch, None if n_inputs is None else n_inputs - found.n_inputs)
            found.model(*_to(args, device), **_to(kwargs, device))
            if y is not None:
                collected.append(np.asarray(y.cpu() if isinstance(y, torch.Tensor) else y).reshape(-1))
            if watcher is not None:
                watcher("advanced", "", found.n_inputs, total)
            if n_inputs is not None and found.n_inputs >= n_inputs:
                break
        if found.labels is None and collected and sum(map(len, collected)) == found.n_inputs:
            found.labels = np.concatenate(collected)
    return found


def _length(loader: Any) -> int:
    try:
        return len(loader if isinstance(loader, torch.Tensor) else loader.dataset)
    except (AttributeError, TypeError):
        return 0


def _unpack(batch: Any, most: Optional[int]) -> Tuple[Tuple[Any, ...], Dict[str, Any], Any]:
    """Arguments, named arguments and labels of a batch, cut to ``most`` inputs."""

    def cut(v: Any) -> Any:
        return v[:most] if most is not None and hasattr(v, "__getitem__") and hasattr(v, "__len__") else v

    if isinstance(batch, Mapping):
        named = {k: cut(v) for k, v in batch.items()}
        return (), named, named.pop("labels", named.pop("label", None))
    if isinstance(batch, (tuple, list)):
        y = cut(batch[1]) if len(batch) > 1 else None
        is_label = y is not None and np.ndim(y.cpu() if isinstance(y, torch.Tensor) else y) == 1
        return (cut(batch[0]),), {}, y if is_label else None
    return (cut(batch),), {}, None


def _to(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {k: _to(v, device) for k, v in value.items()}
    return tuple(_to(v, device) for v in value) if isinstance(value, tuple) else value
