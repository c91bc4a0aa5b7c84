"""Graphs, their measures and votes, against networkx, igraph, scikit-learn and closed forms."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

import subspect
from subspect import Undefined, errors


@pytest.fixture(scope="module")
def graph(layer):
    return subspect.express(layer[0]).graph


def test_the_graph_is_symmetric_without_loops(graph, layer):
    a = graph.to_scipy()
    c = subspect.express(layer[0]).coefficients
    assert (a != a.T).nnz == 0 and np.all(a.diagonal() == 0) and a.dtype == np.float32
    assert abs(a - (abs(c) + abs(c).T)).max() < 1e-6
    assert graph.n_edges == a.nnz // 2 and np.allclose(graph.degrees, a.sum(axis=1), rtol=1e-6)
    assert (subspect.affinity(c).to_scipy() != a).nnz == 0


def test_modularity_is_networkx(graph, layer):
    nx = pytest.importorskip("networkx", reason="needs networkx")
    g, labels = graph.to_networkx(), layer[1]
    groups = [set(np.flatnonzero(labels == c)) for c in range(3)]
    for resolution in (0.5, 1.0, 2.0):
        expected = nx.community.modularity(g, groups, weight="weight", resolution=resolution)
        assert subspect.modularity(graph, labels, resolution=resolution) == pytest.approx(expected, abs=1e-9)
    by_class = subspect.modularity_by_class(graph, labels)
    assert sum(by_class.values()) == pytest.approx(subspect.modularity(graph, labels), abs=1e-12)


def test_igraph_gets_the_same_edges(graph, layer):
    pytest.importorskip("igraph", reason="needs igraph")
    g = graph.to_igraph()
    expected = g.modularity(layer[1].tolist(), weights="weight")
    assert g.ecount() == graph.n_edges
    assert subspect.modularity(graph, layer[1]) == pytest.approx(expected, abs=1e-9)


def test_labels_may_be_anything_that_sorts(graph, layer):
    want = subspect.modularity(graph, layer[1])
    for labels in (layer[1] + 7, np.array(["b", "c", "a"])[layer[1]], list(layer[1]), layer[1].astype(float)):
        assert subspect.modularity(graph, labels) == pytest.approx(want, abs=1e-12)


def test_what_cannot_be_computed_says_why(graph):
    assert subspect.modularity(graph, np.zeros(240)) == Undefined("one_class")
    empty = subspect.affinity(sp.csr_array((5, 5)))
    assert subspect.modularity(empty, [0, 1, 0, 1, 0]) == Undefined("empty_graph")
    found = subspect.measures(graph)
    assert found["modularity"] == Undefined("no_labels") and isinstance(found["mean_degree"], float)
    assert not found["modularity"] and not subspect.is_defined(found["modularity"])
    assert f"{found['modularity']:.3f}" == "no_labels"
    with pytest.raises(errors.UndefinedError, match="no_labels"):
        float(found["modularity"])
    assert pickle.loads(pickle.dumps(found["modularity"])) == found["modularity"]


def test_every_listed_measure_is_there(graph, layer):
    found = subspect.measures(graph, layer[1], layer[1][::-1])
    assert list(found) == [m["name"] for m in subspect.methods("measures")]
    assert 0 <= found["vote_agreement"] <= 1 and found["sre"] < 0.2


def test_the_null_is_a_band_around_chance(graph, layer):
    null = subspect.modularity_null(graph, layer[1], n_permutations=99, random_state=3)
    assert null.lo < 0.01 and null.hi < subspect.modularity(graph, layer[1]) and null.p == pytest.approx(0.01)
    assert null == subspect.modularity_null(graph, layer[1], n_permutations=99, random_state=3)


def test_votes_speak_the_labels_language(layer):
    x, y = layer
    names = np.array(["cat", "dog", "eel"])[y]
    votes = subspect.vote(subspect.express(x), names)
    assert votes.agreement(names) > 0.95 and votes.labels.dtype == names.dtype
    assert np.allclose(votes.class_affinity.sum(axis=1), 1)
    outside = subspect.vote(subspect.express(x[200:], dictionary=x[:200]), names[:200])
    assert outside.agreement(names[200:]) > 0.9
    alone = subspect.vote(subspect.affinity(sp.csr_array((4, 4))), [0, 1, 0, 1])
    assert alone.labels.mask.all() and alone.agreement([0, 1, 0, 1]) == 0.0
    with pytest.raises(errors.ShapeError):
        subspect.vote(subspect.express(x), names[:-1])


def test_neighbours_come_by_affinity(graph):
    found = subspect.neighbors(graph, 5, 4)
    a = graph.to_scipy()[[5]].toarray()[0]
    assert list(found) == np.argsort(-a, kind="stable")[:4].tolist()
    assert np.allclose(found.affinities, np.abs(found.coefficients) + np.abs(found.reverse_coefficients), rtol=1e-6)
    with pytest.raises(errors.ParameterError, match="below 240"):
        subspect.neighbors(graph, 240)


def test_spectral_finds_the_subspaces(graph, layer):
    found = subspect.spectral(graph, 3, random_state=0)
    agreement = subspect.agreement(layer[1], found.labels)
    assert agreement["ari"] > 0.95 and list(agreement) == [a["name"] for a in subspect.methods("agreements")]
    with pytest.raises(errors.ParameterError):
        subspect.spectral(graph, 0)


def test_leiden_finds_the_subspaces_and_tells_the_spread(graph, layer):
    found = subspect.leiden(graph, random_state=1)
    assert found.status == "converged" and len(found.qualities) == 10
    assert found.quality == pytest.approx(subspect.modularity(graph, found.labels), abs=1e-9)
    assert found.quality >= subspect.modularity(graph, layer[1]) - 1e-9
    assert subspect.agreement(layer[1], found.labels)["homogeneity"] > 0.95
    assert subspect.leiden(graph, quality="cpm").n_clusters > 1
    assert [d["name"] for d in subspect.methods("detectors")] == ["leiden", "spectral"]
    with pytest.raises(errors.SubspectError, match="cpm"):
        subspect.leiden(graph, quality="best")
    with pytest.raises(errors.ParameterError, match="n_seeds"):
        subspect.leiden(graph, n_seeds=0)


def test_leiden_is_as_good_as_leidenalg(graph):
    leidenalg = pytest.importorskip("leidenalg", reason="needs leidenalg")
    g = graph.to_igraph()
    kind = leidenalg.ModularityVertexPartition
    theirs = [leidenalg.find_partition(g, kind, weights="weight", n_iterations=-1, seed=s).membership for s in range(10)]
    found = subspect.leiden(graph)
    assert g.modularity(found.labels.tolist(), weights="weight") == pytest.approx(found.quality, abs=1e-9)
    assert found.quality == pytest.approx(max(g.modularity(m, weights="weight") for m in theirs), abs=2e-3)


def test_an_interval_holds_the_value(graph, layer):
    found = subspect.modularity_interval(graph, layer[1], n_resamples=200)
    assert found.lo < subspect.modularity(graph, layer[1]) < found.hi
    with pytest.raises(errors.ParameterError, match="level"):
        subspect.modularity_interval(graph, layer[1], level=2)


def test_agreement_is_scikit_learns():
    from sklearn import metrics

    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 4, 200), rng.integers(0, 5, 200)
    found = subspect.agreement(a, b)
    assert found["nmi"] == pytest.approx(metrics.normalized_mutual_info_score(a, b))
    assert found["ari"] == pytest.approx(metrics.adjusted_rand_score(a, b))
    assert found["ami"] == pytest.approx(metrics.adjusted_mutual_info_score(a, b))


def test_what_is_no_graph_is_refused(layer):
    c = subspect.express(layer[0]).coefficients
    with pytest.raises(errors.GraphError, match="symmetric"):
        subspect.modularity(c, layer[1])
    with pytest.raises(errors.ShapeError, match="square"):
        subspect.affinity(c[:10])
    with pytest.raises(errors.GraphError, match="diagonal"):
        subspect.affinity(sp.eye_array(5))
    with pytest.raises(errors.ShapeError, match="240 labels"):
        subspect.modularity(subspect.affinity(c), [1, 2])
    with pytest.raises(errors.MethodError, match="row_normalized"):
        subspect.affinity(c, "row")
    with pytest.raises(TypeError, match="AffinityGraph"):
        subspect.modularity("graph", [1])
