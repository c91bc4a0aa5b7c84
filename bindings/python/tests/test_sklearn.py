"""The estimators keep every rule of scikit-learn, and do what they are for."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import subspect
from subspect.sklearn import AffinityVoteClassifier, SelfExpressiveGraph, SparseSubspaceClustering


@parametrize_with_checks([
    SparseSubspaceClustering(n_clusters=3, random_state=0),
    # Not omp: the checks want blobs in the plane told apart, where any two atoms express every input exactly.
    SparseSubspaceClustering(n_clusters=3, method="elastic_net", random_state=0),
    SelfExpressiveGraph(),
    SelfExpressiveGraph("knn"),
    AffinityVoteClassifier(),
    AffinityVoteClassifier("omp"),
])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("method", [m["name"] for m in subspect.methods() if m["name"] != "saini2021"])
def test_subspaces_are_found(method, layer):
    x, y = layer
    model = SparseSubspaceClustering(3, method=method, random_state=0)
    labels = model.fit_predict(x)
    wanted = 0.95 if method != "knn" else 0.3
    assert subspect.agreement(y, labels)["ari"] > wanted
    assert model.affinity_matrix_.shape == (240, 240) and model.coefficients_.shape == (240, 240)
    assert len(model.certificate_) == 240 and model.clustering_.status


def test_parameters_of_other_methods_are_not_looked_at(layer):
    a = SparseSubspaceClustering(3, method="omp", alpha_ratio=0.3, random_state=0).fit(layer[0])
    b = SparseSubspaceClustering(3, method="omp", random_state=0).fit(layer[0])
    assert (a.coefficients_ != b.coefficients_).nnz == 0
    assert clone(a).alpha_ratio == 0.3


def test_the_transformer_expresses_new_inputs(layer):
    x, _ = layer
    model = SelfExpressiveGraph()
    inside = model.fit_transform(x[:200])
    outside = model.transform(x[200:])
    assert inside.shape == (200, 200) and outside.shape == (40, 200)
    assert (outside != subspect.express(x[200:], dictionary=x[:200]).coefficients).nnz == 0
    assert model.get_feature_names_out()[3] == "sample3"


def test_the_classifier_votes_out_of_sample(layer):
    x, y = layer
    names = np.array(["cat", "dog", "eel"])[y]
    model = make_pipeline(StandardScaler(with_mean=False), AffinityVoteClassifier())
    assert cross_val_score(model, x, names, cv=3).min() > 0.9
    fitted = AffinityVoteClassifier().fit(x[:200], names[:200])
    shares = fitted.predict_proba(x[200:])
    assert np.allclose(shares.sum(axis=1), 1) and fitted.classes_.tolist() == ["cat", "dog", "eel"]
    assert np.all(fitted.classes_[shares.argmax(axis=1)] == fitted.predict(x[200:]))
    assert fitted.predict(np.zeros((1, 30)))[0] in fitted.classes_
