"""Exceptions by kind. Every message says what was expected, what was found, where, and how to mend it.

All derive from :class:`SubspectError` and from the built-in exception that code without Subspect in mind would catch.
"""

from __future__ import annotations

__all__ = [
    "CancelledError", "GraphError", "MethodError", "NetworkError", "NotFiniteError", "ParameterError", "ShapeError",
    "StoreError", "SubspectError", "UndefinedError",
]


class SubspectError(Exception):
    """Anything that Subspect refuses."""


class ShapeError(SubspectError, ValueError):
    """Arrays that do not fit together, or do not have the wanted number of axes."""


class NotFiniteError(SubspectError, ValueError):
    """A NaN or an infinity among activations."""


class MethodError(SubspectError, ValueError):
    """A method that does not exist, or cannot do what was asked of it."""


class ParameterError(SubspectError, ValueError):
    """A parameter that does not exist, or cannot have its value."""


class GraphError(SubspectError, ValueError):
    """A matrix that is no affinity graph: not symmetric, with loops, or with negative entries."""


class StoreError(SubspectError, OSError):
    """A file or folder that cannot be read, written, or understood."""


class NetworkError(SubspectError, ValueError):
    """A network that cannot be loaded, run, or selected from."""


class UndefinedError(SubspectError, ValueError):
    """A number was wanted where there is none; see :class:`subspect.Undefined`."""


class CancelledError(SubspectError, RuntimeError):
    """Work that was stopped from elsewhere."""
