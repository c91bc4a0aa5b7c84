"""The formulas under test, written once more with dense NumPy arrays: short and slow on purpose."""

import numpy as np


def scaled(x, unit=True):
    """Rows in float64, divided by their norms; zero rows stay zero."""
    x = np.asarray(x, np.float64)
    if not unit:
        return x
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, norms, out=np.zeros_like(x), where=norms > 0)


def alphas(z, ratio, l1_ratio=1.0, positive=False):
    """`ratio * max_{j != i} |z_i . z_j| / l1_ratio` for every row; for coefficients >= 0 without the bars."""
    gram = z @ z.T if positive else np.abs(z @ z.T)
    np.fill_diagonal(gram, 0.0)
    return ratio * gram.max(axis=1) / l1_ratio


def objectives(z, c, alpha, l1_ratio=1.0):
    """`1/2 ||z_i - sum_j c_ij z_j||^2 + alpha_i (l1_ratio ||c_i||_1 + (1 - l1_ratio)/2 ||c_i||^2)`."""
    residual = z - c @ z
    penalty = l1_ratio * np.abs(c).sum(axis=1) + 0.5 * (1 - l1_ratio) * (c**2).sum(axis=1)
    return 0.5 * (residual**2).sum(axis=1) + alpha * penalty


def dual_values(z, c, alpha, l1_ratio=1.0, positive=False):
    """Lower bounds of the optimum: the lasso of the rows `(z_j, sqrt(l2) e_j)` at its own scaled residual.

    Where coefficients must not be negative, only positive correlations are bounded.
    """
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
    residual = z - c @ z
    gradient = residual @ z.T - l2[:, None] * c
    np.fill_diagonal(gradient, 0.0)
    largest = (gradient if positive else np.abs(gradient)).max(axis=1)
    along = (z * residual).sum(axis=1)
    curvature = (residual**2).sum(axis=1) + l2 * (c**2).sum(axis=1)
    best = np.divide(along, curvature, out=np.zeros_like(along), where=curvature > 0)
    limit = np.divide(l1, largest, out=np.full_like(l1, np.inf), where=largest > 0)
    scale = np.clip(best, 0 if positive else -limit, limit)
    return scale * along - 0.5 * scale**2 * curvature


def affine_dual_values(z, c, alpha, l1_ratio=1.0, positive=False):
    """The same where the coefficients of a row must sum to one: `l1 + s (z_i . r - max_j g_j) - s^2/2 ||r||^2`.

    Zero rows are no atoms.
    """
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
    residual = z - c @ z
    gradient = residual @ z.T - l2[:, None] * c
    barred = np.eye(len(z), dtype=bool) | ~z.any(axis=1)
    most = np.where(barred, -np.inf, gradient).max(axis=1)
    least = np.where(barred, np.inf, gradient).min(axis=1)
    slope = (z * residual).sum(axis=1) - most
    curvature = (residual**2).sum(axis=1) + l2 * (c**2).sum(axis=1)
    best = np.divide(slope, curvature, out=np.zeros_like(slope), where=curvature > 0)
    width = most - least
    limit = np.divide(2 * l1, width, out=np.full_like(l1, np.inf), where=width > 0)
    scale = np.clip(best, 0, np.inf if positive else limit)
    return l1 + scale * slope - 0.5 * scale**2 * curvature


def ridge_rows(z, alpha, affine=False):
    """Every row as the solution of its own (bordered) linear system over the other rows that are not zero."""
    c = np.zeros((len(z), len(z)))
    used = z.any(axis=1)
    for i in np.flatnonzero(used):
        others = np.flatnonzero(used & (np.arange(len(z)) != i))
        m = len(others)
        system, right = z[others] @ z[others].T + alpha * np.eye(m), z[others] @ z[i]
        if affine:
            system = np.block([[system, np.ones((m, 1))], [np.ones((1, m)), np.zeros((1, 1))]])
            right = np.append(right, 1.0)
        c[i, others] = np.linalg.solve(system, right)[:m]
    return c


def low_rank(z, tau):
    """LRSC from the singular values of the data: `U (1 - 1 / (tau s^2))_+ U^T`, with its diagonal."""
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    kept = tau * s**2 > 1
    return (u[:, kept] * (1 - 1 / (tau * s[kept] ** 2))) @ u[:, kept].T


def affinity(c):
    """`|C| + |C|^T` as a dense float64 array, added in float32 as the graphs are stored."""
    c = np.abs(c.toarray().astype(np.float32))
    return (c + c.T).astype(np.float64)


def votes(a, labels, n_classes):
    """Class affinity of every node and the class with most of it; None without neighbours."""
    mass = a @ np.eye(n_classes)[labels]
    return [int(row.argmax()) if row.max() > 0 else None for row in mass]


def subspace_preserving_error(c, labels):
    """Mean over rows with coefficients of the share of l1 mass on other classes."""
    c = np.abs(c.toarray().astype(np.float64))
    rows = c.sum(axis=1) > 0
    own = (c * (labels[:, None] == labels[None, :])).sum(axis=1)
    return float(np.mean(1 - own[rows] / c.sum(axis=1)[rows]))


def hsic(k, m):
    """`tr(KHMH) / (n - 1)^2`."""
    n = len(k)
    h = np.eye(n) - 1 / n
    return np.trace(k @ h @ m @ h) / (n - 1) ** 2


def hsic_1(k, m):
    """Song et al. 2012, equation 5."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    one = np.ones(n)
    first = np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (first - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


def cka(k, m, estimator=hsic):
    return estimator(k, m) / np.sqrt(estimator(k, k) * estimator(m, m))


def linear_kernel(x):
    """Of centred columns: centring changes no HSIC, but keeps large means out of the rounding."""
    x = np.asarray(x, np.float64)
    x = x - x.mean(axis=0)
    return x @ x.T
