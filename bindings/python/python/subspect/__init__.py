"""Subspect: what has this network learned, layer by layer?

Capture every layer's activations for a set of inputs, express each input by a few of the others, and read answers from
the graphs that result: how much class structure a layer holds, which layers do the same work, why one input was
classified as it was.

    import subspect
    graph = subspect.express(X).graph              # X: activations of one layer, inputs x features
    subspect.modularity(graph, labels)

``subspect.torch`` captures PyTorch models, ``subspect.sklearn`` has estimators, ``subspect.distributed`` uses a cluster.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import _core, statistics
from .comparison import Comparison, compare
from .dynamics import Curves, Dynamics, dynamics
from .errors import (
    CancelledError, GraphError, MethodError, NetworkError, NotFiniteError, ParameterError, ShapeError, StoreError,
    SubspectError, UndefinedError,
)
from .expression import Certificates, Dictionary, Expression, Path, choose_alpha_ratio, express, express_path
from .graph import (
    AffinityGraph, Clustering, Communities, Difference, Measures, Neighbors, Votes, affinity, class_affinity, leiden,
    measures, modularity, modularity_by_class, modularity_difference, modularity_interval, modularity_null, neighbors,
    spectral, vote, vote_outside,
)
from .inference import SimilarityInference, similarity_inference
from .lists import methods
from .measured import Measured, Undefined, is_defined
from .plot import plot_class_affinity, plot_dynamics, plot_modularity, plot_settling, plot_similarity, plot_votes
from .ranking import Ranking, rank
from .run import LayerResult, Run, analyze, capture, layers, report
from .settling import Estimate, OrderTest, Settling
from .similarity import (
    SimilarityMatrix, agreement, best_matching, cka, hsic, linear_cka, similarity, similarity_between, similarity_matrix,
    ssc_cka,
)
from .statistics import Interval, Null, adjust
from .store import ActivationStore, write_store

__version__: str = _core.__version__
set_num_threads = _core.set_num_threads
get_num_threads = _core.get_num_threads

__all__ = [
    "ActivationStore", "AffinityGraph", "CancelledError", "Certificates", "Clustering", "Communities", "Comparison",
    "Curves", "Dictionary", "Difference", "Dynamics", "Estimate", "Expression", "GraphError", "Interval",
    "LayerResult", "Measured", "Measures", "MethodError", "Neighbors", "NetworkError", "NotFiniteError", "Null",
    "OrderTest", "ParameterError", "Path", "Ranking", "Run", "Settling", "ShapeError", "SimilarityInference",
    "SimilarityMatrix", "StoreError", "SubspectError", "Undefined", "UndefinedError", "Votes", "adjust", "affinity",
    "agreement", "analyze", "best_matching", "capture", "choose_alpha_ratio", "cka", "class_affinity", "compare",
    "dynamics", "express", "express_path", "get_num_threads", "hsic", "is_defined", "layers", "leiden",
    "linear_cka", "measures", "methods", "modularity", "modularity_by_class", "modularity_difference",
    "modularity_interval", "modularity_null", "neighbors", "plot_class_affinity", "plot_dynamics",
    "plot_modularity", "plot_settling", "plot_similarity", "plot_votes", "rank", "report", "set_num_threads",
    "similarity", "similarity_between", "similarity_inference", "similarity_matrix", "spectral", "ssc_cka",
    "statistics", "vote", "vote_outside", "write_store",
]

#: Found on first use, so that importing subspect imports neither PyTorch nor scikit-learn.
_LAZY = {
    "SparseSubspaceClustering": "sklearn", "SelfExpressiveGraph": "sklearn", "AffinityVoteClassifier": "sklearn",
}
_MODULES = ("torch", "sklearn", "distributed")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY, *_MODULES])
