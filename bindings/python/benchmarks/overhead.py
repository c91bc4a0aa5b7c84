"""What the binding costs beside the solve: `python benchmarks/overhead.py [N] [D]`, best of several runs.

The solve alone is timed inside: a kept Dictionary whose solve is called twice in a row costs what `express` costs less
the dictionary, so the binding's own share is measured on its parts: arrays in, thread and watch, arrays out.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import subspect
from subspect import _core, edge
from subspect.expression import Expression


def best(function, repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main(n: int, d: int) -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(10, n // 10, 12)) @ rng.normal(size=(10, 12, d))).reshape(n, d) + rng.normal(size=(n, d))
    x = x.astype(np.float32)
    question = ("lasso", {}, None, None)
    core = _core.Dictionary(x, True, 4 << 30)
    found = core.solve(question)
    whole = best(lambda: subspect.express(x))
    # An empty problem of the same shape: alpha = alpha_max makes every row trivial, so what is left is the binding
    # and the reading of the Gram matrix.
    trivial = best(lambda: core.solve(("lasso", {"alpha_ratio": 1.0}, None, None)))
    arrays_in = best(lambda: edge.matrix(x), 20)
    arrays_out = best(lambda: Expression._of(found, question), 20)
    nnz = found["coefficients"][0].size
    print(f"N {n}, D {d}, {nnz / n:.1f} non-zeros per row, {subspect.get_num_threads()} threads")
    print(f"express            {1e3 * whole:9.2f} ms")
    print(f"a trivial solve    {1e3 * trivial:9.3f} ms  (thread, watch, arrays out; scan of N x N included)")
    print(f"arrays in          {1e3 * arrays_in:9.3f} ms")
    print(f"Python objects out {1e3 * arrays_out:9.3f} ms")
    print(f"binding at most    {100 * (trivial + arrays_in + arrays_out) / whole:9.2f} % of express")


if __name__ == "__main__":
    main(*(int(v) for v in (sys.argv[1:] + ["2000", "512"][len(sys.argv) - 1 :])))
