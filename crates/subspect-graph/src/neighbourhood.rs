//! The neighbourhood of one input: who it is close to, and with which signs.

use subspect_linalg::Csr;

use crate::partition::check_length;
use crate::{AffinityGraph, GraphError};

/// One neighbour of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Position of the neighbour.
    pub input: usize,
    /// `A_ij = |C_ij| + |C_ji|`.
    pub affinity: f64,
    /// `C_ij`: the neighbour's weight in the input's own expression.
    pub coefficient: f64,
    /// `C_ji`: the input's weight in the neighbour's expression.
    pub reverse_coefficient: f64,
}

/// An input and its neighbours.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbourhood {
    /// Position of the input.
    pub input: usize,
    /// Strongest affinity first; lower index first among equals.
    pub neighbours: Vec<Neighbour>,
}

/// The `n_neighbors` strongest neighbours of input `i` (all of them when there are fewer).
///
/// # Errors
/// [`GraphError::NodeOutOfRange`] when there is no input `i`; [`GraphError::Length`] when the coefficients are for
/// another number of inputs.
pub fn neighbourhood(
    graph: &AffinityGraph,
    coefficients: &Csr,
    i: usize,
    n_neighbors: usize,
) -> Result<Neighbourhood, GraphError> {
    let n = graph.n_nodes();
    check_length("coefficient rows", n, coefficients.n_rows())?;
    check_length("coefficient columns", n, coefficients.n_cols())?;
    if i >= n {
        return Err(GraphError::NodeOutOfRange { node: i, n_nodes: n });
    }
    let (cols, values) = graph.neighbors(i);
    let mut order: Vec<usize> = (0..cols.len()).collect();
    // Columns ascend, so a stable sort by affinity leaves equals in order of index.
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order.truncate(n_neighbors);
    let neighbours = order
        .into_iter()
        .map(|at| {
            let j = cols[at] as usize;
            Neighbour {
                input: j,
                affinity: f64::from(values[at]),
                coefficient: f64::from(coefficients.get(i, j)),
                reverse_coefficient: f64::from(coefficients.get(j, i)),
            }
        })
        .collect();
    Ok(Neighbourhood { input: i, neighbours })
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::CsrBuilder;

    #[test]
    fn neighbours_come_by_affinity_then_index_with_both_signed_coefficients() {
        let mut b = CsrBuilder::new(5);
        b.push_row(&mut [(1, 0.25), (2, -0.5), (4, 0.25)]);
        b.push_row(&mut []);
        b.push_row(&mut [(0, 0.25)]);
        b.push_row(&mut [(0, -2.0)]);
        b.push_row(&mut []);
        let c = b.finish();
        let graph = AffinityGraph::from_coefficients(&c).unwrap();
        let all = neighbourhood(&graph, &c, 0, 10).unwrap();
        let order: Vec<usize> = all.neighbours.iter().map(|n| n.input).collect();
        assert_eq!(order, vec![3, 2, 1, 4]);
        let second = Neighbour { input: 2, affinity: 0.75, coefficient: -0.5, reverse_coefficient: 0.25 };
        assert_eq!(all.neighbours[1], second);
        assert_eq!(all.neighbours[0].coefficient, 0.0);
        assert_eq!(neighbourhood(&graph, &c, 0, 2).unwrap().neighbours, all.neighbours[..2]);
        assert_eq!(
            neighbourhood(&graph, &c, 9, 2).unwrap_err().to_string(),
            "expected an input below 5, found 9"
        );
        assert!(neighbourhood(&graph, &Csr::empty(4, 5), 0, 2).is_err());
    }
}
