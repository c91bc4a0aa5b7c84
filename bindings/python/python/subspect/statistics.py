"""What chance alone would give, and how far a value can be trusted: nulls, intervals, paired tests, many tests at once.

Everything is seeded (``random_state``, 0 by default) and independent of the number of threads. What cannot be computed is
an ``Undefined``, also where it was among the values given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np

from . import _core, edge
from .errors import ParameterError, ShapeError
from .measured import Measured, Undefined, column

__all__ = [
    "Interval", "Null", "PairedTest", "RankCorrelation", "adjust", "kendall", "max_t", "mcnemar", "mean_interval", "null",
    "sign_flip", "spearman", "wilson",
]


@dataclass(frozen=True)
class Null:
    """A value under permutations, and where the observed one stands in it."""

    n_permutations: int
    mean: Measured
    sd: Measured
    #: 2.5 % quantile.
    lo: Measured
    #: 97.5 % quantile.
    hi: Measured
    #: (observed - mean) / sd.
    z: Measured
    #: (1 + #{draws at least as extreme}) / (1 + permutations).
    p: Measured


@dataclass(frozen=True)
class Interval:
    """A range that would hold the value of other inputs of the same kind with chance ``level``."""

    lo: Measured
    hi: Measured
    level: float
    method: str
    #: 0 for a closed form.
    n_resamples: int


@dataclass(frozen=True)
class PairedTest:
    """Two values of the same inputs: the mean difference (first minus second) and its two-sided p."""

    difference: Measured
    p: Measured
    #: Sign patterns or permutations behind p; 0 for a closed form.
    n_permutations: int


@dataclass(frozen=True)
class RankCorrelation:
    """A rank correlation in -1..1 and the two-sided p of its permutations."""

    value: Measured
    p: Measured
    n_permutations: int


def _numbers(values: Any, name: str) -> list[float]:
    found = edge.array(values)
    if found.ndim != 1:
        raise ShapeError(f"{name}: expected one axis, found shape {found.shape}")
    return found.astype(np.float64).tolist()


def _pair(x: Any, y: Any) -> tuple[Any, Any]:
    if len(x) != len(y):
        raise ShapeError(f"expected as many values on both sides, found {len(x)} and {len(y)}")
    return x, y


def _count(value: int, name: str) -> int:
    if int(value) < 0:
        raise ParameterError(f"`{name}` must be a whole number of at least 0, found {value}")
    return int(value)


def _scalars(parts: Any) -> list[Measured]:
    values, statuses = column(parts)
    return [Undefined(s) if s else float(v) for v, s in zip(values.data, statuses)]


def adjust(p: Sequence[Measured], method: str = "holm") -> list[Measured]:
    """p values adjusted for their number, in the order given.

    ``method``: ``holm`` (the chance of any false finding; Holm 1979) or ``benjamini_hochberg`` (the share of false
    findings; 1995). Undefined ones stay undefined and do not count.
    """
    given = [v for v in p if not isinstance(v, Undefined)]
    found = iter(_scalars(_core.adjust([float(v) for v in given], str(method).replace("-", "_"))))
    return [v if isinstance(v, Undefined) else next(found) for v in p]


def max_t(observed: Sequence[Measured], draws: Sequence[Any]) -> list[Measured]:
    """Familywise p values by the step-down max-T of Westfall & Young (1993).

    ``observed``: one standardised value per test, large ones extreme. ``draws[t]``: the draws of test ``t``, draw ``r`` of
    every test from the same permutation, standardised in the same way.
    """
    _pair(observed, draws)
    kept = [k for k, v in enumerate(observed) if not isinstance(v, Undefined)]
    rows = [_numbers(draws[k], f"draws[{k}]") for k in kept]
    if len({len(row) for row in rows}) > 1:
        raise ShapeError(f"draws: expected as many of every test, found {sorted({len(row) for row in rows})}")
    found = iter(_scalars(_core.max_t([float(observed[k]) for k in kept], rows)))
    return [v if isinstance(v, Undefined) else next(found) for v in observed]


def null(observed: Measured, draws: Any, tail: str = "upper") -> Null:
    """Where ``observed`` stands among ``draws`` made by permuting. ``tail``: which are extreme, ``upper``, ``lower``, ``both``."""
    if isinstance(observed, Undefined):
        return Null(len(draws), observed, observed, observed, observed, observed, observed)
    return Null(**_core.null(float(observed), _numbers(draws, "draws"), tail))


def sign_flip(differences: Any, *, n_permutations: int = 9999, random_state: Any = 0) -> PairedTest:
    """Two-sided sign-flip test that the mean of paired differences is 0; exact up to 14 of them."""
    found = _numbers(differences, "differences")
    return PairedTest(**_core.sign_flip(found, _count(n_permutations, "n_permutations"), edge.seed(random_state)))


def mcnemar(first: Any, second: Any) -> PairedTest:
    """McNemar's exact test of two answers (right or wrong) to the same inputs: is one more often right?"""
    a, b = _pair(edge.array(first).astype(bool).tolist(), edge.array(second).astype(bool).tolist())
    return PairedTest(**_core.mcnemar(a, b))


def spearman(x: Any, y: Any, *, n_permutations: int = 9999, random_state: Any = 0) -> RankCorrelation:
    """Spearman's rho of two values of the same layers or epochs."""
    return _correlation("spearman", x, y, n_permutations, random_state)


def kendall(x: Any, y: Any, *, n_permutations: int = 9999, random_state: Any = 0) -> RankCorrelation:
    """Kendall's tau-b of two values of the same layers or epochs."""
    return _correlation("kendall", x, y, n_permutations, random_state)


def _correlation(name: str, x: Any, y: Any, n_permutations: int, random_state: Any) -> RankCorrelation:
    a, b = _pair(_numbers(x, "x"), _numbers(y, "y"))
    n = _count(n_permutations, "n_permutations")
    return RankCorrelation(**_core.rank_correlation(name, a, b, n, edge.seed(random_state)))


def mean_interval(values: Any, *, level: float = 0.95, n_resamples: int = 1000, random_state: Any = 0) -> Interval:
    """BCa bootstrap interval of the mean over inputs."""
    n = _count(n_resamples, "n_resamples")
    return Interval(**_core.mean_interval(_numbers(values, "values"), n, float(level), edge.seed(random_state)))


def wilson(n_true: int, n: int, *, level: float = 0.95) -> Interval:
    """Wilson's interval of a share, such as an accuracy of ``n_true`` among ``n`` inputs."""
    return Interval(**_core.wilson(_count(n_true, "n_true"), _count(n, "n"), float(level)))
