//! What every measure of the list promises: 1 for equal operands, its declared invariances and no other.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::collections::BTreeSet;

use common::{gaussian, product, random_graph};
use proptest::prelude::*;
use subspect_linalg::{Csr, CsrBuilder, Matrix, Seed};
use subspect_similarity::{Compare, Estimator, Invariance, Kind, MEASURES, MeasureInfo};

const N: usize = 24;

/// Two operands of one measure.
enum Pair {
    Graphs(Csr, Csr),
    Activations(Matrix<f64>, Matrix<f64>),
}

impl Pair {
    fn random(measure: &MeasureInfo, seed: Seed) -> Self {
        match measure.compare {
            Compare::Graphs(_) => {
                Pair::Graphs(random_graph(N, 0.3, seed.index(0)), random_graph(N, 0.2, seed.index(1)))
            }
            Compare::Activations(_) => {
                Pair::Activations(gaussian(N, 5, seed.index(0)), gaussian(N, 7, seed.index(1)))
            }
        }
    }

    fn value(&self, measure: &MeasureInfo, estimator: Estimator) -> f64 {
        let found = match (self, measure.compare) {
            (Pair::Graphs(a, b), Compare::Graphs(f)) => f(a, b, estimator),
            (Pair::Activations(x, y), Compare::Activations(f)) => f(x.as_ref(), y.as_ref(), estimator),
            _ => unreachable!("made for this measure"),
        };
        found.unwrap().value().unwrap()
    }

    fn with_itself(self) -> Self {
        match self {
            Pair::Graphs(a, _) => Pair::Graphs(a.clone(), a),
            Pair::Activations(x, _) => Pair::Activations(x.clone(), x),
        }
    }

    fn swapped(self) -> Self {
        match self {
            Pair::Graphs(a, b) => Pair::Graphs(b, a),
            Pair::Activations(x, y) => Pair::Activations(y, x),
        }
    }

    fn changed(self, change: Invariance, seed: Seed) -> Self {
        match self {
            Pair::Graphs(a, b) => match change {
                Invariance::JointPermutation => Pair::Graphs(reordered(&a), reordered(&b)),
                _ => Pair::Graphs(scaled(&a, 3.0), b),
            },
            Pair::Activations(x, y) => match change {
                Invariance::JointPermutation => Pair::Activations(rows_moved(&x), rows_moved(&y)),
                Invariance::IsotropicScaling => Pair::Activations(mapped(&x, |_, v| 1e3 * v), y),
                Invariance::Translation => {
                    Pair::Activations(mapped(&x, |j, v| v + 40.0 * (j as f64 + 1.0)), y)
                }
                Invariance::OrthogonalMap => Pair::Activations(product(&x, &orthogonal(x.n_cols(), seed)), y),
                Invariance::InvertibleMap => {
                    Pair::Activations(mapped(&x, |j, v| v * 3.0_f64.powi(j as i32)), y)
                }
            },
        }
    }
}

/// Where input i goes: 7 and N = 24 have no common factor.
fn place(i: usize) -> usize {
    (7 * i + 3) % N
}

fn rows_moved(x: &Matrix<f64>) -> Matrix<f64> {
    let mut out = x.clone();
    (0..N).for_each(|i| out.row_mut(place(i)).copy_from_slice(x.row(i)));
    out
}

fn mapped(x: &Matrix<f64>, f: impl Fn(usize, f64) -> f64) -> Matrix<f64> {
    Matrix::from_fn(x.n_rows(), x.n_cols(), |i, j| f(j, x.row(i)[j]))
}

fn rebuilt(g: &Csr, place: impl Fn(usize) -> usize, factor: f32) -> Csr {
    let mut rows = vec![Vec::new(); g.n_rows()];
    for i in 0..g.n_rows() {
        let (cols, values) = g.row(i);
        rows[place(i)] =
            cols.iter().zip(values).map(|(&j, &v)| (place(j as usize) as u32, v * factor)).collect();
    }
    let mut b = CsrBuilder::new(g.n_rows());
    rows.iter_mut().for_each(|r| b.push_row(r));
    b.finish()
}

fn reordered(g: &Csr) -> Csr {
    rebuilt(g, place, 1.0)
}

fn scaled(g: &Csr, factor: f32) -> Csr {
    rebuilt(g, |i| i, factor)
}

/// A product of reflections `I - 2 v vᵀ / vᵀv`.
fn orthogonal(d: usize, seed: Seed) -> Matrix<f64> {
    let identity = Matrix::from_fn(d, d, |i, j| f64::from(u8::from(i == j)));
    (0..d as u64).fold(identity, |q, k| {
        let v = gaussian(1, d, seed.index(k));
        let norm: f64 = v.data().iter().map(|a| a * a).sum();
        let reflect = Matrix::from_fn(d, d, |i, j| {
            f64::from(u8::from(i == j)) - 2.0 * v.data()[i] * v.data()[j] / norm
        });
        product(&q, &reflect)
    })
}

fn every_case() -> impl Iterator<Item = (&'static MeasureInfo, Estimator)> {
    MEASURES.iter().flat_map(|m| Estimator::ALL.map(|e| (*m, e)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn equal_operands_give_one_and_order_does_not_matter(seed in any::<u64>()) {
        let seed = Seed::new(seed);
        for (measure, estimator) in every_case() {
            let same = Pair::random(measure, seed).with_itself().value(measure, estimator);
            prop_assert_eq!(same, if measure.kind == Kind::Similarity { 1.0 } else { 0.0 });
            let pair = Pair::random(measure, seed);
            let forth = pair.value(measure, estimator);
            prop_assert!((forth - pair.swapped().value(measure, estimator)).abs() < 1e-13);
        }
    }

    #[test]
    fn declared_invariances_hold(seed in any::<u64>()) {
        let seed = Seed::new(seed);
        for (measure, estimator) in every_case() {
            let before = Pair::random(measure, seed).value(measure, estimator);
            for &change in measure.invariances {
                let after = Pair::random(measure, seed).changed(change, seed).value(measure, estimator);
                // Float32 weights round when scaled; shifts of the size of 40 cost digits.
                prop_assert!((before - after).abs() < 1e-6, "{} {estimator} {}: {before} {after}",
                    measure.name, change.as_str());
            }
        }
    }
}

#[test]
fn undeclared_invariances_do_not_hold() {
    for (measure, estimator) in every_case() {
        let applicable =
            |c: &Invariance| matches!(measure.compare, Compare::Activations(_)) || c.applies_to_graphs();
        for change in Invariance::ALL.into_iter().filter(applicable) {
            if measure.invariances.contains(&change) {
                continue;
            }
            let seed = Seed::new(5);
            let before = Pair::random(measure, seed).value(measure, estimator);
            let after = Pair::random(measure, seed).changed(change, seed).value(measure, estimator);
            assert!((before - after).abs() > 1e-3, "{} {estimator} {}", measure.name, change.as_str());
        }
    }
}

#[test]
fn every_measure_is_described_and_named_once() {
    let names: BTreeSet<&str> = MEASURES.iter().map(|m| m.name).collect();
    assert_eq!(names.len(), MEASURES.len());
    assert!(MEASURES.iter().all(|m| !m.summary.is_empty() && !m.reference.is_empty() && !m.range.is_empty()));
    assert_eq!(Estimator::from_name("debiased"), Some(Estimator::Debiased));
    assert_eq!(Estimator::from_name("unbiased"), None);
}
