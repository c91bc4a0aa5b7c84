"""When layers settle, and whether the shallower do first: one entry of a training's record, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import html
from .errors import ParameterError
from .measured import Measured, Undefined, nullable, show

__all__ = ["Estimate", "OrderTest", "Settling"]

#: How a settling epoch is written where the recorded epochs only bound it.
_BOUND = {"no": "", "by_first": "≤ ", "at_last": "≥ ", "mixed": "~ "}


@dataclass(frozen=True)
class Estimate:
    """A value with its interval."""

    value: Measured
    lo: Measured
    hi: Measured

    def __str__(self) -> str:
        return f"{show(self.value)} ({show(self.lo)} to {show(self.hi)})"


@dataclass(frozen=True)
class OrderTest:
    """Rank correlation of depth with settling epoch: positive where shallower layers settle first."""

    spearman: Estimate
    #: Two-sided permutation p of rho.
    spearman_p: Measured
    #: tau-b.
    kendall: Estimate
    kendall_p: Measured
    #: Layers with a settling epoch; of these, settled by the first epoch, and not settled before the last.
    n_layers: int
    n_by_first: int
    n_at_last: int
    #: Orders of the layers behind p, and whether these are all that there are.
    n_permutations: int
    exact: bool
    #: ``shallower_first``, ``deeper_first`` or ``cannot_tell``.
    verdict: str
    #: The same as a sentence, with number, interval and p.
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Settling:
    """The epoch from which on each layer's similarity to its final state stays at the threshold or above.

    ``epochs``, ``lo`` and ``hi`` are masked where undefined. ``censored`` says, layer by layer, whether the recorded epochs
    hold that moment: ``no`` (they do), ``by_first`` (settled by the first epoch, or earlier), ``at_last`` (not before the
    last) or ``mixed`` (over seeds of which some are censored). A censored epoch is a bound.
    """

    measure: str
    estimator: str
    threshold: float
    level: float
    #: What intervals are over: ``inputs`` or ``seeds``.
    over: str
    layers: list[str]
    epochs: np.ma.MaskedArray
    lo: np.ma.MaskedArray
    hi: np.ma.MaskedArray
    censored: list[str]
    order: OrderTest

    def __getitem__(self, layer: str) -> Measured:
        """Settling epoch of a layer."""
        if layer not in self.layers:
            raise ParameterError(f"no layer is called {layer!r}: there are {', '.join(self.layers)}")
        value = self.epochs[self.layers.index(layer)]
        return Undefined("undefined") if value is np.ma.masked else float(value)

    def to_pandas(self) -> Any:
        """One row per layer, shallowest first; ``NA`` where undefined."""
        import pandas as pd

        columns = {name: nullable(pd, getattr(self, name)) for name in ("epochs", "lo", "hi")}
        frame = pd.DataFrame({**columns, "censored": self.censored}, index=pd.Index(self.layers, name="layer"))
        return frame.rename(columns={"epochs": "epoch"})

    def plot(self, **options: Any) -> Any:
        """:func:`subspect.plot_settling` of it."""
        from .plot import plot_settling

        return plot_settling(self, **options)

    def __repr__(self) -> str:
        return f"<Settling of {len(self.layers)} layers by {self.measure} ({self.estimator}), intervals over {self.over}>"

    def _repr_html_(self) -> str:
        rows = [(layer, *cells(self, k)) for k, layer in enumerate(self.layers)]
        head = ("layer", f"settles, {self.measure}", f"{100 * self.level:.0f} % over {self.over}")
        return html.table(head, rows, self.order.sentence)


def cells(found: Settling, k: int) -> tuple[str, str]:
    """Epoch and interval of layer ``k`` as text."""
    epoch, lo, hi = found.epochs[k], found.lo[k], found.hi[k]
    value = "undefined" if epoch is np.ma.masked else f"{_BOUND[found.censored[k]]}{epoch:.1f}"
    return value, "" if lo is np.ma.masked or hi is np.ma.masked else f"{lo:.1f} to {hi:.1f}"


def estimate(wire: dict[str, Any]) -> Estimate:
    """From the record."""
    return Estimate(wire["value"], wire["lo"], wire["hi"])


def settling(wire: dict[str, Any], layers: list[str], threshold: float, level: float) -> Settling:
    """An entry of the record."""
    order = dict(wire["order"])
    order.update({name: estimate(order[name]) for name in ("spearman", "kendall")})
    columns = {name: masked([layer[name] for layer in wire["layers"]]) for name in ("epoch", "lo", "hi")}
    return Settling(
        wire["measure"], wire["estimator"], threshold, level, wire["over"], layers, columns["epoch"], columns["lo"],
        columns["hi"], [layer["censored"] for layer in wire["layers"]], OrderTest(**order),
    )


def masked(values: list[Any]) -> np.ma.MaskedArray:
    """Measured values (nested lists allowed) as an array, NaN under the mask."""
    found = np.array(_plain(values), dtype=np.float64)
    return np.ma.MaskedArray(found, mask=np.isnan(found), fill_value=np.nan)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value if isinstance(value, (int, float)) else np.nan
