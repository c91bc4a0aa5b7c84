//! Leiden: gains, guarantees, optima that can be enumerated, degenerate graphs.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{blocks, cliques, graph};
use proptest::prelude::*;
use subspect_graph::{
    AffinityGraph, Detail, Detector, LeidenOptions, LeidenStatus, Partition, QUALITY_FUNCTIONS,
    QualityFunction, SpectralOptions, components, detect, diff_move, leiden, mean_affinity, modularity,
    quality, resolution_profile, stability,
};
use subspect_linalg::{Csr, Measured, Seed, Status};

const BOTH: [QualityFunction; 2] = [QualityFunction::Modularity, QualityFunction::Cpm];

/// A repeatable sparse graph with weights from 1/8 to 1: about one pair in `sparsity` has an edge.
fn hashed(n: usize, sparsity: u64, salt: u64) -> AffinityGraph {
    graph(n, |i, j| {
        let mut h = (i as u64) << 40 ^ (j as u64) << 20 ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h = (h ^ (h >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 20;
        if h.is_multiple_of(sparsity) { ((h / sparsity) % 8 + 1) as f32 / 8.0 } else { 0.0 }
    })
}

fn options(quality: QualityFunction, resolution: f64) -> LeidenOptions {
    LeidenOptions { quality, resolution, ..Default::default() }
}

fn value(graph: &AffinityGraph, partition: &Partition, o: &LeidenOptions) -> f64 {
    quality(graph, partition, o.quality, o.resolution).value().unwrap()
}

/// Whether every community is connected by its own edges.
fn are_connected(graph: &AffinityGraph, partition: &Partition) -> bool {
    let inside = AffinityGraph::from_adjacency({
        let mut b = subspect_linalg::CsrBuilder::new(graph.n_nodes());
        for i in 0..graph.n_nodes() {
            let (cols, values) = graph.neighbors(i);
            let own =
                cols.iter().zip(values).filter(|(j, _)| partition.class(**j as usize) == partition.class(i));
            b.push_row(&mut own.map(|(&j, &v)| (j, v)).collect::<Vec<_>>());
        }
        b.finish()
    });
    components(&inside.unwrap()).sizes.len() == partition.n_present()
}

proptest! {
    #[test]
    fn a_move_changes_the_quality_by_its_gain(
        n in 2_usize..16, sparsity in 1_u64..6, salt in 0_u64..1000, gamma in 0.0_f64..3.0,
        classes in proptest::collection::vec(0_u32..5, 16), node in 0_usize..16, to in 0_usize..5,
    ) {
        let g = hashed(n, sparsity, salt);
        prop_assume!(!g.is_empty());
        let node = node % n;
        let before = Partition::new(classes[..n].to_vec(), 5).unwrap();
        let mut moved = classes[..n].to_vec();
        moved[node] = to as u32;
        let after = Partition::new(moved, 5).unwrap();
        for function in BOTH {
            let o = options(function, gamma);
            let gain = diff_move(&g, &before, node, to, function, gamma).unwrap().value().unwrap();
            let change = value(&g, &after, &o) - value(&g, &before, &o);
            prop_assert!((gain - change).abs() < 1e-12 * (1.0 + n as f64 * n as f64 * gamma), "{gain} and {change}");
        }
    }

    #[test]
    fn communities_are_connected_and_no_input_wants_to_leave(
        n in 2_usize..60, sparsity in 2_u64..25, salt in 0_u64..1000, gamma in 0.02_f64..4.0, theta in 0.0_f64..2.0,
    ) {
        let g = hashed(n, sparsity, salt);
        prop_assume!(!g.is_empty());
        for function in BOTH {
            let o = LeidenOptions { theta, n_seeds: 3, ..options(function, gamma * if function == QualityFunction::Cpm { mean_affinity(&g) } else { 1.0 }) };
            let found = leiden(&g, &o, Seed::new(salt)).unwrap();
            prop_assert_eq!(found.status, LeidenStatus::Converged);
            for run in &found.runs {
                let p = &run.partition;
                prop_assert!(are_connected(&g, p));
                prop_assert!(run.quality.value() <= found.quality.value());
                prop_assert_eq!(run.quality, quality(&g, p, function, o.resolution));
                // One more class that is empty: leaving for a community of one's own.
                let room = Partition::new(p.classes().to_vec(), p.n_classes() + 1).unwrap();
                for i in 0..n {
                    for to in 0..room.n_classes() {
                        let gain = diff_move(&g, &room, i, to, function, o.resolution).unwrap().value().unwrap();
                        prop_assert!(gain < 1e-11, "input {} gains {} by moving to {}", i, gain, to);
                    }
                }
            }
        }
    }

    #[test]
    fn modularity_is_the_measure_of_that_name(n in 2_usize..30, salt in 0_u64..100, gamma in 0.0_f64..3.0) {
        let (g, p) = (hashed(n, 3, salt), Partition::from_labels(&(0..n).map(|i| i % 3).collect::<Vec<_>>()).0);
        let (a, b) = (quality(&g, &p, QualityFunction::Modularity, gamma), modularity(&g, &p, gamma));
        // A single class has a quality, but no modularity worth the name.
        prop_assert!(b.value().is_none() || (a.value().unwrap() - b.value().unwrap()).abs() < 1e-14);
    }
}

/// The best quality over all partitions of the nodes, tried one by one.
fn optimum(g: &AffinityGraph, o: &LeidenOptions) -> f64 {
    fn extend(g: &AffinityGraph, o: &LeidenOptions, classes: &mut Vec<u32>, n_used: u32, best: &mut f64) {
        if classes.len() == g.n_nodes() {
            let p = Partition::new(classes.clone(), n_used as usize).unwrap();
            *best = best.max(value(g, &p, o));
            return;
        }
        for c in 0..=n_used {
            classes.push(c);
            extend(g, o, classes, n_used.max(c + 1), best);
            classes.pop();
        }
    }
    let mut best = f64::NEG_INFINITY;
    extend(g, o, &mut Vec::new(), 0, &mut best);
    best
}

#[test]
fn small_graphs_are_solved_exactly_but_for_few() {
    let mut missed = Vec::new();
    for salt in 0..12 {
        let g = hashed(8, 2 + salt % 3, salt);
        for function in BOTH {
            for gamma in [0.5, 1.0, 1.6] {
                let unit = if function == QualityFunction::Cpm { mean_affinity(&g) } else { 1.0 };
                let o = LeidenOptions { n_seeds: 100, ..options(function, gamma * unit) };
                let found = leiden(&g, &o, Seed::new(1)).unwrap().quality.value().unwrap();
                let best = optimum(&g, &o);
                assert!(found <= best + 1e-12, "graph {salt}, {function:?} at {gamma}: {found} for {best}");
                if found < best - 1e-12 {
                    missed.push((salt, function, gamma));
                }
            }
        }
    }
    // It is a heuristic: no move of one node, nor of a part, leads out of a local optimum. igraph misses this one, too.
    assert!(missed.len() <= 1, "{missed:?}");
}

#[test]
fn a_ring_of_cliques_and_its_resolution_limit() {
    let g = cliques(4, 5, true);
    let found = leiden(&g, &LeidenOptions::default(), Seed::new(0)).unwrap();
    assert_eq!(found.partition, blocks(&[5; 4]));
    assert!((found.quality.value().unwrap() - 0.659_090_909_090_909).abs() < 1e-12);
    // Fortunato & Barthelemy 2007: 30 cliques of 5 in a ring have a higher modularity in pairs; CPM tells them apart.
    let g = cliques(30, 5, true);
    let pairs = leiden(&g, &LeidenOptions::default(), Seed::new(0)).unwrap();
    assert!(pairs.quality.value() > modularity(&g, &blocks(&[5; 30]), 1.0).value());
    assert_eq!(
        leiden(&g, &options(QualityFunction::Cpm, 0.5), Seed::new(0)).unwrap().partition,
        blocks(&[5; 30])
    );
}

#[test]
fn the_resolution_runs_from_components_to_single_inputs() {
    let g = hashed(40, 30, 5);
    let parts = components(&g);
    let coarse = leiden(&g, &options(QualityFunction::Modularity, 0.0), Seed::new(0)).unwrap();
    assert_eq!(coarse.partition.classes(), parts.of_node);
    let fine = leiden(&g, &options(QualityFunction::Cpm, 2.0), Seed::new(0)).unwrap();
    assert_eq!(fine.partition.n_classes(), 40, "no edge is worth a pair");
    let labels = Partition::new(parts.of_node.clone(), parts.sizes.len()).unwrap();
    let profile =
        resolution_profile(&g, &LeidenOptions::default(), &[0.01, 1.0, 50.0], Some(&labels), Seed::new(0));
    let profile = profile.unwrap();
    assert!(profile.windows(2).all(|w| w[0].partition.n_classes() <= w[1].partition.n_classes()));
    assert_eq!(profile[0].agreement["ari"], Measured::Value(1.0));
    assert!(profile[2].n_singletons > 30);
    assert_eq!(profile[0].stability.vi_max.value(), Some(0.0));
}

#[test]
fn threads_and_scale_change_nothing() {
    let g = hashed(300, 12, 9);
    let o = LeidenOptions { theta: 0.5, ..Default::default() };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| leiden(&g, &o, Seed::new(3)).unwrap())
    };
    let found = with(1);
    assert_eq!(found, with(3));
    let scaled = AffinityGraph::from_adjacency(
        Csr::new(
            300,
            300,
            g.adjacency().indptr().to_vec(),
            g.adjacency().indices().to_vec(),
            g.adjacency().values().iter().map(|v| v * 1024.0).collect(),
        )
        .unwrap(),
    );
    assert_eq!(leiden(&scaled.unwrap(), &o, Seed::new(3)).unwrap(), found);
    // Fewer seeds are the first of more.
    let fewer = leiden(&g, &LeidenOptions { n_seeds: 2, ..o }, Seed::new(3)).unwrap();
    assert_eq!(fewer.runs[..], found.runs[..2]);
    assert_ne!(leiden(&g, &o, Seed::new(4)).unwrap().runs, found.runs, "another seed searches otherwise");
}

#[test]
fn more_passes_are_never_worse() {
    let g = hashed(400, 30, 2);
    let after = |n_iterations| {
        let found =
            leiden(&g, &LeidenOptions { n_iterations, n_seeds: 4, ..Default::default() }, Seed::new(0))
                .unwrap();
        found.runs.iter().map(|r| r.quality.value().unwrap()).collect::<Vec<_>>()
    };
    let (one, two, all) = (after(1), after(2), after(100));
    (0..4).for_each(|i| assert!(one[i] <= two[i] && two[i] <= all[i]));
    assert!(one.iter().sum::<f64>() < all.iter().sum::<f64>(), "a second pass finds something");
}

#[test]
fn degenerate_graphs_have_communities_or_a_reason() {
    for n in [0, 1, 5] {
        let g = AffinityGraph::from_coefficients(&Csr::empty(n, n)).unwrap();
        let found = leiden(&g, &LeidenOptions::default(), Seed::new(0)).unwrap();
        assert_eq!((found.status.as_str(), found.partition.n_classes()), ("empty_graph", n));
        assert_eq!(found.quality.status(), Some(Status::EmptyGraph));
        let all: Vec<&Partition> = found.runs.iter().map(|r| &r.partition).collect();
        assert_eq!(stability(&all).unwrap().n_distinct, 1);
        assert!(resolution_profile(&g, &LeidenOptions::default(), &[1.0], None, Seed::new(0)).is_ok());
    }
    // One edge and two isolated inputs.
    let g = graph(4, |i, j| f32::from(u8::from(i == 1 && j == 3)));
    let found = leiden(&g, &LeidenOptions::default(), Seed::new(0)).unwrap();
    assert_eq!((found.partition.classes(), found.quality.value()), (&[0, 1, 2, 1][..], Some(0.0)));
}

#[test]
fn parameters_out_of_range_are_named() {
    let g = cliques(2, 3, false);
    let error = |o: LeidenOptions| leiden(&g, &o, Seed::new(0)).unwrap_err().to_string();
    let default = LeidenOptions::default();
    assert_eq!(
        error(LeidenOptions { resolution: f64::NAN, ..default }),
        "resolution: expected a number from 0 up, found NaN"
    );
    assert!(error(LeidenOptions { theta: -1.0, ..default }).starts_with("theta"));
    assert!(error(LeidenOptions { n_iterations: 0, ..default }).starts_with("n_iterations"));
    assert!(error(LeidenOptions { n_seeds: 0, ..default }).starts_with("n_seeds"));
    let p = blocks(&[3, 3]);
    let wrong = |node, to| diff_move(&g, &p, node, to, QualityFunction::Cpm, 1.0).unwrap_err().to_string();
    assert!(wrong(6, 0).contains("below 6") && wrong(0, 2).contains("below 2"));
    assert!(QualityFunction::from_name("cmp").unwrap_err().to_string().contains("modularity, cpm"));
    for info in QUALITY_FUNCTIONS {
        assert_eq!(QualityFunction::from_name(info.name).unwrap(), info.function);
    }
}

#[test]
fn detectors_are_described_alike() {
    let (g, labels) = (cliques(4, 5, true), blocks(&[5; 4]));
    let spectral = Detector::Spectral { n_clusters: 4, options: SpectralOptions::default() };
    for detector in [Detector::Leiden(LeidenOptions::default()), spectral] {
        let found = detect(&g, &detector, Some(&labels), Seed::new(0)).unwrap();
        assert_eq!(found.partition, labels);
        assert_eq!((found.agreement["ari"], found.status), (Measured::Value(1.0), "converged"));
        assert_eq!((found.n_singletons, found.largest, found.detector), (0, 5, detector.name()));
        assert!((found.modularity.value().unwrap() - 0.659_090_909_090_909).abs() < 1e-12);
        assert_eq!(matches!(found.detail, Detail::Leiden(_)), found.detector == "leiden");
        assert!(subspect_graph::DETECTORS.iter().any(|d| d.name == found.detector));
        assert!(detect(&g, &detector, Some(&blocks(&[5; 3])), Seed::new(0)).is_err());
    }
}
