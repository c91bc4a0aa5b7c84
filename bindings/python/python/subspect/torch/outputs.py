"""What is inside a module's output: tensors in nested tuples and dictionaries, and a classifier's scores."""

from __future__ import annotations

from typing import Any, Iterable, List, Mapping, Optional, Tuple

import torch

__all__ = ["scores", "tensors"]


def tensors(value: Any, path: str = "") -> List[Tuple[str, torch.Tensor]]:
    """Every tensor of a nested output with its place in it (``""``, ``0``, ``hidden``, ``nested.0``)."""
    if isinstance(value, torch.Tensor):
        return [(path, value)]
    items: Iterable[Tuple[Any, Any]]
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, (tuple, list)):
        items = enumerate(value)
    else:
        return []
    return [pair for key, v in items for pair in tensors(v, f"{path}.{key}" if path else str(key))]


def scores(output: Any, n: int) -> Optional[torch.Tensor]:
    """The class scores (n x K) of a classifier's output, where there are any."""
    found = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if found is None:
        found = output if isinstance(output, torch.Tensor) else None
    if not isinstance(found, torch.Tensor) or found.dim() != 2 or len(found) != n or found.shape[1] < 2:
        return None
    return found if found.is_floating_point() else None
