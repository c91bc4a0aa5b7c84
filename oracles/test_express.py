"""`subspect express` against scikit-learn: exact lasso and elastic net, orthogonal matching pursuit, neighbours.

scikit-learn divides its data term by the number of features: its `alpha` is ours divided by D.
"""

import warnings

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import load_npz
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, orthogonal_mp_gram
from sklearn.neighbors import NearestNeighbors

from conftest import parse
from formulas import affine_dual_values, alphas, dual_values, low_rank, objectives, ridge_rows, scaled


def union_of_subspaces(rng, noise=0.0):
    bases = rng.standard_normal((3, 4, 20))
    rows = np.concatenate([rng.standard_normal((20, 4)) @ basis for basis in bases])
    return rows + noise * rng.standard_normal(rows.shape)


def with_duplicates(rng):
    x = rng.standard_normal((25, 15)).astype(np.float32)
    x = np.concatenate([x, x[:10], 2.0 * x[5:10], -x[:3]])
    return x  # factors are powers of two: duplicates to the last bit


def degenerate(rng):
    x = rng.standard_normal((40, 12))
    x[3], x[17], x[18] = 0.0, 2.5, -1.0  # a zero row and two constant ones
    x[30] = 0.0
    return x


CASES = {
    "more inputs than features": lambda rng: rng.standard_normal((70, 25)),
    "more features than inputs": lambda rng: rng.standard_normal((40, 150)),
    "after a rectifier": lambda rng: np.maximum(rng.standard_normal((60, 40)), 0.0),
    "union of subspaces": union_of_subspaces,
    "nearly collinear": lambda rng: rng.standard_normal(16) + 1e-2 * rng.standard_normal((24, 16)),
    "duplicated rows": with_duplicates,
    "zero and constant rows": degenerate,
    "scales from 1e-6 to 1e6": lambda rng: rng.standard_normal((40, 20)) * 10.0 ** rng.uniform(-6, 6, (40, 1)),
}


def express(subspect, folder, x, *options):
    """The coefficients, dense in float64, and the certificate beside them."""
    source, output = folder / "x.npy", folder / "c.npz"
    np.save(source, x)
    answer = subspect("express", source, "--output", output, *options)
    certificate = parse(output.with_suffix(".json").read_text())
    assert answer["solve"] == certificate["solve"]
    c = load_npz(output)
    assert c.format == "csr" and c.dtype == np.float32 and c.has_sorted_indices
    assert np.all(c.data != 0) and np.all(c.diagonal() == 0)
    return c.toarray().astype(np.float64), certificate


def sklearn_rows(z, alpha, l1_ratio, positive=False):
    """Every row by coordinate descent on the others; rows that are zero by definition are left zero."""
    c = np.zeros((len(z), len(z)))
    for i in range(len(z)):
        if alpha[i] == 0.0:
            continue
        others = np.delete(np.arange(len(z)), i)
        # tol is relative to the squared norm of the row, which is 1 or known.
        model = ElasticNet(alpha=alpha[i] / z.shape[1], l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12,
                           max_iter=1_000_000, positive=positive)
        with warnings.catch_warnings():
            # Whether it converged is judged by the dual below, not by its own rule.
            warnings.simplefilter("ignore", ConvergenceWarning)
            c[i, others] = model.fit(z[others].T, z[i]).coef_
    return c


def assert_same_optimum(z, found, certificate, alpha, l1_ratio, positive=False):
    theirs = sklearn_rows(z, alpha, l1_ratio, positive)
    wanted = objectives(z, theirs, alpha, l1_ratio)
    oracle_gap = wanted - dual_values(z, theirs, alpha, l1_ratio, positive)
    assert np.all(oracle_gap <= 1e-8 * wanted), "scikit-learn did not converge: the oracle is no oracle here"
    ours = objectives(z, found, alpha, l1_ratio)
    np.testing.assert_allclose(ours, wanted, rtol=1e-8, atol=0)
    assert certificate["solve"]["objective"]["value"] == pytest.approx(wanted.sum(), rel=1e-8)
    assert certificate["solve"]["n_max_iter"] == 0


@pytest.mark.parametrize("l1_ratio", [1.0, 0.7])
@pytest.mark.parametrize("case", CASES)
def test_the_optimum_is_scikit_learns(subspect, tmp_path, rng, case, l1_ratio):
    x = CASES[case](rng).astype(np.float32)
    method = ("lasso",) if l1_ratio == 1.0 else ("elastic_net", "--l1-ratio", l1_ratio)
    found, certificate = express(subspect, tmp_path, x, "--method", *method, "--alpha-ratio", 0.1, "--tol", 1e-9)
    z = scaled(x)
    assert_same_optimum(z, found, certificate, alphas(z, 0.1, l1_ratio), l1_ratio)


@pytest.mark.parametrize("memory", ["4GiB", "1KiB"])
@pytest.mark.parametrize("case", ["more inputs than features", "after a rectifier", "zero and constant rows"])
def test_without_negative_coefficients(subspect, tmp_path, rng, case, memory):
    x = CASES[case](rng).astype(np.float32)
    z = scaled(x)
    for l1_ratio, method in [(1.0, ("lasso",)), (0.7, ("elastic_net", "--l1-ratio", 0.7))]:
        found, certificate = express(subspect, tmp_path, x, "--method", *method, "--positive", "true", "--tol", 1e-9,
                                     "--memory", memory)
        assert found.min() >= 0
        assert_same_optimum(z, found, certificate, alphas(z, 0.1, l1_ratio, True), l1_ratio, True)


@pytest.mark.parametrize("memory", ["4GiB", "1KiB"])
def test_alpha_is_scikit_learns_alpha_times_the_number_of_features(subspect, tmp_path, rng, memory):
    x = rng.standard_normal((50, 30)).astype(np.float32)
    options = ("--no-unit-rows", "--alpha", 0.05 * 30, "--tol", 1e-9, "--memory", memory)
    found, certificate = express(subspect, tmp_path, x, *options)
    assert certificate["solve"]["memory_mode"] == ("gram" if memory == "4GiB" else "panels")
    z = scaled(x, unit=False)
    assert_same_optimum(z, found, certificate, np.full(50, 0.05 * 30), 1.0)


def activations(subspect, shared, folder, layer, pool):
    model, data = shared / "models" / "cifar10_resnet20.onnx", shared / "data" / "cifar10"
    store = folder / layer
    answer = subspect("capture", "--model", model, "--data", data, "--normalize", "imagenet", "--inputs", 100,
                      "--layers", layer, "--pool", pool, "--output", store)
    return np.load(store / answer["layers"][0]["file"])


@pytest.mark.parametrize("layer, pool", [("logits", "flatten"), ("layer3.2", "avg")])
def test_real_activations(subspect, shared, tmp_path, layer, pool):
    x = activations(subspect, shared, tmp_path, layer, pool)
    assert x.shape == (100, 10 if layer == "logits" else 64)
    z = scaled(x)
    for l1_ratio, method in [(1.0, ("lasso",)), (0.9, ("elastic_net", "--l1-ratio", 0.9))]:
        found, certificate = express(subspect, tmp_path, x, "--method", *method, "--tol", 1e-9)
        assert_same_optimum(z, found, certificate, alphas(z, 0.1, l1_ratio), l1_ratio)
    assert_same_pursuit(z, express(subspect, tmp_path, x, "--method", "omp", "--n-nonzero-coefs", 5)[0], 5)


def test_the_stored_optimum_of_a_union_of_subspaces(subspect, shared, tmp_path):
    oracle = parse((shared / "oracle" / "oracle.json").read_text())["uos_30_5_3_30"]
    x = np.load(shared / "oracle" / "uos_30_5_3_30_x.npy")
    for tau in [10, 100, 1000]:
        options = ("--no-unit-rows", "--alpha", 1 / tau, "--tol", 1e-9)
        found, certificate = express(subspect, tmp_path, x, *options)
        wanted = oracle["objective"][f"tau={tau}"]
        tolerance = max(oracle["tolerance_relative"][f"tau={tau}"], 1e-6)
        assert tau * certificate["solve"]["objective"]["value"] == pytest.approx(wanted, rel=tolerance)
        assert certificate["solve"]["gap_max"]["value"] < 1e-8
        own = np.repeat(np.eye(3), 30, axis=0) @ np.repeat(np.eye(3), 30, axis=0).T
        assert np.abs(found[own == 0]).sum() == 0


@pytest.mark.parametrize("l1_ratio", [1.0, 0.8])
@pytest.mark.parametrize("max_iter", [1, 2, 100])
def test_the_certificate_is_that_of_the_returned_rows(subspect, tmp_path, rng, l1_ratio, max_iter):
    x = np.maximum(rng.standard_normal((120, 40)) + 0.3, 0).astype(np.float32)
    found, certificate = express(subspect, tmp_path, x, "--method", "elastic_net", "--l1-ratio", l1_ratio,
                                 "--alpha-ratio", 0.05, "--max-iter", max_iter)
    z = scaled(x)
    alpha = alphas(z, 0.05, l1_ratio)
    rows = {name: np.array(values) for name, values in certificate["rows"].items()}
    primal = objectives(z, found, alpha, l1_ratio)
    dual = dual_values(z, found, alpha, l1_ratio)
    # The file holds float32: that moves the primal by its square at the optimum, the dual by 1e-7.
    np.testing.assert_allclose(rows["primal"], primal, rtol=1e-6)
    np.testing.assert_allclose(rows["dual"], dual, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rows["gap"], (rows["primal"] - rows["dual"]) / rows["primal"], atol=1e-12)
    np.testing.assert_allclose(rows["gap"], (primal - dual) / primal, atol=5e-6)
    # Weak duality against an optimum that somebody else found.
    optimum = objectives(z, sklearn_rows(z, alpha, l1_ratio), alpha, l1_ratio)
    assert np.all(rows["dual"] <= optimum * (1 + 1e-9)) and np.all(rows["primal"] >= optimum * (1 - 1e-9))
    converged = rows["gap"] <= 1e-6
    np.testing.assert_array_equal(rows["status"] == "converged", converged)
    assert certificate["solve"]["n_converged"] == converged.sum()
    assert certificate["solve"]["n_max_iter"] == 120 - converged.sum()
    assert max_iter < 100 or converged.all()


def sklearn_pursuit(z, i, k):
    others = np.delete(np.arange(len(z)), i)
    gram = z[others] @ z[others].T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it stops early on dependent atoms, as it should
        c = orthogonal_mp_gram(gram, z[others] @ z[i], n_nonzero_coefs=k)
    row = np.zeros(len(z))
    row[others] = np.ravel(c)
    return row


def assert_same_pursuit(z, found, k):
    for i in range(len(z)):
        wanted = sklearn_pursuit(z, i, k)
        assert set(np.flatnonzero(found[i])) == set(np.flatnonzero(wanted)), f"support of row {i}"
        np.testing.assert_allclose(found[i], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case, k", [
    ("more inputs than features", 5), ("more inputs than features", 10), ("more features than inputs", 10),
    ("after a rectifier", 6), ("union of subspaces", 3), ("scales from 1e-6 to 1e6", 4),
])
@pytest.mark.parametrize("memory", ["4GiB", "1KiB"])
def test_pursuit_takes_scikit_learns_atoms(subspect, tmp_path, rng, case, k, memory):
    x = CASES[case](rng).astype(np.float32)
    found, _ = express(subspect, tmp_path, x, "--method", "omp", "--n-nonzero-coefs", k, "--memory", memory)
    assert_same_pursuit(scaled(x), found, k)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("affine", [False, True])
def test_ridge_rows_solve_their_own_systems(subspect, tmp_path, rng, case, affine):
    x = CASES[case](rng).astype(np.float32)
    z = scaled(x)
    for alpha in [0.01, 1.0]:
        found, certificate = express(subspect, tmp_path, x, "--method", "ridge", "--alpha", alpha, "--affine",
                                     str(affine).lower())
        wanted = ridge_rows(z, alpha, affine)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
        optimum = 0.5 * ((z - wanted @ z) ** 2).sum() + 0.5 * alpha * (wanted**2).sum()
        assert certificate["solve"]["objective"]["value"] == pytest.approx(optimum, rel=1e-9)
        assert certificate["solve"]["n_max_iter"] == 0


@pytest.mark.parametrize("case", CASES)
def test_low_rank_rows_come_from_the_singular_values(subspect, tmp_path, rng, case):
    x = CASES[case](rng).astype(np.float32)
    z = scaled(x)
    for tau in [2.0, 50.0]:
        found, certificate = express(subspect, tmp_path, x, "--method", "lrsc", "--tau", tau)
        wanted = low_rank(z, tau)
        np.testing.assert_allclose(found + np.diag(np.diag(wanted)), wanted, rtol=1e-5, atol=1e-6)
        optimum = np.linalg.norm(wanted, "nuc") + 0.5 * tau * ((z - wanted @ z) ** 2).sum()
        assert certificate["solve"]["objective"]["value"] == pytest.approx(optimum, rel=1e-9)


@pytest.mark.parametrize("case", ["more inputs than features", "more features than inputs", "union of subspaces",
                                  "zero and constant rows"])
def test_the_alternating_directions_reach_scikit_learns_optimum(subspect, tmp_path, rng, case):
    x = CASES[case](rng).astype(np.float32)
    z = scaled(x)
    found, certificate = express(subspect, tmp_path, x, "--method", "admm", "--alpha-ratio", 0.1, "--tol", 1e-7)
    alpha = alphas(z, 0.1)
    wanted = objectives(z, sklearn_rows(z, alpha, 1.0), alpha)
    np.testing.assert_allclose(objectives(z, found, alpha), wanted, rtol=2e-7, atol=0)
    assert certificate["solve"]["n_max_iter"] == 0


AFFINE = [("lasso", 1.0, False), ("elastic_net", 0.7, False), ("lasso", 1.0, True), ("elastic_net", 0.7, True),
          ("admm", 1.0, False)]


@pytest.mark.parametrize("method, l1_ratio, positive", AFFINE)
@pytest.mark.parametrize("case", CASES)
def test_rows_that_sum_to_one_are_optimal(subspect, tmp_path, rng, case, method, l1_ratio, positive):
    """No library has the problem: a dual point of NumPy's own bounds how far from optimal the rows can be."""
    x = CASES[case](rng).astype(np.float32)
    z = scaled(x)
    used = z.any(axis=1)
    options = ["--l1-ratio", l1_ratio] if method == "elastic_net" else []
    options += ["--positive", "true"] if positive else []
    found, certificate = express(subspect, tmp_path, x, "--method", method, "--alpha", 0.05, "--affine", "true",
                                 "--tol", 1e-6, *options)
    np.testing.assert_allclose(found.sum(axis=1), used, atol=1e-5)
    assert not positive or found.min() >= 0
    assert certificate["solve"]["n_max_iter"] == 0
    alpha = np.full(len(z), 0.05)
    primal = objectives(z, found, alpha, l1_ratio)[used]
    dual = affine_dual_values(z, found, alpha, l1_ratio, positive)[used]
    rows = {name: np.array(values)[used] for name, values in certificate["rows"].items() if name != "status"}
    np.testing.assert_allclose(rows["primal"].astype(float), primal, rtol=1e-5)
    # The file holds float32, which moves the sum by 1e-7 and the dual by as much.
    assert np.all(primal - dual <= 2e-5 * primal)
    assert np.all(rows["gap"].astype(float) <= 1e-6)


def test_methods_without_the_constraint_refuse_it_by_name(subspect, tmp_path, rng):
    np.save(tmp_path / "x.npy", rng.standard_normal((9, 4)).astype(np.float32))
    for method in ["omp", "lrsc", "knn", "saini2021"]:
        failed = subspect.run("express", tmp_path / "x.npy", "--output", tmp_path / "c.npz", "--method", method,
                              "--affine", "true", code=2)
        assert "affine" in failed.stderr and method in failed.stderr


@pytest.mark.parametrize("memory", ["4GiB", "1KiB"])
@pytest.mark.parametrize("case", ["more inputs than features", "after a rectifier", "zero and constant rows"])
def test_pursuit_without_negative_coefficients_is_refitted_by_least_squares(subspect, tmp_path, rng, case, memory):
    x = CASES[case](rng).astype(np.float32)
    z = scaled(x)
    found, _ = express(subspect, tmp_path, x, "--method", "omp", "--n-nonzero-coefs", 5, "--positive", "true",
                       "--memory", memory)
    assert found.min() >= 0 and (found != 0).sum(axis=1).max() <= 5
    for i in np.flatnonzero(z.any(axis=1)):
        support = np.flatnonzero(found[i])
        fitted, _ = nnls(z[support].T, z[i])
        np.testing.assert_allclose(found[i, support], fitted, rtol=1e-4, atol=1e-5)
        # The first atom is the most correlated one, unless a better pair threw it out.
        correlations = z @ z[i]
        correlations[i] = 0.0
        if correlations.max() > 1e-6:
            assert len(support) > 0


def test_neighbours_are_the_largest_cosines(subspect, tmp_path, rng):
    x = rng.standard_normal((80, 30)).astype(np.float32)
    found, _ = express(subspect, tmp_path, x, "--method", "knn", "--n-neighbors", 4)
    z = scaled(x)
    _, nearest = NearestNeighbors(n_neighbors=5, metric="cosine").fit(z).kneighbors(z)
    for i in range(80):
        wanted = [j for j in nearest[i] if j != i][:4]
        assert set(np.flatnonzero(found[i])) == set(wanted)
        np.testing.assert_allclose(found[i, wanted], (z @ z.T)[i, wanted], rtol=1e-6)


def test_nothing_is_selected_from_alpha_max_on(subspect, tmp_path, rng):
    x = degenerate(rng).astype(np.float32)
    found, certificate = express(subspect, tmp_path, x, "--alpha-ratio", 1.0)
    assert not found.any() and set(certificate["rows"]["status"]) == {"trivial"}
    assert certificate["solve"]["objective"]["value"] == pytest.approx(0.5 * 38, rel=1e-12)  # two rows are zero


def test_threads_change_no_bit(subspect, tmp_path, rng):
    np.save(tmp_path / "x.npy", rng.standard_normal((300, 50)).astype(np.float32))
    files = []
    for threads in [1, 2, 3]:
        output = tmp_path / f"c{threads}.npz"
        subspect("express", tmp_path / "x.npy", "--output", output, "--threads", threads)
        c = load_npz(output)
        files.append((c.indptr.tobytes(), c.indices.tobytes(), c.data.tobytes()))
    assert files[0] == files[1] == files[2]
