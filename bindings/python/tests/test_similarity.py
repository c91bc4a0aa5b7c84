"""Similarity of layers against plain NumPy formulas and declared properties."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import subspaces

import subspect
from subspect import Undefined, errors


def centred(k):
    n = len(k)
    h = np.eye(n) - 1 / n
    return h @ k @ h


def test_linear_cka_is_the_formula(layer):
    x = layer[0].astype(float)
    y = np.tanh(x) @ np.random.default_rng(0).normal(size=(30, 12))
    k, l = centred(x @ x.T), centred(y @ y.T)
    expected = (k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum())
    assert subspect.linear_cka(x, y) == pytest.approx(expected, rel=1e-10)
    assert subspect.cka(x @ x.T, y @ y.T) == pytest.approx(expected, rel=1e-10)
    assert subspect.hsic(x @ x.T, y @ y.T) == pytest.approx((k * l).sum() / (len(x) - 1) ** 2, rel=1e-10)


def test_debiased_cka_of_independent_data_is_near_zero():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 300)), rng.normal(size=(40, 300))
    assert subspect.linear_cka(x, y) > 0.8
    assert abs(subspect.linear_cka(x, y, estimator="debiased")) < 0.1
    assert subspect.linear_cka(x[:3], y[:3], estimator="debiased") == Undefined("n_too_small")
    assert subspect.linear_cka(x, np.ones((40, 3))) == Undefined("zero_variance")


def test_ssc_cka_is_cka_of_the_adjacency(layer):
    a, b = subspect.express(layer[0]), subspect.express(np.tanh(layer[0]))
    k, l = (centred(g.graph.to_scipy().toarray().astype(float)) for g in (a, b))
    expected = (k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum())
    assert subspect.ssc_cka(a, b) == pytest.approx(expected, rel=1e-9)
    assert subspect.ssc_cka(a, a.graph) == pytest.approx(1.0)


@pytest.mark.parametrize("info", subspect.methods("similarities"), ids=lambda m: m["name"])
def test_every_listed_measure_compares_and_maps(info, layer):
    x = layer[0][:80]
    layers = {"a": x, "b": np.tanh(x), "c": x[:, :7]}
    if info["of"] == "graphs":
        layers = {name: subspect.express(v) for name, v in layers.items()}
    found = subspect.similarity_matrix(layers, info["name"])
    assert found.measure == info["name"] and found.values.shape == (3, 3)
    one = subspect.similarity(layers["a"], layers["b"], info["name"])
    assert found["a", "b"] == pytest.approx(one, rel=1e-4)
    own = 0.0 if info["is_distance"] else 1.0
    assert found["a", "a"] == pytest.approx(own, abs=1e-5)


def test_undefined_entries_are_masked_and_named(layer):
    found = subspect.similarity_matrix({"a": layer[0], "dead": np.zeros((240, 3))})
    assert found["a", "dead"] == Undefined("zero_variance")
    assert found.values.mask.tolist() == [[False, True], [True, True]]
    assert "0.00" not in found._repr_html_()
    frame = pytest.importorskip("pandas", reason="needs pandas") and found.to_pandas()
    assert frame.isna().to_numpy().tolist() == found.values.mask.tolist()


def test_refusals_come_by_kind(layer):
    x = layer[0]
    with pytest.raises(errors.ShapeError, match="same inputs"):
        subspect.linear_cka(x, x[:10])
    with pytest.raises(errors.ParameterError, match="biased"):
        subspect.linear_cka(x, x, estimator="best")
    with pytest.raises(errors.ParameterError, match="ssc_cka"):
        subspect.similarity(x, x, "similarity")
    with pytest.raises(errors.NotFiniteError):
        subspect.linear_cka(np.full((5, 2), np.nan), np.ones((5, 2)))
    with pytest.raises(errors.GraphError, match="symmetric"):
        subspect.cka(np.triu(np.ones((4, 4))), np.eye(4))


def test_many_layers_stay_within_memory():
    x, _ = subspaces(n=500, d=2000)
    layers = {str(k): np.roll(x, 7 * k, axis=0) for k in range(4)}
    small = subspect.similarity_matrix(layers, memory="4MiB")
    large = subspect.similarity_matrix(layers)
    assert np.allclose(small.values, large.values, rtol=1e-5)
