"""Self-expression beyond one machine, on an engine that is there already: Ray or Dask.

The rows of ``C`` are independent once the dictionary is known. They are cut into blocks of whole panels, so that every
row shares its products with the same rows as in a local solve: results are equal bit by bit, whatever the cluster does.
The engine moves the inputs (once per node with Ray, once per worker with Dask), runs :func:`solve_block`, and runs a
block again when its worker dies. A worker keeps one dictionary between blocks: the scaled rows, and the Gram matrix
while it fits into ``memory``.
"""

from __future__ import annotations

import os
import uuid
from typing import Any, Callable, Iterator

import numpy as np
import scipy.sparse as sp

from . import _core, edge
from .errors import ParameterError
from .expression import Certificates, Dictionary, Expression
from .lists import problem
from .measured import Measured, Undefined
from .progress import Progress, Watch

__all__ = ["blocks_of", "express", "solve_block"]

#: Blocks per worker: enough that the last ones to finish are not waited for long.
BLOCKS_PER_WORKER = 8

_kept: dict[str, Dictionary] = {}


def solve_block(x: np.ndarray, token: str, work: dict[str, Any], start: int, end: int) -> tuple[int, Expression]:
    """Rows ``start`` to ``end``, on whatever machine this runs. Returns the process id and the rows.

    ``token`` names the dictionary; the process keeps the latest one.
    """
    if token not in _kept:
        _kept.clear()
        _core.set_num_threads(work["threads"])
        _kept[token] = Dictionary(x, unit_rows=work["unit_rows"], memory=work["memory"], method=work["method"])
    found = _kept[token].express(method=work["method"], rows=(start, end), **work["options"])
    return os.getpid(), found


def blocks_of(n: int, height: int, n_workers: int) -> list[tuple[int, int]]:
    """Runs of whole panels, about :data:`BLOCKS_PER_WORKER` for every worker."""
    panels = -(-n // height)
    per_block = max(1, panels // (BLOCKS_PER_WORKER * max(n_workers, 1)))
    step = per_block * height
    return [(start, min(start + step, n)) for start in range(0, n, step)]


def express(
    X: Any,
    method: str = "lasso",
    *,
    cluster: Any = "ray",
    threads: int | None = None,
    retries: int = 3,
    unit_rows: bool = True,
    tol: float | None = None,
    max_iter: int | None = None,
    memory: int | str = "4GiB",
    progress: Progress = False,
    **parameters: float | None,
) -> Expression:
    """:func:`subspect.express`, with rows solved on a cluster; the same bits as there.

    Parameters
    ----------
    cluster : str or object
        ``"ray"`` (the running Ray, or a new one on this machine), a Ray address (``"ray://host:10001"``), a Dask
        ``Client`` or cluster object, a Dask address (``"tcp://host:8786"``), or ``"local"`` (this process).
    threads : int, optional
        Threads of one worker. By default one worker takes a whole node (Ray) or what it has (Dask): a node then
        holds one dictionary.
    retries : int
        How often a block is run again when its worker dies.
    memory : int or str
        Budget of one worker, beside the inputs themselves; the same value gives the same bits.
    """
    x = edge.matrix(X)
    options = {"tol": tol, "max_iter": max_iter, **parameters}
    question = problem(method, dict(parameters), tol, max_iter)
    _check(x, method, options)
    engine = _engine(cluster, threads, retries)
    work = {
        "method": method, "options": options, "unit_rows": bool(unit_rows), "memory": edge.n_bytes(memory),
        "threads": engine.threads,
    }
    height = _core.panel_height(len(x), x.shape[1], work["memory"])
    blocks = blocks_of(len(x), height, engine.n_workers)
    found: dict[int, Expression] = {}
    done = 0
    with Watch(progress, f"express on {engine.name}") as watcher:
        for k, (pid, part) in engine.run(x, uuid.uuid4().hex, work, blocks):
            found[k] = part
            done += part.shape[0]
            _tell(pid, done, len(x))
            if watcher is not None:
                watcher("advanced", "", done, len(x))
    return _join([found[k] for k in range(len(blocks))], question)


def _tell(pid: int, done: int, total: int) -> None:
    """Called after every block; tests look in here."""


def _check(x: np.ndarray, method: str, options: dict[str, Any]) -> None:
    """Refuses here what every worker would refuse: bad parameters, and methods whose rows hang together."""
    few = np.eye(2, 3, dtype=np.float32)
    Dictionary(few).express(method=method, rows=(0, 2), **options)
    if len(x) == 0:
        raise ParameterError("X: expected at least one input, found none")


def _join(parts: list[Expression], question: tuple[Any, ...]) -> Expression:
    """Blocks in order, with sums over rows as a local solve makes them."""
    columns: dict[str, Any] = {
        name: np.ma.concatenate([getattr(p.certificates, name) for p in parts])
        for name in ("primal", "dual", "gap", "kkt_violation")
    }
    certificates = Certificates(
        status=np.concatenate([p.certificates.status for p in parts]),
        n_iter=np.concatenate([p.certificates.n_iter for p in parts]),
        **columns,
    )

    def over_rows(name: str, value: float) -> Measured:
        return next((v for p in parts if isinstance(v := getattr(p, name), Undefined)), value)

    gaps = np.sort(certificates.gap.filled(np.nan))
    return Expression(
        coefficients=sp.csr_array(sp.vstack([p.coefficients for p in parts], format="csr")),
        certificates=certificates,
        method=question[0],
        parameters=dict(question[1]),
        # One after the other in float64: the order of the local sum.
        objective=over_rows("objective", float(sum(certificates.primal.data.tolist(), 0.0))),
        gap_max=over_rows("gap_max", float(gaps[-1])),
        gap_median=over_rows("gap_median", float(gaps[len(gaps) // 2])),
        n_converged=sum(p.n_converged for p in parts),
        n_max_iter=sum(p.n_max_iter for p in parts),
        n_trivial=sum(p.n_trivial for p in parts),
    )


Results = Iterator[tuple[int, tuple[int, Expression]]]


class _Local:
    """This process, block by block: what the engines are held against."""

    name, n_workers, threads = "this process", 1, 0

    def run(self, x: np.ndarray, token: str, work: dict[str, Any], blocks: list[tuple[int, int]]) -> Results:
        work = {**work, "threads": _core.get_num_threads()}
        try:
            for k, (start, end) in enumerate(blocks):
                yield k, solve_block(x, token, work, start, end)
        finally:
            _kept.clear()


class _Ray:
    """Ray: inputs in every node's shared memory, blocks as tasks."""

    name = "Ray"

    def __init__(self, address: str | None, threads: int | None, retries: int) -> None:
        # Ray lowers its workers' priority by 15, which on a busy machine costs an order of magnitude.
        os.environ.setdefault("RAY_worker_niceness", "0")
        import ray

        self.ray, self.retries = ray, retries
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, include_dashboard=False if address is None else None)
        cpus = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        cpus = [n for n in cpus if n > 0] or [1]
        self.threads = threads or min(cpus)
        self.n_workers = sum(max(1, n // self.threads) for n in cpus)

    def run(self, x: np.ndarray, token: str, work: dict[str, Any], blocks: list[tuple[int, int]]) -> Results:
        ray = self.ray
        shared = ray.put(x)
        task = ray.remote(num_cpus=self.threads, max_retries=self.retries)(solve_block)
        pending = {task.remote(shared, token, work, start, end): k for k, (start, end) in enumerate(blocks)}
        try:
            while pending:
                for ref in ray.wait(list(pending), num_returns=1, timeout=0.5)[0]:
                    yield pending.pop(ref), ray.get(ref)
        finally:
            for ref in pending:
                ray.cancel(ref, force=True)


class _Dask:
    """Dask: inputs on every worker, blocks as futures."""

    name = "Dask"

    def __init__(self, client: Any, threads: int | None, retries: int) -> None:
        self.client, self.retries = client, retries
        found = client.scheduler_info(n_workers=-1) if _takes(client.scheduler_info, "n_workers") else client.scheduler_info()
        workers = found["workers"]
        if not workers:
            raise ParameterError("cluster: expected a Dask cluster with workers, found none")
        self.threads = threads or min(w["nthreads"] for w in workers.values())
        self.n_workers = len(workers)

    def run(self, x: np.ndarray, token: str, work: dict[str, Any], blocks: list[tuple[int, int]]) -> Results:
        from distributed import as_completed

        shared = self.client.scatter(x, broadcast=True, hash=False)
        futures = {
            self.client.submit(solve_block, shared, token, work, start, end, pure=False, retries=self.retries): k
            for k, (start, end) in enumerate(blocks)
        }
        try:
            for future in as_completed(list(futures)):
                yield futures.pop(future), future.result()
                future.release()
        finally:
            self.client.cancel(list(futures))


def _takes(function: Callable[..., Any], name: str) -> bool:
    import inspect

    return name in inspect.signature(function).parameters


def _engine(cluster: Any, threads: int | None, retries: int) -> Any:
    """The engine that ``cluster`` means."""
    if cluster == "local":
        return _Local()
    if isinstance(cluster, str) and cluster.partition("://")[0] in ("tcp", "tls", "ucx"):
        from distributed import Client

        return _Dask(Client(cluster), threads, retries)
    if isinstance(cluster, str):
        return _Ray(None if cluster == "ray" else cluster, threads, retries)
    if hasattr(cluster, "submit") and hasattr(cluster, "scatter"):
        return _Dask(cluster, threads, retries)
    if hasattr(cluster, "scheduler_address"):
        from distributed import Client

        return _Dask(Client(cluster), threads, retries)
    raise ParameterError(f'cluster: expected "ray", an address, or a Dask client, found {type(cluster).__name__}')
