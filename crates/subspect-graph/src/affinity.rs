//! The affinity graph of a layer: `A = |C| + |C|ᵀ`, undirected, weighted, without loops.
//!
//! Nodes are inputs. Weights are stored as float32 like the coefficients; degrees `k_i = sum_j A_ij` and the total
//! mass `2m = sum_i k_i` are float64 sums in index order (Elhamifar & Vidal, TPAMI 2013, section 2.3).

use subspect_linalg::Csr;

use crate::GraphError;

/// An undirected weighted graph between the inputs of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct AffinityGraph {
    adjacency: Csr,
    degrees: Vec<f64>,
    total_mass: f64,
}

impl AffinityGraph {
    /// `A = |C| + |C|ᵀ` of the coefficients of one layer, in `O(nnz)`.
    ///
    /// # Errors
    /// When `coefficients` is not square, has an entry on its diagonal, or a sum of two entries overflows float32.
    pub fn from_coefficients(coefficients: &Csr) -> Result<Self, GraphError> {
        check_square(coefficients)?;
        check_diagonal(coefficients)?;
        let transposed = coefficients.transpose();
        let n = coefficients.n_rows();
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        for i in 0..n {
            merge_row(coefficients.row(i), transposed.row(i), &mut indices, &mut values);
            let start = indptr[i];
            if let Some(at) = values[start..].iter().position(|v: &f32| !v.is_finite()) {
                return Err(GraphError::Overflow { row: i, col: indices[start + at] as usize });
            }
            indptr.push(indices.len());
        }
        Ok(Self::with_sums(Csr::new(n, n, indptr, indices, values)?))
    }

    /// Takes a matrix that already is an affinity graph.
    ///
    /// # Errors
    /// When it is not square, not symmetric bit by bit, has a negative entry or one on the diagonal.
    pub fn from_adjacency(adjacency: Csr) -> Result<Self, GraphError> {
        check_square(&adjacency)?;
        check_diagonal(&adjacency)?;
        for row in 0..adjacency.n_rows() {
            let (cols, values) = adjacency.row(row);
            for (&col, &value) in cols.iter().zip(values) {
                let col = col as usize;
                let mirror = adjacency.get(col, row);
                if value < 0.0 || mirror.to_bits() != value.to_bits() {
                    return Err(GraphError::NotAffinity { row, col, value, mirror });
                }
            }
        }
        Ok(Self::with_sums(adjacency))
    }

    fn with_sums(adjacency: Csr) -> Self {
        let degrees: Vec<f64> =
            (0..adjacency.n_rows()).map(|i| adjacency.row(i).1.iter().map(|&v| f64::from(v)).sum()).collect();
        let total_mass = degrees.iter().sum();
        Self { adjacency, degrees, total_mass }
    }

    /// The symmetric matrix A.
    pub fn adjacency(&self) -> &Csr {
        &self.adjacency
    }

    /// Number of nodes N, isolated ones included.
    pub fn n_nodes(&self) -> usize {
        self.adjacency.n_rows()
    }

    /// Number of undirected edges.
    pub fn n_edges(&self) -> usize {
        self.adjacency.nnz() / 2
    }

    /// Weighted degrees `k_i = sum_j A_ij`.
    pub fn degrees(&self) -> &[f64] {
        &self.degrees
    }

    /// Total mass `2m = sum_ij A_ij`: every edge counted in both directions.
    pub fn total_mass(&self) -> f64 {
        self.total_mass
    }

    /// Whether there is no edge at all.
    pub fn is_empty(&self) -> bool {
        self.adjacency.nnz() == 0
    }

    /// Neighbours of node `i`, in ascending order, and the affinities to them.
    pub fn neighbors(&self, i: usize) -> (&[u32], &[f32]) {
        self.adjacency.row(i)
    }

    /// Number of neighbours of node `i`.
    pub fn n_neighbors(&self, i: usize) -> usize {
        self.neighbors(i).0.len()
    }

    /// Nodes without any edge, ascending.
    pub fn isolated(&self) -> Vec<usize> {
        (0..self.n_nodes()).filter(|&i| self.n_neighbors(i) == 0).collect()
    }

    /// Number of nodes without any edge.
    pub fn n_isolated(&self) -> usize {
        (0..self.n_nodes()).filter(|&i| self.n_neighbors(i) == 0).count()
    }
}

fn check_square(m: &Csr) -> Result<(), GraphError> {
    if m.n_rows() == m.n_cols() {
        Ok(())
    } else {
        Err(GraphError::NotSquare { n_rows: m.n_rows(), n_cols: m.n_cols() })
    }
}

fn check_diagonal(m: &Csr) -> Result<(), GraphError> {
    match (0..m.n_rows()).find(|&i| m.get(i, i) != 0.0) {
        None => Ok(()),
        Some(node) => Err(GraphError::SelfLoop { node, value: m.get(node, node) }),
    }
}

/// Appends the absolute sum of two sorted sparse rows.
fn merge_row(a: (&[u32], &[f32]), b: (&[u32], &[f32]), indices: &mut Vec<u32>, values: &mut Vec<f32>) {
    let (mut p, mut q) = (0, 0);
    while p < a.0.len() || q < b.0.len() {
        let ja = a.0.get(p).copied().unwrap_or(u32::MAX);
        let jb = b.0.get(q).copied().unwrap_or(u32::MAX);
        let mut value = 0.0;
        // At most one of the two can be past its end, so `u32::MAX` never stands for a column of both.
        if ja <= jb && p < a.0.len() {
            value += a.1[p].abs();
            p += 1;
        }
        if jb <= ja && q < b.0.len() {
            value += b.1[q].abs();
            q += 1;
        }
        indices.push(ja.min(jb));
        values.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::CsrBuilder;

    fn csr(rows: &[&[(u32, f32)]]) -> Csr {
        let mut b = CsrBuilder::new(rows.len());
        rows.iter().for_each(|r| b.push_row(&mut r.to_vec()));
        b.finish()
    }

    #[test]
    fn both_directions_add_up() {
        let c = csr(&[&[(1, -0.5), (2, 0.25)], &[(0, 0.25)], &[], &[]]);
        let g = AffinityGraph::from_coefficients(&c).unwrap();
        assert_eq!(g.adjacency().get(0, 1), 0.75);
        assert_eq!(g.adjacency().get(1, 0), 0.75);
        assert_eq!(g.adjacency().get(2, 0), 0.25);
        assert_eq!((g.n_nodes(), g.n_edges(), g.n_isolated()), (4, 2, 1));
        assert_eq!(g.degrees(), &[1.0, 0.75, 0.25, 0.0]);
        assert_eq!(g.total_mass(), 2.0);
        assert_eq!(g.isolated(), vec![3]);
        assert_eq!(AffinityGraph::from_adjacency(g.adjacency().clone()).unwrap(), g);
    }

    #[test]
    fn what_is_no_graph_is_refused_with_its_place() {
        let text = |c: &Csr| AffinityGraph::from_coefficients(c).unwrap_err().to_string();
        assert!(text(&Csr::empty(2, 3)).contains("found 2 x 3"));
        assert!(text(&csr(&[&[(1, 1.0)], &[(1, 0.5)]])).contains("found 0.5 at (1, 1)"));
        assert!(text(&csr(&[&[(1, f32::MAX)], &[(0, f32::MAX)]])).contains("overflows float32 at (0, 1)"));
        let err = |c: Csr| AffinityGraph::from_adjacency(c).unwrap_err().to_string();
        assert!(err(csr(&[&[(1, 1.0)], &[]])).contains("found 1 at (0, 1) and 0 at (1, 0)"));
        assert!(err(csr(&[&[(1, -1.0)], &[(0, -1.0)]])).contains("without negative"));
    }

    #[test]
    fn a_graph_without_nodes_is_a_graph() {
        let g = AffinityGraph::from_coefficients(&Csr::empty(0, 0)).unwrap();
        assert_eq!((g.n_nodes(), g.n_edges(), g.total_mass()), (0, 0, 0.0));
        assert!(g.is_empty());
    }
}
