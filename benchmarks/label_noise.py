"""Finding wrong labels: the scores of `subspect rank` beside confident learning's and nearest neighbours', on the same
features and logits, with labels that are made wrong on purpose.

    python label_noise.py MODEL.onnx --data CIFAR10 --normalize imagenet --block layer3.2 --logits linear

Labels of a share of the inputs are replaced by another class drawn evenly (symmetric noise). Every score is larger where
it suspects the label; the area under the ROC curve, the average precision and the precision among the first k (k: the
number of wrong labels) say how well it finds them. See README.md.
"""

import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.metrics import average_precision_score, roc_auc_score

import machine

COLUMNS = {"noise": "noise", "features": "features", "score": "score", "auroc": "AUROC", "ap": "average precision",
           "precision": "precision at k", "spread": "precision, least to most"}

# Scores of `subspect rank` that look for wrong labels.
OURS = ("vote_label", "propagated_label")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", help="ONNX classifier")
    parser.add_argument("--data", required=True)
    parser.add_argument("--split", default="test", help="part of the data: the network has seen train")
    parser.add_argument("--normalize", default="none")
    parser.add_argument("--block", required=True, help="layer whose flattened and pooled outputs are the features")
    parser.add_argument("--logits", required=True, help="layer that holds the logits")
    parser.add_argument("--inputs", type=int, default=5000)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.05, 0.1])
    parser.add_argument("--seeds", type=int, default=5, help="draws of the noise")
    parser.add_argument("--neighbours", type=int, nargs="+", default=[10, 30, 100], help="k of the neighbour votes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--binary", default=machine.ROOT / "target" / "release" / "subspect")
    parser.add_argument("--work", help="folder for activations and graphs [default: a temporary one]")
    parser.add_argument("--output", default=machine.RESULTS, help="folder for label_noise.csv and label_noise.md")
    return parser.parse_args()


class Subspect:
    """The binary, in one folder."""

    def __init__(self, args, work):
        self.args, self.work = args, Path(work)

    def call(self, *words):
        command = [str(self.args.binary), *map(str, words), "--threads", str(self.args.threads), "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, env=machine.environment(self.args.threads))
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def features(self):
        """Activations by name, labels and the number of classes; the store of the first two is left in the folder."""
        args, captured = self.args, self.work / "captured"
        self.call("capture", "--model", args.model, "--data", args.data, "--split", args.split, "--inputs", args.inputs,
                  "--normalize", args.normalize, "--layers", args.block, args.logits, "--output", captured)
        manifest = json.loads((captured / "store.json").read_text())
        files = {layer["name"]: layer for layer in manifest["layers"]}
        block = np.load(captured / files[args.block]["file"])
        shape = files[args.block]["shape"]
        found = {"pooled": block.reshape(len(block), shape[0], -1).mean(axis=2), "block": block}
        folder = self.work / "features"
        folder.mkdir(exist_ok=True)
        for name, values in found.items():
            np.save(folder / f"{name}.npy", values.astype(np.float32))
        self.call("import", folder, "--output", self.work / "store")
        logits = np.load(captured / files[args.logits]["file"]).astype(np.float64)
        return found, logits, np.array(manifest["inputs"]["labels"]), len(manifest["dataset"]["classes"])

    def scores(self, labels, names):
        """Scores of `subspect rank` against `labels` by layer and name, in the order of the inputs."""
        np.save(self.work / "labels.npy", labels.astype(np.int64))
        run = self.work / "run"
        self.call("run", "--store", self.work / "store", "--labels", self.work / "labels.npy", "--output", run,
                  "--similarity", "none", "--permutations", 0, "--resamples", 0, "--examples", 0, "--no-report")
        out = {}
        for name, by in ((n, by) for n in names for by in OURS):
            text = self.call("rank", run, "--by", by, "--layer", name, "--top", 0, "--format", "csv")
            rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
            # An input without neighbours has no score: nothing speaks against its label.
            ranked = (rows[str(i)] for i in range(len(labels)))
            out[name, by] = np.array([float(r["value"]) if r["status"] == "ok" else -1.0 for r in ranked])
        return out

    def graph(self, name):
        coefficients = scipy.sparse.load_npz(self.work / "run" / "graphs" / f"{name}.npz").astype(np.float64)
        return (abs(coefficients) + abs(coefficients).T).tocsr()


def margin(shares, labels):
    """Largest share of another class minus the label's own."""
    rows = np.arange(len(labels))
    own = shares[rows, labels]
    others = shares.copy()
    others[rows, labels] = -np.inf
    return others.max(axis=1) - own


def shares_of(graph, labels, n_classes):
    """Class affinity of every input: shares of its affinity by class."""
    mass = graph @ np.eye(n_classes)[labels]
    return mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-300)


def nearest(features, counts):
    """The inputs of largest cosine, nearest first: as many as the largest k."""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    most = max(counts)
    near = np.empty((len(unit), most), dtype=int)
    for start in range(0, len(unit), 1000):
        cosine = unit[start:start + 1000] @ unit.T
        cosine[np.arange(len(cosine)), np.arange(start, start + len(cosine))] = -np.inf
        part = np.argpartition(-cosine, most, axis=1)[:, :most]
        order = np.argsort(-np.take_along_axis(cosine, part, axis=1), axis=1, kind="stable")
        near[start:start + 1000] = np.take_along_axis(part, order, axis=1)
    return near


def candidates(subspect, features, near, probabilities, labels, n_classes, counts):
    """Every score by (features, name)."""
    out = {("logits", "self-confidence"): -probabilities[np.arange(len(labels)), labels],
           ("logits", "normalised margin"): margin(probabilities, labels)}
    ours = subspect.scores(labels, features)
    for name in features:
        graph = subspect.graph(name)
        shares = shares_of(graph, labels, n_classes)
        agreed = np.abs(np.where(graph.getnnz(axis=1) > 0, margin(shares, labels), -1.0) - ours[name, "vote_label"]).max()
        if agreed > 1e-6:
            sys.exit(f"{name}: vote_label of `subspect rank` differs by {agreed} from what is computed here")
        for by in OURS:
            out[name, f"{by} (subspect rank)"] = ours[name, by]
        out[name, "share of the label in the vote"] = -shares[np.arange(len(labels)), labels]
        for k in counts:
            votes = np.eye(n_classes)[labels][near[name][:, :k]].mean(axis=1)
            out[name, f"cosine {k}-NN margin"] = margin(votes, labels)
            out[name, f"cosine {k}-NN share of the label"] = -votes[np.arange(len(labels)), labels]
    for by in OURS:
        out["pooled + block", f"mean of {by}"] = np.mean([ours[name, by] for name in features], axis=0)
    return out


def measured(score, wrong):
    order = np.argsort(-score, kind="stable")
    return (roc_auc_score(wrong, score), average_precision_score(wrong, score), wrong[order[:wrong.sum()]].mean())


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        subspect = Subspect(args, args.work or temporary)
        Path(subspect.work).mkdir(parents=True, exist_ok=True)
        features, logits, truth, n_classes = subspect.features()
        exp = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = exp / exp.sum(axis=1, keepdims=True)
        print(f"{len(truth)} inputs, network right on {(probabilities.argmax(axis=1) == truth).mean():.4f}", flush=True)
        near = {name: nearest(x, args.neighbours) for name, x in features.items()}
        rows = []
        for rate in args.rates:
            found = {}
            for seed in range(args.seeds):
                rng = np.random.default_rng(seed)
                wrong = np.zeros(len(truth), dtype=bool)
                wrong[rng.choice(len(truth), size=round(rate * len(truth)), replace=False)] = True
                labels = np.where(wrong, (truth + rng.integers(1, n_classes, len(truth))) % n_classes, truth)
                scores = candidates(subspect, features, near, probabilities, labels, n_classes, args.neighbours)
                for key, score in scores.items():
                    found.setdefault(key, []).append(measured(score, wrong))
            for (of, name), values in found.items():
                auroc, ap, precision = np.mean(values, axis=0)
                spread = [f"{v:.3f}" for v in (min(v[2] for v in values), max(v[2] for v in values))]
                row = {"noise": f"{rate:g}", "features": of, "score": name, "auroc": f"{auroc:.4f}", "ap": f"{ap:.4f}",
                       "precision": f"{precision:.4f}", "spread": " to ".join(spread)}
                rows.append(row)
                print("  ".join(row.values()), flush=True)
    write(args, rows)


def write(args, rows):
    folder = Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "label_noise.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    lines = ["| " + " | ".join(COLUMNS.values()) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(row[c] for c in COLUMNS) + " |" for row in rows]
    (folder / "label_noise.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
