"""A capture: rows of every layer, and what is known about the inputs."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch

from .. import html
from ..errors import NetworkError, ParameterError
from ..store import ActivationStore, write_store
from .hooks import Hooks
from .outputs import scores, tensors
from .pools import POOLS, pooled
from .rows import Rows
from .selection import Layers, select, unwrap

__all__ = ["Capture"]


class Capture(Mapping):
    """Activations by layer, in execution order. Made by :func:`capture`; fills while its ``with`` block runs.

    ``labels``, ``predictions`` and ``confidence`` hold what is known about the inputs; ``labels`` may be set. With
    ``store=`` the activations are :attr:`store` after the block, otherwise they are kept in memory.
    """

    def __init__(
        self, model: torch.nn.Module, layers: Layers, store: Any, pool: str, train: Optional[bool], chunk_bytes: int
    ) -> None:
        if pool not in POOLS:
            raise ParameterError(f"pool: expected one of {', '.join(POOLS)}, found {pool!r}")
        self.model = unwrap(model)
        self.pool, self.train, self.chunk_bytes = pool, train, int(chunk_bytes)
        self.labels: Any = None
        self.predictions: Any = None
        self.confidence: Any = None
        self.ids: Optional[Sequence[Any]] = None
        self.classes: Optional[Sequence[str]] = None
        self.store: Optional[ActivationStore] = None
        self.n_inputs = 0
        self._folder = None if store is None else Path(os.fspath(store))
        self._hooks = Hooks(self.model, select(self.model, layers), self)
        self._kinds: Dict[str, str] = {}
        self._shapes: Dict[str, Tuple[int, ...]] = {}
        self._batch: Optional[int] = None
        self._mask: Optional[torch.Tensor] = None
        self._choices: List[np.ndarray] = []
        self._sure: List[np.ndarray] = []
        self._told: set = set()
        self._rows: Optional[Rows] = None
        self._arrays: Mapping[str, Any] = {}

    def __enter__(self) -> Capture:
        self._rows = Rows(self._folder)
        self._hooks.attach(self.train)
        return self

    def __exit__(self, kind: Any, *rest: Any) -> None:
        self._hooks.detach()
        rows = self._rows
        if rows is None:
            return
        try:
            if kind is None:
                self._finish(rows)
        finally:
            if self._folder is not None:
                rows.close()
                self._rows = None

    def _finish(self, rows: Rows) -> None:
        if not rows.counts:
            raise NetworkError("nothing was captured: call the model inside the with block, with layers that run")
        partial = {name: n for name, n in rows.counts.items() if n != self.n_inputs}
        arrays = {name: v for name, v in rows.arrays().items() if name not in partial}
        for name, n in partial.items():
            warnings.warn(f"layer {name!r} is left out: it ran for {n} of {self.n_inputs} inputs", stacklevel=3)
        if self._choices and sum(map(len, self._choices)) == self.n_inputs:
            confidence = np.concatenate(self._sure)
            if np.isfinite(confidence).all():  # otherwise the logits are not, which the store will refuse by name
                self.predictions, self.confidence = np.concatenate(self._choices), confidence
        self._arrays = arrays
        if self._folder is not None:
            self.store = write_store(self._folder, arrays, **self.about())
            self._arrays = self.store

    # What the hooks tell.

    def began(self, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Takes the size of the batch and the attention mask."""
        found = [t for _, t in tensors(list(args) + list(kwargs.values())) if t.dim() > 0]
        self._batch = len(found[0]) if found else None
        mask = kwargs.get("attention_mask")
        self._mask = mask if isinstance(mask, torch.Tensor) else None

    def ran(self, layer: str, kind: str, output: Any) -> None:
        """Takes the rows of every tensor of a layer's output."""
        found = tensors(output)
        for part, tensor in found:
            name = layer if len(found) == 1 else f"{layer}[{part}]"
            if tensor.dim() == 0 or (self._batch is not None and len(tensor) != self._batch):
                self._tell(name, f"its first axis is not the batch: shape {tuple(tensor.shape)}")
            elif not (tensor.is_floating_point() and tensor.numel()):
                self._tell(name, f"it holds {tensor.dtype} of shape {tuple(tensor.shape)}, no activations")
            else:
                self._kinds.setdefault(name, kind)
                self._shapes.setdefault(name, tuple(tensor.shape[1:]) or (1,))
                self._take(name, tensor.detach())

    def ended(self, output: Any) -> None:
        """Counts the inputs and takes a classifier's choices."""
        found = [t for _, t in tensors(output)]
        n = self._batch if self._batch is not None else (len(found[0]) if found and found[0].dim() else 0)
        self.n_inputs += n
        logits = scores(output, n)
        if logits is not None:
            shares = torch.softmax(logits.detach().float(), dim=1).max(dim=1)
            self._choices.append(shares.indices.cpu().numpy().astype(np.int64))
            self._sure.append(shares.values.cpu().numpy())

    def _tell(self, name: str, why: str) -> None:
        if name not in self._told:
            warnings.warn(f"layer {name!r} is left out: {why}", stacklevel=2)
            self._told.add(name)

    def _take(self, name: str, tensor: torch.Tensor) -> None:
        """Copies a tensor to the host in chunks of bounded size."""
        assert self._rows is not None
        row_bytes = max(1, 4 * (tensor.numel() // len(tensor)))
        step = max(1, self.chunk_bytes // row_bytes)
        mask = self._mask if self._mask is not None and tensor.dim() == 3 else None
        for start in range(0, len(tensor), step):
            rows = tensor[start : start + step]
            kept = mask[start : start + step] if mask is not None and mask.shape[:2] == tensor.shape[:2] else None
            found = pooled(name, rows, self.pool, kept)
            self._rows.add(name, found.to("cpu", torch.float32).numpy())

    # What was found.

    def about(self) -> Dict[str, Any]:
        """What is known about inputs, layers and network, as :func:`subspect.write_store` takes it."""
        name = type(self.model).__name__
        model: Tuple[str, str, List[int]] = (name, f"torch {torch.__version__}", [])
        inputs = {"labels": self.labels, "predictions": self.predictions, "confidence": self.confidence, "ids": self.ids}
        layers = {"kinds": self._kinds, "shapes": self._shapes, "pool": self.pool}
        return {**inputs, **layers, "classes": self.classes, "model": model, "name": name}

    def __getitem__(self, layer: str) -> np.ndarray:
        return self._now()[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, Any]:
        return self._arrays if self._arrays or self._rows is None else self._rows.arrays()

    def __repr__(self) -> str:
        return f"<Capture of {type(self.model).__name__}: {len(self)} layers of {self.n_inputs} inputs>"

    def _repr_html_(self) -> str:
        rows = [(n, self._kinds[n], "x".join(map(str, self._shapes[n])), v.shape[1]) for n, v in self._now().items()]
        return html.table(("layer", "kind", "shape", "features"), rows, f"{self.n_inputs} inputs")
