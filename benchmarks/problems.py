"""The problems, their data, and the objective that decides whether two answers may be compared in time.

Rows are inputs with norm 1; row i is expressed by the others. `lasso:R` and `elastic_net:R:L` have
`alpha_i = R max_{j != i} |z_i . z_j| / L`, `omp:K` at most K atoms. No N x N array is made here, only panels.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
PANEL = 512


@dataclass(frozen=True)
class Problem:
    name: str
    kind: str
    ratio: float = 0.0
    l1_ratio: float = 1.0
    k: int = 0

    @classmethod
    def parse(cls, name):
        kind, *numbers = name.split(":")
        try:
            if kind == "omp":
                return cls(name, kind, k=int(numbers[0]))
            if kind == "lasso":
                return cls(name, kind, ratio=float(numbers[0]))
            if kind == "elastic_net":
                return cls(name, kind, ratio=float(numbers[0]), l1_ratio=float(numbers[1]))
        except (IndexError, ValueError):
            pass
        raise SystemExit(f"problem: expected omp:K, lasso:RATIO or elastic_net:RATIO:L1_RATIO, found {name}")

    def arguments(self):
        """For `subspect express`."""
        if self.kind == "omp":
            return ["--method", "omp", "--n-nonzero-coefs", self.k]
        extra = ["--l1-ratio", self.l1_ratio] if self.kind == "elastic_net" else []
        return ["--method", self.kind, "--alpha-ratio", self.ratio, *extra]

    def objectives(self, z, rows, c, alpha):
        """Objective of the rows `rows`, whose coefficients are the rows of the sparse matrix `c`."""
        c = c.astype(np.float64)
        values = 0.5 * ((z[rows] - c @ z) ** 2).sum(axis=1)
        if self.kind != "omp":
            l1 = np.asarray(abs(c).sum(axis=1)).ravel()
            l2 = np.asarray(c.multiply(c).sum(axis=1)).ravel()
            values = values + alpha[rows] * (self.l1_ratio * l1 + 0.5 * (1 - self.l1_ratio) * l2)
        return values

    def alphas(self, z):
        """The penalty of every row; zeros for omp."""
        if self.kind == "omp":
            return np.zeros(len(z))
        largest = np.empty(len(z))
        for start in range(0, len(z), PANEL):
            products = np.abs(z[start:start + PANEL] @ z.T)
            products[np.arange(len(products)), np.arange(start, start + len(products))] = 0
            largest[start:start + PANEL] = products.max(axis=1)
        return self.ratio * largest / self.l1_ratio


def read_idx_images(path):
    """The pictures of an IDX file or of the training file of a folder, one row of bytes each."""
    path = Path(path)
    if path.is_dir():
        found = sorted(path.glob("*train-images*")) or sorted(path.glob("*images*"))
        if not found:
            raise SystemExit(f"{path}: expected an IDX file of images, found none; give its path")
        path = found[0]
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if data[:3] != b"\0\0\x08":
        raise SystemExit(f"{path}: expected IDX of unsigned bytes, found {data[:4].hex()}")
    axes = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(axes[0], -1)


def load(path, n, n_features, seed):
    """`n` rows of float32: pictures in 0..1, rows of a matrix, or without a path noisy subspaces.

    Ten subspaces of dimension 20 (a third of the features where these are few), noise of a tenth of the energy.
    """
    if n_features:
        return subspaces(n, n_features, np.random.default_rng(seed))
    if str(path).endswith(".npy"):
        rows = np.load(path, mmap_mode="r")
        rows = rows.reshape(len(rows), -1)
    else:
        rows = read_idx_images(path)
    if len(rows) < n:
        raise SystemExit(f"{path}: expected at least {n} rows, found {len(rows)}")
    scale = 255 if rows.dtype == np.uint8 else 1
    return rows[:n].astype(np.float32) / np.float32(scale)


def subspaces(n, n_features, rng):
    dimension = min(20, n_features // 3)
    bases = rng.standard_normal((10, dimension, n_features)) / np.sqrt(n_features)
    labels = rng.integers(0, 10, n)
    rows = np.empty((n, n_features))
    for label in range(10):
        inside = labels == label
        rows[inside] = rng.standard_normal((inside.sum(), dimension)) @ bases[label]
    noise = np.sqrt(0.1 * dimension / n_features)
    return (rows + noise * rng.standard_normal(rows.shape)).astype(np.float32)


def unit_rows(x):
    """In float64; a zero row stays zero."""
    x = x.astype(np.float64)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, norms, out=np.zeros_like(x), where=norms > 0)
