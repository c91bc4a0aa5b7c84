"""How the seconds grow with N: the exponent fitted to our times, and a plot with the Gram matrix as the bound.

The exponent is the slope of log seconds against log N by least squares. The bound is the time of the float32 Gram
matrix of the same shape and threads (`gram_rate`, noise), under which no solver that looks at every pair can come.
"""

import json
import subprocess
from pathlib import Path

import numpy as np

import machine


def describe(path, n_features):
    return "ten noisy subspaces" if n_features else str(path)


def report(rows, n_features, given):
    """Sentences with our exponents; writes the plot where matplotlib is installed."""
    sizes = sorted({row["n"] for row in rows})
    bounds = {threads: gram_seconds(sizes, n_features, threads, given.gram_rate) for threads in given.threads}
    lines = [exponent(rows, *key) for key in dict.fromkeys((row["problem"], row["threads"]) for row in rows)]
    try:
        plot(rows, bounds, Path(given.output))
    except ImportError:
        print("no plot: pip install matplotlib")
    for threads, bound in bounds.items():
        seconds = ", ".join(f"{s:.3g} s" for s in bound)
        lines.append(f"Gram matrix alone, {threads} threads: {seconds}.")
    return lines


def exponent(rows, problem, threads):
    ours = [r for r in rows if (r["problem"], r["threads"], r["solver"]) == (problem, threads, "subspect")]
    slope = np.polyfit(np.log([r["n"] for r in ours]), np.log([r["seconds"] for r in ours]), 1)[0]
    return f"{problem}, {threads} threads: our seconds grow as N^{slope:.2f} from {ours[0]['n']} to {ours[-1]['n']} inputs."


def gram_seconds(sizes, n_features, threads, given):
    build = "cargo build --release -p subspect-linalg --example gram_rate"
    program = machine.program(given, "release/examples/gram_rate", build)
    seconds = []
    for n in sizes:
        command = [program, "--rows", str(n), "--features", str(n_features), "--threads", str(threads), "--repeats", "2",
                   "--float32-only"]
        answer = json.loads(subprocess.check_output(command, env=machine.environment(threads)))
        seconds.append(min(answer["products"]["gram_f32"]["seconds"]))
    return seconds


def plot(rows, bounds, folder):
    """`solvers.svg`: one panel per problem and number of threads."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    keys = list(dict.fromkeys((row["problem"], row["threads"]) for row in rows))
    threads = list(bounds)
    problems = list(dict.fromkeys(problem for problem, _ in keys))
    fig, axes = plt.subplots(len(problems), len(threads), figsize=(4.2 * len(threads), 3.4 * len(problems)),
                             squeeze=False, sharey="row")
    for problem, n_threads in keys:
        ax = axes[problems.index(problem)][threads.index(n_threads)]
        mine = [row for row in rows if (row["problem"], row["threads"]) == (problem, n_threads)]
        for solver in dict.fromkeys(row["solver"] for row in mine):
            line = sorted((r["n"], r["seconds"]) for r in mine if r["solver"] == solver and r.get("agrees", True))
            if line:
                ax.loglog(*zip(*line), marker="o", label=solver, lw=2 if solver == "subspect" else 1)
        ax.loglog(sorted({row["n"] for row in rows}), bounds[n_threads], "k--", lw=1, label="Gram matrix")
        ax.set(title=f"{problem}, {n_threads} threads", xlabel="inputs N", ylabel="seconds")
        ax.legend(frameon=False, fontsize=8)
        ax.grid(alpha=0.3, which="both")
    fig.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    fig.savefig(folder / "solvers.svg")
    plt.close(fig)
