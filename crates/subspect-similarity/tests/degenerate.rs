//! Operands without an answer: a status for what cannot be computed, an error for what cannot be meant.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{gaussian, random_graph, sparse, to_f32, views};
use subspect_linalg::{Csr, Matrix, Measured, Seed, Status};
use subspect_similarity::{
    Estimator, MEASURES, Monitor, Operand, Operands, Parameters, Silent, SimilarityError, cka, compare,
    linear_cka, linear_cka_matrix, linear_moments, measure, similarity_matrix, ssc_cka, ssc_cka_matrix,
};

const PLENTY: usize = 1 << 30;

#[test]
fn a_layer_without_variance_has_a_reason_and_spoils_no_other() {
    let good = to_f32(&gaussian(50, 40, Seed::new(1)));
    let layers = [good.clone(), Matrix::filled(0.1, 50, 30), Matrix::filled(0.0, 50, 0), good];
    for estimator in Estimator::ALL {
        let all = linear_cka_matrix(&views(&layers), estimator, PLENTY, &Silent).unwrap();
        assert_eq!(all[0][3].value().map(|v| (v - 1.0).abs() < 1e-12), Some(true));
        for (l, m) in [(0, 1), (1, 1), (1, 0), (2, 2), (3, 2)] {
            assert_eq!(all[l][m], Status::ZeroVariance.into());
        }
        let flat = Matrix::filled(0.1, 50, 3);
        let x = gaussian(50, 3, Seed::new(2));
        assert_eq!(linear_cka(x.as_ref(), flat.as_ref(), estimator).unwrap(), Status::ZeroVariance.into());
        let kernel = Matrix::filled(0.3, 50, 50);
        assert_eq!(cka(kernel.as_ref(), kernel.as_ref(), estimator).unwrap(), Status::ZeroVariance.into());
    }
}

#[test]
fn too_few_inputs() {
    for (n, biased, debiased) in [
        (0, Some(Status::NTooSmall), Some(Status::NTooSmall)),
        (1, Some(Status::NTooSmall), Some(Status::NTooSmall)),
        (2, None, Some(Status::NTooSmall)),
        (3, None, Some(Status::NTooSmall)),
        (4, None, None),
    ] {
        let x = gaussian(n, 5, Seed::new(3));
        let y = gaussian(n, 5, Seed::new(4));
        for (estimator, status) in [(Estimator::Biased, biased), (Estimator::Debiased, debiased)] {
            let found = linear_cka(x.as_ref(), y.as_ref(), estimator).unwrap();
            assert_eq!(found.status(), status, "N = {n}, {estimator}");
            let layers = [to_f32(&x), to_f32(&y)];
            let found = linear_cka_matrix(&views(&layers), estimator, PLENTY, &Silent).unwrap();
            assert_eq!(found[0][1].status(), status, "N = {n}, {estimator}");
        }
    }
}

#[test]
fn a_complete_graph_has_no_debiased_similarity() {
    let complete = sparse(&Matrix::from_fn(30, 30, |i, j| if i == j { 0.0 } else { 0.7 }));
    let other = random_graph(30, 0.3, Seed::new(5));
    assert!(ssc_cka(&complete, &other, Estimator::Biased).unwrap().value().is_some());
    assert_eq!(ssc_cka(&complete, &other, Estimator::Debiased).unwrap(), Status::NotPositive.into());
}

#[test]
fn an_empty_graph_says_so() {
    let (empty, other) = (Csr::empty(30, 30), random_graph(30, 0.3, Seed::new(6)));
    let all = ssc_cka_matrix(&[&other, &empty], Estimator::Biased).unwrap();
    assert_eq!(all[0], vec![Measured::Value(1.0), Status::EmptyGraph.into()]);
    assert_eq!(ssc_cka_matrix(&[], Estimator::Biased).unwrap(), Vec::<Vec<Measured>>::new());
}

#[test]
fn what_cannot_be_meant_is_an_error_with_its_place() {
    let g = random_graph(8, 0.9, Seed::new(7));
    let text = |r: Result<Measured, SimilarityError>| r.unwrap_err().to_string();
    assert!(text(ssc_cka(&g, &Csr::empty(8, 9), Estimator::Biased)).contains("kernel 1 to be square"));
    assert!(
        text(ssc_cka(&g, &Csr::empty(9, 9), Estimator::Biased)).contains("operand 0 has 8, operand 1 has 9")
    );
    let lopsided = sparse(&Matrix::from_fn(8, 8, |i, j| if (i, j) == (2, 5) { 1.0 } else { 0.0 }));
    assert!(text(ssc_cka(&g, &lopsided, Estimator::Biased)).contains("(2, 5) and (5, 2) differ"));
    let (x, y) = (gaussian(6, 2, Seed::new(8)), gaussian(5, 2, Seed::new(8)));
    assert!(text(linear_cka(x.as_ref(), y.as_ref(), Estimator::Biased)).contains("same inputs"));
    let mut broken = x.clone();
    broken.row_mut(4)[1] = f64::NAN;
    assert!(
        text(linear_cka(x.as_ref(), broken.as_ref(), Estimator::Biased))
            .contains("operand 1 at row 4, column 1")
    );
    let layers = [to_f32(&x), to_f32(&broken)];
    let err = linear_moments(&views(&layers), PLENTY, &Silent).unwrap_err().to_string();
    assert!(err.contains("NaN in operand 1 at row 4, column 1"), "{err}");
    let mut kernel = Matrix::from_fn(6, 6, |i, j| (i * j) as f64);
    kernel.row_mut(3)[1] += 0.5;
    assert!(
        text(cka(kernel.as_ref(), kernel.as_ref(), Estimator::Biased)).contains("(3, 1) and (1, 3) differ")
    );
}

#[test]
fn a_budget_below_one_tile_is_refused_with_the_number_needed() {
    let layers = [to_f32(&gaussian(300, 2000, Seed::new(9)))];
    let err = linear_moments(&views(&layers), 1000, &Silent).unwrap_err();
    let SimilarityError::Budget { needed, found: 1000, n_layers: 1 } = err else { panic!("{err}") };
    assert!(linear_moments(&views(&layers), needed, &Silent).is_ok());
}

#[test]
fn progress_rises_to_one_and_a_request_to_stop_is_heard() {
    struct Watch {
        calls: AtomicUsize,
        last: std::sync::Mutex<f64>,
        stop_after: usize,
    }
    impl Monitor for Watch {
        fn progress(&self, fraction: f64) {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let mut last = self.last.lock().unwrap();
            assert!(fraction >= *last && fraction <= 1.0);
            *last = fraction;
        }
        fn is_cancelled(&self) -> bool {
            self.calls.load(Ordering::Relaxed) >= self.stop_after
        }
    }
    let watch = |stop_after| Watch { calls: AtomicUsize::new(0), last: 0.0.into(), stop_after };
    let layers = [to_f32(&gaussian(300, 2500, Seed::new(1))), to_f32(&gaussian(300, 10, Seed::new(2)))];
    let narrow = [to_f32(&gaussian(2500, 10, Seed::new(3)))];
    for layers in [&layers[..], &narrow[..]] {
        let to_the_end = watch(usize::MAX);
        linear_moments(&views(layers), 5_000_000, &to_the_end).unwrap();
        assert!((*to_the_end.last.lock().unwrap() - 1.0).abs() < 1e-12);
        let stopped = watch(1);
        assert_eq!(
            linear_moments(&views(layers), 5_000_000, &stopped).unwrap_err(),
            SimilarityError::Cancelled
        );
        assert_eq!(stopped.calls.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn no_layer_is_no_pair() {
    assert_eq!(
        linear_cka_matrix(&[], Estimator::Biased, PLENTY, &Silent).unwrap(),
        Vec::<Vec<Measured>>::new()
    );
}

/// Every measure with its defaults on two operands: a finite value or a status, whatever they are.
#[test]
fn degenerate_layers_give_every_measure_a_value_or_a_reason() {
    let constant = |n, d| Matrix::filled(0.1_f32, n, d);
    let twice = |x: &Matrix<f32>| Matrix::from_fn(x.n_rows(), 3, |i, j| x.row(i / 2)[j]);
    for n in [0, 1, 2, 3, 4, 12, 40] {
        let good = to_f32(&gaussian(n, 3, Seed::new(1)));
        let wide = to_f32(&gaussian(n, 50, Seed::new(2)));
        let one = Matrix::from_fn(n, 3, |i, _| if i == 0 { 1.0 } else { 0.0 });
        let dead = Matrix::filled(0.0_f32, n, 0);
        let huge = Matrix::from_fn(n, 3, |i, j| good.row(i)[j] * 1e30);
        let layers = [good.clone(), wide, constant(n, 3), twice(&good), one, dead, huge];
        let graphs =
            [Csr::empty(n, n), random_graph(n, 0.5, Seed::new(3)), random_graph(n, 1.0, Seed::new(4))];
        for m in MEASURES {
            let operands: Vec<Operand<'_>> = match m.operands() {
                Operands::Graphs => graphs.iter().map(Operand::from).collect(),
                Operands::Activations => layers.iter().map(|x| x.as_ref().into()).collect(),
            };
            let p = Parameters::defaults(m);
            let map = similarity_matrix(m, &p, &operands, PLENTY, &Silent).unwrap();
            assert!(map.values.iter().all(|v| v.value().is_none_or(f64::is_finite)), "{} N = {n}", m.name);
            if m.operands() == Operands::Graphs {
                assert!(map.get(0, 1).status().is_some(), "{} N = {n}", m.name);
            } else {
                for other in 0..layers.len() {
                    assert!(map.get(2, other).status().is_some(), "{} N = {n} {other}", m.name);
                    assert!(map.get(other, 5).status().is_some(), "{} N = {n} {other}", m.name);
                }
            }
        }
    }
}

#[test]
fn a_layer_that_spans_all_inputs_has_no_canonical_correlation() {
    let (wide, narrow) = (to_f32(&gaussian(20, 50, Seed::new(1))), to_f32(&gaussian(20, 3, Seed::new(2))));
    for name in ["cca", "pwcca", "linear_regression"] {
        let m = measure(name).unwrap();
        let found = compare(m, &Parameters::defaults(m), wide.as_ref().into(), narrow.as_ref().into());
        assert_eq!(found.unwrap(), Status::NTooSmall.into(), "{name}");
    }
}
