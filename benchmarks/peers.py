"""The solvers that pip installs, each used in the fastest way that its public interface offers.

A peer either solves row by row (`prepare` gives a function of the row's index; rows are then shared out over
processes, which costs a peer nothing) or all rows in one call (`solve_all`, with the library's own threads). An
input may not express itself: its column is zero while its row is solved, or its weight is prohibitive.
"""

import importlib
import importlib.metadata
import warnings

import numpy as np
from scipy.sparse import csr_matrix

LEAST_SQUARES_SCALE = "alpha / D: these divide the data term by the number of features"


class Peer:
    package = distribution = ""
    problems = ()
    by_row = True
    note = ""

    def version(self):
        importlib.import_module(self.package)
        return importlib.metadata.version(self.distribution)

    def prepare(self, z, problem, alpha):
        """A function from a row's index to its coefficients (dense, length N)."""
        raise NotImplementedError

    def solve_all(self, z, rows, problem, alpha, threads):
        """Coefficients of `rows` as CSR."""
        raise NotImplementedError


def without(columns, i, solve):
    """`solve` of column i with that column zero; only one column of the shared matrix is ever touched."""
    own = columns[:, i].copy()
    columns[:, i] = 0
    try:
        return solve(own)
    finally:
        columns[:, i] = own


class CoordinateDescent(Peer):
    """scikit-learn, celer and skglm share one interface."""
    problems = ("lasso", "elastic_net")
    note = LEAST_SQUARES_SCALE
    options = {}

    def models(self):
        module = importlib.import_module(self.package)
        return module.Lasso, module.ElasticNet

    def prepare(self, z, problem, alpha):
        warnings.simplefilter("ignore")  # a stop before its own tolerance is judged by the objective
        columns, (lasso, elastic_net) = np.asfortranarray(z.T), self.models()
        more = {} if problem.kind == "lasso" else {"l1_ratio": problem.l1_ratio}
        make = lasso if problem.kind == "lasso" else elastic_net

        def solve(i):
            model = make(alpha=max(alpha[i], 1e-12) / z.shape[1], fit_intercept=False, **more, **self.options)
            return without(columns, i, lambda own: model.fit(columns, own).coef_)

        return solve


class ScikitLearn(CoordinateDescent):
    package, distribution = "sklearn", "scikit-learn"
    options = {"tol": 1e-4, "max_iter": 10_000}

    def models(self):
        module = importlib.import_module("sklearn.linear_model")
        return module.Lasso, module.ElasticNet


class Celer(CoordinateDescent):
    package = distribution = "celer"
    options = {"tol": 1e-4}


class Skglm(CoordinateDescent):
    package = distribution = "skglm"
    # Its tolerance is on the optimality conditions, in units of the data term divided by D.
    options = {"tol": 1e-6}


class ScikitLearnPursuit(Peer):
    package, distribution = "sklearn", "scikit-learn"
    problems = ("omp",)

    def prepare(self, z, problem, alpha):
        from sklearn.linear_model import orthogonal_mp

        warnings.simplefilter("ignore")
        columns = np.asfortranarray(z.T)
        return lambda i: without(columns, i, lambda own: orthogonal_mp(columns, own, n_nonzero_coefs=problem.k))


class SpamsWeighted(Peer):
    package, distribution = "spams", "spams-bin"
    problems = ("lasso",)
    by_row = False
    note = "lassoWeighted, float64, one call; float32 misses the optimum by 7e-4"

    def solve_all(self, z, rows, problem, alpha, threads):
        import spams

        columns = np.asfortranarray(z.T)
        weights = np.empty((len(z), len(rows)), order="F")
        weights[:] = alpha[rows]
        weights[rows, np.arange(len(rows))] = 1e6
        signals = np.asfortranarray(columns[:, rows])
        c = spams.lassoWeighted(signals, columns, weights, lambda1=1.0, mode=2, numThreads=threads)
        return csr_matrix(c.T)


class SpamsGram(Peer):
    package, distribution = "spams", "spams-bin"
    problems = ("lasso", "elastic_net")
    note = "lasso with Q and q of the Gram matrix, float64; the Gram is part of its time"

    def prepare(self, z, problem, alpha):
        import spams

        gram = np.asfortranarray(z @ z.T)
        diagonal = gram.diagonal().copy()

        def solve(i):
            l1, l2 = alpha[i] * problem.l1_ratio, alpha[i] * (1 - problem.l1_ratio)
            own = gram[:, i].copy()
            q = own.copy()
            q[i] = 0
            gram[:, i] = gram[i, :] = 0
            # Its own lambda2 is not used when Q is given: the elastic net is the lasso of Q + lambda2 I.
            np.fill_diagonal(gram, diagonal + l2)
            c = spams.lasso(np.asfortranarray(z[i][:, None]), Q=gram, q=np.asfortranarray(q[:, None]), mode=2,
                            lambda1=float(l1), numThreads=1)
            gram[:, i] = gram[i, :] = own
            return c.toarray().ravel()

        return solve


class SpamsPursuit(Peer):
    package, distribution = "spams", "spams-bin"
    problems = ("omp",)
    note = "its omp chooses as orthogonal least squares does: another rule, other atoms"

    def prepare(self, z, problem, alpha):
        import spams

        columns = np.asfortranarray(z.T)

        def pursue(own):
            signal = np.asfortranarray(own[:, None])
            return spams.omp(signal, columns, L=problem.k, eps=0.0, numThreads=1).toarray().ravel()

        return lambda i: without(columns, i, pursue)


PEERS = {
    "spams-weighted": SpamsWeighted(),
    "spams-gram": SpamsGram(),
    "celer": Celer(),
    "skglm": Skglm(),
    "sklearn": ScikitLearn(),
    "spams-omp": SpamsPursuit(),
    "sklearn-omp": ScikitLearnPursuit(),
}
