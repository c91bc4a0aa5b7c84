//! Values that are known exactly.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{blocks, cliques, coefficients, graph};
use subspect_graph::{
    AffinityGraph, Partition, class_affinity, conductance, modularity, modularity_by_class,
    modularity_ceiling, modularity_floor, one_class_rows, subspace_preserving_error,
};
use subspect_linalg::{Csr, CsrBuilder, Measured, Status};

fn close(found: Measured, expected: f64) {
    let value = found.value().unwrap_or_else(|| panic!("expected {expected}, found {found}"));
    assert!((value - expected).abs() < 1e-12, "expected {expected}, found {value}");
}

#[test]
fn the_barbell_and_the_ring_of_cliques() {
    close(modularity(&cliques(2, 5, false), &blocks(&[5, 5]), 1.0), 0.452_380_952_380_952_4);
    close(modularity(&cliques(4, 5, true), &blocks(&[5; 4]), 1.0), 0.659_090_909_090_909_1);
}

#[test]
fn class_terms_add_up_to_the_modularity() {
    let (g, p) = (cliques(4, 5, true), Partition::new([[0; 10].as_slice(), &[2; 10]].concat(), 3).unwrap());
    let terms = modularity_by_class(&g, &p, 0.7);
    assert_eq!(terms[1], Measured::Undefined(Status::NTooSmall));
    let sum: f64 = terms.iter().filter_map(|t| t.value()).sum();
    close(modularity(&g, &p, 0.7), sum);
}

#[test]
fn separate_cliques_reach_the_ceiling_and_complete_graphs_the_floor() {
    let apart = graph(12, |i, j| f32::from(u8::from(i / 4 == j / 4)));
    let p = blocks(&[4, 4, 4]);
    close(modularity_ceiling(&p), 1.0 - 1.0 / 3.0);
    close(modularity(&apart, &p, 1.0), 1.0 - 1.0 / 3.0);
    let complete = graph(12, |_, _| 0.375);
    close(modularity_floor(&p), -(1.0 - 1.0 / 3.0) / 11.0);
    close(modularity(&complete, &p, 1.0), -(1.0 - 1.0 / 3.0) / 11.0);
    let unbalanced = blocks(&[1, 4, 7]);
    close(modularity(&complete, &unbalanced, 1.0), modularity_floor(&unbalanced).value().unwrap());
}

#[test]
fn conductance_and_class_affinity_of_the_barbell() {
    let (g, p) = (cliques(2, 5, false), blocks(&[5, 5]));
    conductance(&g, &p).into_iter().for_each(|c| close(c, 1.0 / 21.0));
    assert_eq!(class_affinity(&g, &p), vec![vec![20.0 / 21.0, 1.0 / 21.0], vec![1.0 / 21.0, 20.0 / 21.0]]);
    let with_isolated = graph(3, |i, j| f32::from(u8::from((i, j) == (0, 1))));
    let p = blocks(&[2, 1]);
    assert_eq!(class_affinity(&with_isolated, &p), vec![vec![1.0, 0.0], vec![0.0, 0.0]]);
    assert_eq!(conductance(&with_isolated, &p), vec![Measured::Undefined(Status::EmptyGraph); 2]);
}

#[test]
fn the_subspace_preserving_error_is_a_mean_over_rows_that_express_something() {
    let mut b = CsrBuilder::new(4);
    b.push_row(&mut [(1, 0.75), (2, -0.25)]);
    b.push_row(&mut [(0, -0.1)]);
    b.push_row(&mut []);
    b.push_row(&mut [(0, 0.5)]);
    let (c, p) = (b.finish(), blocks(&[2, 2]));
    close(subspace_preserving_error(&c, &p), (0.25 + 0.0 + 1.0) / 3.0);
    close(one_class_rows(&c, &p), 1.0 / 3.0);
    assert_eq!(subspace_preserving_error(&Csr::empty(4, 4), &p), Status::EmptyGraph.into());
    assert_eq!(subspace_preserving_error(&c, &blocks(&[4])), Status::OneClass.into());
}

#[test]
fn what_has_no_value_says_why() {
    let empty = AffinityGraph::from_coefficients(&Csr::empty(4, 4)).unwrap();
    let pair = blocks(&[2, 2]);
    assert_eq!(modularity(&empty, &pair, 1.0), Status::EmptyGraph.into());
    assert_eq!(modularity_by_class(&empty, &pair, 1.0), vec![Status::EmptyGraph.into(); 2]);
    assert_eq!(modularity(&cliques(1, 4, false), &blocks(&[4]), 1.0), Status::OneClass.into());
    assert_eq!(modularity_ceiling(&blocks(&[0, 4])), Status::OneClass.into());
    assert_eq!(modularity_ceiling(&blocks(&[])), Status::NTooSmall.into());
    assert_eq!(modularity(&cliques(2, 4, false), &blocks(&[4, 4]), f64::NAN), Status::NotFinite.into());
}

#[test]
fn huge_and_tiny_weights_change_nothing() {
    let p = blocks(&[3, 3]);
    let ring = |w: f32| graph(6, move |i, j| if i / 3 == j / 3 || i + j == 5 { w } else { 0.0 });
    let expected = modularity(&ring(1.0), &p, 1.0).value().unwrap();
    for w in [1e-44, 1e38] {
        close(modularity(&ring(w), &p, 1.0), expected);
    }
    assert!(coefficients(3, |_, _| 1e-46).nnz() == 0, "below the smallest float32 there is no edge");
}
