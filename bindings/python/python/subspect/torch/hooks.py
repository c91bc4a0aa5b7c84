"""Forward hooks on the chosen modules: they name every call, and are gone afterwards whatever happened."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Tuple

import torch

from .outputs import tensors
from .selection import kind_of

__all__ = ["Hooks", "Listener"]


class Listener(Protocol):
    """Who is told what a model does."""

    def began(self, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A pass through the model starts."""

    def ran(self, layer: str, kind: str, output: Any) -> None:
        """A chosen module returned; its ``n``-th call in one pass, from 0, is the layer ``path:n`` (0: ``path``)."""

    def ended(self, output: Any) -> None:
        """The model returned."""


class Hooks:
    """Hooks on the modules ``chosen`` (paths and kinds; ``""`` is the model's own output) of an unwrapped model."""

    def __init__(self, model: torch.nn.Module, chosen: Mapping[str, str], listener: Listener) -> None:
        self._model, self._chosen, self._listener = model, chosen, listener
        self._handles: List[Any] = []
        self._modes: List[Tuple[torch.nn.Module, bool]] = []
        self._calls: Dict[str, int] = {}
        self._latest: Tuple[str, Any] = ("", None)

    def attach(self, train: Optional[bool]) -> None:
        """Sets the mode (``None``: leaves it) and places the hooks."""
        try:
            self._modes = [(m, m.training) for m in self._model.modules()]
            if train is not None:
                self._model.train(train)
            self._place()
        except BaseException:
            self.detach()
            raise

    def detach(self) -> None:
        """Removes the hooks and restores every module's mode."""
        for handle in self._handles:
            handle.remove()
        for module, training in self._modes:
            module.training = training
        self._handles, self._modes = [], []

    def _place(self) -> None:
        try:
            first = self._model.register_forward_pre_hook(self._begin, with_kwargs=True)
        except TypeError:  # PyTorch 1
            first = self._model.register_forward_pre_hook(lambda module, args: self._begin(module, args, {}))
        self._handles.append(first)
        modules = dict(self._model.named_modules())
        for name in self._chosen:
            if name:
                self._handles.append(modules[name].register_forward_hook(self._hook(name)))
        for name, module in modules.items() if "" in self._chosen else ():
            if kind_of(module) == "linear":
                self._handles.append(module.register_forward_hook(self._remember(name)))
        self._handles.append(self._model.register_forward_hook(self._end))

    def _begin(self, module: torch.nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        self._calls = {}
        self._listener.began(args, kwargs)

    def _hook(self, name: str) -> Callable[[torch.nn.Module, Any, Any], None]:
        def hook(module: torch.nn.Module, args: Any, output: Any) -> None:
            nth = self._calls.get(name, 0)
            self._calls[name] = nth + 1
            self._listener.ran(f"{name}:{nth}" if nth else name, self._chosen[name], output)

        return hook

    def _remember(self, name: str) -> Callable[[torch.nn.Module, Any, Any], None]:
        """Keeps the latest linear map's output, in case it is the model's own."""

        def hook(module: torch.nn.Module, args: Any, output: Any) -> None:
            self._latest = (name, output)

        return hook

    def _end(self, module: torch.nn.Module, args: Any, output: Any) -> None:
        if "" in self._chosen:
            # As in an ONNX file, the logits are named after the module that computes them, where one does.
            name, latest = self._latest
            own = bool(name) and any(tensor is latest for _, tensor in tensors(output))
            label, value = (name, latest) if own else ("logits", output)
            if label not in self._calls:
                self._listener.ran(label, "linear", value)
        self._latest = ("", None)
        self._listener.ended(output)
