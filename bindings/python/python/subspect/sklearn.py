"""scikit-learn estimators: subspace clustering, the graph as a transformer, the affinity vote as a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin, ClusterMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from .errors import MethodError
from .expression import Dictionary, Expression
from .graph import affinity, spectral, vote_outside
from .lists import method_info
from .progress import Progress

try:
    from sklearn.utils.validation import validate_data

    _OLD = False
except ImportError:  # scikit-learn before 1.6
    _OLD = True

    def validate_data(estimator: Any, *args: Any, **options: Any) -> Any:
        return estimator._validate_data(*args, **options)


__all__ = ["AffinityVoteClassifier", "SelfExpressiveGraph", "SparseSubspaceClustering", "expected_failed_checks"]

#: By class and method: what scikit-learn's own checks ask that the method cannot give.
_EXPECTED = {
    ("SparseSubspaceClustering", "omp"): {
        "check_clustering": "three blobs in the plane: any two inputs express every other exactly, so that nothing is "
        "left for a greedy method to tell subspaces by",
    },
    ("AffinityVoteClassifier", "elastic_net"): {
        "check_classifiers_train": "blobs in the plane differ in length, which unit rows leave out, and the squared "
        "penalty spreads the affinity over the blobs in between",
    },
}
_IN_SAMPLE = {"check_fit_idempotent": "transforms inputs that were not fitted, for which the method has no coefficients"}


def expected_failed_checks(estimator: Any) -> dict[str, str]:
    """Checks of scikit-learn that this estimator's method cannot pass, and why: few, and none for the default method.

    ``parametrize_with_checks(estimators, expected_failed_checks=expected_failed_checks)``.
    """
    found = dict(_EXPECTED.get((type(estimator).__name__, estimator.method), {}))
    if isinstance(estimator, SelfExpressiveGraph) and not _is_out_of_sample(estimator.method):
        found.update(_IN_SAMPLE)
    return found


def _is_out_of_sample(method: str) -> bool:
    """Whether a method expresses inputs outside its dictionary."""
    atoms = np.eye(2, dtype=np.float32)
    try:
        Dictionary(atoms).express(atoms, method)
    except MethodError:
        return False
    return True


class _Expressing(BaseEstimator):
    """What the three estimators share: the self-expression problem as parameters. ``None`` takes the method's default."""

    method: str

    def _question(self) -> dict[str, Any]:
        """The method's own parameters among the estimator's."""
        own = {p["name"] for p in method_info(self.method)["parameters"]}
        names = ("alpha_ratio", "alpha", "l1_ratio", "n_nonzero_coefs", "n_neighbors", "positive", "affine", "tau", "mu")
        given = {name: getattr(self, name) for name in names if hasattr(self, name) and name in own}
        return {k: v for k, v in given.items() if v is not None}

    def _options(self) -> dict[str, Any]:
        info = method_info(self.method)
        own = {p["name"] for p in info["parameters"]}
        wanted = {"tol": self.tol, "max_iter": self.max_iter}  # type: ignore[attr-defined]
        return {k: v for k, v in wanted.items() if info["certified"] or k in own}

    if _OLD:

        def _more_tags(self) -> dict[str, Any]:
            return {"_xfail_checks": expected_failed_checks(self)}

    def _dictionary(self, X: np.ndarray) -> Dictionary:
        options = {"unit_rows": self.unit_rows, "memory": self.memory}  # type: ignore[attr-defined]
        return Dictionary(X, **options, method=self.method)

    def _express(self, dictionary: Dictionary, outside: Any = None) -> Expression:
        progress: Progress = self.progress  # type: ignore[attr-defined]
        return dictionary.express(outside, self.method, progress=progress, **self._options(), **self._question())


def _rounds(found: Expression) -> int:
    """Rounds of the row that took most."""
    return max(1, int(found.certificates.n_iter.max(initial=1)))


class SparseSubspaceClustering(ClusterMixin, _Expressing):
    """Clusters inputs that lie near a union of subspaces: self-expression, affinity graph, spectral clustering.

    Parameters
    ----------
    n_clusters : int
        Clusters to find.
    method : str
        A method of ``subspect.methods()``: ``lasso`` (SSC-BP), ``elastic_net`` (EnSC), ``omp`` (SSC-OMP), ``ridge``
        (LSR), ``lrsc``, ``knn``, ``admm``, ``saini2021``.
    alpha_ratio, alpha, l1_ratio, n_nonzero_coefs, n_neighbors, positive, affine, tau, mu : optional
        Parameters of the method; those of other methods are not looked at.
    postprocess : str
        What is done to ``|C|`` before it is made symmetric.
    random_state : int, RandomState or None
        Start of eigenvectors and k-means; ``None`` draws one.

    Attributes
    ----------
    labels_ : array (n_samples,)
    coefficients_ : CSR array (n_samples, n_samples)
    affinity_matrix_ : CSR array
    certificate_ : Certificates
    n_iter_ : int, rounds of the row that took most
    clustering_ : Clustering, with eigenvalues and status
    """

    def __init__(
        self, n_clusters: int = 8, *, method: str = "lasso", alpha_ratio: Any = None, alpha: Any = None,
        l1_ratio: Any = None, n_nonzero_coefs: Any = None, n_neighbors: Any = None, positive: Any = None, affine: Any = None,
        tau: Any = None, mu: Any = None, tol: Any = None, max_iter: Any = None, unit_rows: bool = True,
        postprocess: str = "row_normalized", n_init: int = 20, memory: Any = "4GiB", random_state: Any = None,
        progress: Any = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.method = method
        self.alpha_ratio = alpha_ratio
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.n_nonzero_coefs = n_nonzero_coefs
        self.n_neighbors = n_neighbors
        self.positive = positive
        self.affine = affine
        self.tau = tau
        self.mu = mu
        self.tol = tol
        self.max_iter = max_iter
        self.unit_rows = unit_rows
        self.postprocess = postprocess
        self.n_init = n_init
        self.memory = memory
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> SparseSubspaceClustering:
        """Clusters the rows of ``X``."""
        X = validate_data(self, X, dtype=np.float32, order="C", ensure_min_samples=2)
        found = self._express(self._dictionary(X))
        graph = affinity(found, self.postprocess)
        seed = check_random_state(self.random_state)
        self.clustering_ = spectral(
            graph, min(self.n_clusters, len(X)), n_init=self.n_init, random_state=seed
        )
        self.coefficients_ = found.coefficients
        self.affinity_matrix_ = graph.to_scipy()
        self.certificate_ = found.certificates
        self.labels_ = self.clustering_.labels
        self.n_iter_ = _rounds(found)
        return self


class SelfExpressiveGraph(TransformerMixin, _Expressing):
    """Turns inputs into coefficients over the fitted ones: a sparse ``n_queries x n_samples_fit_`` matrix.

    ``fit_transform`` expresses every input by the *others* (zero diagonal); ``transform`` expresses new inputs by all,
    and fitted ones, recognised bit by bit, as ``fit_transform`` did. Methods whose coefficients exist only in sample
    (``ridge``, ``lrsc``, ``admm``, ``saini2021``) refuse new inputs.

    Attributes
    ----------
    coefficients_, affinity_matrix_, certificate_ : of the fitted inputs
    """

    def __init__(
        self, method: str = "lasso", *, alpha_ratio: Any = None, alpha: Any = None, l1_ratio: Any = None,
        n_nonzero_coefs: Any = None, n_neighbors: Any = None, positive: Any = None, affine: Any = None, tau: Any = None, mu: Any = None,
        tol: Any = None, max_iter: Any = None, unit_rows: bool = True, memory: Any = "4GiB", progress: Any = False,
    ) -> None:
        self.method = method
        self.alpha_ratio = alpha_ratio
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.n_nonzero_coefs = n_nonzero_coefs
        self.n_neighbors = n_neighbors
        self.positive = positive
        self.affine = affine
        self.tau = tau
        self.mu = mu
        self.tol = tol
        self.max_iter = max_iter
        self.unit_rows = unit_rows
        self.memory = memory
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> SelfExpressiveGraph:
        """Expresses the rows of ``X`` by one another and keeps them."""
        X = validate_data(self, X, dtype=np.float32, order="C", ensure_min_samples=2)
        found = self._express(self._dictionary(X))
        self.coefficients_ = found.coefficients
        self.affinity_matrix_ = found.graph.to_scipy()
        self.certificate_ = found.certificates
        self.n_iter_ = _rounds(found)
        self.n_samples_fit_ = len(X)
        self._X = X.copy()  # the caller may change its array afterwards
        return self

    def fit_transform(self, X: Any, y: Any = None) -> sp.csr_array:
        """The coefficients of the fitted inputs, each by the others."""
        return self.fit(X, y).coefficients_

    def transform(self, X: Any) -> sp.csr_array:
        """Coefficients of the rows of ``X`` over the fitted inputs; a fitted input is expressed by the others."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        own = self._own(X)
        new = np.flatnonzero(own < 0)
        if len(new) == 0:
            return self.coefficients_[own]
        outside = self._express(self._dictionary(self._X), X[new]).coefficients
        if len(new) == len(X):
            return outside
        both = sp.vstack([self.coefficients_, outside], format="csr")
        own[new] = self.n_samples_fit_ + np.arange(len(new))
        return sp.csr_array(both)[own]

    def _own(self, X: np.ndarray) -> np.ndarray:
        """Which fitted input every row is, bit by bit: the one at the same place, else the first; -1 for new rows."""
        first: dict[bytes, int] = {}
        for i, row in enumerate(self._X):
            first.setdefault(row.tobytes(), i)
        own = np.array([first.get(row.tobytes(), -1) for row in X], dtype=np.int64)
        n = min(len(X), len(self._X))
        same = (X[:n] == self._X[:n]).all(axis=1)
        own[:n][same] = np.flatnonzero(same)
        return own

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """``sample0``, ``sample1``, ...: one column per fitted input."""
        check_is_fitted(self)
        return np.array([f"sample{i}" for i in range(self.n_samples_fit_)], dtype=object)


class AffinityVoteClassifier(ClassifierMixin, _Expressing):
    """Classifies new inputs by the affinity vote: express them by the fitted ones, sum ``|c|`` by class.

    The "SSC prediction" of Saini et al. 2021, out of sample. An input that nothing expresses (``c = 0``) gets the most
    frequent class, and equal probabilities.

    Attributes
    ----------
    classes_ : array
    """

    def __init__(
        self, method: str = "lasso", *, alpha_ratio: Any = None, alpha: Any = None, l1_ratio: Any = None,
        n_nonzero_coefs: Any = None, n_neighbors: Any = None, positive: Any = None, affine: Any = None, tol: Any = None,
        max_iter: Any = None, unit_rows: bool = True, memory: Any = "4GiB", progress: Any = False,
    ) -> None:
        self.method = method
        self.alpha_ratio = alpha_ratio
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.n_nonzero_coefs = n_nonzero_coefs
        self.n_neighbors = n_neighbors
        self.positive = positive
        self.affine = affine
        self.tol = tol
        self.max_iter = max_iter
        self.unit_rows = unit_rows
        self.memory = memory
        self.progress = progress

    def fit(self, X: Any, y: Any) -> AffinityVoteClassifier:
        """Keeps the inputs and their classes; expressing happens in ``predict``."""
        X, y = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(y)
        if not _is_out_of_sample(method_info(self.method)["name"]):
            raise MethodError(f"method `{self.method}` cannot classify: it expresses only its own inputs: use lasso or knn")
        self.classes_, self._y = np.unique(y, return_inverse=True)
        self._X = X.copy()
        self.n_iter_ = 1  # nothing is iterated before predict
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class affinity of every input: shares that sum to 1."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        found = self._express(self._dictionary(self._X), X)
        # Every class is present among the fitted labels, so columns are in the order of classes_.
        shares = vote_outside(found, self._y).class_affinity
        shares[shares.sum(axis=1) == 0.0] = 1.0 / len(self.classes_)
        return shares

    def predict(self, X: Any) -> np.ndarray:
        """The class that the fitted inputs speak for."""
        shares = self.predict_proba(X)
        chosen = shares.argmax(axis=1)
        nobody = (shares == shares[:, :1]).all(axis=1)
        chosen[nobody] = np.bincount(self._y).argmax()
        return self.classes_[chosen]
