"""Which modules of a model are looked at: words, paths and globs, as the command line has them for ONNX files."""

from __future__ import annotations

import fnmatch
import re
from difflib import get_close_matches
from typing import Callable, Dict, List, Sequence, Union

import torch

from ..errors import NetworkError

__all__ = ["Layers", "kind_of", "select", "unwrap"]

#: A word, path or glob; several of them; or a function of path and module.
Layers = Union[str, Sequence[str], Callable[[str, torch.nn.Module], bool]]

_KINDS = (
    ("conv", r"(Lazy)?Conv(Transpose)?\dd$"), ("linear", r"(Lazy|NonDynamicallyQuantizable)?Linear$|^Bilinear$|^Conv1D$"),
    ("norm", r"Norm(\dd)?$"), ("pool", r"Pool\dd$"),
    ("activation", r"(ReLU6?|ELU|GELU|SiLU|Mish|Sigmoid|Tanh|Softmax|Softplus|Hardswish|Hardtanh|PReLU)$"),
)
_BLOCK = re.compile(r"(Block|Bottleneck|Residual|Layer)$")
_SHORTCUT = re.compile(r"(shortcut|downsample|skip|identity)", re.IGNORECASE)
_WORDS = ("paper", "conv", "block", "linear", "norm", "activation", "pool", "logits", "all")
_WRAPPERS = ("DataParallel", "DistributedDataParallel", "FullyShardedDataParallel")


def unwrap(model: torch.nn.Module) -> torch.nn.Module:
    """The model inside DataParallel, DistributedDataParallel and ``torch.compile``."""
    while True:
        if hasattr(model, "_orig_mod"):
            model = model._orig_mod
        elif type(model).__name__ in _WRAPPERS:
            model = model.module
        else:
            return model


def kind_of(module: torch.nn.Module) -> str:
    """``conv``, ``block``, ``linear``, ``norm``, ``pool``, ``activation`` or ``other``, from the class's name."""
    name = type(module).__name__
    if next(module.children(), None) is not None:
        weighted = sum(kind_of(m) in ("conv", "linear") for m in module.modules() if m is not module and not list(m.children()))
        return "block" if weighted >= 2 and _BLOCK.search(name) else "other"
    return next((kind for kind, pattern in _KINDS if re.search(pattern, name)), "other")


def select(model: torch.nn.Module, layers: Layers = "paper") -> Dict[str, str]:
    """Module paths and kinds that a selection means; the model's own output is the path ``""``.

    ``layers``: words (``paper``, ``conv``, ``block``, ``linear``, ``norm``, ``activation``, ``pool``, ``logits``,
    ``all``: every module without children), module paths, globs over them, or a function of path and module.
    """
    modules = dict(unwrap(model).named_modules())
    kinds = {name: kind_of(m) for name, m in modules.items() if name}
    if callable(layers):
        chosen = [name for name, m in modules.items() if name and layers(name, m)]
    else:
        words = [w for part in ([layers] if isinstance(layers, str) else layers) for w in part.split(",") if w]
        chosen = []
        for word in words:
            chosen += _by_word(word.strip(), modules, kinds)
    if not chosen:
        raise NetworkError(f"layers: expected a selection of the model's modules, found none by {layers!r}")
    return {name: kinds.get(name, "linear") for name in dict.fromkeys(chosen)}


def _by_word(word: str, modules: Dict[str, torch.nn.Module], kinds: Dict[str, str]) -> List[str]:
    if word == "paper":
        return _paper(kinds)
    if word == "logits":
        return [""]
    if word == "all":
        return [n for n in kinds if not list(modules[n].children())] + [""]
    if word in _WORDS:
        return [n for n, kind in kinds.items() if kind == word]
    found = [word] if word in kinds else fnmatch.filter(kinds, word)
    if not found:
        near = get_close_matches(word, kinds, 3)
        hint = f"; did you mean {', '.join(near)}?" if near else f"; words are {', '.join(_WORDS)}"
        raise NetworkError(f"layers: no module matches {word!r}{hint}")
    return found


def _paper(kinds: Dict[str, str]) -> List[str]:
    """All convolutions (without any: linear maps), a block's last one replaced by the block, and the logits."""
    wanted = "conv" if "conv" in kinds.values() else "linear"
    blocks = [name for name, kind in kinds.items() if kind == "block"]
    replaced = set()
    for block in blocks:
        inside = [n for n, k in kinds.items() if k == wanted and n.startswith(block + ".") and not _SHORTCUT.search(n[len(block) :])]
        replaced.update(inside[-1:])
    weighted = [n for n, k in kinds.items() if k == wanted and n not in replaced]
    if wanted == "linear" and weighted and not blocks:
        weighted = weighted[:-1]  # the last linear map gives the logits
    return weighted + blocks + [""]
