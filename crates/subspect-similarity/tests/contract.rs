//! What every measure of the list promises: 1 or 0 for equal operands, its declared invariances, symmetry and triangle
//! inequality, and no other.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::collections::BTreeSet;

use common::pair::{Layer, Pair, change, multiples, operand, three};
use common::random_graph;
use proptest::prelude::*;
use subspect_linalg::{Csr, Measured, Seed};
use subspect_similarity::{
    Invariance, Kind, MEASURES, MeasureInfo, Operands, Parameters, Silent, compare, measure,
    similarity_matrix,
};

/// Inputs of every operand: more than features, so that CCA is defined.
const N: usize = 24;

/// Parameters beside the defaults, and instead of defaults that N inputs are too few for.
fn settings(m: &MeasureInfo) -> Vec<Parameters> {
    let with = |set: &[(&str, &str)]| {
        set.iter().fold(Parameters::defaults(m), |p, (name, text)| p.with(name, text).unwrap())
    };
    match m.name {
        "ssc_cka" | "linear_cka" => {
            ["biased", "debiased", "lange"].iter().map(|e| with(&[("estimator", e)])).collect()
        }
        "rbf_cka" => vec![with(&[]), with(&[("sigma_ratio", "0.5"), ("estimator", "debiased")])],
        "rbf_cka_absolute" => vec![with(&[("sigma", "3")]), with(&[("sigma", "4"), ("estimator", "lange")])],
        "minibatch_cka" => vec![with(&[("batch_size", "8")])],
        "rsa_correlation" | "rsa_cosine" | "rsa_euclidean" => {
            ["spearman", "pearson", "cosine"].iter().map(|c| with(&[("comparison", c)])).collect()
        }
        "knn_jaccard" => vec![with(&[("n_neighbors", "4")]), with(&[("n_neighbors", "1")])],
        "svcca" => vec![with(&[]), with(&[("variance_share", "0.7")])],
        "lrsc_cka" | "ridge_cka" | "gulp" => vec![with(&[]), with(&[("lambda", "0.1")])],
        _ => vec![with(&[])],
    }
}

fn every_case() -> impl Iterator<Item = (&'static MeasureInfo, Parameters)> {
    MEASURES.iter().flat_map(|m| settings(m).into_iter().map(|p| (*m, p)))
}

fn value(m: &MeasureInfo, p: &Parameters, pair: &Pair) -> f64 {
    compare(m, p, pair.0.as_operand(), pair.1.as_operand())
        .unwrap()
        .value()
        .unwrap_or_else(|| panic!("{} {p:?}", m.name))
}

fn random(m: &MeasureInfo, seed: Seed) -> Pair {
    let graphs = m.operands() == Operands::Graphs;
    (operand(graphs, N, 5, seed.index(0)), operand(graphs, N, 7, seed.index(1)))
}

/// Both values of a pair before and after a change of the first or of the second operand.
fn changes(m: &MeasureInfo, p: &Parameters, kind: Invariance, seed: Seed) -> [(f64, f64); 2] {
    let (a, b) = random(m, seed);
    let before = value(m, p, &(a.clone(), b.clone()));
    let (c, d) = (change(&a, kind, seed), change(&b, kind, seed));
    if kind == Invariance::JointPermutation {
        let after = value(m, p, &(c, d));
        return [(before, after); 2];
    }
    [(before, value(m, p, &(c, b))), (before, value(m, p, &(a, d)))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn equal_operands_are_as_alike_as_can_be(seed in any::<u64>()) {
        for (m, p) in every_case() {
            let (a, b) = random(m, Seed::new(seed));
            let best = if m.kind == Kind::Similarity { 1.0 } else { 0.0 };
            for x in [a, b] {
                let same = value(m, &p, &(x.clone(), x));
                prop_assert!((same - best).abs() < 1e-9, "{} {p:?}: {same}", m.name);
                prop_assert!(m.kind == Kind::Similarity || same >= 0.0, "{}: {same}", m.name);
            }
        }
    }

    #[test]
    fn order_does_not_matter_where_that_is_declared(seed in any::<u64>()) {
        for (m, p) in every_case().filter(|(m, _)| m.symmetric) {
            let (a, b) = random(m, Seed::new(seed));
            let (forth, back) = (value(m, &p, &(a.clone(), b.clone())), value(m, &p, &(b, a)));
            prop_assert!((forth - back).abs() < 1e-12 * (1.0 + forth.abs()), "{} {forth} {back}", m.name);
        }
    }

    #[test]
    fn declared_invariances_hold(seed in any::<u64>()) {
        let seed = Seed::new(seed);
        for (m, p) in every_case() {
            for &kind in m.invariances {
                for (before, after) in changes(m, &p, kind, seed) {
                    // Float32 weights round when scaled; shifts of the size of 40 cost digits.
                    prop_assert!((before - after).abs() < 1e-6 * (1.0 + before.abs()),
                        "{} {p:?} {}: {before} {after}", m.name, kind.as_str());
                }
            }
        }
    }

    #[test]
    fn the_triangle_inequality_holds_for_metrics(seed in any::<u64>()) {
        for (m, p) in every_case().filter(|(m, _)| m.metric) {
            let graphs = m.operands() == Operands::Graphs;
            prop_assert!(excess(m, &p, &three(graphs, N, Seed::new(seed))) < 1e-12, "{}", m.name);
            if !graphs {
                prop_assert!(excess(m, &p, &multiples(N, Seed::new(seed))) < 1e-12, "{}", m.name);
            }
        }
    }
}

/// `d(a, c) - d(a, b) - d(b, c)`, largest over the orders of three operands.
fn excess(m: &MeasureInfo, p: &Parameters, three: &[Layer; 3]) -> f64 {
    let distance = |i: usize, j: usize| {
        let v = value(m, p, &(three[i].clone(), three[j].clone()));
        if m.kind == Kind::Similarity { 1.0 - v } else { v }
    };
    [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
        .into_iter()
        .map(|(a, b, c)| distance(a, c) - distance(a, b) - distance(b, c))
        .fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn what_is_no_metric_breaks_the_triangle_inequality_somewhere() {
    for m in MEASURES.iter().filter(|m| !m.metric) {
        let worst = settings(m)
            .iter()
            .flat_map(|p| {
                (0..20).map(Seed::new).map(move |seed| {
                    let graphs = m.operands() == Operands::Graphs;
                    let worst = excess(m, p, &three(graphs, N, seed));
                    if graphs { worst } else { worst.max(excess(m, p, &multiples(N, seed))) }
                })
            })
            .fold(f64::NEG_INFINITY, f64::max);
        assert!(worst > 1e-3, "{}: {worst}", m.name);
    }
}

#[test]
fn order_matters_where_it_is_not_declared_not_to() {
    for m in MEASURES.iter().filter(|m| !m.symmetric) {
        let (a, b) = random(m, Seed::new(3));
        let p = Parameters::defaults(m);
        let (forth, back) = (value(m, &p, &(a.clone(), b.clone())), value(m, &p, &(b, a)));
        assert!((forth - back).abs() > 1e-3, "{}", m.name);
    }
}

#[test]
fn undeclared_invariances_do_not_hold() {
    for m in MEASURES {
        let applicable = |c: &Invariance| m.operands() == Operands::Activations || c.applies_to_graphs();
        for kind in Invariance::ALL.into_iter().filter(applicable).filter(|c| !m.invariances.contains(c)) {
            let broken = settings(m)
                .iter()
                .flat_map(|p| (0..5).flat_map(move |seed| changes(m, p, kind, Seed::new(seed))))
                .any(|(before, after)| (before - after).abs() > 1e-3);
            assert!(broken, "{} {}", m.name, kind.as_str());
        }
    }
}

#[test]
fn every_measure_is_described_and_named_once() {
    let names: BTreeSet<&str> = MEASURES.iter().map(|m| m.name).collect();
    assert_eq!(names.len(), MEASURES.len());
    assert!(MEASURES.iter().all(|m| !m.summary.is_empty() && !m.reference.is_empty() && !m.range.is_empty()));
    assert!(measure("no_such").is_none() && measure("gulp").is_some());
}

#[test]
fn maps_hold_the_pairs_whatever_the_budget_and_the_threads() {
    for (m, p) in every_case() {
        let graphs = m.operands() == Operands::Graphs;
        let layers: Vec<_> =
            (0..4).map(|k| operand(graphs, N, 4 + k as usize, Seed::new(k)).to_single()).collect();
        let operands: Vec<_> = layers.iter().map(|l| l.as_operand()).collect();
        let map = |threads, budget| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| similarity_matrix(m, &p, &operands, budget, &Silent).unwrap())
        };
        let whole = map(1, usize::MAX);
        assert_eq!(map(3, usize::MAX), whole, "{}", m.name);
        assert_eq!(map(2, 200_000), whole, "{}", m.name);
        for i in 0..4 {
            for j in 0..4 {
                let pair = compare(m, &p, operands[i], operands[j]).unwrap().value().unwrap();
                let cell = whole.get(i, j).value().unwrap();
                assert!((cell - pair).abs() < 1e-9 * (1.0 + pair.abs()), "{} {i} {j} {cell} {pair}", m.name);
            }
        }
    }
}

#[test]
fn float32_and_float64_operands_agree() {
    for (m, p) in every_case().filter(|(m, _)| m.operands() == Operands::Activations) {
        let (a, b) = random(m, Seed::new(8));
        let double = value(m, &p, &(a.clone(), b.clone()));
        let single = value(m, &p, &(a.to_single(), b.to_single()));
        // One input may change one neighbour.
        let tolerance = if m.name == "knn_jaccard" { 0.02 } else { 1e-4 };
        assert!((double - single).abs() < tolerance * (1.0 + double), "{} {double} {single}", m.name);
    }
}

#[test]
fn operands_of_the_wrong_kind_are_named() {
    let graph: Csr = random_graph(N, 0.3, Seed::new(1));
    let m = measure("cca").unwrap();
    let found = compare(m, &Parameters::defaults(m), (&graph).into(), (&graph).into());
    assert_eq!(found.unwrap_err().to_string(), "cca compares activations, found graphs as operand 0");
    assert_eq!(
        compare(measure("edge_jaccard").unwrap(), &Parameters::defaults(m), (&graph).into(), (&graph).into()),
        Ok(Measured::Value(1.0))
    );
}
