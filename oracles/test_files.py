"""Files that others wrote are read, and what we write is read by NumPy, SciPy, CSV and JSON readers alone."""

import csv

import numpy as np
import pytest
from scipy.sparse import load_npz, save_npz

import writers
from conftest import parse
from formulas import affinity


@pytest.fixture(scope="session")
def pictures(digits):
    """60 digits, 6 of each class, in the order of their classes: the order of every layout below."""
    images, labels = digits
    rows = np.concatenate([np.flatnonzero(labels == k)[:6] for k in range(10)])
    return images[rows], labels[rows]


def as_idx(folder, images, labels, suffix=".gz"):
    writers.idx(folder / f"t10k-images-idx3-ubyte{suffix}", images)
    writers.idx(folder / f"t10k-labels-idx1-ubyte{suffix}", labels)
    return folder


def as_plain_idx(folder, images, labels):
    return as_idx(folder, images, labels, "") / "t10k-images-idx3-ubyte"


def as_image_folder(folder, images, labels):
    for i, (image, label) in enumerate(zip(images, labels)):
        (folder / f"digit-{label}").mkdir(exist_ok=True)
        writers.png(folder / f"digit-{label}" / f"{i:03}.png", image)
    return folder


def as_npz(folder, images, labels):
    np.savez_compressed(folder / "digits.npz", images=images, labels=labels)
    return folder / "digits.npz"


def as_float_npz(folder, images, labels):
    np.savez(folder / "digits.npz", images=(images / 255.0)[:, None].astype(np.float32), labels=labels.astype(np.uint8))
    return folder / "digits.npz"


LAYOUTS = [as_idx, as_plain_idx, as_image_folder, as_npz, as_float_npz]


def capture(subspect, model, data, store, *options):
    subspect("capture", "--model", model, "--data", data, "--layers", "conv1,logits", "--output", store, *options)
    manifest = parse((store / "store.json").read_text())
    return manifest, [np.load(store / layer["file"], mmap_mode="r") for layer in manifest["layers"]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_activations(subspect, demo_model, pictures, tmp_path, layout):
    (tmp_path / "data").mkdir()
    data = layout(tmp_path / "data", *pictures)
    manifest, found = capture(subspect, demo_model, data, tmp_path / "store")
    assert manifest["n_inputs"] == 60 and manifest["inputs"]["labels"] == pictures[1].tolist()
    (tmp_path / "plain").mkdir()
    _, wanted = capture(subspect, demo_model, as_plain_idx(tmp_path / "plain", *pictures), tmp_path / "other")
    for ours, theirs in zip(found, wanted):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_on_an_image_folder(subspect, demo_model, pictures, tmp_path):
    (tmp_path / "digits").mkdir()
    data = as_image_folder(tmp_path / "digits", *pictures)
    answer = subspect("run", "--model", demo_model, "--data", data, "--inputs", 40, "--output", tmp_path / "run")
    record = parse((tmp_path / "run" / "record.json").read_text())
    assert answer["state"] == record["state"] == "complete"
    assert record["dataset"]["format"] == "image_folder" and record["dataset"]["n_total"] == 60
    assert record["dataset"]["classes"] == [f"digit-{k}" for k in range(10)]
    assert np.bincount(record["inputs"]["labels"]).tolist() == [4] * 10
    # Ids name the files, and files hold what the labels say.
    for name, label in zip(record["inputs"]["ids"], record["inputs"]["labels"]):
        assert (data / name).is_file() and f"digit-{label}" in name


def test_cifar10_records(subspect, shared, rng, tmp_path):
    """A file of random pictures in the binary layout, through a pretrained network."""
    images, labels = rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8), np.arange(40) % 10
    writers.cifar10(tmp_path / "test_batch.bin", images, labels)
    np.savez(tmp_path / "same.npz", images=images, labels=labels)
    model = shared / "models" / "cifar10_resnet20.onnx"
    manifest, found = capture(subspect, model, tmp_path / "test_batch.bin", tmp_path / "a", "--normalize", "cifar10")
    _, wanted = capture(subspect, model, tmp_path / "same.npz", tmp_path / "b", "--normalize", "cifar10")
    assert manifest["dataset"]["format"] == "cifar10" and manifest["inputs"]["labels"] == labels.tolist()
    for ours, theirs in zip(found, wanted):
        np.testing.assert_array_equal(ours, theirs)


def test_a_subset_is_balanced_and_seeded(subspect, demo_model, pictures, tmp_path):
    (tmp_path / "data").mkdir()
    data = as_idx(tmp_path / "data", *pictures)
    whole, all_rows = capture(subspect, demo_model, data, tmp_path / "all")
    chosen = []
    for seed in [0, 0, 1]:
        store = tmp_path / f"store{len(chosen)}"
        manifest, rows = capture(subspect, demo_model, data, store, "--inputs", 30, "--seed", seed)
        assert np.bincount(manifest["inputs"]["labels"]).tolist() == [3] * 10
        positions = [whole["inputs"]["ids"].index(i) for i in manifest["inputs"]["ids"]]
        np.testing.assert_allclose(rows[0], all_rows[0][positions], rtol=1e-5, atol=1e-6)
        chosen.append(positions)
    assert chosen[0] == chosen[1] != chosen[2]


@pytest.mark.parametrize("layout", ["npy", "npz", "safetensors"])
def test_activations_made_elsewhere(subspect, rng, tmp_path, layout):
    shapes = {"block1": (30, 4, 3, 3), "fc": (30, 5)}
    arrays = {name: rng.standard_normal(shape).astype("<f4") for name, shape in shapes.items()}
    labels = np.arange(30) % 3
    source = tmp_path / f"activations.{layout}"
    np.save(tmp_path / "y.npy", labels)
    if layout == "npy":
        arrays = {"activations": arrays["block1"]}
        np.save(source, arrays["activations"].astype(">f8"))  # another type and byte order, on purpose
    elif layout == "npz":
        np.savez(source, **arrays)
    else:
        writers.safetensors(source, arrays)
    answer = subspect("import", source, "--labels", tmp_path / "y.npy", "--output", tmp_path / "store")
    assert answer["has_labels"] and [layer["name"] for layer in answer["layers"]] == list(arrays)
    for layer, array in zip(answer["layers"], arrays.values()):
        np.testing.assert_array_equal(np.load(tmp_path / "store" / layer["file"]), array.reshape(30, -1))
    done = subspect("run", "--store", tmp_path / "store", "--output", tmp_path / "run", "--no-report")
    assert done["n_inputs"] == 30 and len(done["layers"]) == len(arrays)


def test_the_files_of_a_run(subspect, demo_run, demo_record):
    n, layers = len(demo_record["inputs"]["ids"]), demo_record["layers"]
    assert (n, demo_record["state"], demo_record["schema"]) == (200, "complete", 2)
    for layer in layers:
        c = load_npz(demo_run / layer["graph"])
        assert (c.format, c.dtype, c.shape, c.nnz) == ("csr", np.float32, (n, n), layer["nnz"])
        assert c.has_sorted_indices and c.has_canonical_format
        assert np.all(c.data != 0) and np.all(c.diagonal() == 0) and np.isfinite(c.data).all()
        a = affinity(c)
        assert layer["n_edges"] == np.count_nonzero(a) // 2
        assert layer["n_isolated"] == np.sum(a.sum(axis=1) == 0)
    store = parse((demo_run / "activations" / "store.json").read_text())
    for layer in store["layers"]:
        x = np.load(demo_run / "activations" / layer["file"], mmap_mode="r")
        assert (x.shape, x.dtype.str, x.flags.c_contiguous) == ((n, layer["n_features"]), layer["dtype"], True)
    page = (demo_run / "report.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html>") and "NaN" not in page


def test_the_tables_of_a_run(demo_run, demo_record):
    with open(demo_run / "tables" / "layers.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["layer"] for row in rows] == [layer["name"] for layer in demo_record["layers"]]
    for row, layer in zip(rows, demo_record["layers"]):
        for name, found in layer["measures"].items():
            assert float(row[name]) == found["value"]
    with open(demo_run / "tables" / "inputs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == demo_record["inputs"]["ids"]
    for found in demo_record["similarity"]:
        with open(demo_run / "tables" / f"{found['measure']}_{found['estimator']}.csv", newline="") as file:
            table = list(csv.reader(file))
        values = np.array([row[1:] for row in table[1:]], float)
        np.testing.assert_array_equal(values, [[cell["value"] for cell in row] for row in found["values"]])


def test_matrices_of_other_layouts_are_the_same_matrix(subspect, rng, tmp_path):
    x = rng.standard_normal((40, 8)).astype(np.float32)
    variants = {"plain": x, "fortran": np.asfortranarray(x), "double": x.astype(np.float64), "big": x.astype(">f4")}
    results = []
    for name, array in variants.items():
        np.save(tmp_path / f"{name}.npy", array)
        subspect("express", tmp_path / f"{name}.npy", "--output", tmp_path / f"{name}.npz")
        results.append(load_npz(tmp_path / f"{name}.npz").toarray())
    assert all(np.array_equal(results[0], other) for other in results)


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("value", [np.float32, np.float64])
@pytest.mark.parametrize("compressed", [True, False])
def test_coefficients_that_scipy_wrote(subspect, rng, tmp_path, index, value, compressed):
    from scipy.sparse import csr_matrix

    dense = rng.standard_normal((20, 20)).astype(value) * (rng.random((20, 20)) < 0.2)
    np.fill_diagonal(dense, 0)
    c = csr_matrix(dense)
    c.indices, c.indptr = c.indices.astype(index), c.indptr.astype(index)
    save_npz(tmp_path / "c.npz", c, compressed=compressed)
    found = subspect("measure", tmp_path / "c.npz")["structure"]
    assert (found["nnz"], found["n_edges"]) == (c.nnz, np.count_nonzero(affinity(c)) // 2)


def test_bad_values_are_located(subspect, rng, tmp_path):
    x = rng.standard_normal((20, 6)).astype(np.float32)
    x[7, 4] = np.nan
    np.save(tmp_path / "x.npy", x)
    refused = subspect.run("express", tmp_path / "x.npy", "--output", tmp_path / "c.npz", code=2)
    assert "input 7, feature 4" in refused.stderr and not refused.stdout
    assert not (tmp_path / "c.npz").exists()


def test_every_command_that_lists_something_speaks_json(subspect, demo_run, demo_model):
    for arguments in [("methods",), ("layers", demo_model), ("check", demo_run / "plan.toml")]:
        assert subspect(*arguments)
    assert {"lasso", "elastic_net", "omp", "knn", "saini2021"} <= {m["name"] for m in subspect("methods")["methods"]}
