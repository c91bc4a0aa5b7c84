"""Prints the constants of ../agreement.rs and ../spectral.rs: run with a Python that has scikit-learn and networkx.

Partitions and graphs are made by integer arithmetic on both sides, so no file has to be kept in step.
"""

import networkx as nx
import numpy as np
import sklearn
from scipy.optimize import linear_sum_assignment
from sklearn import metrics

print("scikit-learn", sklearn.__version__, "networkx", nx.__version__)
PAIRS = {
    "noisy": ([(i * i + i // 7) % 5 for i in range(200)], [((i * i + i // 7) % 5 if i % 3 else i % 4) for i in range(200)]),
    "finer": ([i % 3 for i in range(90)], [i % 9 for i in range(90)]),
    "independent": ([i % 4 for i in range(240)], [(i // 4) % 6 for i in range(240)]),
    "one class": ([i % 2 for i in range(10)], [0] * 10),
    "apart": ([i // 2 for i in range(12)], list(range(12))),
    "large": ([i * i % 10007 % 12 for i in range(20000)], [(i * i % 10007 % 12 + (i % 5 == 0) * (i % 7)) for i in range(20000)]),
}
for name, (a, b) in PAIRS.items():
    table = metrics.cluster.contingency_matrix(a, b)
    rows, cols = linear_sum_assignment(-table)
    mutual = metrics.mutual_info_score(a, b)
    entropy = [-sum(p * np.log(p) for p in np.bincount(v)[np.bincount(v) > 0] / len(v)) for v in (a, b)]
    homogeneity, completeness, v_measure = metrics.homogeneity_completeness_v_measure(a, b)
    values = [
        table[rows, cols].sum() / len(a),
        metrics.normalized_mutual_info_score(a, b),
        metrics.adjusted_mutual_info_score(a, b),
        metrics.adjusted_rand_score(a, b),
        homogeneity, completeness, v_measure,
        sum(entropy) - 2 * mutual,
    ]
    print(name, [float(v) for v in values])

# lambda_2 of the normalised Laplacian of the three classes of networkx_values.py.
from networkx_values import CLASSES, N, graph  # noqa: E402  (prints its own values first)

for c in range(3):
    part = graph.subgraph([i for i in range(N) if CLASSES[i] == c])
    print("connectivity", c, repr(float(np.sort(nx.normalized_laplacian_spectrum(part, weight="weight"))[1])))
print("spectrum", [float(v) for v in np.sort(nx.normalized_laplacian_spectrum(graph, weight="weight"))[:5]])
