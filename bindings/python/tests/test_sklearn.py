"""The estimators keep every rule of scikit-learn, and do what they are for."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import subspect
from subspect import errors
from subspect.sklearn import (
    AffinityVoteClassifier, SelfExpressiveGraph, SparseSubspaceClustering, expected_failed_checks,
)


METHODS = [m["name"] for m in subspect.methods()]
#: Those that express inputs outside their dictionary.
OUTSIDE = ["lasso", "elastic_net", "omp", "knn"]
#: Before scikit-learn 1.6 the estimators name their expected failures themselves.
NEW = "expected_failed_checks" in inspect.signature(parametrize_with_checks).parameters


@parametrize_with_checks(
    [SparseSubspaceClustering(n_clusters=3, method=m, random_state=0) for m in METHODS]
    + [SelfExpressiveGraph(m) for m in METHODS]
    + [AffinityVoteClassifier(m) for m in OUTSIDE],
    **({"expected_failed_checks": expected_failed_checks} if NEW else {}),
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_expected_failures_are_few_named_and_real():
    estimators = [SparseSubspaceClustering(n_clusters=3, method=m, random_state=0) for m in METHODS]
    estimators += [SelfExpressiveGraph(m) for m in METHODS] + [AffinityVoteClassifier(m) for m in OUTSIDE]
    named = {(type(e).__name__, e.method): expected_failed_checks(e) for e in estimators}
    inside = [m for m in METHODS if m not in OUTSIDE]
    assert {k: list(v) for k, v in named.items() if v} == {
        ("SparseSubspaceClustering", "omp"): ["check_clustering"],
        ("AffinityVoteClassifier", "elastic_net"): ["check_classifiers_train"],
        **{("SelfExpressiveGraph", m): ["check_fit_idempotent"] for m in inside},
    }
    if not NEW:
        return
    for estimator in (e for e in estimators if expected_failed_checks(e)):
        found = check_estimator(estimator, on_fail=None, on_skip=None)
        failed = {r["check_name"] for r in found if r["status"] == "failed"}
        assert failed == set(expected_failed_checks(estimator)), estimator


@pytest.mark.parametrize("method", [m for m in METHODS if m not in OUTSIDE])
def test_a_classifier_refuses_methods_without_an_outside(method, layer):
    with pytest.raises(errors.MethodError, match="cannot classify"):
        AffinityVoteClassifier(method).fit(*layer)
    with pytest.raises(errors.MethodError, match="own inputs"):
        SelfExpressiveGraph(method).fit(layer[0]).transform(layer[0] + 1)


def test_parameters_are_spelled_out():
    for cls in (SparseSubspaceClustering, SelfExpressiveGraph, AffinityVoteClassifier):
        kinds = [p.kind for name in ("__init__", "fit") for p in inspect.signature(getattr(cls, name)).parameters.values()]
        assert not {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL} & set(kinds)
        taken = set(inspect.signature(cls).parameters)
        own = {p["name"] for m in subspect.methods() for p in m["parameters"]}
        if cls is AffinityVoteClassifier:
            own = {p["name"] for m in subspect.methods() if m["name"] in OUTSIDE for p in m["parameters"]}
        assert own <= taken, own - taken


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
