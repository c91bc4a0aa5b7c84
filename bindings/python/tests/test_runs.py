"""Two runs compared and one run's inputs ranked: the command line's numbers."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

import subspect
from subspect import errors


@pytest.fixture(scope="module")
def runs(layer, tmp_path_factory):
    """The same inputs in two networks; the second has noise in its first layer, and three labels are wrong."""
    x, y = layer
    folder = tmp_path_factory.mktemp("runs")
    wrong = y.copy()
    wrong[[3, 50, 100]] = (wrong[[3, 50, 100]] + 1) % 3
    noisy = x + np.random.default_rng(1).normal(0, 2, size=x.shape).astype(np.float32)
    made = []
    for name, first in (("a", x), ("b", noisy)):
        layers = {"conv1": first, "logits": np.tanh(x)}
        made.append(subspect.analyze(layers, wrong, y, output=folder / name, permutations=19))
    return made


def test_a_comparison_is_the_command_lines(runs, binary, tmp_path):
    found = subspect.compare(*runs, n_permutations=99, n_resamples=99, output=tmp_path / "mine")
    command = [binary, "compare", runs[0].path, runs[1].path, "--permutations", "99", "--resamples", "99",
               "--output", tmp_path / "theirs", "--format", "json", "--quiet"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert found.summary == told["summary"] and found.notes == told["notes"]
    one, two = (json.loads((tmp_path / name / "comparison.json").read_text()) for name in ("mine", "theirs"))
    assert {**one, "command": ""} == {**two, "command": ""}
    assert found.page is not None and found.page.read_text().startswith("<!")


def test_a_comparison_is_read_by_name(runs):
    found = subspect.compare(*runs, fail_if=["modularity_drop(conv1) > 0.1", "ssc_cka(logits) < 0.5"])
    assert found.layers == (["conv1", "logits"], ["conv1", "logits"]) and found.matches["logits"] == "logits"
    assert found.failed and found.record["verdict"]["conditions"][1]["failed"] is False
    assert not subspect.compare(runs[0], runs[0].path, fail_if="ssc_cka(conv1) < 0.5").failed
    assert found.similarity()["logits", "logits"] == pytest.approx(1.0)
    assert "<table" in found._repr_html_() and "240 inputs" in repr(found)
    for mistake in (dict(fail_if="ssc_cka(conv1) is low"), dict(level=95), dict(resolution=0)):
        with pytest.raises(errors.ParameterError):
            subspect.compare(*runs, **mistake)
    with pytest.raises(errors.ParameterError, match="ssc_cka"):
        found.similarity("rsa")
    pytest.importorskip("pandas", reason="needs pandas")
    frame = found.to_pandas().set_index(["first", "second"])
    assert frame.loc[("conv1", "conv1"), "modularity_value"] > 0.1
    assert len(found.inputs()) == 240 and found.inputs()["change"].is_monotonic_decreasing


def test_a_ranking_is_the_command_lines_and_finds_wrong_labels(runs, binary):
    found = subspect.rank(runs[0])
    assert set(found.order[:3].tolist()) == {3, 50, 100} and list(found)[:3] == found.order[:3].tolist()
    for score in subspect.methods("scores"):
        mine = subspect.rank(runs[0].path, score["name"])
        command = [binary, "rank", runs[0].path, "--by", score["name"], "--top", "0", "--format", "json"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert mine.order.tolist() == [row["position"] for row in told["inputs"]] and mine.layer == told["layer"]
    assert found.rows(1)[0]["id"] == str(found.order[0]) and "<table" in found._repr_html_()
    with pytest.raises(errors.ParameterError, match="vote_label"):
        subspect.rank(runs[0], "vote_labels")
    pytest.importorskip("pandas", reason="needs pandas")
    assert found.to_pandas()["score"].is_monotonic_decreasing
