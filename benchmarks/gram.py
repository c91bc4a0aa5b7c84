"""The Gram product: ours against the best BLAS that pip installs, in one run and with the same threads.

    python gram.py                       10,000 x 784, 1 and 2 threads
    python gram.py --rows 4000 --features 2048 --repeats 9

Ours and NumPy's take turns, and the best time of each counts. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are unset for
both, so that OpenBLAS chooses its kernel for this machine; threadpoolctl says which one it chose. See README.md.
"""

import argparse
import json
import sys
import time

import machine
import tables

COLUMNS = {
    "threads": "threads", "product": "product", "by": "by", "seconds": "best seconds", "worst": "worst",
    "effective": "effective GFLOP/s", "share": "of the plain product's rate",
    "arithmetic": "the same, by arithmetic done", "note": "note",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=784)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3, help="runs of every product in each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--program", help="the example [default: target/release/examples/gram_rate]")
    parser.add_argument("--output", default=machine.RESULTS, help="folder for gram.csv and gram.md")
    parser.add_argument("--numpy", action="store_true", help=argparse.SUPPRESS)  # this file in its own process
    return parser.parse_args()


def numpy_products(n, d, repeats):
    """NumPy's and SciPy's products on noise, as the example makes it: in a process whose threads are set."""
    import numpy as np
    from scipy.linalg import blas
    from threadpoolctl import threadpool_info

    x = np.random.default_rng(0).random((n, d), dtype=np.float32)
    other, panel, exact = x.copy(), x[:256].copy(), x.astype(np.float64)
    other_exact, columns = exact.copy(), np.asfortranarray(x.T)
    square = np.zeros((n, n), np.float32, order="F")
    products = {
        # Two arrays: with the same one twice NumPy calls ssyrk and mirrors the triangle.
        "sgemm": (n, lambda: x @ other.T),
        "dgemm": (n, lambda: exact @ other_exact.T),
        "ssyrk": (n, lambda: blas.ssyrk(1.0, columns, trans=1, beta=0.0, c=square, overwrite_c=1)),
        "numpy_gram_f32": (n, lambda: x @ x.T),
        "numpy_gram_f64": (n, lambda: exact @ exact.T),
        "panel_sgemm": (len(panel), lambda: panel @ x.T),
    }
    found = {}
    for name, (rows, product) in products.items():
        product()
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            product()
            seconds.append(time.perf_counter() - start)
        found[name] = {"operations": 2 * rows * n * d, "seconds": seconds}
    libraries = [f"{i['internal_api']} {i['version']} {i.get('architecture')} x{i['num_threads']}"
                 for i in threadpool_info() if i["user_api"] == "blas"]
    print(json.dumps({"products": found, "libraries": sorted(set(libraries))}))


# Name of the product, who made it, how much of a plain product's arithmetic it does, the plain product that it is
# held against.
LINES = [
    ("sgemm", "pip", 1.0, "sgemm", "X Y^T, float32"),
    ("ssyrk", "pip", 0.5, "sgemm", "one triangle of X X^T, float32"),
    ("numpy_gram_f32", "pip", 0.5, "sgemm", "X X^T by NumPy: ssyrk and a mirror"),
    ("gram_f32", "subspect", 0.5, "sgemm", "X X^T, both triangles"),
    ("dgemm", "pip", 1.0, "dgemm", "X Y^T, float64"),
    ("numpy_gram_f64", "pip", 0.5, "dgemm", "X X^T by NumPy, float64"),
    ("gram_f64", "subspect", 0.5, "dgemm", "X X^T, both triangles, float64"),
]
# Ours runs on the calling thread, one panel per thread: comparable on one thread only.
PANEL_LINES = [
    ("panel_sgemm", "pip", 1.0, "panel_sgemm", "256 rows against all"),
    ("panel_f32_one_thread", "subspect", 1.0, "panel_sgemm", "256 rows against all"),
]


def measure(program, threads, given):
    """Turns of ours and NumPy's: seconds of every product, operations of it, the BLAS that ran."""
    shape = ["--rows", given.rows, "--features", given.features, "--repeats", given.repeats]
    seconds, operations, libraries = {}, {}, []
    for _ in range(given.turns):
        ours, _, _ = machine.run([program, *shape, "--threads", threads], threads)
        theirs, _, _ = machine.run([sys.executable, __file__, "--numpy", *shape], threads)
        libraries = theirs["libraries"]
        for name, found in {**ours["products"], **theirs["products"]}.items():
            seconds.setdefault(name, []).extend(found["seconds"])
            operations[name] = found["operations"]
    return seconds, operations, libraries


def main():
    given = arguments()
    if given.numpy:
        return numpy_products(given.rows, given.features, given.repeats)
    build = "cargo build --release -p subspect-linalg --example gram_rate"
    program, rows, kernels = machine.program(given.program, "release/examples/gram_rate", build), [], set()
    for threads in given.threads:
        print(f"{given.rows} x {given.features}, {threads} threads", flush=True)
        seconds, operations, libraries = measure(program, threads, given)
        kernels.update(libraries)
        rate = {name: operations[name] / min(times) / 1e9 for name, times in seconds.items()}
        for name, by, arithmetic, yardstick, note in LINES + (PANEL_LINES if threads == 1 else []):
            share = rate[name] / rate[yardstick]
            rows.append({"threads": threads, "product": name, "by": by, "seconds": min(seconds[name]),
                         "worst": max(seconds[name]), "effective": rate[name], "share": share,
                         "arithmetic": share * arithmetic, "note": note})
    blas = "; ".join(sorted(kernels))
    head = [f"Products of {given.rows} x {given.features}. {machine.describe()}. BLAS: {blas}.", "",
            "Effective GFLOP/s counts the 2 N^2 D operations of a plain product also where symmetry saves half of "
            "them; the last rate counts what is done."]
    tables.write(given.output, "gram", COLUMNS, rows, head)


if __name__ == "__main__":
    main()
