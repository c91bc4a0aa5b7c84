//! Spectral clustering: the normalised cut of an affinity graph, relaxed.
//!
//! The `K` smallest eigenvalues of the normalised Laplacian `L = I - D^-1/2 A D^-1/2` have eigenvectors
//! `U` (`N x K`); the rows of U, scaled to unit length, are clustered by k-means (Ng, Jordan & Weiss, NIPS 2001). The
//! eigenvectors of eigenvalue 0 are those of the connected components and are written down; the others come from
//! [`largest_eigenpairs`].
//!
//! What the algorithm leaves open is fixed here:
//! - isolated nodes, and components below `min_component` nodes, take no part; afterwards they join the largest
//!   cluster, and `n_unplaced` counts them. Otherwise every stray pair of inputs would be a cluster of its own;
//! - with at least as many components as clusters, every grouping of components cuts nothing: components are taken
//!   by size and each joins the cluster that is smallest so far;
//! - clusters are numbered by their first input.

use std::borrow::Cow;

use subspect_linalg::{Csr, EigenOptions, Eigenpairs, Matrix, Measured, Seed, Status, largest_eigenpairs};

use crate::components::{Components, components, degrees, indicators, induced, normalized, of_matrix};
use crate::kmeans::{KMeansOptions, kmeans};
use crate::{AffinityGraph, GraphError};

/// Which rows k-means clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Embedding {
    /// Rows of U scaled to unit length (Ng, Jordan & Weiss 2001).
    #[default]
    UnitRows,
    /// Rows of `D^-1/2 U`, the eigenvectors of the random walk (Shi & Malik, TPAMI 22, 2000).
    RandomWalk,
}

impl Embedding {
    /// Every embedding, the default first.
    pub const ALL: [Embedding; 2] = [Embedding::UnitRows, Embedding::RandomWalk];

    /// The spelling used in every interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Embedding::UnitRows => "unit_rows",
            Embedding::RandomWalk => "random_walk",
        }
    }

    /// The embedding called `name`.
    ///
    /// # Errors
    /// [`GraphError::Name`] for another name.
    pub fn from_name(name: &str) -> Result<Self, GraphError> {
        Self::ALL.into_iter().find(|e| e.as_str() == name).ok_or_else(|| GraphError::Name {
            what: "embedding",
            found: name.to_owned(),
            known: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}

/// How the graph is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpectralOptions {
    /// Which rows k-means clusters.
    pub embedding: Embedding,
    /// Nodes of smaller components take no part; 2 leaves out isolated nodes only.
    pub min_component: usize,
    /// Eigenvectors.
    pub eigen: EigenOptions,
    /// k-means.
    pub kmeans: KMeansOptions,
}

impl SpectralOptions {
    /// The defaults, as a constant.
    pub const DEFAULT: Self = Self {
        embedding: Embedding::UnitRows,
        min_component: 2,
        // Eigenvectors then are right to about 1e-5 even at a gap of 0.1 %; k-means does not notice more.
        eigen: EigenOptions { tol: 1e-8, max_restarts: 300 },
        kmeans: KMeansOptions::DEFAULT,
    };
}

impl Default for SpectralOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Whether the clustering is what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpectralStatus {
    /// All eigenvectors within the tolerance.
    Converged,
    /// Some eigenvectors are less exact than asked for.
    MaxRestarts,
    /// The graph has more components than clusters: components were grouped by size, nothing was cut.
    MoreComponents,
    /// Fewer nodes with edges than clusters: some clusters do not exist.
    FewerNodes,
    /// No node takes part: everything is one cluster.
    EmptyGraph,
}

impl SpectralStatus {
    /// The spelling used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            SpectralStatus::Converged => "converged",
            SpectralStatus::MaxRestarts => "max_restarts",
            SpectralStatus::MoreComponents => "more_components",
            SpectralStatus::FewerNodes => "fewer_nodes",
            SpectralStatus::EmptyGraph => "empty_graph",
        }
    }
}

/// A clustering of the nodes of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectralClustering {
    /// Cluster of every node, numbered by first appearance.
    pub labels: Vec<u32>,
    /// Clusters that exist; fewer than asked for only as `status` tells.
    pub n_clusters: usize,
    /// The smallest eigenvalues of the normalised Laplacian, ascending, one per cluster asked for where the graph
    /// has as many nodes. 0 comes once per component that takes part.
    pub eigenvalues: Vec<f64>,
    /// How many of them are within the tolerance.
    pub n_converged: usize,
    /// Connected components of the whole graph, isolated nodes included.
    pub n_components: usize,
    /// Nodes that took no part and joined the largest cluster.
    pub n_unplaced: usize,
    /// Inertia of the best k-means restart; not applicable when no k-means was needed.
    pub inertia: Measured,
    /// Whether it is what was asked for.
    pub status: SpectralStatus,
}

/// Cuts `graph` into `n_clusters` clusters, in the current thread pool; the same for every number of threads.
///
/// # Errors
/// [`GraphError::ClusterCount`] unless `n_clusters` is between 1 and the number of nodes.
pub fn spectral_clustering(
    graph: &AffinityGraph,
    n_clusters: usize,
    options: &SpectralOptions,
    seed: Seed,
) -> Result<SpectralClustering, GraphError> {
    let n = graph.n_nodes();
    if !(1..=n).contains(&n_clusters) {
        return Err(GraphError::ClusterCount { n_clusters, n_nodes: n });
    }
    let all = components(graph);
    let smallest = options.min_component.max(2);
    let nodes: Vec<usize> = (0..n).filter(|&i| all.sizes[all.of_node[i] as usize] >= smallest).collect();
    let part: Cow<'_, Csr> = if nodes.len() == n {
        Cow::Borrowed(graph.adjacency())
    } else {
        Cow::Owned(induced(graph.adjacency(), &nodes))
    };
    let cut = cut(&part, n_clusters, options, seed);
    let (labels, n_found) = spread(&cut.labels, &nodes, n);
    Ok(SpectralClustering {
        labels,
        n_clusters: n_found,
        eigenvalues: cut.eigenvalues,
        n_converged: cut.n_converged,
        n_components: all.sizes.len(),
        n_unplaced: n - nodes.len(),
        inertia: cut.inertia,
        status: cut.status,
    })
}

/// A clustering of the nodes that take part.
struct Cut {
    labels: Vec<u32>,
    eigenvalues: Vec<f64>,
    n_converged: usize,
    inertia: Measured,
    status: SpectralStatus,
}

impl Cut {
    fn trivial(labels: Vec<u32>, n_zeros: usize, status: SpectralStatus) -> Self {
        let inertia = Status::NotApplicable.into();
        Cut { labels, eigenvalues: vec![0.0; n_zeros], n_converged: n_zeros, inertia, status }
    }
}

fn cut(adjacency: &Csr, n_clusters: usize, options: &SpectralOptions, seed: Seed) -> Cut {
    let n = adjacency.n_rows();
    if n == 0 {
        return Cut::trivial(Vec::new(), 0, SpectralStatus::EmptyGraph);
    }
    let (k, fewer) = (n_clusters.min(n), n < n_clusters);
    let parts = of_matrix(adjacency);
    if parts.sizes.len() >= k {
        let more =
            if parts.sizes.len() > k { SpectralStatus::MoreComponents } else { SpectralStatus::Converged };
        let status = if fewer { SpectralStatus::FewerNodes } else { more };
        return Cut::trivial(grouped(&parts, k), k, status);
    }
    let degrees = degrees(adjacency);
    let known = indicators(&parts, &degrees);
    let matrix = normalized(adjacency, &degrees);
    let found =
        largest_eigenpairs(&matrix, &known, k - known.len(), &options.eigen, seed.axis("eigenvectors"));
    let points = embedding(&known, &found, &degrees, options.embedding);
    let clusters = kmeans(points.as_ref(), k, &options.kmeans, seed.axis("kmeans"));
    let mut eigenvalues = vec![0.0; known.len()];
    eigenvalues.extend(found.values.iter().map(|v| 1.0 - v));
    let n_converged = known.len() + found.n_converged;
    let status = match (fewer, n_converged == k) {
        (true, _) => SpectralStatus::FewerNodes,
        (false, true) => SpectralStatus::Converged,
        (false, false) => SpectralStatus::MaxRestarts,
    };
    Cut {
        labels: clusters.labels,
        eigenvalues,
        n_converged,
        inertia: Measured::finite(clusters.inertia),
        status,
    }
}

/// Components by size (lowest number first among equals), each to the cluster with the fewest nodes so far.
fn grouped(parts: &Components, k: usize) -> Vec<u32> {
    let mut order: Vec<usize> = (0..parts.sizes.len()).collect();
    order.sort_by_key(|&c| std::cmp::Reverse(parts.sizes[c]));
    let mut cluster = vec![0_u32; order.len()];
    let mut sizes = vec![0_usize; k];
    for c in order {
        let smallest = (0..k).min_by_key(|&g| sizes[g]).unwrap_or(0);
        cluster[c] = smallest as u32;
        sizes[smallest] += parts.sizes[c];
    }
    parts.of_node.iter().map(|&c| cluster[c as usize]).collect()
}

fn embedding(known: &[Vec<f64>], found: &Eigenpairs, degrees: &[f64], kind: Embedding) -> Matrix<f64> {
    let n_known = known.len();
    let mut points =
        Matrix::from_fn(degrees.len(), n_known + found.values.len(), |i, j| match j.checked_sub(n_known) {
            None => known[j][i],
            Some(j) => found.vectors.row(i)[j],
        });
    for (i, degree) in degrees.iter().enumerate() {
        let row = points.row_mut(i);
        let length = match kind {
            // Positive: the vector of the node's own component is.
            Embedding::UnitRows => row.iter().map(|v| v * v).sum::<f64>().sqrt(),
            Embedding::RandomWalk => degree.sqrt(),
        };
        row.iter_mut().for_each(|v| *v /= length);
    }
    points
}

/// Labels of all `n` nodes from those of `nodes`, numbered by first appearance; the rest joins the largest cluster.
fn spread(labels: &[u32], nodes: &[usize], n: usize) -> (Vec<u32>, usize) {
    let mut sizes = vec![0_usize; labels.iter().max().map_or(1, |&m| m as usize + 1)];
    labels.iter().for_each(|&c| sizes[c as usize] += 1);
    let largest = (0..sizes.len()).max_by_key(|&c| (sizes[c], std::cmp::Reverse(c))).unwrap_or(0);
    let mut out = vec![largest as u32; n];
    nodes.iter().zip(labels).for_each(|(&i, &c)| out[i] = c);
    let mut number = vec![u32::MAX; sizes.len()];
    let mut next = 0;
    for c in &mut out {
        let number = &mut number[*c as usize];
        if *number == u32::MAX {
            *number = next;
            next += 1;
        }
        *c = *number;
    }
    (out, next as usize)
}
