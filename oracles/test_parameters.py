"""docs/parameters.md: with the parameters translated, our coefficients are optimal for the other program's problem.

Every objective is written down here as its source states it, and checked by its own optimality conditions: the
gradient of its data term balances a subgradient of its penalty. Nothing of our parameterisation enters the check.
"""

import numpy as np
import pytest

from test_express import express, union_of_subspaces

WEIGHT = 20.0


def others(z, i):
    return np.delete(np.arange(len(z)), i)


def violation(pull, c, l1):
    """How far a row is from optimal: `pull` is minus the gradient of everything smooth, `l1` the weight of |c|."""
    on = c != 0
    return max(np.abs(pull[on] - l1 * np.sign(c[on])).max(initial=0.0), (np.abs(pull[~on]) - l1).max(initial=0.0)) / l1


def largest(z):
    gram = np.abs(z @ z.T)
    np.fill_diagonal(gram, 0)
    return gram.max(axis=1)


@pytest.fixture
def rows(rng):
    x = union_of_subspaces(rng, noise=0.1).astype(np.float32)
    z = x.astype(np.float64)
    return x, z / np.linalg.norm(z, axis=1, keepdims=True)


def solve(subspect, folder, x, *options):
    return express(subspect, folder, x, *options, "--tol", "1e-12")[0]


@pytest.mark.parametrize("tau", [1.0, 0.9, 0.5])
def test_ensc(subspect, tmp_path, rows, tau):
    x, z = rows
    c = solve(subspect, tmp_path, x, "--method", "elastic_net", "--alpha-ratio", 1 / WEIGHT, "--l1-ratio", tau)
    for i, most in enumerate(largest(z)):
        gamma, j = WEIGHT * tau / most, others(z, i)
        residual = z[i] - c[i] @ z
        assert violation(gamma * z[j] @ residual - (1 - tau) * c[i, j], c[i, j], tau) < 1e-5
    fixed = solve(subspect, tmp_path, x, "--method", "elastic_net", "--alpha", 1 / 30.0, "--l1-ratio", tau)
    for i in range(len(z)):
        j = others(z, i)
        assert violation(30.0 * z[j] @ (z[i] - fixed[i] @ z) - (1 - tau) * fixed[i, j], fixed[i, j], tau) < 1e-5


def test_spams(subspect, tmp_path, rows):
    x, z = rows
    lambda1, lambda2 = 0.06, 0.04
    alpha = lambda1 + lambda2
    c = solve(subspect, tmp_path, x, "--method", "elastic_net", "--alpha", alpha, "--l1-ratio", lambda1 / alpha)
    for i in range(len(z)):
        j = others(z, i)
        assert violation(z[j] @ (z[i] - c[i] @ z) - lambda2 * c[i, j], c[i, j], lambda1) < 1e-5
    spams = pytest.importorskip("spams", reason="skipped: test_spams, live half: needs spams-bin")
    for i in range(0, len(z), 7):
        j = others(z, i)
        theirs = spams.lasso(np.asfortranarray(z[i][:, None]), D=np.asfortranarray(z[j].T), lambda1=lambda1,
                             lambda2=lambda2, mode=2).toarray().ravel()
        np.testing.assert_allclose(theirs, c[i, j], atol=1e-6)


def test_the_weight_of_ssc_by_admm(subspect, tmp_path, rows):
    x, z = rows
    lambda_z = WEIGHT / largest(z).min()
    c = solve(subspect, tmp_path, x, "--method", "lasso", "--alpha", 1 / lambda_z)
    for i in range(len(z)):
        j = others(z, i)
        assert violation(lambda_z * z[j] @ (z[i] - c[i] @ z), c[i, j], 1.0) < 1e-5


def test_tau_of_lrsc_weighs_the_data_term(subspect, tmp_path, rows):
    """`min ||C||_* + tau/2 ||X - CX||²`: -(gradient) must lie in the subdifferential of the nuclear norm."""
    x, z = rows
    tau = 15.0
    c = solve(subspect, tmp_path, x, "--method", "lrsc", "--tau", tau)
    # The returned rows leave the diagonal out; the closed form with it is the one that is optimal.
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    kept = s**2 > 1 / tau
    whole = (u[:, kept] * (1 - 1 / (tau * s[kept] ** 2))) @ u[:, kept].T
    np.testing.assert_allclose(c, whole - np.diag(np.diag(whole)), atol=1e-5)
    pull = tau * (z - whole @ z) @ z.T
    assert np.linalg.norm(pull, 2) <= 1 + 1e-9
    assert np.sum(pull * whole) == pytest.approx(np.linalg.norm(whole, "nuc"), rel=1e-9)
