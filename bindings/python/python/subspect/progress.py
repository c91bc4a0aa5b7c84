"""Progress of long work: a bar in terminal or notebook, or a callback.

Every function with ``progress`` takes ``False`` (nothing), ``True`` (a bar: tqdm's where it is installed, else one
line on stderr) or a function ``f(done, total)``, which may raise to stop the work.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional, Union

__all__: list[str] = []

#: ``False``, ``True`` or ``f(done, total)``.
Progress = Union[bool, Callable[[int, int], object]]
#: What the core calls: ``(kind, text, done, total)``.
Watcher = Callable[[str, str, int, int], object]


class _Line:
    """A bar on stderr, for want of tqdm."""

    def __init__(self, description: str) -> None:
        self.description = description
        self.shown = ""

    def name(self, description: str) -> None:
        self.description = description

    def show(self, done: int, total: int) -> None:
        share = f"{100 * done // total:3d} %" if total else f"{done}"
        text = f"{self.description}: {share}"
        if text != self.shown and sys.stderr.isatty():
            print(f"\r{text}", end="", file=sys.stderr, flush=True)
        self.shown = text

    def close(self) -> None:
        if self.shown:
            print(f"\r{self.shown}" if sys.stderr.isatty() else self.shown, file=sys.stderr)


class _Tqdm:
    """tqdm's bar, which knows whether it is in a notebook."""

    def __init__(self, tqdm: Any, description: str) -> None:
        self.bar = tqdm(desc=description, total=None, leave=True)

    def name(self, description: str) -> None:
        self.bar.set_description(description)

    def show(self, done: int, total: int) -> None:
        if total and self.bar.total != total:
            self.bar.reset(total=total)
        self.bar.n = done
        self.bar.refresh()

    def close(self) -> None:
        self.bar.close()


class Watch:
    """``with Watch(progress, "express") as watcher: core(..., watcher)``."""

    def __init__(self, progress: Progress, description: str) -> None:
        self.progress = progress
        self.description = description
        self.bar: Union[_Line, _Tqdm, None] = None

    def __enter__(self) -> Optional[Watcher]:
        if self.progress is False or self.progress is None:
            return None
        if callable(self.progress):
            call = self.progress
            return lambda kind, text, done, total: call(done, total)
        try:
            from tqdm.auto import tqdm
        except ImportError:
            self.bar = _Line(self.description)
        else:
            self.bar = _Tqdm(tqdm, self.description)
        return self._see

    def _see(self, kind: str, text: str, done: int, total: int) -> None:
        if self.bar is None:
            return
        if kind == "started":
            self.bar.name(text)
        elif kind == "warning":
            print(f"warning: {text}", file=sys.stderr)
        elif kind == "advanced":
            self.bar.show(done, total)

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()
