//! Agreement of partitions: scikit-learn 1.9.1 (constants from `oracle/sklearn_values.py`), identities, degenerate cases.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::collections::BTreeSet;

use common::blocks;
use proptest::prelude::*;
use subspect_graph::{AGREEMENTS, Partition, agreement};
use subspect_linalg::{Measured, Status};

fn partition(n: usize, class: impl Fn(usize) -> usize) -> Partition {
    let classes: Vec<u32> = (0..n).map(|i| class(i) as u32).collect();
    let n_classes = classes.iter().max().map_or(0, |&m| m as usize + 1);
    Partition::new(classes, n_classes).unwrap()
}

/// Values in the order of [`AGREEMENTS`].
fn check(labels: &Partition, found: &Partition, expected: [f64; 8]) {
    let all = agreement(labels, found).unwrap();
    for (info, expected) in AGREEMENTS.iter().zip(expected) {
        let value = all[info.name].value().unwrap_or_else(|| panic!("{}: {}", info.name, all[info.name]));
        assert!((value - expected).abs() < 1e-12, "{}: {value} for {expected}", info.name);
    }
}

#[test]
fn values_agree_with_scikit_learn() {
    let a = |i: usize| (i * i + i / 7) % 5;
    check(
        &partition(200, a),
        &partition(200, |i| if i % 3 == 0 { i % 4 } else { a(i) }),
        [
            0.735,
            0.44227280504737426,
            0.42729672516639994,
            0.43293423947795756,
            0.4396652885520228,
            0.44491143478545125,
            0.44227280504737426,
            1.772833632700193,
        ],
    );
    let a = |i: usize| i * i % 10007 % 12;
    check(
        &partition(20_000, a),
        &partition(20_000, |i| a(i) + if i % 5 == 0 { i % 7 } else { 0 }),
        [
            0.8286,
            0.731422158101644,
            0.7309258387266149,
            0.698975139102647,
            0.7538211022134743,
            0.7103159213856097,
            0.731422158101644,
            1.375093917632253,
        ],
    );
    let two_thirds = 2.0 / 3.0;
    let (ami, ari) = (0.6455117553591376, 0.3776223776223776);
    check(
        &partition(90, |i| i % 3),
        &partition(90, |i| i % 9),
        [1.0 / 3.0, two_thirds, ami, ari, 1.0, 0.5, two_thirds, 3.0_f64.ln()],
    );
}

#[test]
fn independent_partitions_are_at_or_below_chance() {
    let expected =
        [40.0 / 240.0, 0.0, -0.02059890090069247, -0.015940488841657812, 0.0, 0.0, 0.0, 3.1780538303479453];
    check(&partition(240, |i| i % 4), &partition(240, |i| (i / 4) % 6), expected);
}

#[test]
fn what_has_no_value_says_why() {
    let status = |a: &Partition, b: &Partition, name: &str| agreement(a, b).unwrap()[name].status();
    let (one, two, apart) = (partition(10, |_| 0), partition(10, |i| i % 2), partition(10, |i| i));
    for name in ["nmi", "ami", "ari", "homogeneity", "completeness", "v_measure"] {
        assert_eq!(status(&one, &one, name), Some(Status::OneClass), "{name}");
    }
    assert_eq!(agreement(&one, &one).unwrap()["accuracy"], Measured::Value(1.0));
    assert_eq!(agreement(&one, &one).unwrap()["vi"], Measured::Value(0.0));
    assert_eq!(status(&one, &two, "homogeneity"), Some(Status::OneClass));
    assert_eq!(agreement(&two, &one).unwrap()["homogeneity"], Measured::Value(0.0));
    assert_eq!(agreement(&two, &one).unwrap()["ari"], Measured::Value(0.0));
    for name in ["ami", "ari"] {
        assert_eq!(status(&apart, &apart, name), Some(Status::ZeroVariance), "{name}");
    }
    let nobody = blocks(&[]);
    assert!(agreement(&nobody, &nobody).unwrap().values().all(|m| m.status() == Some(Status::NTooSmall)));
    let error = agreement(&one, &partition(9, |_| 0)).unwrap_err().to_string();
    assert!(error.contains("expected 10 cluster labels") && error.contains("found 9"), "{error}");
}

#[test]
fn every_measure_is_described_and_named_once() {
    let names: BTreeSet<&str> = AGREEMENTS.iter().map(|m| m.name).collect();
    assert_eq!(names.len(), AGREEMENTS.len());
    assert!(
        AGREEMENTS.iter().all(|m| !m.summary.is_empty() && !m.reference.is_empty() && !m.range.is_empty())
    );
}

fn same(a: Measured, b: Measured, name: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.status(), b.status(), "{}", name);
    if let (Some(v), Some(w)) = (a.value(), b.value()) {
        prop_assert!((v - w).abs() < 1e-11, "{}: {} and {}", name, v, w);
    }
    Ok(())
}

fn two() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    (0_usize..40)
        .prop_flat_map(|n| (proptest::collection::vec(0_u32..5, n), proptest::collection::vec(0_u32..7, n)))
}

proptest! {
    #[test]
    fn names_of_classes_and_order_of_inputs_do_not_matter((a, b) in two()) {
        let (p, q) = (Partition::new(a.clone(), 5).unwrap(), Partition::new(b.clone(), 7).unwrap());
        // Other numbers, more empty classes, and the inputs backwards.
        let renamed = |v: &[u32], k: u32| -> Vec<u32> { v.iter().rev().map(|c| (k - 1 - c) * 3 + 1).collect() };
        let (r, s) =
            (Partition::new(renamed(&a, 5), 20).unwrap(), Partition::new(renamed(&b, 7), 20).unwrap());
        let (before, after, swapped) =
            (agreement(&p, &q).unwrap(), agreement(&r, &s).unwrap(), agreement(&q, &p).unwrap());
        for info in AGREEMENTS {
            same(before[info.name], after[info.name], info.name)?;
            if info.symmetric {
                same(before[info.name], swapped[info.name], info.name)?;
            }
        }
        same(before["homogeneity"], swapped["completeness"], "homogeneity and completeness")?;
    }

    #[test]
    fn equal_partitions_agree_fully_and_all_values_are_in_range((a, b) in two()) {
        let (p, q) = (Partition::new(a, 5).unwrap(), Partition::new(b, 7).unwrap());
        for (name, value) in agreement(&p, &p).unwrap() {
            if let Some(v) = value.value() {
                let expected = if name == "vi" { 0.0 } else { 1.0 };
                prop_assert!((v - expected).abs() < 1e-12, "{name}: {v}");
            }
        }
        let top = (p.len().max(1) as f64).ln();
        for (name, value) in agreement(&p, &q).unwrap() {
            if let Some(v) = value.value() {
                let range = match name.as_str() {
                    "vi" => 0.0..=top + 1e-12,
                    "ari" => -0.5 - 1e-12..=1.0,
                    "ami" => -1.0..=1.0 + 1e-12,
                    _ => 0.0..=1.0 + 1e-12,
                };
                prop_assert!(range.contains(&v), "{name}: {v}");
            }
        }
    }
}

/// The counter-example for what is not symmetric.
#[test]
fn what_is_declared_asymmetric_is() {
    let (a, b) = (partition(12, |i| i % 2), partition(12, |i| i % 4));
    for info in AGREEMENTS.iter().filter(|a| !a.symmetric) {
        assert_ne!(info.measure(&a, &b).unwrap(), info.measure(&b, &a).unwrap(), "{}", info.name);
    }
}
