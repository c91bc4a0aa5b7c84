"""Nulls, intervals and tests against SciPy and against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

import subspect
from subspect import Undefined, errors, statistics


def test_adjusted_p_values_are_those_of_the_definition():
    p = [0.01, 0.04, Undefined("n_too_small"), 0.03, 0.5]
    assert statistics.adjust(p) == [pytest.approx(0.04), pytest.approx(0.09), p[2], pytest.approx(0.09), pytest.approx(0.5)]
    found = statistics.adjust([v for v in p if v], "benjamini_hochberg")
    if hasattr(scipy.stats, "false_discovery_control"):
        assert found == pytest.approx(scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.5]).tolist())
    assert found == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert subspect.adjust is statistics.adjust
    with pytest.raises(errors.ParameterError, match="benjamini_hochberg"):
        statistics.adjust([0.1], "bonferroni")


def test_paired_tests_are_scipys():
    rng = np.random.default_rng(0)
    d = rng.normal(0.4, 1, size=9)
    exact = scipy.stats.permutation_test((d, np.zeros(9)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=10**6)
    found = statistics.sign_flip(d)
    assert found.p == pytest.approx(exact.pvalue) and found.difference == pytest.approx(d.mean())
    assert found.n_permutations == 512
    first, second = rng.random(200) < 0.8, rng.random(200) < 0.7
    b, c = int((first & ~second).sum()), int((~first & second).sum())
    assert statistics.mcnemar(first, second).p == pytest.approx(scipy.stats.binomtest(min(b, c), b + c, 0.5).pvalue)
    assert statistics.sign_flip([]).p == Undefined("n_too_small")
    with pytest.raises(errors.ShapeError, match="200 and 3"):
        statistics.mcnemar(first, [True] * 3)


def test_rank_correlations_are_scipys():
    x, y = np.array([1, 2, 2, 4, 5, 7.0]), np.array([2, 1, 3, 3, 6, 5.0])
    assert statistics.spearman(x, y).value == pytest.approx(scipy.stats.spearmanr(x, y)[0])
    assert statistics.kendall(x, y).value == pytest.approx(scipy.stats.kendalltau(x, y)[0])
    assert statistics.spearman(x, y, random_state=1) == statistics.spearman(x, y, random_state=1)
    assert statistics.kendall(x, np.ones(6)).value == Undefined("zero_variance")


def test_intervals_and_nulls():
    found = statistics.wilson(45, 50)
    want = scipy.stats.binomtest(45, 50).proportion_ci(method="wilson")
    assert (found.lo, found.hi) == (pytest.approx(want.low), pytest.approx(want.high)) and found.method == "wilson"
    values = np.random.default_rng(1).normal(size=80)
    inside = statistics.mean_interval(values, n_resamples=2000)
    assert inside.lo < values.mean() < inside.hi and inside.method == "bca" and inside.n_resamples == 2000
    null = statistics.null(3.0, np.arange(9), "both")
    assert null.mean == 4.0 and null.p == pytest.approx(2 * 5 / 10) and null.n_permutations == 9
    assert statistics.null(Undefined("no_labels"), []).p == Undefined("no_labels")
    for mistake in (lambda: statistics.wilson(3, 2), lambda: statistics.wilson(1, 2, level=95), lambda: statistics.null(1, [1], "left")):
        with pytest.raises(errors.ParameterError):
            mistake()


def test_max_t_is_the_step_down_of_its_definition():
    rng = np.random.default_rng(2)
    draws, observed = rng.normal(size=(4, 99)), [2.5, 0.1, 1.8, -1.0]
    order = np.argsort(observed)[::-1]
    want, bound = np.empty(4), 0.0
    for k, test in enumerate(order):
        largest = draws[order[k:]].max(axis=0)
        bound = max(bound, (1 + (largest >= observed[test]).sum()) / 100)
        want[test] = bound
    assert statistics.max_t(observed, draws) == pytest.approx(want.tolist())
    assert statistics.max_t([*observed, Undefined("empty_graph")], [*draws, []])[:4] == pytest.approx(want.tolist())


def test_modularities_of_the_same_inputs_are_compared_in_pairs(layer):
    x, y = layer
    good, bad = subspect.express(x).graph, subspect.express(np.random.default_rng(0).normal(size=x.shape)).graph
    found = subspect.modularity_difference(good, bad, y, n_resamples=300)
    assert found.value == pytest.approx(subspect.modularity(good, y) - subspect.modularity(bad, y))
    assert found.interval.lo < found.value < found.interval.hi and found.p < 0.01
    assert subspect.modularity_difference(good, good, y, n_resamples=99).value == 0.0
    assert subspect.modularity_interval(good, y, n_resamples=200).n_resamples == 200
    assert found == subspect.modularity_difference(good, bad, y, n_resamples=300)


def test_maps_have_nulls_and_intervals(layer):
    x, _ = layer
    rng = np.random.default_rng(3)
    layers = {"x": x, "tanh": np.tanh(x), "noise": rng.normal(size=x.shape)}
    graphs = {name: subspect.express(v).graph for name, v in layers.items()}
    for operands, measure in ((graphs, "ssc_cka"), (layers, "linear_cka")):
        found = subspect.similarity_inference(operands, n_permutations=199, n_resamples=199)
        assert np.allclose(found.values.values, subspect.similarity_matrix(operands).values, atol=1e-6)
        assert found.values.measure == measure and found.p_familywise["x", "tanh"] <= 0.01 < found.p["x", "noise"]
        assert found.lo["x", "tanh"] < found.values["x", "tanh"] < found.hi["x", "tanh"]
        assert found.z["x", "x"] == Undefined("not_applicable") and "<table" in found._repr_html_() and repr(found)
    debiased = subspect.similarity_inference(graphs, estimator="debiased", n_permutations=99, n_resamples=0)
    assert debiased.lo["x", "tanh"] == Undefined("not_executed")
    with pytest.raises(errors.ParameterError, match="debiased"):
        subspect.similarity_inference(graphs, estimator="best", n_permutations=9, n_resamples=9)
    pytest.importorskip("pandas", reason="needs pandas")
    assert len(debiased.to_pandas()) == 3
