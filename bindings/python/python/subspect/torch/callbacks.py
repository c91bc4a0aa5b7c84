"""Callbacks of trainers that record epochs: classes are made when asked for, so that no trainer is imported before."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Tuple

if TYPE_CHECKING:
    from .recorder import Recorder

__all__ = ["hugging_face", "lightning"]


def lightning(recorder: Recorder) -> Any:
    """For ``Trainer(callbacks=[...])`` of Lightning."""

    class SubspectCallback(_base(("lightning.pytorch", "pytorch_lightning"), "Callback")):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, module: Any) -> None:
            recorder.record_if_due(int(getattr(trainer, "current_epoch", 0)))

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            recorder.record_if_due(int(trainer.current_epoch) + 1)

    return SubspectCallback()


def hugging_face(recorder: Recorder) -> Any:
    """For ``Trainer(callbacks=[...])`` of Hugging Face."""

    class SubspectCallback(_base(("transformers",), "TrainerCallback")):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            recorder.record_if_due(round(state.epoch or 0))

        def on_epoch_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            recorder.record_if_due(round(state.epoch or 0))

    return SubspectCallback()


def _base(modules: Tuple[str, ...], name: str) -> type:
    """A trainer's own base class for callbacks; without the trainer, one whose other events do nothing."""
    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            continue

    class Events:
        def __getattr__(self, event: str) -> Any:
            if event.startswith("on_") or event in ("setup", "teardown"):
                return lambda *args, **named: None
            raise AttributeError(event)

    return Events
