"""Values that may be undefined, and then say why.

Subspect returns no NaN. A number that cannot be computed (a graph without edges has no modularity) is
:class:`Undefined` with a status, spelled as in records, tables and on the page. In arrays such entries are masked
(``numpy.ma``); the array under the mask holds NaN, so that whoever drops the mask notices.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, Union

import numpy as np

from .errors import UndefinedError

__all__ = ["Measured", "Undefined", "is_defined"]


class Undefined:
    """No number, and why: ``status`` is ``n_too_small``, ``zero_variance``, ``empty_graph``, ``one_class``, ...

    It is false, equal only to itself, and refuses to be a float: test with ``subspect.is_defined(value)``.
    """

    __slots__ = ("status",)
    status: str

    def __init__(self, status: str) -> None:
        object.__setattr__(self, "status", str(status))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("an Undefined does not change")

    def __repr__(self) -> str:
        return f"Undefined({self.status!r})"

    def __str__(self) -> str:
        return self.status

    def __format__(self, spec: str) -> str:
        """The status, whatever the number format."""
        return self.status

    def __bool__(self) -> bool:
        return False

    def __float__(self) -> NoReturn:
        raise UndefinedError(f"expected a number, found none: {self.status}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined) and other.status == self.status

    def __hash__(self) -> int:
        return hash((Undefined, self.status))

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return Undefined, (self.status,)


#: A finite float, or an :class:`Undefined`.
Measured = Union[float, Undefined]


def is_defined(value: object) -> bool:
    """Whether ``value`` is a number and not an :class:`Undefined`."""
    return not isinstance(value, Undefined)


def column(parts: tuple[Any, Any, list[str]], shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """``(masked values, statuses)`` of what the core returns for many values; the status is "" where defined."""
    values, codes, names = parts
    statuses = np.array(["", *names], dtype=object)[codes]
    masked: Any = np.ma.MaskedArray(values, mask=codes != 0, fill_value=np.nan)
    return (masked, statuses) if shape is None else (masked.reshape(shape), statuses.reshape(shape))


def from_wire(item: dict[str, Any]) -> Any:
    """``{"value": v}`` as a float and ``{"status": s}`` as an :class:`Undefined`; other objects as they are."""
    if len(item) == 1:
        if "value" in item:
            return item["value"]
        if isinstance(item.get("status"), str):
            return Undefined(item["status"])
    return item


def loads(text: str | bytes) -> Any:
    """Reads JSON written by Subspect."""
    return json.loads(text, object_hook=from_wire)


def show(value: object, digits: int = 3) -> str:
    """A number with ``digits`` decimals, or the status."""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def nullable(pandas: Any, values: Any) -> Any:
    """A pandas column with NA where a masked array is masked."""
    masked = np.ma.asarray(values)
    mask = np.ma.getmaskarray(masked)
    return pandas.arrays.FloatingArray(np.where(mask, 0.0, masked.data).astype(np.float64), mask.copy())
