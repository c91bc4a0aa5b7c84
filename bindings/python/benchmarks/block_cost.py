"""CPU seconds of one block of rows at growing N: what the plan in docs/cluster.md is extrapolated from.

`python benchmarks/block_cost.py [D] [N ...]`; panels of rows, no Gram matrix, as for a million inputs.
"""

from __future__ import annotations

import resource
import sys

import numpy as np

import subspect


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(d: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(0)
    bases = rng.normal(size=(100, 12, d)).astype(np.float32)
    for n in sizes:
        x = np.empty((n, d), dtype=np.float32)
        for start in range(0, n, 1000):
            c = start // 1000 % 100
            x[start : start + 1000] = rng.normal(size=(min(1000, n - start), 12)).astype(np.float32) @ bases[c]
        x += rng.normal(size=x.shape).astype(np.float32)
        x = x[rng.permutation(n)]
        begin = cpu()
        kept = subspect.Dictionary(x, memory=1)
        made = cpu() - begin
        rows = min(n, kept.panel_height)
        for method in ("lasso", "omp"):
            begin = cpu()
            found = kept.express(method=method, rows=(0, rows))
            used = cpu() - begin
            nnz = found.coefficients.nnz / rows
            print(f"N {n:7d} D {d} {method:6s} block of {rows}: {1e3 * used / rows:8.2f} CPU ms per row, {nnz:5.1f} non-zeros; "
                  f"dictionary {made:.2f} CPU s", flush=True)


if __name__ == "__main__":
    arguments = [int(v) for v in sys.argv[1:]] or [2048, 10_000, 20_000, 40_000]
    main(arguments[0], arguments[1:])
