"""What the binding costs beside the solve: `python benchmarks/overhead.py SUBSPECT [N] [D] [REPEATS]`.

SUBSPECT is the command line's binary, built with the profile of the installed wheel. Both solve the same lasso with the
same core and the same number of threads, in turn: the command line tells the `seconds` of dictionary and solve, Python
is timed from the call to the finished objects. The smaller of REPEATS counts on both sides; user CPU seconds of the call
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


def command_line(binary: str, folder: Path) -> float:
    """Seconds that the command line reports for dictionary and solve."""
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


def main(binary: str, n: int = 2000, d: int = 512, repeats: int = 7) -> None:
    x = inputs(n, d)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "x.npy", x)
        pairs = [(command_line(binary, folder), *call(x)) for _ in range(repeats)]
    theirs, ours, cpu = (min(column) for column in zip(*pairs))
    parts = own_parts(x)
    print(f"N {n}, D {d}, {subspect.get_num_threads()} threads, best of {repeats}")
    print(f"command line, its own seconds   {1e3 * theirs:9.1f} ms")
    print(f"Python, the whole call          {1e3 * ours:9.1f} ms  ({100 * (ours / theirs - 1):+.2f} %), user CPU {1e3 * cpu:.1f} ms")
    print(f"arrays in, Python objects out   {1e3 * parts:9.2f} ms  ({100 * parts / theirs:.2f} %)")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *(int(v) for v in sys.argv[2:]))
