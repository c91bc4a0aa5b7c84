"""`subspect measure` against networkx and plain NumPy, on graphs of its own and on graphs made here."""

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_matrix, load_npz, random as random_sparse, save_npz

from formulas import affinity, subspace_preserving_error, votes


def save(folder, c, labels=None):
    """A coefficient file and a label file."""
    save_npz(folder / "c.npz", c)
    options = [folder / "c.npz"]
    if labels is not None:
        np.save(folder / "y.npy", labels)
        options += ["--labels", folder / "y.npy"]
    return options


def made_by_express(subspect, folder, rng):
    x = rng.standard_normal((120, 10)) + 2.0 * np.repeat(rng.standard_normal((4, 10)), 30, axis=0)
    np.save(folder / "x.npy", x)
    subspect("express", folder / "x.npy", "--output", folder / "c.npz")
    return load_npz(folder / "c.npz"), np.repeat(np.arange(4), 30)


def made_by_scipy(subspect, folder, rng):
    c = random_sparse(150, 150, density=0.03, random_state=7, format="lil", data_rvs=rng.standard_normal)
    c.setdiag(0)
    c[:, 5] = 0
    c[5, :] = 0  # an isolated input
    c[9, :] = 0  # an input without coefficients of its own
    c = csr_matrix(c, dtype=np.float32)
    c.eliminate_zeros()
    return c, rng.integers(0, 5, 150)


SOURCES = [made_by_express, made_by_scipy]


def values(answer):
    return {name: found.get("value") for name, found in answer["structure"]["measures"].items()}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("resolution", [1.0, 0.5, 2.5])
def test_modularity_and_conductance_are_those_of_networkx(subspect, tmp_path, rng, source, resolution):
    c, labels = source(subspect, tmp_path, rng)
    found = values(subspect("measure", *save(tmp_path, c, labels), "--resolution", resolution))
    a = affinity(c)
    graph = nx.from_numpy_array(a)
    classes = [set(np.flatnonzero(labels == k)) for k in np.unique(labels)]
    wanted = nx.community.modularity(graph, classes, weight="weight", resolution=resolution)
    assert found["modularity"] == pytest.approx(wanted, abs=1e-12)
    conductance = [nx.conductance(graph, k, weight="weight") for k in classes]
    assert found["conductance_mean"] == pytest.approx(np.mean(conductance), abs=1e-12)
    assert found["conductance_max"] == pytest.approx(max(conductance), abs=1e-12)
    assert found["isolated_nodes"] == nx.number_of_isolates(graph)
    assert found["density"] == pytest.approx(nx.density(graph), rel=1e-12)
    assert found["mean_neighbors"] == pytest.approx(2 * graph.number_of_edges() / len(graph), rel=1e-12)
    assert found["max_neighbors"] == max(d for _, d in graph.degree())
    assert found["max_degree"] == pytest.approx(max(d for _, d in graph.degree(weight="weight")), rel=1e-12)


@pytest.mark.parametrize("source", SOURCES)
def test_votes_and_mass_are_those_of_plain_numpy(subspect, tmp_path, rng, source):
    c, labels = source(subspect, tmp_path, rng)
    predictions = np.where(rng.random(len(labels)) < 0.8, labels, 0)
    np.save(tmp_path / "p.npy", predictions)
    answer = subspect("measure", *save(tmp_path, c, labels), "--predictions", tmp_path / "p.npy")
    found, structure = values(answer), answer["structure"]
    a, n_classes = affinity(c), labels.max() + 1
    wanted = votes(a, labels, n_classes)
    assert structure["votes"] == wanted
    assert found["vote_accuracy"] == pytest.approx(np.mean([v == y for v, y in zip(wanted, labels)]), abs=1e-12)
    assert found["vote_agreement"] == pytest.approx(np.mean([v == p for v, p in zip(wanted, predictions)]), abs=1e-12)
    assert found["sre"] == pytest.approx(subspace_preserving_error(c, labels), abs=1e-12)
    one_hot = np.eye(n_classes)[labels]
    mass = one_hot.T @ a @ one_hot
    np.testing.assert_allclose(structure["class_affinity"], mass / mass.sum(axis=1, keepdims=True), atol=1e-12)
    assert found["same_class_mass"] == pytest.approx(np.trace(mass) / mass.sum(), abs=1e-12)
    rows = np.diff(c.indptr)
    pure = [len(set(labels[c[i].indices])) == 1 and labels[c[i].indices[0]] == labels[i] for i in np.flatnonzero(rows)]
    assert found["one_class_rows"] == pytest.approx(np.mean(pure), abs=1e-12)
    assert (found["empty_rows"], found["nnz_per_row"]) == ((rows == 0).sum(), pytest.approx(rows.mean()))
    assert (structure["nnz"], structure["n_edges"]) == (c.nnz, np.count_nonzero(a) // 2)
    share = np.bincount(labels) / len(labels)
    assert found["modularity_ceiling"] == pytest.approx(1 - (share**2).sum(), abs=1e-12)
    assert found["modularity_floor"] == pytest.approx(-(1 - (share**2).sum()) / (len(labels) - 1), abs=1e-12)


@pytest.mark.parametrize("source", SOURCES)
def test_the_null_is_that_of_shuffled_labels(subspect, tmp_path, rng, source):
    c, labels = source(subspect, tmp_path, rng)
    answer = subspect("measure", *save(tmp_path, c, labels), "--permutations", 999, "--seed", 3)
    null = {k: v if k == "n_permutations" else v["value"] for k, v in answer["structure"]["modularity_null"].items()}
    a = affinity(c)
    degrees, total = a.sum(axis=1), a.sum()

    def modularity(y):
        one_hot = np.eye(y.max() + 1)[y]
        return np.trace(one_hot.T @ a @ one_hot) / total - ((degrees @ one_hot / total) ** 2).sum()

    ours = np.array([modularity(rng.permutation(labels)) for _ in range(999)])
    error = ours.std() / np.sqrt(999)
    assert abs(null["mean"] - ours.mean()) < 6 * error
    assert null["sd"] == pytest.approx(ours.std(), rel=0.15)
    lo, hi = np.quantile(ours, [0.025, 0.975])
    assert abs(null["lo"] - lo) < 20 * error and abs(null["hi"] - hi) < 20 * error
    value = values(answer)["modularity"]
    assert null["z"] == pytest.approx((value - null["mean"]) / null["sd"], rel=1e-9)
    assert null["n_permutations"] == 999 and 1 / 1000 <= null["p"] <= 1
    repeated = subspect("measure", *save(tmp_path, c, labels), "--permutations", 999, "--seed", 3)
    assert repeated == answer


def cliques(n, size, bridges):
    """`n` cliques with single edges between them, as coefficients: half of the weight in each direction."""
    graph = nx.disjoint_union_all([nx.complete_graph(size)] * n)
    graph.add_edges_from(bridges)
    return csr_matrix(0.5 * nx.to_numpy_array(graph), dtype=np.float32), np.repeat(np.arange(n), size)


def test_closed_forms_of_modularity(subspect, tmp_path):
    barbell = cliques(2, 5, [(4, 5)])
    ring = cliques(4, 5, [(4, 5), (9, 10), (14, 15), (19, 0)])
    for (c, labels), wanted in [(barbell, 0.452380952381), (ring, 0.659090909091)]:
        assert values(subspect("measure", *save(tmp_path, c, labels)))["modularity"] == pytest.approx(wanted, abs=1e-11)


def test_what_cannot_be_computed_says_why(subspect, tmp_path):
    c, labels = cliques(2, 5, [(4, 5)])
    status = lambda answer: answer["structure"]["measures"]["modularity"].get("status")
    assert status(subspect("measure", *save(tmp_path, c))) == "no_labels"
    assert status(subspect("measure", *save(tmp_path, c, np.zeros(10, int)))) == "one_class"
    assert status(subspect("measure", *save(tmp_path, csr_matrix((10, 10), dtype=np.float32), labels))) == "empty_graph"
    short = subspect.run("measure", *save(tmp_path, c, labels[:9]), code=2)
    assert "expected 10" in short.stderr and "found 9" in short.stderr


def test_a_run_measures_its_own_graphs_alike(subspect, demo_run, demo_record, tmp_path):
    labels = np.array(demo_record["inputs"]["labels"])
    np.save(tmp_path / "y.npy", labels)
    for layer in demo_record["layers"]:
        answer = subspect("measure", demo_run / layer["graph"], "--labels", tmp_path / "y.npy")
        for name, value in answer["structure"]["measures"].items():
            if name != "vote_agreement":  # the file of coefficients knows no predictions
                assert value == layer["measures"][name], f"{layer['name']}: {name}"
        a = affinity(load_npz(demo_run / layer["graph"]))
        assert layer["votes"] == votes(a, labels, 10)


def test_neighbours_of_an_input(subspect, demo_run, demo_record):
    inputs, layer = demo_record["inputs"], demo_record["layers"][-2]
    c = load_npz(demo_run / layer["graph"]).toarray()
    a = affinity(load_npz(demo_run / layer["graph"]))
    for i in [0, 57, 199]:
        found = subspect("neighbors", demo_run, "--input", inputs["ids"][i], "--layer", layer["name"])
        best = np.sort(a[i][a[i] > 0])[::-1][:10]
        np.testing.assert_allclose([n["affinity"] for n in found["neighbours"]], best, rtol=1e-6)
        for n in found["neighbours"]:
            j = inputs["ids"].index(n["input"])
            assert (n["coefficient"], n["reverse_coefficient"]) == pytest.approx((c[i, j], c[j, i]), rel=1e-6)
        mass = a[i] @ np.eye(10)[inputs["labels"]]
        np.testing.assert_allclose(found["class_affinity"], mass / mass.sum(), atol=1e-9)
        assert found["vote"] == mass.argmax()


def test_graphml_is_the_affinity_graph(subspect, demo_run, demo_record, tmp_path):
    files = subspect("export", demo_run, "--to", "graphml", "--output", tmp_path)["files"]
    assert len(files) == len(demo_record["layers"])
    graph = nx.read_graphml(files[-1])
    a = affinity(load_npz(demo_run / demo_record["layers"][-1]["graph"]))
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (200, np.count_nonzero(a) // 2)
    weights = sorted(w for _, _, w in graph.edges(data="affinity"))
    np.testing.assert_allclose(weights, np.sort(a[np.triu_indices(200)][a[np.triu_indices(200)] > 0]), rtol=1e-6)
