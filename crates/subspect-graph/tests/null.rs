//! Modularity under permuted labels.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{blocks, cliques, graph, scattered};
use subspect_graph::{AffinityGraph, modularity_null};
use subspect_linalg::{Csr, Seed, Status};

#[test]
fn the_mean_is_the_exact_expectation() {
    let g = AffinityGraph::from_coefficients(&scattered(60)).unwrap();
    let p = blocks(&[10, 20, 30]);
    let null = modularity_null(&g, &p, 1.0, 4000, Seed::new(1));
    let n = 60.0_f64;
    let chance: f64 = p.sizes().iter().map(|&s| (s * (s - 1)) as f64 / (n * (n - 1.0))).sum();
    let squares: f64 = g.degrees().iter().map(|k| k * k).sum();
    let expected = -(1.0 - chance) * squares / g.total_mass().powi(2);
    let (mean, sd) = (null.mean.value().unwrap(), null.sd.value().unwrap());
    assert!((mean - expected).abs() < 4.0 * sd / 4000.0_f64.sqrt(), "{mean} for {expected}");
    let (lo, hi) = (null.lo.value().unwrap(), null.hi.value().unwrap());
    assert!(lo < mean && mean < hi);
    assert!(((hi - lo) / sd - 3.92).abs() < 0.4, "about normal: {lo} {hi} {sd}");
}

#[test]
fn structure_stands_out_and_its_absence_does_not() {
    let p = blocks(&[5; 4]);
    let found = modularity_null(&cliques(4, 5, true), &p, 1.0, 999, Seed::new(2));
    assert!(found.z.value().unwrap() > 6.0);
    assert_eq!(found.p.value(), Some(0.001));
    let blind = modularity_null(&graph(20, |_, _| 0.3), &p, 1.0, 999, Seed::new(2));
    assert_eq!(blind.z.status(), Some(Status::ZeroVariance));
    assert_eq!(blind.p.value(), Some(1.0), "equal values count as reached");
}

#[test]
fn neither_threads_nor_more_permutations_change_a_draw() {
    let g = AffinityGraph::from_coefficients(&scattered(40)).unwrap();
    let p = blocks(&[13, 13, 14]);
    let with = |threads, n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| modularity_null(&g, &p, 1.5, n, Seed::new(3)))
    };
    assert_eq!(with(1, 100), with(3, 100));
    assert_ne!(with(1, 100).mean, modularity_null(&g, &p, 1.5, 100, Seed::new(4)).mean);
    // A single draw is the first of many.
    let one = with(1, 1);
    assert_eq!(one.sd.status(), Some(Status::NTooSmall));
    assert_eq!((one.lo, one.hi), (one.mean, one.mean));
    let two = with(1, 2);
    let spread = (two.hi.value().unwrap() - two.lo.value().unwrap()) / 0.95;
    let other = if one.mean.value() < two.mean.value() { 1.0 } else { -1.0 };
    assert!((one.mean.value().unwrap() + other * spread / 2.0 - two.mean.value().unwrap()).abs() < 1e-12);
}

#[test]
fn no_null_without_a_value() {
    let empty = AffinityGraph::from_coefficients(&Csr::empty(4, 4)).unwrap();
    let null = modularity_null(&empty, &blocks(&[2, 2]), 1.0, 10, Seed::new(1));
    assert_eq!((null.n_permutations, null.p.status()), (10, Some(Status::EmptyGraph)));
    let g = cliques(2, 3, false);
    assert_eq!(modularity_null(&g, &blocks(&[6]), 1.0, 10, Seed::new(1)).z, Status::OneClass.into());
    assert_eq!(modularity_null(&g, &blocks(&[3, 3]), 1.0, 0, Seed::new(1)).mean, Status::NTooSmall.into());
}

/// Prints permutations per second at N = 1,000 with 50 coefficients per row.
/// `cargo test --release -p subspect-graph --test null -- --ignored --nocapture`
#[test]
#[ignore = "timing, asserts nothing"]
fn speed() {
    use std::time::Instant;
    let (n, per_row) = (1000, 50);
    let mut b = subspect_linalg::CsrBuilder::new(n);
    for i in 0..n {
        let mut row: Vec<(u32, f32)> = (0..per_row)
            .map(|k| ((i + 1 + (k * k * 7 + k * 11 + i % 13) % (n - 1)) % n, k))
            .map(|(j, k)| (j as u32, k as f32 + 0.5))
            .collect();
        row.sort_by_key(|e| e.0);
        row.dedup_by_key(|e| e.0);
        row.retain(|e| e.0 as usize != i);
        b.push_row(&mut row);
    }
    let g = AffinityGraph::from_coefficients(&b.finish()).unwrap();
    let p = blocks(&[100; 10]);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let start = Instant::now();
        let null = pool.install(|| modularity_null(&g, &p, 1.0, 16_000, Seed::new(1)));
        let rate = 16_000.0 / start.elapsed().as_secs_f64();
        eprintln!("{} edges, {threads} thread(s): {rate:.0} permutations/s, mean {}", g.n_edges(), null.mean);
    }
}
