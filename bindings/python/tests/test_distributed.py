"""A cluster gives the bits of a local solve, also when a worker dies in the middle."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from conftest import subspaces

import subspect
from subspect import distributed, errors


@pytest.fixture(scope="module")
def x():
    return subspaces(n=2400, d=60, k=6)[0]


@pytest.fixture(scope="module")
def local(x):
    return subspect.express(x, alpha_ratio=0.02)


def same(a, b):
    assert np.array_equal(a.coefficients.indptr, b.coefficients.indptr)
    assert np.array_equal(a.coefficients.indices, b.coefficients.indices)
    assert np.array_equal(a.coefficients.data.view(np.int64), b.coefficients.data.view(np.int64))
    assert np.array_equal(a.certificates.to_numpy(), b.certificates.to_numpy())
    for name in ("objective", "gap_max", "gap_median", "n_converged", "n_max_iter", "n_trivial", "parameters"):
        assert getattr(a, name) == getattr(b, name), name


@pytest.mark.parametrize("method", ["lasso", "omp", "knn"])
@pytest.mark.parametrize("memory", ["4GiB", 4_000_000])
def test_blocks_in_this_process_are_the_whole(x, method, memory):
    part = x[:700]
    seen = []
    found = subspect.express(part, method, memory=memory, cluster="local", progress=lambda done, total: seen.append((done, total)))
    whole = subspect.express(part, method, memory=memory)
    if method == "lasso":
        same(found, whole)
    assert (found.coefficients != whole.coefficients).nnz == 0 and found.gap_max == whole.gap_max
    assert seen[-1] == (700, 700) and len(seen) > 2


def test_blocks_cover_all_rows_in_whole_panels():
    for n, height, workers in [(1, 16, 3), (1000, 16, 3), (100_000, 160, 16)]:
        blocks = distributed.blocks_of(n, height, workers)
        assert blocks[0][0] == 0 and blocks[-1][1] == n
        assert all(a[1] == b[0] for a, b in zip(blocks, blocks[1:]))
        assert all(start % height == 0 for start, _ in blocks)


def test_mistakes_are_found_before_anything_is_sent(x):
    with pytest.raises(errors.MethodError, match="lasso"):
        subspect.express(x, "ridge", cluster="local")
    with pytest.raises(errors.ParameterError):
        subspect.express(x, alpha_ratio=7, cluster="local")
    with pytest.raises(errors.ParameterError, match="Dask client"):
        subspect.express(x, cluster=3)


class Killer:
    """Kills the worker that gave the second block, and remembers who gave the others."""

    def __init__(self, monkeypatch):
        self.givers = []
        self.victim = None
        monkeypatch.setattr(distributed, "_tell", self)

    def __call__(self, pid, done, total):
        assert pid != os.getpid()
        self.givers.append(pid)
        if len(self.givers) == 2:
            self.victim = pid
            os.kill(pid, signal.SIGKILL)

    def check(self):
        assert self.victim is not None and len(set(self.givers)) > 2
        # What it had finished may still arrive, but it works no more.
        assert self.givers[3:].count(self.victim) <= 2 and len(self.givers) > 8


def test_ray_with_a_killed_worker_gives_the_same_bits(x, local, monkeypatch):
    ray = pytest.importorskip("ray", reason="needs ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=200 << 20)
    try:
        killer = Killer(monkeypatch)
        found = distributed.express(x, alpha_ratio=0.02, cluster="ray", threads=1)
    finally:
        ray.shutdown()
    same(found, local)
    killer.check()


def test_dask_with_a_killed_worker_gives_the_same_bits(x, local, monkeypatch):
    dask = pytest.importorskip("distributed", reason="needs dask[distributed]")
    with dask.LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster:
        with dask.Client(cluster) as client:
            killer = Killer(monkeypatch)
            found = subspect.express(x, alpha_ratio=0.02, cluster=client)
    same(found, local)
    killer.check()
