//! Nulls of all class measures, intervals and paired differences.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{blocks, cliques, graph, scattered};
use subspect_graph::{
    AffinityGraph, IntervalOptions, Partition, Subject, affinity_votes, class_nulls, modularity,
    modularity_difference, modularity_interval, modularity_null, one_class_rows, sre_interval,
    subspace_preserving_error, vote_accuracy, vote_difference, vote_interval,
};
use subspect_linalg::{Csr, CsrBuilder, Seed, Status};
use subspect_statistics::{Null, Tail, multiplicities, quantile, shuffle};

fn options(n_resamples: usize) -> IntervalOptions {
    IntervalOptions { n_resamples, ..IntervalOptions::new(Seed::new(5)) }
}

/// The nulls are those of the measures themselves on the permuted labels, draw by draw.
#[test]
fn nulls_are_the_measures_of_permuted_labels() {
    let c = scattered(50);
    let g = AffinityGraph::from_coefficients(&c).unwrap();
    let p = blocks(&[10, 0, 25, 15]);
    let found = class_nulls(&Subject::new(&c, &g, Some(&p)), 37, Seed::new(2)).unwrap();
    assert_eq!(found.modularity, modularity_null(&g, &p, 1.0, 37, Seed::new(2)));
    let measures: [&dyn Fn(&Partition) -> f64; 3] = [
        &|p| vote_accuracy(&affinity_votes(&g, p), p).value().unwrap(),
        &|p| subspace_preserving_error(&c, p).value().unwrap(),
        &|p| one_class_rows(&c, p).value().unwrap(),
    ];
    let tails = [Tail::Upper, Tail::Lower, Tail::Upper];
    let nulls = [found.vote_accuracy, found.sre, found.one_class_rows];
    for ((measure, tail), null) in measures.into_iter().zip(tails).zip(nulls) {
        let draws = (0..37)
            .map(|r| {
                let mut classes = p.classes().to_vec();
                shuffle(&mut classes, Seed::new(2).index(r));
                measure(&Partition::new(classes, 4).unwrap())
            })
            .collect();
        let wanted = Null::of(measure(&p), draws, tail);
        for (a, b) in [(null.mean, wanted.mean), (null.lo, wanted.lo), (null.hi, wanted.hi)] {
            assert!((a.value().unwrap() - b.value().unwrap()).abs() < 1e-12, "{null:?} {wanted:?}");
        }
        assert_eq!(null.p, wanted.p);
    }
}

#[test]
fn structure_is_found_by_every_null() {
    let mut b = CsrBuilder::new(20);
    for i in 0..20_usize {
        b.push_row(
            &mut (0..5)
                .map(|k| (i / 5 * 5 + k) as u32)
                .filter(|&j| j as usize != i)
                .map(|j| (j, 0.5))
                .collect::<Vec<_>>(),
        );
    }
    let c = b.finish();
    let g = AffinityGraph::from_coefficients(&c).unwrap();
    let p = blocks(&[5; 4]);
    let found = class_nulls(&Subject::new(&c, &g, Some(&p)), 99, Seed::new(1)).unwrap();
    for null in [found.modularity, found.vote_accuracy, found.sre, found.one_class_rows] {
        assert_eq!(null.p.value(), Some(0.01), "{found:?}");
    }
    assert!(found.sre.z.value().unwrap() < -3.0 && found.vote_accuracy.z.value().unwrap() > 3.0);
    let unlabelled = class_nulls(&Subject::new(&c, &g, None), 99, Seed::new(1)).unwrap();
    assert_eq!(unlabelled.sre, Null::undefined(0, Status::NoLabels));
    let empty = AffinityGraph::from_coefficients(&Csr::empty(4, 4)).unwrap();
    let nothing = Csr::empty(4, 4);
    let p = blocks(&[2, 2]);
    let found = class_nulls(&Subject::new(&nothing, &empty, Some(&p)), 9, Seed::new(1)).unwrap();
    assert_eq!(found.vote_accuracy, Null::undefined(9, Status::EmptyGraph));
    let one = blocks(&[20]);
    let found = class_nulls(&Subject::new(&c, &g, Some(&one)), 9, Seed::new(1)).unwrap();
    assert_eq!(found.sre, Null::undefined(9, Status::OneClass));
}

/// Modularity of a graph in which input i is there `w_i` times, by the definition.
fn weighted(g: &AffinityGraph, p: &Partition, w: &[f64]) -> f64 {
    let n = g.n_nodes();
    let a = |i: usize, j: usize| w[i] * w[j] * f64::from(g.adjacency().get(i, j));
    let k: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a(i, j)).sum()).collect();
    let m: f64 = k.iter().sum();
    let same = |i: usize, j: usize| p.classes()[i] == p.classes()[j];
    let term = |i: usize, j: usize| if same(i, j) { a(i, j) / m - k[i] * k[j] / (m * m) } else { 0.0 };
    (0..n).map(|i| (0..n).map(|j| term(i, j)).sum::<f64>()).sum()
}

/// Draws by the definition, influences by finite differences of it.
#[test]
fn the_interval_is_its_definition() {
    let g = AffinityGraph::from_coefficients(&scattered(24)).unwrap();
    let p = blocks(&[7, 8, 9]);
    let n = 24;
    let ones = vec![1.0; n];
    let value = modularity(&g, &p, 1.0).value().unwrap();
    assert!((weighted(&g, &p, &ones) - value).abs() < 1e-12);
    let draws: Vec<f64> = (0..50)
        .map(|r| {
            let w: Vec<f64> = multiplicities(n, Seed::new(5).index(r)).into_iter().map(f64::from).collect();
            weighted(&g, &p, &w)
        })
        .collect();
    let mean = draws.iter().sum::<f64>() / 50.0;
    let drawn = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 49.0;
    let step = 1e-5;
    let moved = |i: usize, j: Option<usize>| {
        let mut w = ones.clone();
        w[i] += step;
        j.into_iter().for_each(|j| w[j] += step);
        weighted(&g, &p, &w)
    };
    let inputs: f64 = (0..n).map(|i| ((moved(i, None) - value) / step).powi(2)).sum();
    // h_ij from the edge's own weight: scale it alone and look.
    let total = g.total_mass();
    let mut pairs = 0.0;
    for i in 0..n {
        for j in (0..n).filter(|&j| g.adjacency().get(i, j) != 0.0 && i < j) {
            let mut b = CsrBuilder::new(n);
            for r in 0..n {
                let (cols, values) = g.adjacency().row(r);
                let grown = |(&c, &v): (&u32, &f32)| {
                    let hit = (r, c as usize) == (i, j) || (r, c as usize) == (j, i);
                    (c, if hit { v * (1.0 + 1.0 / 64.0) } else { v })
                };
                b.push_row(&mut cols.iter().zip(values).map(grown).collect::<Vec<_>>());
            }
            let other = AffinityGraph::from_adjacency(b.finish()).unwrap();
            // The step is finite; the exact response differs by the edge's own share of the mass.
            let response =
                (modularity(&other, &p, 1.0).value().unwrap() - value) * 64.0 * other.total_mass() / total;
            pairs += response.powi(2);
        }
    }
    let variance = pairs + (inputs - 2.0 * pairs).max(0.0);
    let scale = (variance / drawn).sqrt();
    let mut wanted: Vec<f64> = draws.iter().map(|d| value + scale * (d - mean)).collect();
    wanted.sort_by(f64::total_cmp);
    let found = modularity_interval(&g, &p, 1.0, &options(50));
    for (end, q) in [(found.lo, 0.025), (found.hi, 0.975)] {
        let wanted = quantile(&wanted, q).unwrap();
        assert!((end.value().unwrap() - wanted).abs() < 1e-3 * (wanted - value).abs(), "{end} for {wanted}");
    }
}

#[test]
fn paired_differences_use_the_same_inputs() {
    let p = blocks(&[10; 4]);
    let good = graph(40, |i, j| if i / 10 == j / 10 || (i * j) % 7 == 3 { 0.5 } else { 0.0 });
    let noisy =
        graph(40, |i, j| if (i / 10 == j / 10 && (i + j) % 3 > 0) || (i * j) % 5 == 3 { 0.5 } else { 0.0 });
    let found = modularity_difference(&good, &noisy, &p, 1.0, &options(400)).unwrap();
    let mirrored = modularity_difference(&noisy, &good, &p, 1.0, &options(400)).unwrap();
    let value = found.value.value().unwrap();
    let q = |g| modularity(g, &p, 1.0).value().unwrap();
    assert_eq!(value, q(&good) - q(&noisy));
    assert_eq!(mirrored.value.value(), Some(-value));
    assert_eq!(found.p, mirrored.p);
    assert!(found.interval.contains(value).unwrap() && found.p.value().unwrap() < 0.05, "{found:?}");
    let same = modularity_difference(&good, &good, &p, 1.0, &options(99)).unwrap();
    assert_eq!((same.value.value(), same.p.status()), (Some(0.0), Some(Status::ZeroVariance)));
    assert!(modularity_difference(&good, &graph(39, |_, _| 0.5), &p, 1.0, &options(9)).is_err());
    let votes = [&good, &noisy].map(|g| affinity_votes(g, &p));
    let test = vote_difference(&votes[0], &votes[1], &p).unwrap();
    let accuracy = |v: &[Option<u32>]| vote_accuracy(v, &p).value().unwrap();
    assert!((test.difference.value().unwrap() - accuracy(&votes[0]) + accuracy(&votes[1])).abs() < 1e-15);
    assert!(vote_difference(&votes[0], &votes[1][..3], &p).is_err());
}

#[test]
fn what_has_no_interval_says_why() {
    let empty = AffinityGraph::from_coefficients(&Csr::empty(4, 4)).unwrap();
    let pair = blocks(&[2, 2]);
    let status = |g: &AffinityGraph, p: &Partition, n| modularity_interval(g, p, 1.0, &options(n)).status();
    assert_eq!(status(&empty, &pair, 99), Some(Status::EmptyGraph));
    assert_eq!(status(&cliques(2, 5, false), &blocks(&[10]), 99), Some(Status::OneClass));
    assert_eq!(status(&graph(3, |_, _| 0.5), &blocks(&[1, 2]), 99), Some(Status::NTooSmall));
    assert_eq!(status(&cliques(2, 5, false), &blocks(&[5, 5]), 0), Some(Status::NTooSmall));
    assert_eq!(
        status(&graph(4, |i, j| f32::from(u8::from((i, j) == (0, 1)))), &pair, 99),
        Some(Status::EmptyGraph)
    );
    assert_eq!(vote_interval(&[None; 4], &pair, 0.95).status(), Some(Status::EmptyGraph));
    let all = vote_interval(&[Some(0), Some(0), Some(1), Some(1)], &pair, 0.95);
    assert!(all.lo.value().unwrap() > 0.4 && all.hi.value() == Some(1.0), "a width also at 1: {all:?}");
    assert_eq!(sre_interval(&Csr::empty(4, 4), &pair, &options(9)).status(), Some(Status::NTooSmall));
    assert_eq!(sre_interval(&scattered(4), &blocks(&[4]), &options(9)).status(), Some(Status::OneClass));
    let sre = sre_interval(&scattered(40), &blocks(&[20, 20]), &options(400));
    let value = subspace_preserving_error(&scattered(40), &blocks(&[20, 20])).value().unwrap();
    assert_eq!(sre.contains(value), Some(true));
}

#[test]
fn neither_threads_nor_more_draws_change_a_draw() {
    let (c, p) = (scattered(40), blocks(&[13, 13, 14]));
    let g = AffinityGraph::from_coefficients(&c).unwrap();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let nulls = class_nulls(&Subject::new(&c, &g, Some(&p)), 50, Seed::new(1)).unwrap();
            (nulls, modularity_interval(&g, &p, 1.0, &options(50)), sre_interval(&c, &p, &options(50)))
        })
    };
    assert_eq!(with(1), with(3));
}
