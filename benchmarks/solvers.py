"""Self-expression solvers side by side: `subspect express` and what pip installs, on the same rows and threads.

    python solvers.py                                 Fashion-MNIST, N = 1,000 and 2,000
    python solvers.py --n 10000 --limit 120           slow peers on a sample of rows
    python solvers.py --synthetic 64 --problems lasso:0.1
    python solvers.py --data LAYER.npy --n 4000       a captured layer of a store
    python solvers.py --n 5000 10000 20000 40000 --peers spams-weighted --limit 20    growth with N, and its plot

Every problem, N and number of threads: we run, then a peer, then we again, and so on. Objectives are compared
first; a peer whose objective differs by more than --agree is shown without a ratio. See README.md.
"""

import argparse
import statistics
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import load_npz

import growth
import machine
import tables
from peers import PEERS
from problems import FASHION_MNIST, Problem, load, unit_rows

COLUMNS = {
    "problem": "problem", "n": "N", "threads": "threads", "solver": "solver", "seconds": "seconds", "ratio": "ratio",
    "rows": "rows", "objective": "objective difference", "supports": "equal supports", "peak_mib": "MiB",
    "spread": "our spread", "note": "note",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="IDX file of pictures or its folder, or .npy with one row per input "
                        "[default: Debian's dataset-fashion-mnist]")
    parser.add_argument("--synthetic", type=int, nargs="?", const=784, metavar="D",
                        help="ten noisy subspaces in D features [784] instead of pictures")
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 2000], help="numbers of inputs")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--problems", nargs="+", default=["omp:5", "omp:10", "lasso:0.02", "lasso:0.1"],
                        help="omp:K, lasso:RATIO, elastic_net:RATIO:L1_RATIO")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--limit", type=float, default=30, help="seconds a peer may take before rows are sampled")
    parser.add_argument("--agree", type=float, default=1e-4, help="largest relative difference of objectives")
    parser.add_argument("--binary", help="the subspect binary [default: target/release/subspect]")
    parser.add_argument("--gram-rate", help="the example that times the Gram [default: target/release/examples/gram_rate]")
    parser.add_argument("--output", default=machine.RESULTS, help="folder for solvers.csv, .md and, of several N, .svg")
    given = parser.parse_args()
    if not given.synthetic and not given.data:
        given.data = FASHION_MNIST
        if not FASHION_MNIST.is_dir():
            mend = "apt-get install dataset-fashion-mnist, or give --data or --synthetic"
            raise SystemExit(f"no data at {FASHION_MNIST}: {mend}")
    return given


def available(names):
    """The peers that can be imported; the others by name."""
    found = []
    for name in names:
        try:
            PEERS[name].version()
            found.append(name)
        except Exception as e:  # a broken binary wheel raises anything
            print(f"left out: {name}: {e}")
    return found


class Case:
    """One problem on one data set."""

    def __init__(self, folder, x, problem):
        self.folder, self.problem, self.n = folder, problem, len(x)
        self.z = unit_rows(x)
        self.alpha = problem.alphas(self.z)
        np.save(folder / "x.npy", x)
        np.save(folder / "z.npy", self.z)
        np.save(folder / "alpha.npy", self.alpha)

    def ours(self, binary, threads):
        output = self.folder / "ours.npz"
        command = [binary, "express", self.folder / "x.npy", "--output", output, *self.problem.arguments(),
                   "--threads", threads, "--format", "json", "--quiet"]
        answer, wall, peak = machine.run(command, threads)
        if answer["solve"]["n_max_iter"]:
            print(f"warning: {answer['solve']['n_max_iter']} of our rows did not converge")
        return answer["solve"]["seconds"], wall, peak, load_npz(output), answer["solve"]

    def peer(self, name, threads, limit):
        output = self.folder / "peer.npz"
        command = [sys.executable, Path(__file__).with_name("worker.py"), name, self.problem.name,
                   self.folder / "z.npy", self.folder / "alpha.npy", threads, limit, output]
        answer, _, _ = machine.run(command, threads)
        return answer, np.load(f"{output}.rows.npy"), load_npz(output)

    def objective(self, rows, c):
        return float(self.problem.objectives(self.z, rows, c, self.alpha).sum())


def equal_supports(ours, theirs):
    """Share of rows with the same atoms."""
    same = [np.array_equal(np.sort(a.indices), np.sort(b.indices[b.data != 0])) for a, b in zip(ours, theirs)]
    return sum(same) / len(same)


def compare(case, peers, binary, threads, given):
    """We, then for each peer: the peer and we again."""
    label = {"problem": case.problem.name, "n": case.n, "threads": threads}
    seconds, wall, peak, c, solve = case.ours(binary, threads)
    times, rows = [seconds], []
    for name in peers:
        answer, sample, found = case.peer(name, threads, given.limit)
        times.append(case.ours(binary, threads)[0])
        difference = case.objective(sample, found) / case.objective(sample, c[sample]) - 1
        sampled = answer["rows"] < case.n
        row = {**label, "solver": f"{name} {answer['version']}", "seconds": answer["seconds"],
               "rows": f"{answer['rows']} (scaled)" if sampled else answer["rows"],
               "objective": f"{difference:+.1e}", "supports": equal_supports(c[sample], found),
               "peak_mib": answer["peak_mib"], "note": PEERS[name].note}
        row["agrees"] = abs(difference) <= given.agree
        rows.append(row)
    median = statistics.median(times)
    for row in rows:
        if row["agrees"]:
            row["ratio"] = row["seconds"] / median
        else:
            row["note"] = f"not compared: objectives differ; {row['note']}"
    gap = solve["gap_max"].get("value")
    note = f"{solve['memory_mode']}, whole process {wall:.2f} s"
    if gap is not None:
        note += f", largest gap {gap:.0e}"
    ours = {**label, "solver": "subspect", "seconds": median, "ratio": 1.0, "rows": case.n, "objective": "",
            "supports": "", "peak_mib": peak, "spread": f"{min(times):.3g} to {max(times):.3g} s, {len(times)} runs",
            "note": note}
    return [ours, *sorted(rows, key=lambda row: row["seconds"])]


def main():
    given = arguments()
    binary = machine.program(given.binary, "release/subspect", "cargo build --release -p subspect-cli")
    peers, folder, rows = available(given.peers), machine.scratch("solvers"), []
    problems = [Problem.parse(name) for name in given.problems]
    for n in given.n:
        x = load(given.data, n, given.synthetic, seed=0)
        for problem in problems:
            case = Case(folder, x, problem)
            fitting = [name for name in peers if problem.kind in PEERS[name].problems]
            for threads in given.threads:
                print(f"N = {n}, {problem.name}, {threads} threads: {', '.join(fitting)}", flush=True)
                rows += compare(case, fitting, binary, threads, given)
    data = growth.describe(given.data, given.synthetic)
    head = [f"Self-expression of {data} ({x.shape[1]} features), unit rows. {machine.describe()}.", "",
            "Seconds are Gram and solve, without reading and writing files; ours are the median of several runs. "
            "Ratio: the solver's seconds over ours. "
            "Objective difference: the solver's over ours on the same rows, minus 1."]
    if len(given.n) > 1:
        head += ["", *growth.report(rows, x.shape[1], given)]
    tables.write(given.output, "solvers", COLUMNS, rows, head)


if __name__ == "__main__":
    main()
