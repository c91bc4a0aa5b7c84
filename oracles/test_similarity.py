"""`subspect similarity` against the textbook formulas on dense NumPy matrices."""

import numpy as np
import pytest
import rsatoolbox
from scipy.sparse import csr_matrix, load_npz, save_npz
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kendalltau, spearmanr

from conftest import parse
from formulas import affinity, cka, hsic, hsic_1, linear_kernel

# Wide layers go through float32 products of centred columns; narrow ones (features well below inputs) through float64.
WIDE, NARROW = 1e-7, 1e-12

CASES = {
    "wide": (60, 500, 300, WIDE),
    "square": (100, 100, 100, WIDE),
    "very wide": (50, 20_000, 64, WIDE),
    "narrow": (400, 10, 7, NARROW),
    "wide and narrow": (200, 1000, 3, WIDE),
}


def pair(rng, n, d, e):
    x = rng.standard_normal((n, d))
    y = x[:, :3] @ rng.standard_normal((3, e)) + rng.standard_normal((n, e))
    return x.astype(np.float32), y.astype(np.float32)


def compare(subspect, folder, x, y, *options):
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    found = subspect("similarity", folder / "x.npy", folder / "y.npy", *options)
    assert found["n_inputs"] == len(x)
    return found["biased"][0][0], found["debiased"][0][0]


@pytest.mark.parametrize("change", ["as is", "offset", "rectified", "scaled"])
@pytest.mark.parametrize("case", CASES)
def test_linear_cka(subspect, tmp_path, rng, case, change):
    n, d, e, tolerance = CASES[case]
    x, y = pair(rng, n, d, e)
    if change == "offset":
        x, y = x + np.float32(1000), y - np.float32(50)
    elif change == "rectified":
        x, y = np.maximum(x, 0), np.maximum(y, 0)
    elif change == "scaled":
        x, y = x * np.float32(1e18), y * np.float32(1e-18)
    biased, debiased = compare(subspect, tmp_path, x, y)
    # Factors cancel; taken out here so that the plain formula does not overflow.
    k, m = (linear_kernel(np.asarray(a, np.float64) / np.abs(a).max()) for a in (x, y))
    assert biased["value"] == pytest.approx(cka(k, m, hsic), abs=tolerance)
    assert debiased["value"] == pytest.approx(cka(k, m, hsic_1), abs=tolerance)


def test_the_pair_that_public_implementations_agree_on(subspect, shared, tmp_path):
    oracle = parse((shared / "oracle" / "oracle.json").read_text())["cka_pair"]
    files = [shared / "oracle" / name for name in oracle["inputs"]]
    x, y = map(np.load, files)
    k, m = linear_kernel(x), linear_kernel(y)
    assert cka(k, m, hsic) == pytest.approx(oracle["cka_linear_biased"], abs=1e-12)
    assert cka(k, m, hsic_1) == pytest.approx(oracle["cka_linear_song"], abs=1e-12)
    found = subspect("similarity", *files, "--measure", "linear-cka")
    # The command reads activations as float32.
    assert found["biased"][0][0]["value"] == pytest.approx(oracle["cka_linear_biased"], abs=WIDE)
    assert found["debiased"][0][0]["value"] == pytest.approx(oracle["cka_linear_song"], abs=WIDE)


def test_the_pair_to_the_last_digits(subspect, shared):
    oracle = parse((shared / "oracle" / "oracle.json").read_text())["cka_pair"]
    found = subspect("similarity", *(shared / "oracle" / name for name in oracle["inputs"]))
    assert found["biased"][0][0]["value"] == pytest.approx(oracle["cka_linear_biased"], abs=1e-12)
    assert found["debiased"][0][0]["value"] == pytest.approx(oracle["cka_linear_song"], abs=1e-12)


def test_ssc_cka_is_the_cka_of_the_dense_affinities(subspect, tmp_path, rng):
    files = []
    for name, d in [("a", 12), ("b", 40), ("c", 200)]:
        np.save(tmp_path / f"{name}.npy", rng.standard_normal((150, d)) + np.repeat(rng.standard_normal((5, d)), 30, 0))
        files.append(tmp_path / f"{name}.npz")
        subspect("express", tmp_path / f"{name}.npy", "--output", files[-1])
    dense = [affinity(load_npz(f)) for f in files]
    for i in range(3):
        for j in range(3):
            found = subspect("similarity", files[i], files[j])
            assert found["measure"] == "ssc_cka"
            assert found["biased"][0][0]["value"] == pytest.approx(cka(dense[i], dense[j], hsic), abs=1e-12)
            assert found["debiased"][0][0]["value"] == pytest.approx(cka(dense[i], dense[j], hsic_1), abs=1e-12)


def test_blocks_without_their_diagonal(subspect, tmp_path):
    """Four blocks against two: the closed form 1/sqrt(3) holds with the diagonal; a graph has none."""
    blocks = lambda size: np.kron(np.eye(40 // size), np.ones((size, size)))
    dense = [blocks(10), blocks(20)]
    assert cka(*dense) == pytest.approx(0.5773502691896257, abs=1e-14)
    for name, block in zip("ab", dense):
        save_npz(tmp_path / f"{name}.npz", csr_matrix(0.5 * (block - np.eye(40))))
    found = subspect("similarity", tmp_path / "a.npz", tmp_path / "b.npz")
    a, b = (block - np.eye(40) for block in dense)
    assert found["biased"][0][0]["value"] == pytest.approx(cka(a, b, hsic), abs=1e-12)
    assert found["debiased"][0][0]["value"] == pytest.approx(cka(*dense, hsic_1), abs=1e-12)


def test_what_cannot_be_computed_says_why(subspect, tmp_path, rng):
    x, y = pair(rng, 3, 5, 6)
    biased, debiased = compare(subspect, tmp_path, x, y)
    assert biased["value"] == pytest.approx(cka(linear_kernel(x), linear_kernel(y)), abs=WIDE)
    assert debiased == {"status": "n_too_small"}
    x, y = pair(rng, 20, 5, 6)
    for dead in [np.zeros_like(y), np.full_like(y, 0.1)]:
        assert compare(subspect, tmp_path, x, dead) == ({"status": "zero_variance"},) * 2
    np.save(tmp_path / "y.npy", y[:19])
    refused = subspect.run("similarity", tmp_path / "x.npy", tmp_path / "y.npy", code=2)
    assert "19" in refused.stderr and "20" in refused.stderr


def test_the_maps_of_a_run(subspect, demo_run, demo_record):
    layers = demo_record["layers"]
    store = demo_run / "activations"
    files = {layer["name"]: layer["file"] for layer in parse((store / "store.json").read_text())["layers"]}
    kernels = {
        "ssc_cka": ([affinity(load_npz(demo_run / layer["graph"])) for layer in layers], 1e-12),
        "linear_cka": ([linear_kernel(np.load(store / files[layer["name"]])) for layer in layers], WIDE),
    }
    estimators = {"biased": hsic, "debiased": hsic_1}
    assert {(m["measure"], m["estimator"]) for m in demo_record["similarity"]} == {
        (measure, estimator) for measure in kernels for estimator in estimators
    }
    for found in demo_record["similarity"]:
        dense, tolerance = kernels[found["measure"]]
        wanted = [[cka(k, m, estimators[found["estimator"]]) for m in dense] for k in dense]
        values = [[cell["value"] for cell in row] for row in found["values"]]
        np.testing.assert_allclose(values, wanted, atol=tolerance)
        assert np.array_equal(values, np.transpose(values)) and np.all(np.diag(values) == 1)
    # Two runs compared are the same map.
    again = subspect("similarity", demo_run, demo_run)
    assert again["rows"] == again["columns"] == [layer["name"] for layer in layers]
    first = demo_record["similarity"][0]
    assert (first["measure"], first["estimator"]) == (again["measure"], "biased")
    for ours, recorded in zip(again["biased"], first["values"]):
        np.testing.assert_allclose([c["value"] for c in ours], [c["value"] for c in recorded], atol=1e-12)


def measured(subspect, folder, x, y, measure, **parameters):
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", y)
    options = [f"--set={name}={value}" for name, value in parameters.items()]
    found = subspect("similarity", folder / "x.npy", folder / "y.npy", "--measure", measure, *options)
    assert found["measure"] == measure
    return found["values"][0][0]["value"]


@pytest.fixture
def layers(rng):
    """Two float64 layers that share a signal; more inputs than features, means far from zero."""
    signal = rng.standard_normal((80, 4))
    make = lambda d: signal @ rng.standard_normal((4, d)) + rng.standard_normal((80, d)) + rng.standard_normal(d)
    return make(12), make(9)


ORACLE = {
    "cka_linear_lange": ("linear_cka", {"estimator": "lange"}),
    "cka_rbf_sigma1_biased": ("rbf_cka_absolute", {"sigma": 1}),
    "cka_rbf_sigma1_song": ("rbf_cka_absolute", {"sigma": 1, "estimator": "debiased"}),
    "cka_linear_angular": ("angular_cka", {}),
    "procrustes_score": ("procrustes_score", {}),
    "procrustes_angular": ("procrustes_angular", {}),
    "procrustes_sq_euclid": ("procrustes_unscaled", {}),
    "jaccard_k10_cosine": ("knn_jaccard", {"n_neighbors": 10}),
}


@pytest.mark.parametrize("name", ORACLE)
def test_stored_values(subspect, shared, tmp_path, name):
    oracle = parse((shared / "oracle" / "oracle.json").read_text())["cka_pair"]
    x, y = (np.load(shared / "oracle" / file) for file in oracle["inputs"])
    measure, parameters = ORACLE[name]
    found = measured(subspect, tmp_path, x, y, measure, **parameters)
    assert found == pytest.approx(oracle[name], rel=1e-12)


@pytest.mark.parametrize("distance", ["correlation", "cosine", "euclidean"])
@pytest.mark.parametrize("comparison", ["spearman", "pearson", "kendall", "cosine"])
def test_rsa(subspect, tmp_path, layers, distance, comparison):
    a, b = (pdist(x, distance) for x in layers)
    wanted = {
        "spearman": lambda: spearmanr(a, b).statistic,
        "pearson": lambda: np.corrcoef(a, b)[0, 1],
        "kendall": lambda: kendalltau(a, b).statistic,
        "cosine": lambda: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
    }[comparison]()
    found = measured(subspect, tmp_path, *layers, f"rsa_{distance}", comparison=comparison)
    assert found == pytest.approx(wanted, abs=1e-12)


def test_linear_cka_is_the_whitened_cosine_of_squared_distances(subspect, tmp_path, layers):
    x, y = (rsatoolbox.rdm.RDMs(pdist(layer, "sqeuclidean")[None]) for layer in layers)
    wanted = rsatoolbox.rdm.compare(x, y, method="cosine_cov")[0, 0]
    assert measured(subspect, tmp_path, *layers, "linear_cka") == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("ratio", [0.3, 1, 2])
def test_rbf_cka_relative_to_the_median(subspect, tmp_path, layers, ratio):
    kernels = []
    for x in layers:
        distances = pdist(x)
        kernels.append(np.exp(-squareform(distances**2) / (2 * (ratio * np.median(distances)) ** 2)))
    for estimator, formula in [("biased", hsic), ("debiased", hsic_1)]:
        found = measured(subspect, tmp_path, *layers, "rbf_cka", sigma_ratio=ratio, estimator=estimator)
        assert found == pytest.approx(cka(*kernels, formula), abs=1e-10)


def test_procrustes_is_scipys(subspect, tmp_path, layers):
    """SciPy scales the second layer as well as it can: its disparity is 1 - score^2."""
    x, y = layers
    padded = np.hstack([y, np.zeros((len(y), x.shape[1] - y.shape[1]))])
    score = np.sqrt(1 - procrustes(x, padded)[2])
    assert measured(subspect, tmp_path, x, y, "procrustes_score") == pytest.approx(score, abs=1e-12)
    assert measured(subspect, tmp_path, x, y, "procrustes") == pytest.approx(2 - 2 * score, abs=1e-12)
    assert measured(subspect, tmp_path, x, y, "procrustes_angular") == pytest.approx(np.arccos(score), abs=1e-12)


def test_minibatch_cka_averages_before_the_ratio(subspect, tmp_path, layers):
    x, y = layers
    mean = lambda a, b: np.mean(
        [hsic_1(linear_kernel(a[i : i + 30]), linear_kernel(b[i : i + 30])) for i in (0, 30)]
    )
    wanted = mean(x, y) / np.sqrt(mean(x, x) * mean(y, y))
    found = measured(subspect, tmp_path, x, y, "minibatch_cka", batch_size=30)
    assert found == pytest.approx(wanted, abs=1e-10)


def orthonormal(x):
    return np.linalg.qr(x - x.mean(0))[0]


def test_canonical_correlations(subspect, tmp_path, layers):
    x, y = layers
    rho = np.linalg.svd(orthonormal(x).T @ orthonormal(y), compute_uv=False)
    assert measured(subspect, tmp_path, x, y, "cca") == pytest.approx(rho.mean(), abs=1e-10)
    for share in (0.99, 0.8):
        leading = []
        for layer in layers:
            u, s, _ = np.linalg.svd(layer - layer.mean(0), full_matrices=False)
            held = np.cumsum(s**2) / np.sum(s**2)
            leading.append(u[:, : np.searchsorted(held, share) + 1])
        wanted = np.linalg.svd(leading[0].T @ leading[1], compute_uv=False).mean()
        found = measured(subspect, tmp_path, x, y, "svcca", variance_share=share)
        assert found == pytest.approx(wanted, abs=1e-10)


def test_projection_weights_and_regression(subspect, tmp_path, layers):
    x, y = (layer - layer.mean(0) for layer in layers)
    q = orthonormal(x)
    left, rho, _ = np.linalg.svd(q.T @ orthonormal(y), full_matrices=False)
    weights = np.abs((q @ left).T @ x).sum(axis=1)
    assert measured(subspect, tmp_path, x, y, "pwcca") == pytest.approx(weights @ rho / weights.sum(), abs=1e-10)
    wanted = np.linalg.norm(q.T @ y) ** 2 / np.linalg.norm(y) ** 2
    assert measured(subspect, tmp_path, x, y, "linear_regression") == pytest.approx(wanted, abs=1e-10)


@pytest.mark.parametrize("lam", [1e-3, 1e-2, 1])
def test_gulp_and_the_filters_of_one_gram(subspect, tmp_path, layers, lam):
    """GULP by the covariances of the paper; the filters by eigenvectors of the Gram matrices."""
    x, y = (layer - layer.mean(0) for layer in layers)
    x, y = (z * np.sqrt(len(z)) / np.linalg.norm(z) for z in (x, y))
    n = len(x)
    inverse = lambda z: np.linalg.inv(z.T @ z / n + lam * np.eye(z.shape[1]))
    own = lambda z: np.trace(inverse(z) @ (z.T @ z / n) @ inverse(z) @ (z.T @ z / n))
    cross = np.trace(inverse(x) @ (x.T @ y / n) @ inverse(y) @ (y.T @ x / n))
    wanted = np.sqrt(own(x) + own(y) - 2 * cross)
    assert measured(subspect, tmp_path, *layers, "gulp", **{"lambda": lam}) == pytest.approx(wanted, abs=1e-9)
    filters = {
        "ridge_cka": lambda s: s / (s + n * lam),
        "lrsc_cka": lambda s: np.where(s > n * lam, 1 - n * lam / np.maximum(s, n * lam), 0),
    }
    for measure, f in filters.items():
        (s, v), (t, w) = (np.linalg.eigh(z @ z.T) for z in (x, y))
        if not (f(s).any() and f(t).any()):
            continue
        wanted = f(s) @ (v.T @ w) ** 2 @ f(t) / np.linalg.norm(f(s)) / np.linalg.norm(f(t))
        found = measured(subspect, tmp_path, *layers, measure, **{"lambda": lam})
        assert found == pytest.approx(wanted, abs=1e-9), measure


def test_overlap_of_graphs(subspect, tmp_path, rng):
    files, dense = [], []
    for name in "ab":
        c = np.where(rng.random((50, 50)) < 0.2, rng.standard_normal((50, 50)), 0).astype(np.float32)
        np.fill_diagonal(c, 0)
        files.append(tmp_path / f"{name}.npz")
        save_npz(files[-1], csr_matrix(c))
        dense.append(affinity(load_npz(files[-1])))
    a, b = dense
    value = lambda measure: subspect("similarity", *files, "--measure", measure)["values"][0][0]["value"]
    assert value("edge_jaccard") == pytest.approx(((a > 0) & (b > 0)).sum() / ((a > 0) | (b > 0)).sum(), abs=1e-14)
    assert value("weighted_jaccard") == pytest.approx(np.minimum(a, b).sum() / np.maximum(a, b).sum(), abs=1e-12)
