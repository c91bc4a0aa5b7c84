//! The scores by which inputs are ranked.
//!
//! With the class affinity `v` of an input (shares of its affinity by class, see [`AffinityVote`]) and a class y, the
//! margin against y is `max_{c != y} v_c - v_y`, in [-1, 1]: 1 when all neighbours speak for one other class, -1 when
//! all speak for y. It is the graph's analogue of the normalised margin of confident learning (Northcutt, Jiang &
//! Chuang, JAIR 70, 1373 (2021)), with neighbours in place of the softmax.
//!
//! Where labels are wrong, so are some of the neighbours'. `propagated_label` therefore lets neighbour j speak with its
//! own class affinity instead of its label, the asking input i left out of it, because i would hear its own label:
//! `u_i = sum_j A_ij (k_j v_j - A_ij e_{y_i}) / (k_j - A_ij)`, scaled to sum 1, and the score is `1 - u_{i, y_i}`. This is
//! one step of label propagation (Zhou et al., NIPS 2003) beyond the vote. `benchmarks/label_noise.py` measures it.

use rayon::prelude::*;
use subspect_graph::{AffinityGraph, AffinityVote, Partition};
use subspect_linalg::{Measured, Status};

use crate::runs::change::{mean, neighbourhood_changes};

/// What scores are computed from.
pub(crate) struct Subject<'a> {
    pub(crate) graphs: &'a [&'a AffinityGraph],
    pub(crate) partition: Option<&'a Partition>,
    pub(crate) predictions: &'a [u32],
    /// The layer, or all layers.
    pub(crate) layer: Option<usize>,
}

/// One score: an entry of [`SCORES`].
pub struct ScoreInfo {
    /// Name, as in `--by`.
    pub name: &'static str,
    /// What a large value means.
    pub summary: &'static str,
    /// Whether it is over all layers unless one is asked for.
    pub over_layers: bool,
    pub(crate) compute: fn(&Subject<'_>) -> Vec<Measured>,
}

/// All of them. The first is the default.
pub static SCORES: &[ScoreInfo] = &[
    ScoreInfo {
        name: "propagated_label",
        summary: "Neighbours, as their own neighbours see them, speak for other classes than the label: share of those",
        over_layers: false,
        compute: propagated,
    },
    ScoreInfo {
        name: "vote_label",
        summary: "Neighbours speak for another class than the label: margin of the affinity vote against it",
        over_layers: false,
        compute: |s| match s.partition {
            None => undefined(s, Status::NoLabels),
            Some(p) => against(s, p.classes()),
        },
    },
    ScoreInfo {
        name: "vote_network",
        summary: "Neighbours speak for another class than the network: margin of the affinity vote against it",
        over_layers: false,
        compute: |s| match s.predictions {
            [] => undefined(s, Status::NoPredictions),
            predictions => against(s, predictions),
        },
    },
    ScoreInfo {
        name: "layers",
        summary: "Neighbours change from layer to layer: mean weighted Jaccard distance of consecutive layers' neighbourhoods",
        over_layers: true,
        compute: between_layers,
    },
];

pub(super) fn undefined(subject: &Subject<'_>, status: Status) -> Vec<Measured> {
    vec![status.into(); subject.graphs.first().map_or(0, |g| g.n_nodes())]
}

/// Share of other classes than the label in what neighbours hear from their own neighbours.
fn propagated(subject: &Subject<'_>) -> Vec<Measured> {
    let (Some(layer), Some(partition)) = (subject.layer, subject.partition) else {
        return undefined(subject, Status::NoLabels);
    };
    let graph = subject.graphs[layer];
    let n_classes = partition.n_classes();
    let mass: Vec<Vec<f64>> = (0..graph.n_nodes())
        .into_par_iter()
        .map(|j| {
            let mut mass = vec![0.0; n_classes];
            let (nodes, affinities) = graph.neighbors(j);
            for (&k, &a) in nodes.iter().zip(affinities) {
                mass[partition.class(k as usize)] += f64::from(a);
            }
            mass
        })
        .collect();
    let score = |i: usize| {
        let (own, mut heard) = (partition.class(i), vec![0.0; n_classes]);
        let (nodes, affinities) = graph.neighbors(i);
        for (&j, &a) in nodes.iter().zip(affinities) {
            let (a, degree) = (f64::from(a), graph.degrees()[j as usize]);
            let rest = degree - a;
            // A neighbour that knows nobody else has nothing to tell; what is left of it is rounding.
            if rest <= NOBODY_ELSE * degree {
                continue;
            }
            for (c, (sum, m)) in heard.iter_mut().zip(&mass[j as usize]).enumerate() {
                *sum += a / rest * (m - if c == own { a } else { 0.0 });
            }
        }
        let sum: f64 = heard.iter().sum();
        if sum > 0.0 { Measured::finite(1.0 - heard[own] / sum) } else { Status::EmptyGraph.into() }
    };
    (0..graph.n_nodes()).into_par_iter().map(score).collect()
}

/// Share of a degree below which it is rounding.
const NOBODY_ELSE: f64 = 1e-9;

/// The margin of every input's class affinity against `classes`.
pub(super) fn against(subject: &Subject<'_>, classes: &[u32]) -> Vec<Measured> {
    let (Some(layer), Some(partition)) = (subject.layer, subject.partition) else {
        return undefined(subject, Status::NoLabels);
    };
    let graph = subject.graphs[layer];
    let margin = |i: usize| {
        let found = AffinityVote::of_node(graph, partition, i);
        match found.vote {
            None => Status::EmptyGraph.into(),
            Some(_) => margin(&found.class_affinity, classes[i] as usize),
        }
    };
    (0..graph.n_nodes()).into_par_iter().map(margin).collect()
}

/// `max_{c != y} v_c - v_y`; a class that no label has (a network may know more) has no affinity.
fn margin(affinity: &[f64], class: usize) -> Measured {
    let others = affinity.iter().enumerate().filter(|(c, _)| *c != class).map(|(_, v)| *v);
    match others.reduce(f64::max) {
        Some(largest) => Measured::finite(largest - affinity.get(class).copied().unwrap_or(0.0)),
        None => Status::OneClass.into(),
    }
}

/// Between the layer and the one before it, or the mean over all consecutive layers.
fn between_layers(subject: &Subject<'_>) -> Vec<Measured> {
    match subject.layer {
        Some(0) => undefined(subject, Status::NotApplicable),
        Some(l) => between(subject, &[l]),
        None => between(subject, &(1..subject.graphs.len()).collect::<Vec<_>>()),
    }
}

/// Mean change of every input's neighbourhood from graph `l - 1` to graph `l`, over the `l` of `steps`.
pub(super) fn between(subject: &Subject<'_>, steps: &[usize]) -> Vec<Measured> {
    if steps.is_empty() {
        return undefined(subject, Status::NotApplicable);
    }
    let changes: Vec<Vec<Measured>> = steps
        .par_iter()
        .map(|&l| neighbourhood_changes(subject.graphs[l - 1], subject.graphs[l]))
        .collect();
    (0..changes[0].len()).map(|i| mean(changes.iter().map(|c| c[i]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::CsrBuilder;

    #[test]
    fn margins_grow_with_disagreement() {
        // 0 and 1 are class 0, 2 and 3 class 1; 1 leans to class 1 and 4 is alone.
        let mut b = CsrBuilder::new(5);
        b.push_row(&mut [(1, 0.2)]);
        b.push_row(&mut [(2, 0.5), (3, 0.3)]);
        b.push_row(&mut [(3, 1.0)]);
        b.push_row(&mut []);
        b.push_row(&mut []);
        let graph = AffinityGraph::from_coefficients(&b.finish()).unwrap();
        let partition = Partition::new(vec![0, 0, 1, 1, 1], 2).unwrap();
        let subject = Subject {
            graphs: &[&graph],
            partition: Some(&partition),
            predictions: &[0, 1, 1, 1, 1],
            layer: Some(0),
        };
        let of = |name: &str| (SCORES.iter().find(|s| s.name == name).unwrap().compute)(&subject);
        let label = of("vote_label");
        assert_eq!(label[0], Measured::Value(-1.0));
        assert!((label[1].value().unwrap() - 0.6).abs() < 1e-6, "{label:?}");
        assert_eq!(label[4].status(), Some(Status::EmptyGraph));
        // Node 0 hears node 1 without itself: all for class 1. Node 3 hears nodes 1 and 2.
        let spread = of("propagated_label");
        assert!((spread[0].value().unwrap() - 1.0).abs() < 1e-6, "{spread:?}");
        // 1 has .2 of class 0 and .5 of class 1 beside 3; 2 has .5 of class 0 beside 3.
        let (zero, one) = (0.3 / 0.7 * 0.2 + 1.0 / 0.5 * 0.5, 0.3 / 0.7 * 0.5);
        assert!((spread[3].value().unwrap() - zero / (zero + one)).abs() < 1e-6, "{spread:?}");
        assert_eq!(spread[4].status(), Some(Status::EmptyGraph));
        assert!((of("vote_network")[1].value().unwrap() + 0.6).abs() < 1e-6);
        assert_eq!(of("layers")[0].status(), Some(Status::NotApplicable));
        let two = Subject { graphs: &[&graph, &graph], layer: None, ..subject };
        assert_eq!(between_layers(&two)[0], Measured::Value(0.0));
    }

    #[test]
    fn one_class_and_unknown_classes_have_their_reason() {
        assert_eq!(margin(&[1.0], 0).status(), Some(Status::OneClass));
        assert_eq!(margin(&[0.25, 0.75], 7), Measured::Value(0.75));
    }
}
