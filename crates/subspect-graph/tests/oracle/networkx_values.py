"""Prints the constants of ../networkx.rs: run with a Python that has networkx (values here: see the first line).

The graph is made by integer arithmetic on both sides, so no file has to be kept in step: 24 nodes, edge weights
that are multiples of 1/8 (exact in float32), three classes of 10, 8 and 6 nodes.
"""

import networkx as nx

N = 24
CLASSES = [0] * 10 + [1] * 8 + [2] * 6


def weight(i, j):
    a, b = min(i, j), max(i, j)
    h = (a * 73 + b * 151 + a * b * 29) % 97
    same = CLASSES[a] == CLASSES[b]
    return (h % 8 + 1) / 8 if h < (60 if same else 25) else 0.0


graph = nx.Graph()
graph.add_nodes_from(range(N))
for i in range(N):
    for j in range(i + 1, N):
        if weight(i, j) > 0:
            graph.add_edge(i, j, weight=weight(i, j))

members = [{i for i in range(N) if CLASSES[i] == c} for c in range(3)]
print("networkx", nx.__version__)
print("edges", graph.number_of_edges(), "mass", 2 * graph.size(weight="weight"))
for resolution in (1.0, 0.5, 2.0):
    print("modularity", resolution, repr(nx.community.modularity(graph, members, resolution=resolution)))
print("conductance", [nx.conductance(graph, m, weight="weight") for m in members])
print("density", repr(nx.density(graph)))
degrees = [d for _, d in graph.degree()]
print("neighbors", sum(degrees) / N, max(degrees))
print("max degree", max(d for _, d in graph.degree(weight="weight")))
nx.set_node_attributes(graph, dict(enumerate(CLASSES)), "class")
for c in range(3):
    mass = [nx.cut_size(graph, members[c], members[d], weight="weight") if c != d else 2 * graph.subgraph(members[c]).size(weight="weight") for d in range(3)]
    print("class affinity", [v / sum(mass) for v in mass])
barbell = nx.barbell_graph(5, 0)
print("barbell", nx.community.modularity(barbell, [set(range(5)), set(range(5, 10))]))
