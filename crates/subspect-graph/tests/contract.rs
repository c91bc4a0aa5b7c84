//! What every measure of the list promises, and every graph.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::collections::BTreeSet;

use common::{permuted, scattered};
use proptest::prelude::*;
use subspect_graph::{AffinityGraph, MEASURES, Partition, Subject, measure_all};
use subspect_linalg::{Csr, CsrBuilder, Status};

fn any_coefficients() -> impl Strategy<Value = (Csr, Vec<u32>)> {
    (2_usize..14).prop_flat_map(|n| {
        let row = proptest::collection::btree_map(0..n as u32, -2.0_f32..2.0, 0..n);
        let labels = proptest::collection::vec(0_u32..3, n);
        (proptest::collection::vec(row, n), labels).prop_map(move |(rows, labels)| {
            let mut b = CsrBuilder::new(n);
            for (i, r) in rows.iter().enumerate() {
                let entries = r.iter().map(|(&j, &v)| (j, if j as usize == i { 0.0 } else { v }));
                b.push_row(&mut entries.collect::<Vec<_>>());
            }
            (b.finish(), labels)
        })
    })
}

fn all(c: &Csr, labels: &[u32], predictions: &[u32]) -> Vec<(&'static str, subspect_linalg::Measured)> {
    let g = AffinityGraph::from_coefficients(c).unwrap();
    let p = Partition::new(labels.to_vec(), 3).unwrap();
    let subject = Subject { predictions: Some(predictions), ..Subject::new(c, &g, Some(&p)) };
    let values = measure_all(&subject).unwrap();
    assert_eq!(values.len(), MEASURES.len());
    MEASURES.iter().map(|m| (m.name, values[m.name])).collect()
}

/// Whether a measure comes from a search, which may end elsewhere when the inputs are in another order.
fn is_searched(name: &str) -> bool {
    name == "communities" || name.starts_with("community_")
}

fn same(
    a: &[(&str, subspect_linalg::Measured)],
    b: &[(&str, subspect_linalg::Measured)],
) -> Result<(), TestCaseError> {
    for (x, y) in a.iter().zip(b) {
        prop_assert_eq!(x.1.status(), y.1.status(), "{}", x.0);
        if let (Some(v), Some(w)) = (x.1.value(), y.1.value()) {
            prop_assert!((v - w).abs() < 1e-11, "{}: {} and {}", x.0, v, w);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn graphs_are_symmetric_without_negative_entries_or_loops((c, _) in any_coefficients()) {
        let g = AffinityGraph::from_coefficients(&c).unwrap();
        prop_assert_eq!(&g.adjacency().transpose(), g.adjacency());
        prop_assert!(g.adjacency().values().iter().all(|&v| v > 0.0));
        let n = g.n_nodes();
        for i in 0..n {
            prop_assert_eq!(g.adjacency().get(i, i), 0.0);
            for j in 0..n {
                prop_assert_eq!(g.adjacency().get(i, j), c.get(i, j).abs() + c.get(j, i).abs());
            }
        }
    }

    #[test]
    fn reordering_the_inputs_changes_no_measure((c, labels) in any_coefficients(), step in 1_usize..7) {
        let n = labels.len();
        // A rotation composed with a reflection: a permutation for every n.
        let order: Vec<usize> = (0..n).map(|i| (2 * n - 1 - i + step) % n).collect();
        let mut moved = vec![0; n];
        (0..n).for_each(|i| moved[order[i]] = labels[i]);
        // The vote's tie rule is by class, so it moves with the inputs; sums of few float32 numbers are exact.
        let measured = |c: &Csr, labels: &[u32]| -> Vec<_> {
            all(c, labels, labels).into_iter().filter(|(name, _)| !is_searched(name)).collect()
        };
        same(&measured(&c, &labels), &measured(&permuted(&c, &order), &moved))?;
    }

    #[test]
    fn renumbering_the_classes_changes_no_measure((c, labels) in any_coefficients()) {
        let renamed: Vec<u32> = labels.iter().map(|&l| (l + 1) % 3).collect();
        let without_ties = |values: Vec<(&'static str, subspect_linalg::Measured)>| -> Vec<_> {
            values.into_iter().filter(|(name, _)| !name.starts_with("vote_")).collect()
        };
        same(&without_ties(all(&c, &labels, &labels)), &without_ties(all(&c, &renamed, &renamed)))?;
    }

    #[test]
    fn modularity_stays_below_one_minus_the_inverse_of_the_number_of_classes((c, labels) in any_coefficients()) {
        let values = all(&c, &labels, &labels);
        if let Some(q) = values[0].1.value() {
            prop_assert!((-0.5..=1.0 - 1.0 / 3.0 + 1e-12).contains(&q), "{q}");
        }
    }
}

#[test]
fn every_measure_is_described_and_named_once() {
    let names: BTreeSet<&str> = MEASURES.iter().map(|m| m.name).collect();
    assert_eq!(names.len(), MEASURES.len());
    for m in MEASURES {
        assert!(!m.summary.is_empty() && !m.reference.is_empty() && !m.range.is_empty(), "{}", m.name);
        assert!(m.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", m.name);
    }
}

#[test]
fn missing_labels_and_predictions_are_statuses() {
    let c = scattered(12);
    let g = AffinityGraph::from_coefficients(&c).unwrap();
    let bare = measure_all(&Subject::new(&c, &g, None)).unwrap();
    assert_eq!(bare["modularity"], Status::NoLabels.into());
    assert_eq!(bare["vote_agreement"], Status::NoLabels.into());
    assert!(bare["density"].value().is_some());
    let p = Partition::new((0..12).map(|i| i % 3).collect(), 3).unwrap();
    let labelled = measure_all(&Subject::new(&c, &g, Some(&p))).unwrap();
    assert_eq!(labelled["vote_agreement"], Status::NoPredictions.into());
    assert!(labelled["sre"].value().is_some());
    assert_eq!(labelled["empty_rows"].value(), Some(1.0));
}

#[test]
fn degenerate_graphs_have_a_value_or_a_reason_everywhere() {
    for n in [0, 1, 2, 5] {
        let c = Csr::empty(n, n);
        let values = all(&c, &vec![1; n], &vec![1; n]);
        assert_eq!(values.len(), MEASURES.len());
        let by_name = |name: &str| values.iter().find(|v| v.0 == name).unwrap().1;
        assert_eq!(by_name("modularity"), Status::EmptyGraph.into());
        assert_eq!(by_name("isolated_nodes").value(), Some(n as f64));
        for name in ["community_modularity", "communities", "label_assortativity", "degree_assortativity"] {
            assert_eq!(by_name(name), Status::EmptyGraph.into(), "{name}");
        }
        let degrees = if n == 0 { Status::NTooSmall } else { Status::EmptyGraph };
        for name in ["degree_cv", "degree_gini", "hub_share"] {
            assert_eq!(by_name(name), degrees.into(), "{name}");
        }
        assert_eq!(by_name("components").value(), Some(0.0));
        assert_eq!(by_name("largest_component").value(), (n > 0).then(|| 1.0 / n as f64));
    }
}

#[test]
fn one_class_and_equal_degrees_say_so() {
    let c = common::coefficients(4, |i, j| f32::from(u8::from((i, j) == (0, 1) || (i, j) == (2, 3))));
    let one = all(&c, &[1; 4], &[1; 4]);
    let split = all(&c, &[0, 0, 1, 1], &[0; 4]);
    let by_name = |values: &[(&str, subspect_linalg::Measured)], name: &str| {
        values.iter().find(|v| v.0 == name).unwrap().1
    };
    for name in ["label_assortativity", "homophily", "community_nmi", "community_accuracy"] {
        assert_eq!(by_name(&one, name), Status::OneClass.into(), "{name}");
        assert_eq!(by_name(&split, name).value(), Some(1.0), "{name}");
    }
    assert_eq!(by_name(&split, "degree_assortativity"), Status::ZeroVariance.into());
    for (name, value) in [
        ("communities", 2.0),
        ("community_largest", 0.5),
        ("community_modularity", 0.5),
        ("community_stability", 1.0),
        ("community_vi", 0.0),
        ("degree_cv", 0.0),
        ("degree_gini", 0.0),
        ("hub_share", 0.25),
        ("components", 2.0),
        ("largest_component", 0.5),
    ] {
        assert_eq!(by_name(&split, name).value(), Some(value), "{name}");
    }
    // Both edges in one class: the others have no mass to be apart from.
    let labels =
        all(&common::coefficients(4, |i, j| f32::from(u8::from((i, j) == (0, 1)))), &[0, 0, 1, 1], &[0; 4]);
    assert_eq!(by_name(&labels, "label_assortativity"), Status::OneClass.into());
}

#[test]
fn a_star_is_all_hub() {
    let star =
        AffinityGraph::from_coefficients(&common::coefficients(101, |i, _| f32::from(u8::from(i == 0))));
    let c = common::coefficients(101, |i, _| f32::from(u8::from(i == 0)));
    let values = measure_all(&Subject::new(&c, &star.unwrap(), None)).unwrap();
    // The hub and one more of 101 inputs are the upper 1 %.
    assert_eq!(values["hub_share"].value(), Some(101.0 / 200.0));
    assert_eq!(values["degree_assortativity"].value(), Some(-1.0));
    assert!(
        (values["degree_gini"].value().unwrap() - (100.0 * 100.0 - 100.0) / (101.0 * 200.0)).abs() < 1e-15
    );
}

#[test]
fn parts_for_other_inputs_are_refused_by_name() {
    let c = scattered(5);
    let g = AffinityGraph::from_coefficients(&c).unwrap();
    let p = Partition::new(vec![0; 4], 1).unwrap();
    let text = |s: &Subject<'_>| measure_all(s).unwrap_err().to_string();
    assert_eq!(
        text(&Subject::new(&c, &g, Some(&p))),
        "expected 5 labels, one per input of the graph, found 4"
    );
    assert!(text(&Subject::new(&scattered(6), &g, None)).contains("expected 5 coefficient rows"));
    let s = Subject { predictions: Some(&[1, 2]), ..Subject::new(&c, &g, None) };
    assert!(text(&s).contains("expected 5 predictions"));
    assert!(MEASURES[0].measure(&s).is_err());
}
