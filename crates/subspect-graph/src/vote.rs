//! The affinity vote: which class an input's neighbours speak for ("SSC prediction" in Saini et al. 2021).
//!
//! Class affinity `v_c = sum_{j: y_j = c} A_ij`, divided by `sum_c v_c`; the vote is the class with the largest
//! share, the lowest class index among equals, and none when the input has no neighbour.

use rayon::prelude::*;
use subspect_linalg::{Measured, Status};

use crate::partition::check_length;
use crate::{AffinityGraph, GraphError, Partition};

/// One input's class affinity and what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct AffinityVote {
    /// v_c of every class: sums to 1, or all 0 for an input without neighbours.
    pub class_affinity: Vec<f64>,
    /// The class with the largest affinity.
    pub vote: Option<u32>,
}

impl AffinityVote {
    /// The vote of node `i` by its neighbours in the graph.
    ///
    /// # Panics
    /// When `i` is not a node or the partition is for another graph.
    pub fn of_node(graph: &AffinityGraph, partition: &Partition, i: usize) -> Self {
        assert_eq!(graph.n_nodes(), partition.len(), "the partition is for another graph");
        let (nodes, affinities) = graph.neighbors(i);
        Self::by(nodes, affinities, partition)
    }

    /// The vote for an input outside the graph that is expressed by `coefficients` over `nodes` of it: its
    /// affinity to them is `|c_j|`.
    ///
    /// # Errors
    /// [`GraphError::NodeOutOfRange`] when a node has no class; [`GraphError::Length`] when the two slices differ.
    pub fn of_outside(
        nodes: &[u32],
        coefficients: &[f32],
        partition: &Partition,
    ) -> Result<Self, GraphError> {
        check_length("coefficients", nodes.len(), coefficients.len())?;
        match nodes.iter().find(|&&j| j as usize >= partition.len()) {
            Some(&j) => Err(GraphError::NodeOutOfRange { node: j as usize, n_nodes: partition.len() }),
            None => Ok(Self::by(nodes, coefficients, partition)),
        }
    }

    fn by(nodes: &[u32], weights: &[f32], partition: &Partition) -> Self {
        let mut class_affinity = vec![0.0; partition.n_classes()];
        for (&j, &w) in nodes.iter().zip(weights) {
            class_affinity[partition.class(j as usize)] += f64::from(w.abs());
        }
        let vote = leader(&class_affinity);
        let sum: f64 = class_affinity.iter().sum();
        if sum > 0.0 {
            class_affinity.iter_mut().for_each(|v| *v /= sum);
        }
        Self { class_affinity, vote }
    }
}

/// Index of the first of the largest values, if it is positive.
fn leader(values: &[f64]) -> Option<u32> {
    let mut best: Option<usize> = None;
    for (c, &v) in values.iter().enumerate() {
        if v > best.map_or(0.0, |b| values[b]) {
            best = Some(c);
        }
    }
    best.map(|c| c as u32)
}

/// The vote of every node; `None` for isolated ones.
///
/// # Panics
/// When the partition is for another number of nodes; [`Partition::check`] tells beforehand.
pub fn affinity_votes(graph: &AffinityGraph, partition: &Partition) -> Vec<Option<u32>> {
    (0..graph.n_nodes()).into_par_iter().map(|i| AffinityVote::of_node(graph, partition, i).vote).collect()
}

/// Share of all inputs whose vote is their own class; isolated inputs count as wrong. Undefined when nobody votes.
///
/// # Panics
/// When there is not one vote per input of the partition.
pub fn vote_accuracy(votes: &[Option<u32>], partition: &Partition) -> Measured {
    vote_share(votes, partition.classes())
}

/// Share of all inputs whose vote is the network's prediction; isolated inputs count as different.
///
/// # Errors
/// [`GraphError::Length`] when there is not one prediction per vote.
pub fn vote_agreement(votes: &[Option<u32>], predictions: &[u32]) -> Result<Measured, GraphError> {
    check_length("predictions", votes.len(), predictions.len())?;
    Ok(vote_share(votes, predictions))
}

pub(crate) fn vote_share(votes: &[Option<u32>], wanted: &[u32]) -> Measured {
    assert_eq!(votes.len(), wanted.len(), "one class per vote");
    if votes.iter().all(Option::is_none) {
        return Status::EmptyGraph.into();
    }
    let n_equal = votes.iter().zip(wanted).filter(|(v, w)| **v == Some(**w)).count();
    Measured::finite(n_equal as f64 / votes.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::CsrBuilder;

    /// Node 0 leans to class 1 by weight, 1 and 2 tie, 4 is alone.
    fn toy() -> (AffinityGraph, Partition) {
        let mut b = CsrBuilder::new(5);
        b.push_row(&mut [(1, 0.25), (2, -0.5), (3, 0.25)]);
        b.push_row(&mut [(2, 0.25)]);
        (0..3).for_each(|_| b.push_row(&mut []));
        let graph = AffinityGraph::from_coefficients(&b.finish()).unwrap();
        (graph, Partition::new(vec![0, 0, 1, 1, 1], 3).unwrap())
    }

    #[test]
    fn the_heaviest_class_wins_ties_go_down_and_nobody_speaks_for_the_isolated() {
        let (graph, partition) = toy();
        let v = AffinityVote::of_node(&graph, &partition, 0);
        assert_eq!(v, AffinityVote { class_affinity: vec![0.25, 0.75, 0.0], vote: Some(1) });
        assert_eq!(AffinityVote::of_node(&graph, &partition, 1).class_affinity, vec![0.5, 0.5, 0.0]);
        let alone = AffinityVote::of_node(&graph, &partition, 4);
        assert_eq!(alone, AffinityVote { class_affinity: vec![0.0; 3], vote: None });
        let votes = affinity_votes(&graph, &partition);
        assert_eq!(votes, vec![Some(1), Some(0), Some(0), Some(0), None]);
        assert_eq!(vote_accuracy(&votes, &partition), Measured::Value(0.2));
        assert_eq!(vote_agreement(&votes, &[1, 0, 0, 1, 0]).unwrap(), Measured::Value(0.6));
        assert!(vote_agreement(&votes, &[1]).unwrap_err().to_string().contains("expected 5 predictions"));
    }

    #[test]
    fn an_outside_input_is_voted_by_its_own_coefficients() {
        let (_, partition) = toy();
        let v = AffinityVote::of_outside(&[1, 4], &[0.1, -0.3], &partition).unwrap();
        assert_eq!(v.vote, Some(1));
        assert!(AffinityVote::of_outside(&[9], &[0.1], &partition).is_err());
        assert_eq!(AffinityVote::of_outside(&[], &[], &partition).unwrap().vote, None);
    }
}
