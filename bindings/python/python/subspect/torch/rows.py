"""Where captured rows go: lists in memory, or one raw file per layer until the number of inputs is known."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from ..errors import ShapeError

__all__ = ["Rows"]


class Rows:
    """Rows by layer. With a folder they are spooled beside it, as float32; memory then holds none."""

    def __init__(self, folder: Optional[Path]) -> None:
        self._spool = None
        if folder is not None:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._spool = tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent)
        self._parts: Dict[str, List[np.ndarray]] = {}
        self._files: Dict[str, Any] = {}
        self.counts: Dict[str, int] = {}
        self._features: Dict[str, int] = {}

    def add(self, name: str, rows: np.ndarray) -> None:
        """Takes a copy of some rows."""
        expected = self._features.setdefault(name, rows.shape[1])
        if rows.shape[1] != expected:
            raise ShapeError(
                f"layer {name!r}: expected {expected} features as in the first batch, found {rows.shape[1]}: pad inputs "
                'to one size, or pool with "avg", "mean", "cls" or "last"'
            )
        self.counts[name] = self.counts.get(name, 0) + len(rows)
        if self._spool is None:
            self._parts.setdefault(name, []).append(np.array(rows, dtype=np.float32, order="C", copy=True))
            return
        if name not in self._files:
            self._files[name] = open(Path(self._spool.name) / f"{len(self._files)}.raw", "wb")
        np.ascontiguousarray(rows, dtype=np.float32).tofile(self._files[name])

    def arrays(self) -> Dict[str, np.ndarray]:
        """Everything so far, one array per layer."""
        if self._spool is None:
            for name, parts in self._parts.items():
                if len(parts) > 1:
                    self._parts[name] = [np.concatenate(parts)]
            return {name: parts[0] for name, parts in self._parts.items()}
        out: Dict[str, np.ndarray] = {}
        for name, file in self._files.items():
            file.flush()
            shape = (self.counts[name], self._features[name])
            out[name] = np.memmap(file.name, dtype=np.float32, mode="r", shape=shape)
        return out

    def close(self) -> None:
        """Removes what was spooled."""
        for file in self._files.values():
            file.close()
        if self._spool is not None:
            self._spool.cleanup()
