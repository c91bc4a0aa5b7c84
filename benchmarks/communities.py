"""Leiden: ours against igraph and leidenalg on the same graphs, quality and seconds, on one thread.

    python communities.py                     planted graphs of 10,000 nodes and 500,000 edges, and nearest neighbours
    python communities.py --graph c.npz       a layer's coefficients as well
    python communities.py --seeds 10 --repeats 3

Every search runs until a pass changes nothing; seconds are the mean over seeds of the best over repeats. `analysis`
is our Leiden (all seeds), all measures and 1,000 permutations together on two threads. See README.md.
"""

import argparse
import json
import os
import sys
import time

import machine
import tables

COLUMNS = {
    "graph": "graph", "nodes": "nodes", "edges": "edges", "by": "by", "seconds": "seconds per search",
    "ratio": "ratio", "best": "best quality", "mean": "mean quality", "communities": "communities",
    "analysis": "analysis, seconds",
}
EDGE = [("i", "<u4"), ("j", "<u4"), ("w", "<f4")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--edges", type=int, default=500_000)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--graph", action="append", default=[], help="coefficients (SciPy CSR .npz); may be repeated")
    parser.add_argument("--peers", nargs="*", default=["igraph", "leidenalg"])
    parser.add_argument("--program", help="the example [default: target/release/examples/leiden_rate]")
    parser.add_argument("--output", default=machine.RESULTS, help="folder for communities.csv and communities.md")
    parser.add_argument("--peer", nargs=4, help=argparse.SUPPRESS)  # name, edges, nodes, seeds: in its own process
    return parser.parse_args()


def planted(n, n_edges, inside, rng):
    """Fifty groups; a share `inside` of the edges stays within one, the others go anywhere. Gamma weights."""
    import numpy as np

    size, found = n // 50, np.empty((0, 2), np.int64)
    while len(found) < n_edges:
        i = rng.integers(0, n, n_edges)
        near = (i // size) * size + rng.integers(0, size, n_edges)
        j = np.where(rng.random(n_edges) < inside, near, rng.integers(0, n, n_edges))
        pairs = np.sort(np.c_[i, j], axis=1)[i != j]
        found = np.unique(np.r_[found, pairs], axis=0)
    kept = np.sort(rng.choice(len(found), n_edges, replace=False))
    return edges(*found[kept].T, rng.gamma(2.0, 0.05, n_edges))


def neighbours(n, k, rng):
    """What a late layer looks like: ten classes of different spread in 64 dimensions, cosine nearest neighbours."""
    import numpy as np

    centres = rng.standard_normal((10, 64))
    x = np.repeat(centres, n // 10, axis=0)
    x += rng.standard_normal(x.shape) * np.repeat(np.linspace(0.7, 1.6, 10), n // 10)[:, None]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    cosines = x @ x.T
    np.fill_diagonal(cosines, -1)
    near = np.argpartition(-cosines, k, axis=1)[:, :k]
    i, j = np.repeat(np.arange(len(x)), k), near.ravel()
    pairs = np.unique(np.sort(np.c_[i, j], axis=1), axis=0)
    return edges(*pairs.T, cosines[pairs[:, 0], pairs[:, 1]])


def of_coefficients(path):
    import numpy as np
    from scipy.sparse import load_npz, triu

    c = abs(load_npz(path))
    a = triu(c + c.T, 1).tocoo()
    return c.shape[0], edges(a.row, a.col, a.data.astype(np.float32))


def edges(i, j, w):
    import numpy as np

    out = np.empty(len(w), EDGE)
    out["i"], out["j"], out["w"] = i, j, w
    return out[out["w"] > 0]


def peer(name, path, n, n_seeds):
    """A peer's searches, each until nothing improves, and their modularities, in one process."""
    import random

    import igraph
    import leidenalg
    import numpy as np

    found = np.fromfile(path, EDGE)
    pairs, weights = np.c_[found["i"], found["j"]].tolist(), found["w"].astype(float).tolist()
    graph = igraph.Graph(n=n, edges=pairs, edge_attrs={"weight": weights})
    seconds, qualities, sizes = [], [], []
    for seed in range(n_seeds):
        random.seed(seed)
        start = time.process_time()
        if name == "igraph":
            of = graph.community_leiden("modularity", weights="weight", n_iterations=-1).membership
        else:
            kind = leidenalg.ModularityVertexPartition
            of = leidenalg.find_partition(graph, kind, weights="weight", n_iterations=-1, seed=seed).membership
        seconds.append(time.process_time() - start)
        qualities.append(graph.modularity(of, weights="weight"))
        sizes.append(len(set(of)))
    version = igraph.__version__ if name == "igraph" else leidenalg.__version__
    best = max(range(n_seeds), key=qualities.__getitem__)
    print(json.dumps({"seconds_per_seed": seconds, "qualities": qualities, "n_communities": sizes[best],
                      "version": version}))


def measure(given, program, path, n):
    """All programs on one graph, taking turns: the best seconds of every seed, the rest from the last turn."""
    commands = {"subspect": [program, path, "--nodes", n, "--seeds", given.seeds, "--permutations", 1000]}
    for name in given.peers:
        commands[name] = [sys.executable, __file__, "--peer", name, path, n, given.seeds]
    found = {}
    for _ in range(given.repeats):
        for name, command in commands.items():
            turn, _, _ = machine.run(command, 2)
            before = found.get(name, turn)
            best = map(min, turn["seconds_per_seed"], before["seconds_per_seed"])
            turn["seconds_per_seed"] = list(best)
            if "analysis_seconds" in turn:
                turn["analysis_seconds"] = min(turn["analysis_seconds"], before["analysis_seconds"])
            found[name] = turn
    return found


def rows_of(graph, n, n_edges, found):
    mean = {name: sum(f["seconds_per_seed"]) / len(f["seconds_per_seed"]) for name, f in found.items()}
    return [{"graph": graph, "nodes": n, "edges": n_edges, "by": f"{name} {f.get('version', '')}".strip(),
             "seconds": mean[name], "ratio": mean[name] / mean["subspect"], "best": f"{max(f['qualities']):.6f}",
             "mean": f"{sum(f['qualities']) / len(f['qualities']):.6f}", "communities": f["n_communities"],
             "analysis": f.get("analysis_seconds")} for name, f in found.items()]


def main():
    given = arguments()
    if given.peer:
        name, path, n, n_seeds = given.peer
        return peer(name, path, int(n), int(n_seeds))
    import numpy as np

    build = "cargo build --release -p subspect-graph --example leiden_rate"
    program = machine.program(given.program, "release/examples/leiden_rate", build)
    folder, rng, rows = machine.scratch("communities"), np.random.default_rng(0), []
    graphs = {f"planted, {share:.0%} inside": (given.nodes, planted(given.nodes, given.edges, share, rng))
              for share in (0.5, 0.2)}
    graphs["nearest neighbours"] = given.nodes, neighbours(given.nodes, given.edges // given.nodes, rng)
    graphs.update({os.path.basename(path): of_coefficients(path) for path in given.graph})
    for name, (n, found) in graphs.items():
        print(f"{name}: {n} nodes, {len(found)} edges", flush=True)
        path = folder / "edges.bin"
        found.tofile(path)
        rows += rows_of(name, n, len(found), measure(given, program, path, n))
    head = [f"Leiden for modularity, {given.seeds} seeds. {machine.describe()}."]
    tables.write(given.output, "communities", COLUMNS, rows, head)


if __name__ == "__main__":
    main()
