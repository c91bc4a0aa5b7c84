"""Stores and whole runs from Python, and agreement with the command line."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

import subspect
from subspect import Undefined, errors


@pytest.fixture(scope="module")
def layers(layer):
    x, _ = layer
    rng = np.random.default_rng(5)
    return {"conv1": x, "conv2": np.tanh(x @ rng.normal(size=(30, 20)).astype(np.float32)), "logits": x[:, :3]}


@pytest.fixture(scope="module")
def run(layers, layer):
    return subspect.analyze(layers, layer[1], layer[1][::-1].copy(), permutations=19, examples=4)


def test_a_run_has_what_the_functions_give(run, layers, layer):
    assert run.names == list(layers) and run.record["state"] == "complete" and len(run.summary) >= 2
    for name, x in layers.items():
        graph = subspect.express(x).graph
        found = subspect.measures(graph, layer[1], layer[1][::-1])
        assert run[name].measures == dict(sorted(found.items()))
        assert (run[name].graph.to_scipy() != graph.to_scipy()).nnz == 0
    ours = subspect.similarity_matrix({n: run[n].graph for n in run.names})
    assert np.array_equal(run.similarity("ssc_cka").values, ours.values)
    with pytest.raises(errors.ParameterError, match="conv1"):
        run["conv3"]


def test_a_run_is_written_once_and_resumed(layers, layer, tmp_path):
    first = subspect.analyze(layers, layer[1], output=tmp_path / "run", permutations=19, similarity="none")
    again = subspect.analyze(tmp_path / "run-activations", output=tmp_path / "run", permutations=19, similarity="none")
    assert "reused graphs" in "".join((tmp_path / "run" / "log.txt").read_text()) or again.record["layers"] == first.record["layers"]
    assert subspect.Run(tmp_path / "run").names == first.names
    page = subspect.report(tmp_path / "run")
    assert page.read_text().startswith("<!") and "conv2" in first.to_html()


def test_the_command_line_reads_pythons_store_and_finds_the_same(layers, layer, tmp_path, binary):
    store = subspect.write_store(tmp_path / "store", layers, labels=layer[1])
    mine = subspect.analyze(store, output=tmp_path / "a", permutations=19)
    command = [binary, "run", "--store", store.folder, "--output", tmp_path / "b", "--permutations", "19", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    theirs = subspect.Run(tmp_path / "b")
    for one, two in zip(mine, theirs):
        assert one.measures == two.measures and one.record["modularity_null"] == two.record["modularity_null"]
        assert (one.coefficients != two.coefficients).nnz == 0
    assert np.array_equal(mine.similarity().values, theirs.similarity().values)
    np.save(tmp_path / "x.npy", layers["conv1"])
    out = [binary, "express", tmp_path / "x.npy", "--method", "omp", "--output", tmp_path / "c.npz"]
    subprocess.run(out, check=True, capture_output=True)
    import scipy.sparse as sp

    ours = subspect.express(layers["conv1"], "omp").coefficients.astype(np.float32)
    assert (sp.csr_array(sp.load_npz(tmp_path / "c.npz")) != ours).nnz == 0
    listed = json.loads(subprocess.run([binary, "methods", "--format", "json"], check=True, capture_output=True).stdout)
    for kind in ("methods", "measures", "agreements", "similarities", "postprocesses", "options"):
        assert [m["name"] for m in listed[kind]] == [m["name"] for m in subspect.methods(kind)]


def test_a_store_is_a_mapping_and_keeps_names(layers, tmp_path):
    names = np.array(["cat", "dog", "eel"])[np.arange(240) % 3]
    store = subspect.write_store(tmp_path / "s", layers, labels=names, ids=range(1000, 1240))
    assert list(store) == list(layers) and store.classes == ["cat", "dog", "eel"] and store.ids[0] == "1000"
    assert store.labels.tolist() == [i % 3 for i in range(240)] and store.predictions is None
    for name in layers:
        assert np.array_equal(store[name], layers[name])
    with pytest.raises(errors.ShapeError, match="240"):
        subspect.write_store(tmp_path / "t", {**layers, "x": np.ones((3, 2))})
    with pytest.raises(errors.ShapeError, match="one per input"):
        subspect.write_store(tmp_path / "t", layers, labels=[0, 1])
    with pytest.raises(errors.NotFiniteError, match="conv1"):
        subspect.write_store(tmp_path / "t", {"conv1": np.full((4, 2), np.nan)})
    with pytest.raises(errors.StoreError):
        subspect.ActivationStore(tmp_path)
    with pytest.raises(errors.StoreError):
        subspect.Run(tmp_path)


def test_mistakes_in_options_are_named(layers):
    with pytest.raises(errors.ParameterError, match="did you mean `permutations`"):
        subspect.analyze(layers, permutation=3)
    with pytest.raises(errors.ParameterError, match="omp"):
        subspect.analyze(layers, method="omp", alpha_ratio=0.1)
    with pytest.raises(errors.NetworkError, match="conv9"):
        subspect.analyze(layers, layers="conv9")
    with pytest.raises(errors.ParameterError, match="activations"):
        subspect.analyze()
    with pytest.raises(errors.ParameterError, match="either"):
        subspect.analyze(layers, model="m.onnx", data="d")


def test_every_layer_of_one_thing_meets_every_layer_of_another(layers, run, tmp_path):
    a = subspect.write_store(tmp_path / "a", layers)
    found = subspect.similarity_between(a, a.folder, "linear_cka")
    assert found.rows == list(layers) and np.allclose(np.diag(found.values), 1, atol=1e-6)
    assert np.allclose(subspect.similarity_between(run, run).values, run.similarity().values)
    with pytest.raises(errors.ParameterError):
        subspect.similarity_between(a, a, estimator="best")


def test_unlabelled_runs_have_statuses(layers):
    run = subspect.analyze(layers, similarity="none", permutations=0)
    assert run["conv1"].measures["modularity"] == Undefined("no_labels") and run.labels is None
    pytest.importorskip("pandas", reason="needs pandas")
    assert run.to_pandas()["modularity"].isna().all()


def test_ctrl_c_like_stops_come_through_a_run(layers):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        subspect.analyze(layers, progress=stop)


def test_a_onnx_network_is_captured_as_by_the_command_line(shared, tmp_path, binary):
    model = shared / "models" / "resnet20_cifar10.onnx"
    data = shared / "data" / "cifar10"
    if not model.is_file():
        model = next((shared / "models").rglob("*.onnx"), model)
    if not model.is_file() or not data.is_dir():
        pytest.skip("needs ../shared/models and ../shared/data/cifar10")
    names = [layer["name"] for layer in subspect.layers(model)]
    options = {"inputs": 30, "normalize": "cifar10"}
    store = subspect.capture(model, data, tmp_path / "a", layers=["block", "logits"], **options)
    assert set(store) <= set(names) and store.n_inputs == 30
    command = [binary, "capture", "--model", model, "--data", data, "--output", tmp_path / "b", "--inputs", "30",
               "--normalize", "cifar10", "--layers", "block", "logits", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    other = subspect.ActivationStore(tmp_path / "b")
    assert list(store) == list(other) and all(np.array_equal(store[n], other[n]) for n in store)
