"""Statistics against SciPy, through the example `statistics_values`: there is no command that takes bare numbers."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr, ndtri

from conftest import ROOT, parse


@pytest.fixture(scope="session")
def values():
    command = ["cargo", "build", "--quiet", "-p", "subspect-statistics", "--example", "statistics_values"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = target / "debug" / "examples" / "statistics_values"

    def ask(**question):
        found = subprocess.run([program], input=json.dumps(question), capture_output=True, text=True, timeout=120)
        assert found.returncode == 0, found.stderr
        return parse(found.stdout)

    return ask


def ends(interval):
    return interval["lo"]["value"], interval["hi"]["value"]


def chance(p, n_draws):
    """Four standard errors of a p value from that many draws."""
    return 4 * np.sqrt(max(p * (1 - p), 1 / n_draws) / n_draws)


@pytest.mark.parametrize("n, ties", [(7, False), (12, True), (40, True)])
def test_everything_that_scipy_has(values, rng, n, ties):
    x = rng.gamma(1.5, size=n)
    y = 0.6 * x + 0.5 * rng.standard_normal(n)
    if ties:
        x, y = np.round(x, 1), np.round(y, 1)
    p = rng.random(9) ** 3
    first, second = rng.random(n) < 0.7, rng.random(n) < 0.5
    n_draws, level = 20_000, 0.9
    found = values(x=x.tolist(), y=y.tolist(), p=p.tolist(), first=first.tolist(), second=second.tolist(),
                   n_draws=n_draws, level=level, seed=3)

    for name, statistic in [("spearman", stats.spearmanr), ("kendall", stats.kendalltau)]:
        value, ours = (m["value"] for m in found[name])
        assert value == pytest.approx(statistic(x, y).statistic, abs=1e-13)
        theirs = stats.permutation_test((y,), lambda y: statistic(x, y).statistic, permutation_type="pairings",
                                        n_resamples=1999, random_state=1).pvalue
        assert ours == pytest.approx(theirs, abs=2 * chance(theirs, 1999))

    value, ours = (m["value"] for m in found["sign_flip"])
    theirs = stats.permutation_test((x - y, np.zeros(n)), lambda a, b, axis: np.mean(a - b, axis=axis), vectorized=True,
                                    permutation_type="samples", n_resamples=20_000, random_state=1)
    exact = n <= 14
    assert value == pytest.approx(theirs.statistic, abs=1e-13)
    assert ours == pytest.approx(theirs.pvalue, abs=1e-12 if exact else 2 * chance(theirs.pvalue, n_draws))

    draws, tail = np.array(found["draws"]), (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    assert ends(found["percentile"]) == pytest.approx((low, high), abs=1e-12)
    assert ends(found["basic"]) == pytest.approx((2 * x.mean() - high, 2 * x.mean() - low), abs=1e-12)
    # SciPy's formula on our draws, and SciPy itself on its own.
    tie = 1e-12 * max(1, abs(x.mean()))  # the mean itself, added up in another order
    bias = ndtri((np.mean(draws < x.mean() - tie) + np.mean(draws <= x.mean() + tie)) / 2)
    u = x - x.mean()
    acceleration = (u**3).sum() / 6 / (u**2).sum() ** 1.5
    at = lambda z: ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))
    assert ends(found["bca"]) == pytest.approx(np.quantile(draws, [at(ndtri(tail)), at(-ndtri(tail))]), abs=1e-9)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=20_000, confidence_level=level, method="BCa", random_state=1)
    assert ends(found["bca"]) == pytest.approx(tuple(theirs.confidence_interval), abs=0.1 * x.std() / np.sqrt(n))

    adjusted = [m["value"] for m in found["benjamini_hochberg"]]
    assert adjusted == pytest.approx(stats.false_discovery_control(p), abs=1e-14)
    order = np.argsort(p)
    holm = np.empty(9)
    holm[order] = np.minimum(1, np.maximum.accumulate((9 - np.arange(9)) * p[order]))
    assert [m["value"] for m in found["holm"]] == pytest.approx(holm, abs=1e-14)

    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    wanted = stats.binomtest(min(b, c), b + c, 0.5).pvalue if b + c else 1.0
    assert found["mcnemar"]["value"] == pytest.approx(wanted, abs=1e-12)
    wilson = stats.binomtest(int(first.sum()), n).proportion_ci(level, "wilson")
    assert ends(found["wilson"]) == pytest.approx(tuple(wilson), abs=1e-12)
