"""The same inputs at several moments of a training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import torch

from ..errors import ParameterError
from ..store import epoch_folder, epoch_stores
from .callbacks import hugging_face, lightning
from .loader import capture
from .selection import Layers, unwrap

__all__ = ["Recorder"]


class Recorder:
    """Activations of the same inputs at several moments of a training, for :func:`subspect.dynamics`.

    Call :meth:`record` where an epoch ends, or pass :meth:`lightning` or :meth:`hugging_face` to a trainer. The
    training itself is left as it was: mode, gradients and random numbers.

    Parameters
    ----------
    loader : the inputs to look at, always in the same order (``shuffle=False``).
    folder : path, optional
        One activation store per epoch there; otherwise everything is kept in memory.
    every : int
        Record every so many epochs in the callbacks.
    """

    def __init__(
        self, model: torch.nn.Module, loader: Any, folder: Any = None, *, layers: Layers = "paper",
        pool: str = "flatten", labels: Any = None, n_inputs: Optional[int] = None, every: int = 1,
    ) -> None:
        if type(getattr(loader, "sampler", None)).__name__ == "RandomSampler":
            raise ParameterError("loader: expected the same inputs in the same order every time: use shuffle=False")
        if every < 1:
            raise ParameterError(f"every: expected 1 or more, found {every}")
        self.model, self.loader, self.every = model, loader, every
        self.folder = None if folder is None else Path(os.fspath(folder))
        self.labels = labels
        self.epochs: Dict[int, Mapping[str, Any]] = {}
        self._options: Dict[str, Any] = {"layers": layers, "pool": pool, "n_inputs": n_inputs}
        if self.folder is not None:
            self.epochs.update(epoch_stores(self.folder))  # what an earlier training left

    def record(self, epoch: Optional[int] = None) -> Mapping[str, Any]:
        """Captures the present state as ``epoch`` (one more than the last if not given)."""
        epoch = max(self.epochs, default=-1) + 1 if epoch is None else int(epoch)
        store = None if self.folder is None else epoch_folder(self.folder, epoch)
        found = capture(self.model, self.loader, store=store, labels=self.labels, **self._options)
        if self.labels is None:
            self.labels = found.labels
        self.epochs[epoch] = found.store if found.store is not None else found
        self.epochs = dict(sorted(self.epochs.items()))
        return self.epochs[epoch]

    def record_if_due(self, epoch: int) -> None:
        """Records ``epoch`` where it is one of ``every`` and not recorded yet: what the callbacks do."""
        if epoch % self.every == 0 and epoch not in self.epochs:
            self.record(epoch)

    def lightning(self) -> Any:
        """A Lightning callback: records before training and after every training epoch."""
        return lightning(self)

    def hugging_face(self) -> Any:
        """A Hugging Face Trainer callback: records before training and at the end of every epoch."""
        return hugging_face(self)

    def __repr__(self) -> str:
        return f"<Recorder of {type(unwrap(self.model)).__name__}: epochs {list(self.epochs)}>"
