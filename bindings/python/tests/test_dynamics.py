"""A training watched: the command line's numbers from folders, lists, recorders and arrays, and what results offer."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

import subspect
from conftest import subspaces
from subspect import errors

OPTIONS = {"permutations": 19, "resamples": 49, "layout_epochs": 20}
LAYERS = ["early", "middle", "late"]


def training(seed=0, epochs=(0, 1, 2, 4, 10), n=90):
    """Layer ``l`` walks from noise to its end within ``l + 1`` epochs, and stands still from then on."""
    x, labels = subspaces(n)
    rng = np.random.default_rng(seed)
    start = {name: rng.normal(size=x.shape) for name in LAYERS}
    end = {name: x + 0.1 * rng.normal(size=x.shape) for name in LAYERS}
    done = {e: {name: min(e / (k + 1), 1.0) for k, name in enumerate(LAYERS)} for e in epochs}
    still = 0.01 * rng.normal(size=(len(epochs), *x.shape))
    return {
        e: {name: ((1 - s) * start[name] + s * end[name] + still[i]).astype(np.float32) for name, s in done[e].items()}
        for i, e in enumerate(epochs)
    }, labels


def stored(folder, seed=0):
    """The training as activation stores in a folder."""
    epochs, labels = training(seed)
    return [subspect.write_store(folder / f"epoch-{e}", layers, labels=labels) for e, layers in epochs.items()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("training") / "recorded"
    stored(where)
    return where


@pytest.fixture(scope="module")
def found(folder, tmp_path_factory):
    return subspect.dynamics(folder, output=tmp_path_factory.mktemp("dynamics") / "out", **OPTIONS)


def numbers(record):
    """A record without times, commands and places."""
    kept = json.loads(json.dumps({k: v for k, v in record.items() if k not in ("created", "command", "seconds")}, default=str))
    for series in kept["series"]:
        series.update(source="", name="")
        for epoch in series["epochs"]:
            epoch.update(source="", run=epoch["run"].rpartition("/")[2])
    return {**kept, "dataset": "", "settings": {k: v for k, v in kept["settings"].items() if k != "labels"}}


def words(options):
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def told(binary, folders, output, **options):
    """The record that the command line leaves."""
    command = [binary, "dynamics", *folders, "--output", output, "--quiet", *words({**OPTIONS, **options})]
    subprocess.run(command, check=True, capture_output=True)
    return subspect.Dynamics(output)


def test_the_numbers_are_the_command_lines(found, folder, binary, tmp_path):
    theirs = told(binary, [folder], tmp_path / "theirs")
    assert numbers(found.record) == numbers(theirs.record) and found.record["dataset"] == theirs.record["dataset"]
    for name in ("settling", "order", "dynamics"):
        table = f"tables/{name}.csv"
        assert (found.path / table).read_text() == (theirs.path / table).read_text()


def test_however_a_training_is_given_the_numbers_are_the_same(found, folder, tmp_path):
    epochs, labels = training()
    stores = [subspect.ActivationStore(folder / f"epoch-{e}") for e in epochs]
    unlabelled = [subspect.write_store(tmp_path / f"{k}-of-{e}", epochs[e]) for k, e in enumerate(epochs)]
    ways = {
        "stores by epoch": (dict(zip(epochs, stores)), None),
        "a list of stores": (stores, None),
        "a list of paths": ([store.folder for store in stores], None),
        "arrays by epoch": (epochs, labels),
        "labels beside stores": ([store.folder for store in unlabelled], labels),
    }
    for way, (source, known) in ways.items():
        again = subspect.dynamics(source, known, **OPTIONS)
        assert numbers(again.record) == numbers(found.record), way
    listed = subspect.dynamics(list(epochs.values()), labels, **OPTIONS)
    assert listed.epochs == [0, 1, 2, 3, 4] and listed.summary != found.summary


def test_a_temporary_folder_lives_as_long_as_the_result():
    epochs, labels = training()
    made = subspect.dynamics(epochs, labels, **OPTIONS)
    where = made.path.parent
    assert sorted(p.name for p in where.iterdir()) == ["dynamics"]  # activations that were in memory are gone
    assert "<html" in made.to_html() and made.report().name == "report.html" and str(where) not in repr(made)
    run = made.run(10)
    del made
    assert run["late"].graph.n_nodes == 90
    del run
    assert not where.exists()


def test_settling_is_read_by_layer_and_measure(found):
    ssc = found.settling()
    assert found.layers == ssc.layers == LAYERS and found.epochs == [0, 1, 2, 4, 10] and found.series == ["recorded"]
    assert (np.diff(ssc.epochs) > 0).all() and (ssc.lo <= ssc.hi).all() and ssc.over == "inputs"
    assert ssc.censored == ["no"] * 3 and ssc["late"] == ssc.epochs[2] and (ssc.threshold, ssc.level) == (0.95, 0.95)
    assert found.order == ssc.order and found.order.sentence in found.summary and str(found.order) == found.order.sentence
    assert found.order.spearman.value == pytest.approx(1) and found.order.kendall.value == 1 and found.order.exact
    assert found.order.spearman_p == pytest.approx(1 / 3) and found.order.verdict == "cannot_tell"
    theirs = subspect.statistics.kendall([0, 1, 2], ssc.epochs.data)
    assert theirs.value == found.order.kendall.value and theirs.p == pytest.approx(found.order.kendall_p)
    other = found.settling("linear_cka", "debiased", series="recorded")
    assert other.measure == "linear_cka" and "linear_cka" in repr(other) and "<table" in other._repr_html_()
    assert repr(found.settling(series=0)) == repr(ssc)
    for mistake in (dict(measure="rsa"), dict(estimator="best"), dict(series="seed 7"), dict(series=1)):
        with pytest.raises(errors.ParameterError):
            found.settling(**mistake)
    with pytest.raises(errors.ParameterError, match="early"):
        ssc["first"]


def test_curves_are_those_of_the_functions(found):
    epochs, labels = training()
    ssc = found.curves()
    graphs = {e: subspect.express(layers["middle"]).graph for e, layers in epochs.items()}
    want = [subspect.ssc_cka(graphs[e], graphs[10]) for e in epochs]
    assert np.allclose(ssc.values[:, 1], want, atol=1e-9) and ssc.epochs == list(epochs)
    assert (ssc.lo[:-1] <= ssc.hi[:-1]).all() and ssc.lo.mask[-1].all()  # the last is 1 by definition
    steps = found.curves("linear_cka", to="next", estimator="debiased")
    pairs = list(zip(list(epochs), list(epochs)[1:]))
    want = [subspect.linear_cka(epochs[a]["late"], epochs[b]["late"], estimator="debiased") for a, b in pairs]
    assert np.allclose(steps.values[:, 2], want, atol=1e-6) and steps.epochs == [0, 1, 2, 4]
    modularity = found.curves("modularity")
    assert modularity.values[4, 1] == pytest.approx(subspect.modularity(graphs[10], labels), abs=1e-9)
    assert (modularity.lo <= modularity.values).all() and "modularity" in repr(modularity)
    assert found.curves("vote_change").values.shape == (4, 3) and "<table" in modularity._repr_html_()
    for mistake in (dict(name="convergence"), dict(to="first"), dict(estimator="best"), dict(series=2)):
        with pytest.raises(errors.ParameterError):
            found.curves(**mistake)
    with pytest.raises(errors.ParameterError, match="epoch 3"):
        found.run(3)


def test_tables_and_figures(found):
    pytest.importorskip("pandas", reason="needs pandas")
    frame = found.to_pandas()
    assert len(frame) == 15 and frame["series"].unique().tolist() == ["recorded"]
    last = frame[frame["epoch"] == 10]
    assert last["ssc_cka"].tolist() == [1, 1, 1] and last["ssc_cka_next"].isna().all() and last["vote_change"].isna().all()
    csv = (found.path / "tables" / "dynamics.csv").read_text().splitlines()
    row = frame[(frame["epoch"] == 1) & (frame["layer"] == "late")].iloc[0]
    line = next(line for line in csv if line.startswith("recorded,1,late,linear_cka,debiased,10,")).split(",")
    assert [row["linear_cka_debiased"], row["linear_cka_debiased_lo"], row["linear_cka_debiased_hi"]] == [float(v) for v in line[6:9]]
    settled = found.settling().to_pandas()
    assert list(settled.index) == LAYERS and settled["epoch"].is_monotonic_increasing
    matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib")
    matplotlib.use("Agg")
    made = [found.plot(), found.plot("modularity"), found.plot("linear_cka", to="next", estimator="debiased"),
            found.plot_settling(), found.plot_settling("linear_cka")]
    for fig, ax in made:
        assert ax.figure is fig
        fig.canvas.draw()
    assert subspect.plot_dynamics(found, ax=made[0][1])[1] is made[0][1]
    matplotlib.pyplot.close("all")


def test_what_is_censored_is_bounded_and_a_dead_layer_is_undefined():
    x, labels = subspaces(60)
    noise = np.random.default_rng(0).normal(size=(4, *x.shape))
    epochs = {e: {"still": x, "wild": noise[e], "dead": np.zeros((60, 2))} for e in range(4)}
    found = subspect.dynamics(epochs, labels, **OPTIONS)
    ssc = found.settling()
    assert ssc.censored[:2] == ["by_first", "at_last"] and ssc.epochs.mask.tolist() == [False, False, True]
    assert not subspect.is_defined(ssc["dead"]) and found.order.n_by_first == found.order.n_at_last == 1
    text = found._repr_html_()
    assert "≤ 0.0" in text and "≥ 3.0" in text and "nan" not in text.lower() and text.count("<table") == text.count("</table>")
    pytest.importorskip("matplotlib", reason="needs matplotlib").use("Agg")
    found.plot_settling()[0].canvas.draw()


def test_several_seeds_have_intervals_over_seeds(folder, binary, tmp_path):
    stored(tmp_path / "other", seed=1)
    both = [folder, tmp_path / "other"]
    found = subspect.dynamics(both, output=tmp_path / "mine", **OPTIONS)
    theirs = told(binary, both, tmp_path / "theirs")
    assert numbers(found.record) == numbers(theirs.record) and found.series == ["recorded", "other"]
    assert found.settling().over == "seeds" and found.settling(series="other").over == "inputs"
    assert found.curves(series=1).series == "other" and found.run(2, series="other").names == LAYERS
    assert "of 2 trainings" in repr(found)
    arrays = [training(seed)[0] for seed in (0, 1)]
    again = subspect.dynamics(arrays, training()[1], **OPTIONS)
    assert numbers(again.record) == numbers(found.record) and again.series == ["training-1", "training-2"]
    pytest.importorskip("pandas", reason="needs pandas")
    assert len(found.to_pandas()) == 30


def test_inputs_are_ranked_over_a_training_as_by_the_command_line(found, binary):
    for score in subspect.methods("epoch_scores") + subspect.methods("scores")[:1]:
        mine = subspect.rank(found, score["name"])
        command = [binary, "rank", found.path, "--by", score["name"], "--top", "0", "--format", "json"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert mine.order.tolist() == [row["position"] for row in told["inputs"]] and mine.layer == told["layer"]
        assert subspect.rank(found.path, score["name"]).rows(3) == mine.rows(3)
    assert mine.run.path == found.run(10).path and "<table" in mine._repr_html_()
    with pytest.raises(errors.ParameterError, match="dynamics"):
        subspect.rank(found.run(10), "epoch_margin")


def test_a_call_goes_on_where_it_was_stopped(tmp_path):
    epochs, labels = training()
    calls = []

    def stop(done, total):
        calls.append(done)
        if (tmp_path / "out" / "epochs" / "0004").exists():  # the last epoch is done
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        subspect.dynamics(epochs, labels, output=tmp_path / "out", progress=stop, **OPTIONS)
    graphs = tmp_path / "out" / "epochs" / "0010" / "graphs"
    kept = {path.name: path.stat().st_mtime_ns for path in graphs.glob("*.npz")}
    assert calls and len(kept) == 3 and not (tmp_path / "out" / "dynamics.json").exists()
    found = subspect.dynamics(epochs, labels, output=tmp_path / "out", **OPTIONS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    assert {path.name: path.stat().st_mtime_ns for path in graphs.glob("*.npz")} == kept  # not solved again
    whole = subspect.dynamics(epochs, labels, **OPTIONS)
    assert numbers(found.record) == numbers(whole.record)
    assert subspect.dynamics({**epochs, 11: epochs[10]}, labels, output=tmp_path / "out", **OPTIONS).epochs[-1] == 11
    assert {path.name: path.stat().st_mtime_ns for path in graphs.glob("*.npz")} == kept


def test_mistakes_are_named(folder, tmp_path):
    epochs, labels = training(epochs=(0, 1))
    one = epochs[0]
    stores = [subspect.ActivationStore(folder / "epoch-0"), subspect.ActivationStore(folder / "epoch-1")]
    mistakes = [
        (one, "those of one"), ({0: one}, "two epochs"), ([], "empty list"), ({}, "two epochs"), ([stores[0], folder], "both in one list"),
        ({"first": one, "last": one}, "'first'"), ({-1: one, 0: one}, "-1"), (stores[0], "those of one"),
    ]
    for source, expected in mistakes:
        with pytest.raises(errors.ParameterError, match=expected):
            subspect.dynamics(source)
    with pytest.raises(TypeError, match="a training"):
        subspect.dynamics(7)
    with pytest.raises(TypeError, match="epoch 1"):
        subspect.dynamics({0: one, 1: 5})
    with pytest.raises(errors.ParameterError, match="threshold"):
        subspect.dynamics(epochs, threshold=1)
    with pytest.raises(errors.ParameterError, match="`store`"):
        subspect.dynamics(epochs, store=tmp_path)
    with pytest.raises(errors.ParameterError, match="did you mean `permutations`"):
        subspect.dynamics(epochs, permutation=3)
    with pytest.raises(errors.ParameterError, match="middle"):
        subspect.dynamics({0: one, 1: {k: v for k, v in one.items() if k != "middle"}})
    with pytest.raises(errors.StoreError, match="dynamics.json"):
        subspect.Dynamics(tmp_path)
    with pytest.raises(errors.SubspectError):
        subspect.dynamics(tmp_path / "nowhere")


def test_checkpoints_of_a_named_network_are_followed_as_by_the_command_line(binary, tmp_path):
    """What ``subspect train`` leaves, and the same checkpoints without its record."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, size=(60, 32, 32, 3), dtype=np.uint8)
    data = {"images": images, "labels": np.arange(60) % 3}
    np.savez(tmp_path / "data.npz", **data)
    command = [binary, "train", "--arch", "resnet8", "--data", tmp_path / "data.npz", "--output", tmp_path / "run", "--quiet",
               "--epochs", "2"]
    made = subprocess.run(command, capture_output=True, text=True)
    if "without training" in made.stderr:
        pytest.skip("needs a binary that trains")
    assert made.returncode == 0, made.stderr
    given = {"inputs": 24, "layers": ["logits", "block"]}
    found = subspect.dynamics(tmp_path / "run", data=tmp_path / "data.npz", **given, **OPTIONS)
    command = [binary, "dynamics", tmp_path / "run", "--data", tmp_path / "data.npz", "--output", tmp_path / "theirs", "--quiet",
               "--inputs", "24", "--layers", "logits", "--layers", "block", *words(OPTIONS)]
    subprocess.run(command, check=True, capture_output=True)
    assert numbers(found.record) == numbers(subspect.Dynamics(tmp_path / "theirs").record)
    assert found.epochs == [0, 1, 2] and len(found.record["series"][0]["training"]) >= 2
    bare = subspect.dynamics(tmp_path / "run" / "checkpoints", arch="resnet8", data=data, **given, **OPTIONS)
    assert bare.record["settling"] == found.record["settling"] and np.array_equal(bare.curves().values, found.curves().values)
