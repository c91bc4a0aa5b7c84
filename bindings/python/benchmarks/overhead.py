"""What the binding costs beside the solve: `python benchmarks/overhead.py [N] [D] [REPEATS] [SUBSPECT]`.

The first ratio is of one and the same call: its seconds from start to finished objects, over those that the core spent
in it on dictionary and solve. Whatever else the machine does is in both, so that it can be read on a busy one.

Beside it, in turn and with as many threads: the seconds that the core takes down for the same lasso in a run of this
process (`subspect.analyze`) and, where SUBSPECT is the command line's binary, built with the profile of the installed
wheel, in a process of its own. There the smallest of REPEATS counts on each side.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np

import subspect
from subspect.expression import Expression
from subspect.lists import problem


def inputs(n: int, d: int) -> np.ndarray:
    """Inputs near ten subspaces of dimension 12."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(10, n // 10, 12)) @ rng.normal(size=(10, 12, d))).reshape(-1, d)
    return (x + rng.normal(size=x.shape)).astype(np.float32)


def in_process(x: np.ndarray) -> float:
    """Seconds that the core takes down for dictionary and solve when a run in this process calls it."""
    run = subspect.analyze({"x": x}, permutations=0, resamples=0, similarity="none")
    return run.record["layers"][0]["solve"]["seconds"]


def command_line(binary: str, folder: Path) -> float:
    """The same of a process of its own."""
    threads = str(subspect.get_num_threads())
    words = [binary, "express", folder / "x.npy", "--output", folder / "c.npz", "--threads", threads, "--format", "json", "--quiet"]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)["solve"]["seconds"]


def call(x: np.ndarray) -> tuple[float, float]:
    """Seconds of the Python call, step by step what `subspect.express(x)` does, and those that the core spent in it."""
    start = time.perf_counter()
    kept = subspect.Dictionary(x)
    question = problem("lasso", {}, None, None)
    found = kept._core.solve(question)
    Expression._of(found, question)
    return time.perf_counter() - start, kept._core.seconds + found["seconds"]


def interleaved(sides: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[Any]]:
    """Every side once per round, in an order that turns, after one round that does not count."""
    out: dict[str, list[Any]] = {name: [] for name in sides}
    names = list(sides)
    for k in range(repeats + 1):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            found = sides[name]()
            if k > 0:
                out[name].append(found)
    return out


def fixed_cost() -> float:
    """Seconds of a call with nothing to solve: threads handed to and fro, two times, and every Python object."""
    x = np.eye(2, dtype=np.float32)
    return min(call(x)[0] for _ in range(100))


def main(n: int = 2000, d: int = 512, repeats: int = 7, binary: str = "") -> None:
    x = inputs(n, d)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "x.npy", x)
        sides: dict[str, Callable[[], Any]] = {"python": lambda: call(x), "run": lambda: in_process(x)}
        if binary:
            sides["command line"] = lambda: command_line(binary, folder)
        found = interleaved(sides, repeats)
    calls = found.pop("python")
    whole = [total for total, _ in calls]
    print(f"N {n}, D {d}, {subspect.get_num_threads()} threads, {repeats} rounds in turn")
    within = [total / core for total, core in calls]
    print(f"ratio of the call to the core's seconds in it: smallest {min(within):.4f}, median {statistics.median(within):.4f}")
    print(f"Python call       smallest {1e3 * min(whole):8.1f} ms, median {1e3 * statistics.median(whole):8.1f} ms")
    for name, seconds in found.items():
        print(f"{name:17} smallest {1e3 * min(seconds):8.1f} ms, median {1e3 * statistics.median(seconds):8.1f} ms", end="")
        print(f": ratio of the smallest {min(whole) / min(seconds):.4f}")
    print(f"a call with nothing to solve: {1e3 * fixed_cost():.2f} ms, {100 * fixed_cost() / min(whole):.2f} %")


if __name__ == "__main__":
    main(*(int(v) for v in sys.argv[1:4]), *sys.argv[4:5])
