"""From a layer's output (n, ...) to rows (n, features)."""

from __future__ import annotations

from typing import Optional

import torch

from ..errors import ParameterError

__all__ = ["POOLS", "pooled"]

#: ``flatten`` keeps all features; ``avg`` and ``max`` pool over space (N, C, ...); ``cls``, ``mean`` and ``last`` over
#: tokens (N, T, D), the last two within the attention mask where one is known.
POOLS = ("flatten", "avg", "max", "cls", "mean", "last")


def pooled(name: str, x: torch.Tensor, pool: str, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
    """Rows of a layer's output; everything but ``flatten`` is computed in float32. ``mask``: (n, tokens)."""
    if pool == "flatten" or x.dim() < 3:
        return x.reshape(len(x), -1)
    x = x.float()
    if pool in ("avg", "max"):
        space = x.flatten(2)
        return space.mean(dim=2) if pool == "avg" else space.amax(dim=2)
    if x.dim() != 3:
        raise ParameterError(f"layer {name!r}: pool={pool!r} is for tokens (n, tokens, features), found shape {tuple(x.shape)}")
    if pool == "cls":
        return x[:, 0]
    if mask is None:
        return x.mean(dim=1) if pool == "mean" else x[:, -1]
    kept = mask.to(x.device) != 0
    if pool == "mean":
        weight = kept.unsqueeze(2).float()
        return (x * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
    positions = torch.arange(x.shape[1], device=x.device)
    last = torch.where(kept, positions, torch.zeros_like(positions)).amax(dim=1)
    return x[torch.arange(len(x), device=x.device), last]
