r"""Affinity graphs of layers, and every question one can ask them.

A layer's coefficients ``C`` become the undirected graph ``A = |C| + |C|^T`` between its inputs. Functions here take an
:class:`AffinityGraph`, an :class:`~subspect.Expression`, or a symmetric SciPy matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

import numpy as np
import scipy.sparse as sp

from . import _core, edge, html
from .errors import ParameterError, ShapeError
from .expression import Expression
from .lists import all_lists
from .measured import Measured, Undefined, column, show
from .statistics import Interval, Null

__all__ = [
    "AffinityGraph", "Clustering", "Communities", "Difference", "Measures", "Neighbors", "Votes", "affinity",
    "class_affinity", "leiden", "measures", "modularity", "modularity_by_class", "modularity_difference",
    "modularity_interval", "modularity_null", "neighbors", "spectral", "vote", "vote_outside",
]


class AffinityGraph:
    """An undirected weighted graph between the inputs of one layer, with the coefficients that it was made from.

    Made by :func:`affinity`, or as :attr:`Expression.graph <subspect.Expression.graph>`.
    """

    def __init__(self, core: Any) -> None:
        self._core = core

    @property
    def n_nodes(self) -> int:
        """Inputs, isolated ones included."""
        return self._core.n_nodes

    @property
    def n_edges(self) -> int:
        """Undirected edges."""
        return self._core.n_edges

    @property
    def degrees(self) -> np.ndarray:
        """Sum of every input's affinities."""
        return self._core.degrees()

    @property
    def isolated(self) -> np.ndarray:
        """Inputs without any edge."""
        return self._core.isolated()

    @property
    def components(self) -> np.ndarray:
        """Connected component of every input."""
        return self._core.components()

    def to_scipy(self) -> sp.csr_array:
        """The symmetric matrix ``A`` (float32)."""
        return edge.from_parts(self._core.adjacency())

    def to_networkx(self) -> Any:
        """A ``networkx.Graph`` with edge attribute ``weight``."""
        import networkx as nx

        return nx.from_scipy_sparse_array(self.to_scipy(), edge_attribute="weight")

    def to_igraph(self) -> Any:
        """An ``igraph.Graph`` with edge attribute ``weight``."""
        import igraph

        upper = sp.triu(self.to_scipy(), k=1).tocoo()
        edges = np.column_stack([upper.row, upper.col]).tolist()
        graph = igraph.Graph(n=self.n_nodes, edges=edges)
        graph.es["weight"] = upper.data.astype(float).tolist()
        return graph

    def to_pandas(self) -> Any:
        """Edges as a data frame: ``source < target`` and ``affinity``."""
        import pandas as pd

        upper = sp.triu(self.to_scipy(), k=1).tocoo()
        return pd.DataFrame({"source": upper.row, "target": upper.col, "affinity": upper.data})

    def __repr__(self) -> str:
        return f"<AffinityGraph of {self.n_nodes} inputs, {self.n_edges} edges>"

    def _repr_html_(self) -> str:
        degrees = self.degrees
        rows = [
            ("inputs", self.n_nodes), ("edges", self.n_edges), ("without an edge", len(self.isolated)),
            ("mean degree", f"{degrees.mean():.3f}" if len(degrees) else "n_too_small"),
            ("connected components", int(self.components.max()) + 1 if self.n_nodes else 0),
        ]
        return html.table(("affinity graph", ""), rows)


def affinity(coefficients: Any, postprocess: str = "none", **parameters: float) -> AffinityGraph:
    """The affinity graph ``|C| + |C|^T`` of coefficients (an Expression, or a square matrix with zero diagonal).

    ``postprocess`` is a name of ``subspect.methods("postprocesses")``: what is done to ``|C|`` first.
    """
    found = coefficients.coefficients if isinstance(coefficients, Expression) else coefficients
    numbers = {name: float(value) for name, value in parameters.items()}
    return AffinityGraph(_core.Graph.from_coefficients(edge.csr_parts(found), postprocess, numbers))


def as_graph(graph: Any) -> AffinityGraph:
    """Whatever stands for an affinity graph."""
    if isinstance(graph, AffinityGraph):
        return graph
    if isinstance(graph, Expression):
        return graph.graph
    if sp.issparse(graph) or hasattr(graph, "__array__"):
        return AffinityGraph(_core.Graph.from_adjacency(edge.csr_parts(graph, "graph")))
    raise TypeError(f"expected an AffinityGraph, an Expression or a symmetric matrix, found {type(graph).__name__}")


def _resolution(value: float) -> float:
    if not (np.isfinite(value) and value >= 0):
        raise ParameterError(f"`resolution` must be 0 or more, found {value}")
    return float(value)


def modularity(graph: Any, labels: Any, *, resolution: float = 1.0) -> Measured:
    """Modularity of the classes: how much more affinity stays within them than the degrees alone would give.

    ``Q = 1/(2m) sum_ij (A_ij - resolution k_i k_j / 2m) [p_i = p_j]`` (Newman & Girvan 2004). Undefined for a graph
    without edges and for one class.
    """
    return as_graph(graph)._core.modularity(edge.Classes(labels).parts, _resolution(resolution))


def modularity_null(
    graph: Any, labels: Any, *, n_permutations: int = 199, resolution: float = 1.0, random_state: Any = 0
) -> Null:
    """What permuted labels give on the same graph: the band within which a modularity means nothing."""
    parts = edge.Classes(labels).parts
    found = as_graph(graph)._core.modularity_null(
        parts, _resolution(resolution), int(n_permutations), edge.seed(random_state)
    )
    return Null(**found)


class Measures(dict):
    """Values by name, floats or ``Undefined``."""

    def to_pandas(self) -> Any:
        """A data frame with value, status and meaning of every measure."""
        import pandas as pd

        meaning = {m["name"]: m["summary"] for m in all_lists()["measures"]}
        rows = [
            {"measure": k, "value": v if isinstance(v, float) else None, "status": "" if isinstance(v, float) else v.status,
             "meaning": meaning.get(k, "")}
            for k, v in self.items()
        ]
        return pd.DataFrame(rows).set_index("measure")

    def _repr_html_(self) -> str:
        meaning = {m["name"]: m["summary"] for m in all_lists()["measures"]}
        return html.table(("measure", "value", "meaning"), [(k, show(v, 4), meaning.get(k, "")) for k, v in self.items()])


def measures(graph: Any, labels: Any = None, predictions: Any = None, *, resolution: float = 1.0) -> Measures:
    """Every measure of ``subspect.methods("measures")``: class structure, votes, sparsity.

    Row-wise measures (``sre``, ``one_class_rows``, ...) read the coefficients that the graph was made from; a matrix
    that is given as a graph stands for them itself.
    """
    core = as_graph(graph)._core
    classes = None if labels is None else edge.Classes(labels, predictions)
    given = None if classes is None else classes.parts
    chosen = classes.other.tolist() if classes is not None and classes.other is not None else None
    found = core.measures(given, chosen, _resolution(resolution))
    return Measures((m["name"], found[m["name"]]) for m in all_lists()["measures"])


@dataclass(frozen=True)
class Votes:
    """The class that every input's neighbours speak for; masked where there is no neighbour."""

    #: Label of the heaviest class, masked for isolated inputs.
    labels: np.ma.MaskedArray
    #: Share of every class (columns, in the order of ``classes``); rows sum to 1, or are 0 for isolated inputs.
    class_affinity: np.ndarray
    classes: np.ndarray

    def agreement(self, labels: Any) -> float:
        """Share of all inputs whose vote is this label; inputs without a vote count as different."""
        found = edge.array(labels)
        if found.shape != self.labels.shape:
            raise ShapeError(f"labels: expected {len(self.labels)}, one per vote, found shape {found.shape}")
        same: Any = self.labels == found
        return float(np.mean(same.filled(False)))

    def to_pandas(self) -> Any:
        """Vote and class shares as a data frame."""
        import pandas as pd

        frame = pd.DataFrame(self.class_affinity, columns=[str(c) for c in self.classes])
        frame.insert(0, "vote", pd.Series(self.labels.tolist(), dtype=object))
        return frame


def vote(graph: Any, labels: Any) -> Votes:
    """The affinity vote ("SSC prediction") of every input.

    With an out-of-sample Expression (``Q x N``) or a matrix of that shape, ``labels`` are those of the ``N`` inputs that
    express, and the votes those of the ``Q``.
    """
    classes = edge.Classes(labels)
    shape = graph.shape if isinstance(graph, Expression) or sp.issparse(graph) else None
    if shape is not None and shape[0] != shape[1]:
        if shape[1] != len(classes.indices):
            raise ShapeError(f"labels: expected {shape[1]}, one per column, found {len(classes.indices)}")
        matrix = graph.coefficients if isinstance(graph, Expression) else graph
        return _votes(_core.vote_outside(edge.csr_parts(matrix), classes.parts), classes)
    return _votes(as_graph(graph)._core.votes(classes.parts), classes)


def vote_outside(coefficients: Any, labels: Any) -> Votes:
    """Votes for inputs outside the graph, which ``coefficients`` (``Q x N``, also when ``Q = N``) express over it."""
    classes = edge.Classes(labels)
    matrix = coefficients.coefficients if isinstance(coefficients, Expression) else coefficients
    return _votes(_core.vote_outside(edge.csr_parts(matrix), classes.parts), classes)


def _votes(found: tuple[np.ndarray, np.ndarray], classes: edge.Classes) -> Votes:
    chosen, shares = found
    return Votes(classes.of(chosen), shares, classes.names)


@dataclass(frozen=True)
class Neighbors:
    """The neighbours of one input, strongest affinity first."""

    input: int
    inputs: np.ndarray
    #: ``A_ij``.
    affinities: np.ndarray
    #: ``C_ij``: the neighbour's weight in the input's own expression.
    coefficients: np.ndarray
    #: ``C_ji``: the input's weight in the neighbour's expression.
    reverse_coefficients: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[int]:
        return iter(self.inputs.tolist())

    def to_pandas(self) -> Any:
        """A data frame, one neighbour per row."""
        import pandas as pd

        return pd.DataFrame({
            "input": self.inputs, "affinity": self.affinities, "coefficient": self.coefficients,
            "reverse_coefficient": self.reverse_coefficients,
        })

    def _repr_html_(self) -> str:
        rows = zip(self.inputs, self.affinities, self.coefficients, self.reverse_coefficients)
        shown = [(int(i), f"{a:.4f}", f"{c:+.4f}", f"{r:+.4f}") for i, a, c, r in rows]
        return html.table(("neighbour", "affinity", "C_ij", "C_ji"), shown, f"neighbours of input {self.input}")


def neighbors(graph: Any, i: int, n_neighbors: int = 10) -> Neighbors:
    """The ``n_neighbors`` strongest neighbours of input ``i``."""
    core = as_graph(graph)._core
    if not 0 <= i < core.n_nodes:
        raise ParameterError(f"expected an input below {core.n_nodes}, found {i}")
    return Neighbors(int(i), *core.neighbours(int(i), int(n_neighbors)))


@dataclass(frozen=True)
class Clustering:
    """Clusters of a graph's inputs. ``status`` is ``converged``, or why they are not quite what was asked for."""

    labels: np.ndarray
    n_clusters: int
    eigenvalues: np.ndarray
    n_converged: int
    n_components: int
    n_unplaced: int
    inertia: Measured
    status: str

    def __repr__(self) -> str:
        return f"<Clustering: {self.n_clusters} clusters of {len(self.labels)} inputs, {self.status}>"

    def _repr_html_(self) -> str:
        sizes = ", ".join(map(str, np.bincount(self.labels))) if len(self.labels) else ""
        rows = [("clusters", self.n_clusters), ("sizes", sizes), ("components", self.n_components), ("status", self.status)]
        return html.table(("spectral clustering", ""), rows)


def spectral(
    graph: Any,
    n_clusters: int,
    *,
    embedding: str = "unit_rows",
    min_component: int = 2,
    n_init: int = 20,
    random_state: Any = 0,
) -> Clustering:
    """Cuts the graph into ``n_clusters`` (Ng, Jordan & Weiss 2001): eigenvectors of the normalised Laplacian, k-means.

    ``embedding``: ``unit_rows`` or ``random_walk``; components below ``min_component`` inputs take no part.
    """
    if int(n_clusters) < 1:
        raise ParameterError(f"`n_clusters` must be a whole number of at least 1, found {n_clusters}")
    core = as_graph(graph)._core
    seed = edge.seed(random_state)
    return Clustering(**core.spectral(int(n_clusters), embedding, int(min_component), int(n_init), seed))


@dataclass(frozen=True)
class Communities:
    """Detected communities. ``qualities`` holds what every search reached: their spread says how sure the best is."""

    labels: np.ndarray
    n_clusters: int
    quality: Measured
    resolution: float
    n_iterations: int
    qualities: np.ma.MaskedArray
    status: str

    def __repr__(self) -> str:
        return f"<Communities: {self.n_clusters} of {len(self.labels)} inputs, quality {show(self.quality, 4)}, {self.status}>"

    def _repr_html_(self) -> str:
        sizes = np.sort(np.bincount(self.labels))[::-1] if len(self.labels) else np.array([], dtype=int)
        shown = ", ".join(map(str, sizes[:12])) + (", ..." if len(sizes) > 12 else "")
        rows = [("communities", self.n_clusters), ("sizes", shown), ("quality", show(self.quality, 4)), ("status", self.status)]
        return html.table(("Leiden", ""), rows)


def leiden(
    graph: Any,
    *,
    quality: str = "modularity",
    resolution: float | None = None,
    theta: float = 0.05,
    n_iterations: int = 100,
    n_seeds: int = 10,
    random_state: Any = 0,
) -> Communities:
    """Communities by the Leiden algorithm (Traag, Waltman & van Eck 2019): the best of ``n_seeds`` searches.

    ``quality``: ``modularity`` or ``cpm``. ``resolution``: larger values give more and smaller communities; by default 1,
    with ``cpm`` the mean affinity of all pairs. Compare with labels by :func:`subspect.agreement`.
    """
    for name, value in (("n_iterations", n_iterations), ("n_seeds", n_seeds)):
        if int(value) < 1:
            raise ParameterError(f"`{name}` must be a whole number of at least 1, found {value}")
    found = as_graph(graph)._core.leiden(
        quality, None if resolution is None else float(resolution), float(theta), int(n_iterations), int(n_seeds),
        edge.seed(random_state),
    )
    return Communities(**{**found, "qualities": column(found["qualities"])[0]})


def modularity_interval(
    graph: Any, labels: Any, *, level: float = 0.95, n_resamples: int = 1000, resolution: float = 1.0,
    random_state: Any = 0,
) -> Interval:
    """How far the modularity depends on which inputs were drawn: a bootstrap over inputs."""
    found = as_graph(graph)._core.modularity_interval(
        edge.Classes(labels).parts, _resolution(resolution), int(n_resamples), float(level), edge.seed(random_state)
    )
    return Interval(**found)


@dataclass(frozen=True)
class Difference:
    """A value of one graph minus that of another over the same inputs: its interval, and the two-sided p that it is 0."""

    value: Measured
    interval: Interval
    p: Measured


def modularity_difference(
    first: Any, second: Any, labels: Any, *, level: float = 0.95, n_resamples: int = 1000, resolution: float = 1.0,
    random_state: Any = 0,
) -> Difference:
    """How much larger the modularity of the first graph is: the same inputs are resampled in both (a paired test).

    For two votes see :func:`subspect.statistics.mcnemar`.
    """
    found = as_graph(first)._core.modularity_difference(
        as_graph(second)._core, edge.Classes(labels).parts, _resolution(resolution), int(n_resamples), float(level),
        edge.seed(random_state),
    )
    return Difference(found.pop("value"), p=found.pop("p"), interval=Interval(**found))


def modularity_by_class(graph: Any, labels: Any, *, resolution: float = 1.0) -> dict[Any, Measured]:
    """The term of every class; their sum is the modularity."""
    classes = edge.Classes(labels)
    found = as_graph(graph)._core.modularity_by_class(classes.parts, _resolution(resolution))
    values, statuses = column(found)
    measured = [Undefined(s) if s else float(v) for v, s in zip(values.data, statuses)]
    return dict(zip(classes.names.tolist(), measured))


def class_affinity(graph: Any, labels: Any) -> np.ndarray:
    """Share of the affinity of every class (row) that goes to every class (column); classes in ascending order."""
    return as_graph(graph)._core.class_affinity(edge.Classes(labels).parts)
