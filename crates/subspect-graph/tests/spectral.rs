//! Spectral clustering and connectivity: known cuts, defined results for what the algorithm leaves open, networkx.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{blocks, cliques, coefficients, graph, permuted, scattered};
use proptest::prelude::*;
use subspect_graph::{
    AffinityGraph, Embedding, Partition, SpectralClustering, SpectralOptions, SpectralStatus, agreement,
    connectivity, spectral_clustering,
};
use subspect_linalg::{Csr, Measured, Seed, Status};

fn cluster(g: &AffinityGraph, k: usize) -> SpectralClustering {
    spectral_clustering(g, k, &SpectralOptions::default(), Seed::new(1)).unwrap()
}

fn accuracy(found: &SpectralClustering, labels: &Partition) -> f64 {
    let clusters = Partition::new(found.labels.clone(), found.n_clusters).unwrap();
    agreement(labels, &clusters).unwrap()["accuracy"].value().unwrap()
}

/// `count` blocks of `size` nodes: dense within, sparse between, all by integer arithmetic.
fn planted(count: usize, size: usize, between: usize) -> AffinityGraph {
    graph(count * size, |i, j| {
        let h = (i * 7919 + j * 104_729 + i * j * 31 + (i ^ j) * 977) % 1009;
        f32::from(u8::from(h < if i / size == j / size { 300 } else { between }))
    })
}

#[test]
fn cliques_on_a_ring_are_cut_at_the_bridges() {
    assert!(Embedding::from_name("walk").unwrap_err().to_string().contains("unit_rows, random_walk"));
    for embedding in Embedding::ALL {
        assert_eq!(Embedding::from_name(embedding.as_str()).unwrap(), embedding);
        let options = SpectralOptions { embedding, ..Default::default() };
        let found = spectral_clustering(&cliques(4, 5, true), 4, &options, Seed::new(1)).unwrap();
        assert_eq!(found.labels, blocks(&[5; 4]).classes());
        assert_eq!((found.status, found.n_components, found.n_unplaced), (SpectralStatus::Converged, 1, 0));
        assert!(found.eigenvalues[0] == 0.0 && found.eigenvalues.is_sorted());
    }
}

#[test]
fn planted_blocks_are_found_by_both_eigensolvers() {
    // 150 nodes are diagonalised whole, 900 by iteration.
    for size in [30, 180] {
        let g = planted(5, size, 20);
        let found = cluster(&g, 5);
        assert_eq!((found.status, found.n_converged), (SpectralStatus::Converged, 5));
        assert_eq!(accuracy(&found, &blocks(&[size; 5])), 1.0, "size {size}");
    }
}

#[test]
fn neither_threads_nor_the_order_of_inputs_matter() {
    let c = scattered(700);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| cluster(&AffinityGraph::from_coefficients(&c).unwrap(), 4))
    };
    assert_eq!(with(1), with(3));
    let n = 900;
    let order: Vec<usize> = (0..n).map(|i| (7 * i + 3) % n).collect();
    let g = planted(5, 180, 20);
    let c = coefficients(n, |i, j| g.adjacency().get(i, j));
    let moved = cluster(&AffinityGraph::from_coefficients(&permuted(&c, &order)).unwrap(), 5);
    let mut labels = vec![0; n];
    (0..n).for_each(|i| labels[order[i]] = (i / 180) as u32);
    assert_eq!(accuracy(&moved, &Partition::new(labels, 5).unwrap()), 1.0);
}

/// Three cliques of 6, 5 and 4 nodes, a pair, and an isolated node; the first two cliques are joined.
fn pieces() -> AffinityGraph {
    let group = |i: usize| [6, 11, 15, 17].iter().filter(|&&end| i >= end).count();
    graph(18, |i, j| f32::from(u8::from(group(i) == group(j) || (i, j) == (5, 6))))
}

#[test]
fn as_many_components_as_clusters_are_the_clusters() {
    let found = cluster(&pieces(), 3);
    assert_eq!((found.n_components, found.n_unplaced), (4, 1));
    assert_eq!(
        (found.status, found.inertia.status()),
        (SpectralStatus::Converged, Some(Status::NotApplicable))
    );
    let expected: Vec<u32> =
        (0..18).map(|i| [0, 1, 2, 0][[11, 15, 17].iter().filter(|&&e| i >= e).count()]).collect();
    assert_eq!(found.labels, expected, "the isolated node joins the largest cluster");
    assert_eq!(found.eigenvalues, [0.0; 3]);
}

#[test]
fn components_are_known_and_the_rest_is_cut() {
    let found = cluster(&pieces(), 4);
    assert_eq!(found.status, SpectralStatus::Converged);
    let expected: Vec<u32> =
        (0..18).map(|i| [0, 1, 2, 3, 0][[6, 11, 15, 17].iter().filter(|&&e| i >= e).count()]).collect();
    assert_eq!(found.labels, expected);
    assert_eq!(&found.eigenvalues[..3], &[0.0; 3]);
    assert!(found.eigenvalues[3] > 0.0);
}

#[test]
fn more_components_than_clusters_are_grouped_by_size() {
    let found = cluster(&pieces(), 2);
    assert_eq!(found.status, SpectralStatus::MoreComponents);
    // 11 nodes against 4 + 2; the isolated node joins the 11.
    let expected: Vec<u32> = (0..18).map(|i| u32::from((11..17).contains(&i))).collect();
    assert_eq!(found.labels, expected);
    // Leaving out what is smaller than 4 nodes makes it two components.
    let options = SpectralOptions { min_component: 4, ..Default::default() };
    let found = spectral_clustering(&pieces(), 2, &options, Seed::new(1)).unwrap();
    assert_eq!((found.status, found.n_unplaced), (SpectralStatus::Converged, 3));
    assert_eq!(found.labels[15], found.labels[0]);
}

#[test]
fn graphs_with_little_to_cut_have_defined_results() {
    let empty = AffinityGraph::from_coefficients(&Csr::empty(4, 4)).unwrap();
    let found = cluster(&empty, 2);
    assert_eq!((found.status, found.n_clusters, found.n_unplaced), (SpectralStatus::EmptyGraph, 1, 4));
    assert_eq!(found.labels, [0; 4]);
    let pair = graph(5, |i, j| f32::from(u8::from((i, j) == (1, 3))));
    let found = cluster(&pair, 4);
    assert_eq!((found.status, found.n_clusters), (SpectralStatus::FewerNodes, 2));
    assert_eq!(found.eigenvalues.len(), 2);
    let whole = cluster(&cliques(2, 4, false), 1);
    assert_eq!((whole.status, whole.n_clusters), (SpectralStatus::Converged, 1));
    assert_eq!(cluster(&cliques(1, 6, false), 6).n_clusters, 6);
    for (g, k) in [(&pair, 6), (&pair, 0)] {
        let error =
            spectral_clustering(g, k, &SpectralOptions::default(), Seed::new(1)).unwrap_err().to_string();
        assert!(error.contains("from 1 to 5") && error.contains(&format!("found {k}")), "{error}");
    }
    let nobody = AffinityGraph::from_coefficients(&Csr::empty(0, 0)).unwrap();
    assert!(spectral_clustering(&nobody, 1, &SpectralOptions::default(), Seed::new(1)).is_err());
}

#[test]
fn eigenvectors_that_are_not_there_yet_are_told() {
    let mut options = SpectralOptions::default();
    options.eigen.max_restarts = 0;
    let ring = graph(2000, |i, j| f32::from(u8::from(j == i + 1 || (i, j) == (0, 1999))));
    let found = spectral_clustering(&ring, 4, &options, Seed::new(1)).unwrap();
    assert_eq!((found.status, found.n_converged), (SpectralStatus::MaxRestarts, 1));
}

fn close(found: Measured, expected: f64) {
    let value = found.value().unwrap_or_else(|| panic!("expected {expected}, found {found}"));
    assert!((value - expected).abs() < 1e-12, "expected {expected}, found {value}");
}

#[test]
fn connectivity_of_known_graphs() {
    // The classes of networkx.rs; constants from `oracle/sklearn_values.py`.
    let class = |i: usize| [10, 18].iter().filter(|&&start| i >= start).count();
    let weight = |a: usize, b: usize| {
        let h = (a * 73 + b * 151 + a * b * 29) % 97;
        if h < if class(a) == class(b) { 60 } else { 25 } { (h % 8 + 1) as f32 / 8.0 } else { 0.0 }
    };
    let found = connectivity(&graph(24, weight), &blocks(&[10, 8, 6]));
    let expected = [0.7021642240161079, 0.5117346985506427, 0.8044367450738679];
    found.into_iter().zip(expected).for_each(|(f, e)| close(f, e));
    // A complete graph, a path of three, a pair, one node, two nodes apart.
    let sizes = [5, 3, 2, 1, 2];
    let ends = [5, 8, 10, 11, 13];
    let group = |i: usize| ends.iter().filter(|&&e| i >= e).count();
    let g = graph(13, |i, j| {
        let within = match (group(i), group(j)) {
            (0, 0) | (2, 2) => true,
            (1, 1) => j == i + 1,
            (a, b) => a != b && (i + j) % 2 == 0,
        };
        f32::from(u8::from(within))
    });
    let found = connectivity(&g, &blocks(&sizes));
    close(found[0], 1.25);
    close(found[1], 1.0);
    close(found[2], 2.0);
    assert_eq!(found[3], Status::NTooSmall.into());
    assert_eq!(found[4], Measured::Value(0.0), "not connected within the class");
    // A ring too large to be diagonalised whole: 1 - cos(2 pi / n).
    let n = 600;
    let ring = graph(n, |i, j| f32::from(u8::from(j == i + 1 || (i, j) == (0, n - 1))));
    let exact = 1.0 - (2.0 * std::f64::consts::PI / n as f64).cos();
    let value = connectivity(&ring, &blocks(&[n]))[0].value().unwrap();
    assert!((value - exact).abs() < 1e-11, "{value} for {exact}");
}

proptest! {
    #[test]
    fn every_graph_has_a_clustering(n in 1_usize..20, k in 1_usize..20, edges in proptest::collection::vec(any::<u8>(), 400)) {
        let g = graph(n, |i, j| if edges[20 * i + j] < 40 { f32::from(edges[20 * i + j]) } else { 0.0 });
        let found = spectral_clustering(&g, k, &SpectralOptions::default(), Seed::new(3));
        if k > n {
            prop_assert!(found.is_err());
            return Ok(());
        }
        let found = found.unwrap();
        prop_assert_eq!(found.labels.len(), n);
        prop_assert!(found.n_clusters <= k);
        prop_assert!(found.eigenvalues.iter().all(|v| (-1e-12..=2.0 + 1e-12).contains(v)));
        // Numbered by first appearance, without gaps.
        let mut next = 0;
        for &l in &found.labels {
            prop_assert!(l <= next);
            next = next.max(l + 1);
        }
        prop_assert_eq!(next as usize, found.n_clusters);
        if found.status == SpectralStatus::Converged {
            prop_assert_eq!(found.n_clusters, k);
        }
    }
}
