"""Subspace clustering as a task: accuracy and NMI of our clusters beside the published protocol.

    python clustering.py                       Fashion-MNIST test pictures, N = 10,000: minutes
    python clustering.py --n 2000 --methods omp:10

For every self-expression: our `subspect cluster` under each post-processing, and beside it, from the same coefficients,
the protocol of You et al. (CVPR 2016) with SciPy and scikit-learn: rows of C divided by their Euclidean norm,
(|C| + |C|^T)/2, as many eigenvectors of the normalised Laplacian as classes, unit rows, k-means with 20 restarts.
k-means on the pictures themselves is the floor. All rows count; nobody leaves isolated inputs out.
"""

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csgraph, identity, load_npz
from scipy.sparse.linalg import eigsh
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score
from sklearn.preprocessing import normalize

import machine
import tables
from problems import FASHION_MNIST, Problem, read_idx_images

COLUMNS = {"method": "self-expression", "by": "clusters by", "accuracy": "accuracy", "nmi": "NMI", "density": "non-zeros a row",
           "express": "seconds, C", "cluster": "seconds, clusters"}
POSTPROCESSES = ("none", "row_normalized", "strongest")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=FASHION_MNIST, help="folder of IDX files [default: Debian's dataset-fashion-mnist]")
    parser.add_argument("--part", default="t10k", help="beginning of the names of its pictures and labels")
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--methods", nargs="+", default=["omp:5", "omp:10", "lasso:0.02", "elastic_net:0.02:0.9"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--binary", help="the subspect binary [default: target/release/subspect]")
    parser.add_argument("--output", default=machine.RESULTS, help="folder for clustering.csv and clustering.md")
    return parser.parse_args()


def pictures(folder, part, n):
    def one(kind):
        found = sorted(Path(folder).glob(f"{part}*{kind}*"))
        if not found:
            raise SystemExit(f"{folder}: expected {part}*{kind}*, found none; give --data and --part")
        return found[0]

    path = one("labels")
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    x, y = read_idx_images(one("images")), np.frombuffer(raw, np.uint8, offset=8)
    return x[:n].astype(np.float32) / 255, y[:n].astype(np.int64)


def agreement(labels, clusters):
    """Accuracy under the best one-to-one matching, and NMI with the geometric mean, as the published tables have it."""
    counts = np.zeros((labels.max() + 1, clusters.max() + 1))
    np.add.at(counts, (labels, clusters), 1)
    return {"accuracy": counts[linear_sum_assignment(-counts)].sum() / len(labels),
            "nmi": normalized_mutual_info_score(labels, clusters, average_method="geometric")}


def protocol(c, n_clusters):
    """You et al.'s clusters from coefficients; isolated inputs have a zero row in the embedding."""
    c = abs(normalize(c.astype(np.float64), "l2"))
    laplacian = csgraph.laplacian((c + c.T) / 2, normed=True)
    # Smallest of L by largest of 2 I - L, which needs no factorisation.
    start = np.random.default_rng(0).standard_normal(c.shape[0])
    _, vectors = eigsh(2 * identity(c.shape[0]) - laplacian, k=n_clusters, which="LA", v0=start, tol=1e-6)
    return KMeans(n_clusters, n_init=20, random_state=0).fit_predict(normalize(vectors))


def timed(call):
    start = time.perf_counter()
    return call(), time.perf_counter() - start


def rows_of(problem, folder, labels, binary, threads):
    output, n_clusters = folder / "c.npz", len(np.unique(labels))
    answer, _, _ = machine.run([binary, "express", folder / "x.npy", "--output", output, *problem.arguments(),
                                "--threads", threads, "--format", "json", "--quiet"], threads)
    c = load_npz(output)
    common = {"method": problem.name, "density": c.nnz / c.shape[0], "express": answer["solve"]["seconds"]}
    for how in POSTPROCESSES:
        found = folder / "clusters.npy"
        command = [binary, "cluster", output, "--n-clusters", n_clusters, "--postprocess", how, "--output", found,
                   "--threads", threads, "--format", "json", "--quiet"]
        _, seconds, _ = machine.run(command, threads)
        yield {**common, "by": f"subspect, {how}", **agreement(labels, np.load(found).astype(np.int64)), "cluster": seconds}
    clusters, seconds = timed(lambda: protocol(c, n_clusters))
    yield {**common, "by": "You et al.'s protocol", **agreement(labels, clusters), "cluster": seconds}


def main():
    given = arguments()
    binary = machine.program(given.binary, "release/subspect", "cargo build --release -p subspect-cli")
    x, labels = pictures(given.data, given.part, given.n)
    folder = machine.scratch("clustering")
    np.save(folder / "x.npy", x)
    rows = []
    for problem in map(Problem.parse, given.methods):
        print(problem.name, flush=True)
        rows += rows_of(problem, folder, labels, binary, given.threads)
    clusters, seconds = timed(lambda: KMeans(len(np.unique(labels)), n_init=20, random_state=0).fit_predict(x))
    rows.append({"method": "none (pixels)", "by": "k-means", **agreement(labels, clusters), "cluster": seconds})
    head = [f"Clusters of {len(x)} pictures of {given.data}, {given.threads} threads. {machine.describe()}."]
    tables.write(given.output, "clustering", COLUMNS, rows, head)


if __name__ == "__main__":
    main()
