//! Connected components of a graph, and its normalised adjacency `D^-1/2 A D^-1/2`.
//!
//! The eigenvalue 1 of the normalised adjacency has one eigenvector per component, `D^1/2 1_component`, normalised
//! (von Luxburg, Statistics and Computing 17, 2007, proposition 4): these are written down, never searched for.

use subspect_linalg::{Csr, CsrBuilder, ScaledCsr};

use crate::AffinityGraph;

/// The connected components of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Components {
    /// Component of every node; components are numbered by their lowest node.
    pub of_node: Vec<u32>,
    /// Number of nodes of every component.
    pub sizes: Vec<usize>,
}

/// Finds the connected components of `graph` in `O(nodes + edges)`. An isolated node is a component of its own.
pub fn components(graph: &AffinityGraph) -> Components {
    of_matrix(graph.adjacency())
}

pub(crate) fn of_matrix(adjacency: &Csr) -> Components {
    let n = adjacency.n_rows();
    let mut of_node = vec![u32::MAX; n];
    let mut sizes = Vec::new();
    let mut stack = Vec::new();
    for start in 0..n {
        if of_node[start] != u32::MAX {
            continue;
        }
        let id = sizes.len() as u32;
        of_node[start] = id;
        stack.push(start);
        let mut size = 0;
        while let Some(i) = stack.pop() {
            size += 1;
            for &j in adjacency.row(i).0 {
                if of_node[j as usize] == u32::MAX {
                    of_node[j as usize] = id;
                    stack.push(j as usize);
                }
            }
        }
        sizes.push(size);
    }
    Components { of_node, sizes }
}

/// The adjacency between `nodes` (ascending), in their order.
pub(crate) fn induced(adjacency: &Csr, nodes: &[usize]) -> Csr {
    let mut position = vec![u32::MAX; adjacency.n_rows()];
    nodes.iter().enumerate().for_each(|(at, &i)| position[i] = at as u32);
    let mut builder = CsrBuilder::new(nodes.len());
    let mut row = Vec::new();
    for &i in nodes {
        let (cols, values) = adjacency.row(i);
        row.clear();
        row.extend(cols.iter().zip(values).map(|(&j, &v)| (position[j as usize], v)));
        row.retain(|e| e.0 != u32::MAX);
        builder.push_row(&mut row);
    }
    builder.finish()
}

/// Weighted degrees, summed in index order.
pub(crate) fn degrees(adjacency: &Csr) -> Vec<f64> {
    (0..adjacency.n_rows()).map(|i| adjacency.row(i).1.iter().map(|&v| f64::from(v)).sum()).collect()
}

/// `D^-1/2 A D^-1/2`; rows of isolated nodes are zero.
pub(crate) fn normalized<'a>(adjacency: &'a Csr, degrees: &[f64]) -> ScaledCsr<'a> {
    let scale = degrees.iter().map(|&d| if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }).collect();
    ScaledCsr::new(adjacency, scale)
}

/// The eigenvector `D^1/2 1_c` of every component, normalised.
pub(crate) fn indicators(components: &Components, degrees: &[f64]) -> Vec<Vec<f64>> {
    let mut volume = vec![0.0; components.sizes.len()];
    components.of_node.iter().zip(degrees).for_each(|(&c, d)| volume[c as usize] += d);
    let entry = |c: usize, i: usize| {
        if components.of_node[i] as usize == c && volume[c] > 0.0 {
            (degrees[i] / volume[c]).sqrt()
        } else {
            0.0
        }
    };
    (0..volume.len()).map(|c| (0..degrees.len()).map(|i| entry(c, i)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_numbered_by_their_lowest_node() {
        let mut b = CsrBuilder::new(6);
        for row in
            [vec![(4, 1.0)], vec![(3, 0.5)], vec![], vec![(1, 0.5)], vec![(0, 1.0), (5, 2.0)], vec![(4, 2.0)]]
        {
            b.push_row(&mut row.clone());
        }
        let g = AffinityGraph::from_adjacency(b.finish()).unwrap();
        let found = components(&g);
        assert_eq!(found, Components { of_node: vec![0, 1, 2, 1, 0, 0], sizes: vec![3, 2, 1] });
        let part = induced(g.adjacency(), &[0, 4, 5]);
        assert_eq!((part.nnz(), part.get(1, 2), part.get(0, 2)), (4, 2.0, 0.0));
        let vectors = indicators(&found, g.degrees());
        assert!((vectors[0].iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!(vectors[2], vec![0.0; 6]);
    }
}
