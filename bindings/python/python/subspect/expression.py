r"""Self-expression: every input of a layer written with a few of the others.

Row ``i`` of ``C`` (``N x N``, zero diagonal) solves ``min_c 1/2 ||x_i - X^T c||^2 + penalty(c)`` with ``c_i = 0``, on
rows of unit length unless told otherwise. ``subspect.methods()`` lists the problems with their sources.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Sequence

import numpy as np
import scipy.sparse as sp

from . import _core, edge, html
from .lists import method_info, problem
from .measured import Measured, column, nullable, show
from .progress import Progress, Watch

if TYPE_CHECKING:
    from .graph import AffinityGraph

__all__ = ["Certificates", "Dictionary", "Expression", "Path", "choose_alpha_ratio", "express", "express_path"]


@dataclass(frozen=True)
class Certificates:
    """What is known about every returned row, recomputed from its coefficients in float64.

    ``gap`` bounds how far from optimal a row can be (relative duality gap); entries that a method has not are masked.
    """

    status: np.ndarray
    primal: np.ma.MaskedArray
    dual: np.ma.MaskedArray
    gap: np.ma.MaskedArray
    kkt_violation: np.ma.MaskedArray
    n_iter: np.ndarray

    def __len__(self) -> int:
        return len(self.status)

    def to_numpy(self) -> np.ndarray:
        """A structured array; values that do not exist are NaN here."""
        names = ("primal", "dual", "gap", "kkt_violation")
        dtype = [("status", "U9"), *((name, "f8") for name in names), ("n_iter", "u4")]
        out = np.zeros(len(self), dtype=dtype)
        out["status"], out["n_iter"] = self.status, self.n_iter
        for name in names:
            out[name] = getattr(self, name).filled(np.nan)
        return out

    def to_pandas(self) -> Any:
        """A data frame, one row per input; values that do not exist are ``NA``."""
        import pandas as pd

        numbers = {name: nullable(pd, getattr(self, name)) for name in ("primal", "dual", "gap", "kkt_violation")}
        return pd.DataFrame({"status": self.status, **numbers, "n_iter": self.n_iter})


@dataclass(frozen=True)
class Expression:
    """Coefficients and what is known about them.

    ``coefficients`` is a SciPy CSR array in float64, ``N x N`` with zero diagonal (``Q x N`` out of sample): row ``i``
    expresses input ``i``. ``objective``, ``gap_max`` and ``gap_median`` are floats or ``Undefined``.
    """

    coefficients: sp.csr_array
    certificates: Certificates
    method: str
    parameters: dict[str, float]
    objective: Measured
    gap_max: Measured
    gap_median: Measured
    n_converged: int
    n_max_iter: int
    n_trivial: int
    #: Of an approximation: what was left out, and the error on the rows that were checked.
    approximation: dict[str, Any] | None = field(default=None, repr=False)

    @classmethod
    def _of(cls, found: dict[str, Any], question: tuple[Any, ...], approximation: Any = None) -> Expression:
        columns = {name: column(found[name])[0] for name in ("primal", "dual", "gap", "kkt_violation")}
        certificates = Certificates(status=np.array(found["status"], dtype="U9"), n_iter=found["n_iter"], **columns)
        kept = ("objective", "gap_max", "gap_median", "n_converged", "n_max_iter", "n_trivial")
        return cls(
            coefficients=edge.from_parts(found["coefficients"]),
            certificates=certificates,
            method=question[0],
            parameters=dict(question[1]),
            approximation=approximation,
            **{name: found[name] for name in kept},
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the coefficients."""
        return self.coefficients.shape

    @cached_property
    def graph(self) -> AffinityGraph:
        """The affinity graph ``|C| + |C|^T``."""
        from .graph import affinity

        return affinity(self)

    def to_scipy(self) -> sp.csr_array:
        """The coefficients."""
        return self.coefficients

    def to_pandas(self) -> Any:
        """The certificates as a data frame."""
        return self.certificates.to_pandas()

    def __repr__(self) -> str:
        n, m = self.shape
        share = f"{self.coefficients.nnz / max(n, 1):.1f} non-zeros per row"
        return f"<Expression {self.method}: {n} x {m}, {share}, {self.n_max_iter} rows not converged>"

    def _repr_html_(self) -> str:
        n = max(self.shape[0], 1)
        rows = [
            ("method", self.method + "".join(f", {k} = {v:g}" for k, v in self.parameters.items())),
            ("coefficients", f"{self.shape[0]} x {self.shape[1]}, {self.coefficients.nnz / n:.1f} non-zeros per row"),
            ("rows", f"{self.n_converged} converged, {self.n_max_iter} not, {self.n_trivial} zero by definition"),
            ("largest relative gap", f"{self.gap_max:.2e}"),
            ("objective", show(self.objective, 4)),
        ]
        return html.table(("", "expression"), rows)


class Dictionary:
    """The inputs of a layer, kept ready for any number of solves: unit rows, and their Gram matrix where it fits.

    ``memory`` bounds it ("4GiB" or bytes): above it only the rows are kept and correlations are computed in panels.
    ``method`` is what it is kept for: of layers about as wide as there are inputs, lasso and elastic net are several times
    faster with the Gram matrix in float64, too. Any method can be asked of any dictionary.
    """

    def __init__(
        self, X: Any, *, unit_rows: bool = True, memory: int | str = "4GiB", method: str | None = "lasso"
    ) -> None:
        exact = method is not None and method_info(method)["name"] in ("lasso", "elastic_net")
        self._core = _core.Dictionary(edge.matrix(X), bool(unit_rows), edge.n_bytes(memory), exact)

    @property
    def n_atoms(self) -> int:
        """Inputs that express."""
        return self._core.n_atoms

    @property
    def n_features(self) -> int:
        """Features of every input."""
        return self._core.n_features

    @property
    def memory_mode(self) -> str:
        """``gram`` or ``panels``."""
        return self._core.memory_mode

    @property
    def panel_height(self) -> int:
        """Rows that are solved together; blocks begin at multiples of it."""
        return self._core.panel_height

    def express(
        self,
        X: Any = None,
        method: str = "lasso",
        *,
        rows: tuple[int, int] | None = None,
        tol: float | None = None,
        max_iter: int | None = None,
        progress: Progress = False,
        **parameters: float | None,
    ) -> Expression:
        """Expresses the dictionary's inputs by one another, or the inputs ``X`` by all of them.

        ``rows=(start, end)`` solves one block of its inputs, bit by bit as the whole would: ``start`` is a multiple of
        :attr:`panel_height`, and so is ``end`` unless it is ``n_atoms``.
        """
        question = problem(method, parameters, tol, max_iter)
        with Watch(progress, "express") as watcher:
            if X is not None:
                found = self._core.solve_others(edge.matrix(X), question, watcher)
            elif rows is not None:
                found = self._core.solve_range(question, int(rows[0]), int(rows[1]), watcher)
            else:
                found = self._core.solve(question, watcher)
        return Expression._of(found, question)


def express(
    X: Any,
    method: str = "lasso",
    *,
    dictionary: Any = None,
    unit_rows: bool = True,
    tol: float | None = None,
    max_iter: int | None = None,
    memory: int | str = "4GiB",
    approximation: str | None = None,
    size: int | None = None,
    check_rows: int = 0,
    random_state: Any = 0,
    cluster: Any = None,
    progress: Progress = False,
    **parameters: float | None,
) -> Expression:
    """Expresses every input (row) of ``X`` by a few of the others.

    Parameters
    ----------
    X : array (n_inputs, n_features)
        Activations; NumPy, PyTorch, JAX, or anything with ``__dlpack__`` or ``__array__``. Further axes are flattened.
        Stored as float32; C-contiguous float32 is not copied.
    method : str
        A name of ``subspect.methods()``; its ``parameters`` (``alpha_ratio``, ``n_nonzero_coefs``, ...) go by name.
    dictionary : array or Dictionary, optional
        Express the inputs of ``X`` by these instead (out of sample); the result is ``Q x N``.
    unit_rows : bool
        Divide every input by its norm, so that layers of different width and scale compare.
    tol, max_iter : optional
        When a row has converged (relative duality gap), and rounds it may take.
    memory : int or str
        Budget for matrices: within it the Gram matrix is kept.
    approximation, size, check_rows
        A name of ``subspect.methods("approximations")`` and its size; ``check_rows`` rows are solved exactly to
        measure the error (``Expression.approximation``).
    cluster : optional
        Solve blocks of rows on a cluster: see :func:`subspect.distributed.express`.
    progress : bool or callable
        A bar, or ``f(done, total)``.

    Returns
    -------
    Expression
    """
    if cluster is not None:
        from .distributed import express as on_cluster

        options: dict[str, Any] = dict(unit_rows=unit_rows, tol=tol, max_iter=max_iter, memory=memory, progress=progress)
        return on_cluster(X, method, cluster=cluster, **{**options, **parameters})
    if approximation is not None:
        question = problem(method, parameters, tol, max_iter)
        with Watch(progress, "express") as watcher:
            found, record = _core.approximate(
                edge.matrix(X), bool(unit_rows), edge.n_bytes(memory), question, approximation, int(size or 0),
                int(check_rows), edge.seed(random_state), watcher,
            )
        return Expression._of(found, question, record)
    if dictionary is not None:
        if not isinstance(dictionary, Dictionary):
            dictionary = Dictionary(dictionary, unit_rows=unit_rows, memory=memory, method=None)
        outside = edge.matrix(X)
    else:
        dictionary, outside = Dictionary(X, unit_rows=unit_rows, memory=memory, method=method), None
    return dictionary.express(outside, method, tol=tol, max_iter=max_iter, progress=progress, **parameters)


@dataclass(frozen=True)
class Path:
    """One expression per ``alpha_ratio``, densest last, and a summary of each."""

    expressions: list[Expression]
    summaries: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.expressions)

    def __iter__(self) -> Any:
        return iter(self.expressions)

    def __getitem__(self, k: int) -> Expression:
        return self.expressions[k]

    @property
    def alpha_ratios(self) -> np.ndarray:
        """The grid, descending."""
        return np.array([s["alpha_ratio"] for s in self.summaries])

    def to_pandas(self) -> Any:
        """The summaries as a data frame."""
        import pandas as pd

        return pd.DataFrame(self.summaries)

    def _repr_html_(self) -> str:
        header = ("alpha_ratio", "non-zeros per row", "objective", "largest gap", "rounds per row")
        rows = [
            (f"{s['alpha_ratio']:.4g}", f"{s['nonzeros_per_row']:.1f}", show(s["objective"], 3),
             f"{s['gap_max']:.1e}", f"{s['rounds_per_row']:.1f}")
            for s in self.summaries
        ]
        return html.table(header, rows)


def express_path(
    X: Any,
    alpha_ratios: Sequence[float] | int = 12,
    method: str = "lasso",
    *,
    unit_rows: bool = True,
    tol: float | None = None,
    max_iter: int | None = None,
    memory: int | str = "4GiB",
    progress: Progress = False,
    **parameters: float | None,
) -> Path:
    """Expresses every input at a whole grid of ``alpha_ratio``, with warm starts along it.

    ``alpha_ratios`` is the grid, or the number of its points from 0.5 down to 0.01. Only for methods with an alpha.
    """
    grid = _core.log_grid(0.5, 0.01, alpha_ratios) if isinstance(alpha_ratios, int) else list(map(float, alpha_ratios))
    question = problem(method, parameters, tol, max_iter)
    dictionary = X if isinstance(X, Dictionary) else Dictionary(X, unit_rows=unit_rows, memory=memory, method=method)
    with Watch(progress, "path") as watcher:
        points = dictionary._core.path(question, grid, watcher)
    expressions, summaries = [], []
    for found, summary in points:
        here = (question[0], {**question[1], "alpha_ratio": summary["alpha_ratio"]})
        expressions.append(Expression._of(found, here))
        summaries.append(summary)
    return Path(expressions, summaries)


def choose_alpha_ratio(
    X: Any,
    nonzeros_per_row: float,
    method: str = "lasso",
    *,
    tolerance: float = 0.02,
    unit_rows: bool = True,
    memory: int | str = "4GiB",
    progress: Progress = False,
    **parameters: float | None,
) -> dict[str, Any]:
    """The ``alpha_ratio`` at which rows have so many non-zeros on average, and what is known about it.

    The result holds ``alpha_ratio``, ``nonzeros_per_row``, ``objective`` and ``met``: whether the density is within
    ``tolerance`` of what was wanted; not so where the inputs cannot give it.
    """
    question = problem(method, parameters, None, None)
    dictionary = X if isinstance(X, Dictionary) else Dictionary(X, unit_rows=unit_rows, memory=memory, method=method)
    grid = _core.log_grid(0.5, 0.01, 6)
    with Watch(progress, "density") as watcher:
        chosen, met, _ = dictionary._core.choose_density(
            question, float(nonzeros_per_row), float(tolerance), grid, watcher
        )
    return {**chosen, "met": met}
