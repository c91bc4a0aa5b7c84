"""What the binding costs beside the solve: `python benchmarks/overhead.py [N] [D] [REPEATS] [SUBSPECT]`.

SUBSPECT is the command line's binary, built with the profile of the installed wheel; without one a run in this process
stands for it (`subspect.analyze`: the same function of the core). Both solve the same lasso with the same number of
threads, in turn: one side is the `seconds` of dictionary and solve that the core itself takes down, the other the
Python call from its start to the finished objects. The smaller of REPEATS counts on both sides; user CPU seconds of the call
(all threads) stand beside, because they depend less on what else the machine does.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import subspect
from subspect import edge
from subspect.expression import Expression


def inputs(n: int, d: int) -> np.ndarray:
    """Inputs near ten subspaces of dimension 12."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(10, n // 10, 12)) @ rng.normal(size=(10, 12, d))).reshape(-1, d)
    return (x + rng.normal(size=x.shape)).astype(np.float32)


def core(x: np.ndarray, binary: str, folder: Path) -> float:
    """Seconds that the core takes down for dictionary and solve."""
    if not binary:
        run = subspect.analyze({"x": x}, permutations=0, resamples=0, similarity="none")
        return run.record["layers"][0]["solve"]["seconds"]
    threads = str(subspect.get_num_threads())
    words = [binary, "express", folder / "x.npy", "--output", folder / "c.npz", "--threads", threads, "--format", "json", "--quiet"]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)["solve"]["seconds"]


def call(x: np.ndarray) -> tuple[float, float]:
    """Wall and user CPU seconds of the Python call."""
    start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
    subspect.express(x)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_utime - used


def own_parts(x: np.ndarray) -> float:
    """Seconds that only the binding spends: arrays in, and Python objects out."""
    kept = subspect.Dictionary(x)
    question = ("lasso", {}, None, None)
    found = kept._core.solve(question)

    def once() -> float:
        start = time.perf_counter()
        edge.matrix(x)
        Expression._of(found, question)
        return time.perf_counter() - start

    return min(once() for _ in range(20))


def fixed_cost() -> float:
    """Seconds of a call with nothing to solve: threads handed to and fro, two times, and every Python object."""
    x = np.eye(2, dtype=np.float32)
    return min(call(x)[0] for _ in range(100))


def main(n: int = 2000, d: int = 512, repeats: int = 7, binary: str = "") -> None:
    x = inputs(n, d)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "x.npy", x)
        pairs = [(core(x, binary, folder), *call(x)) for _ in range(repeats)]
    theirs, ours, cpu = (min(column) for column in zip(*pairs))
    parts, fixed = own_parts(x), fixed_cost()
    print(f"N {n}, D {d}, {subspect.get_num_threads()} threads, best of {repeats}")
    print(f"the core's own seconds           {1e3 * theirs:9.1f} ms")
    print(f"Python, the whole call          {1e3 * ours:9.1f} ms  ({100 * (ours / theirs - 1):+.2f} %), user CPU {1e3 * cpu:.1f} ms")
    print(f"arrays in, Python objects out   {1e3 * parts:9.2f} ms  ({100 * parts / theirs:.2f} %)")
    print(f"a call with nothing to solve    {1e3 * fixed:9.2f} ms  ({100 * fixed / theirs:.2f} %)")


if __name__ == "__main__":
    main(*(int(v) for v in sys.argv[1:4]), *sys.argv[4:5])
