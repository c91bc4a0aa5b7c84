"""Permutations per second: ours against the plain way in NumPy and SciPy, on graphs of the same size.

    cargo build --release -p subspect-similarity --example permutation_rate
    cargo build --release -p subspect-graph --example null_rate
    python permutations.py [--sizes 1000:25000 10000:500000] [--threads 1 2]

The peer permutes SSC-CKA's second graph with `B[p][:, p]`, multiplies it elementwise and sums (scipy.sparse), and the
modularity's labels with one NumPy pass over the edge list; its seconds are for `--peer-permutations` and scaled. Both
are what one would write with these libraries; neither uses more than one thread. See README.md.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp

import machine
import tables

COLUMNS = {
    "inputs": "inputs", "edges": "edges", "threads": "threads", "what": "what", "by": "by",
    "rate": "permutations / s", "ratio": "ratio",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["1000:25000", "10000:500000"], help="INPUTS:EDGES")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--peer-permutations", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", default=machine.RESULTS, help="folder for permutations.csv and permutations.md")
    return parser.parse_args()


def read(folder, layer, n):
    """A layer that `permutation_rate --write` wrote, both triangles."""
    part = lambda name, dtype: np.fromfile(Path(folder) / str(layer) / name, dtype)
    rows, cols, values = part("rows.u32", "<u4"), part("cols.u32", "<u4"), part("values.f32", "<f4")
    upper = sp.csr_array((values.astype(np.float64), (rows, cols)), shape=(n, n))
    return (upper + upper.T).tocsr(), (rows, cols, values.astype(np.float64))


def best(work, repeats, permutations):
    """Permutations per second of the fastest run."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        for r in range(permutations):
            work(np.random.default_rng(r))
        seconds.append(time.perf_counter() - start)
    return permutations / min(seconds)


def peers(a, b, edges, repeats, permutations):
    n = a.shape[0]
    rows, cols, values = edges
    degrees, classes = a.sum(axis=1), np.arange(n) % 10
    total = degrees.sum()

    def similarity(rng):
        p = rng.permutation(n)
        return a.multiply(b[p][:, p]).sum() - 2 / n * degrees @ b.sum(axis=1)[p]

    def modularity(rng):
        c = rng.permutation(classes)
        within = 2 * values[c[rows] == c[cols]].sum()
        return within / total - ((np.bincount(c, degrees) / total) ** 2).sum()

    return {"ssc_cka": best(similarity, repeats, permutations), "modularity": best(modularity, repeats, permutations)}


def main():
    given, rows = arguments(), []
    build = "cargo build --release -p {} --example {}"
    programs = {name: machine.program(None, f"release/examples/{name}", build.format(crate, name))
                for crate, name in [("subspect-similarity", "permutation_rate"), ("subspect-graph", "null_rate")]}
    for size in given.sizes:
        n, edges = map(int, size.split(":"))
        shape = ["--inputs", n, "--edges", edges, "--permutations", given.permutations, "--repeats", given.repeats]
        with tempfile.TemporaryDirectory() as folder:
            machine.run([programs["permutation_rate"], "--inputs", n, "--edges", edges, "--permutations", 1,
                         "--repeats", 1, "--write", folder], 1)
            (a, upper), (b, _) = read(folder, 0, n), read(folder, 1, n)
        theirs = peers(a, b, upper, given.repeats, given.peer_permutations)
        for threads in given.threads:
            pair, _, _ = machine.run([programs["permutation_rate"], *shape, "--threads", threads], threads)
            classes, _, _ = machine.run([programs["null_rate"], *shape, "--threads", threads], threads)
            ours = {"ssc_cka": pair["permutation_seconds"], "modularity": classes["modularity_seconds"],
                    "modularity, vote, sre, one-class rows": classes["class_nulls_seconds"]}
            for what, seconds in ours.items():
                rate = given.permutations / min(seconds)
                peer = theirs.get(what)
                rows.append({"inputs": n, "edges": edges, "threads": threads, "what": what, "by": "subspect",
                             "rate": rate, "ratio": rate / peer if peer else ""})
        rows.extend({"inputs": n, "edges": edges, "threads": 1, "what": what, "by": "NumPy, SciPy", "rate": rate,
                     "ratio": 1.0} for what, rate in theirs.items())
    head = [f"Permutations of one graph or one pair of graphs. {machine.describe()}."]
    tables.write(given.output, "permutations", COLUMNS, rows, head)


if __name__ == "__main__":
    main()
