"""`subspect similarity` against the textbook formulas on dense NumPy matrices."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix, load_npz, save_npz

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
