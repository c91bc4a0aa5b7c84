//! The dense methods through the common door: ridge, LRSC, and the lasso by ADMM.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

mod common;

use common::{dictionary, subspaces};
use subspect_express::{
    Alpha, ElasticNetRow, ExpressError, Method, Monitor, Silent, Solution, SolveOptions, SolveStatus,
    certify, solve,
};
use subspect_linalg::{Dictionary, Matrix, MemoryMode, RowScale, gram_f64, spd_inverse};

const MODES: [MemoryMode; 2] = [MemoryMode::Gram, MemoryMode::Panels];

fn run(x: &Matrix<f32>, mode: MemoryMode, method: &Method, tol: f64) -> Solution {
    solve(&dictionary(x, mode), method, &SolveOptions { tol, max_iter: 100 }, &Silent).unwrap()
}

fn value(m: subspect_linalg::Measured) -> f64 {
    m.value().unwrap()
}

/// Few, many, and fewer inputs than features.
fn samples() -> Vec<Matrix<f32>> {
    [(40, 6, 1), (70, 20, 2), (30, 90, 3)].map(|(n, d, seed)| subspaces(n, d, seed)).into()
}

#[test]
fn a_ridge_row_solves_the_system_of_the_others_and_its_gap_is_true() {
    for x in samples() {
        let n = x.n_rows();
        let gram = gram_f64(dictionary(&x, MemoryMode::Panels).scaled_f64().as_ref());
        for (mode, alpha) in MODES.into_iter().flat_map(|m| [(m, 1e-3), (m, 0.1), (m, 30.0)]) {
            let s = run(&x, mode, &Method::Ridge { alpha, affine: false }, 1e-10);
            assert_eq!(s.count(SolveStatus::MaxIter), 0, "alpha {alpha} {mode:?}: {}", s.gap_max());
            for i in [0, 3, 7, 11, n - 1] {
                let others: Vec<usize> = (0..n).filter(|&j| j != i).collect();
                let system = Matrix::from_fn(n - 1, n - 1, |a, b| {
                    gram.row(others[a])[others[b]] + if a == b { alpha } else { 0.0 }
                });
                let inverse = spd_inverse(&system).unwrap();
                let mut optimum = 0.5 * gram.row(i)[i];
                for (a, &j) in others.iter().enumerate() {
                    let want: f64 = (0..n - 1).map(|b| inverse.row(a)[b] * gram.row(i)[others[b]]).sum();
                    let found = s.coefficients.get(i, j);
                    assert!((found - want).abs() < 1e-9, "alpha {alpha} row {i} column {j}: {found}, {want}");
                    optimum -= 0.5 * want * gram.row(i)[j];
                }
                let certificate = &s.certificates[i];
                let (primal, dual) = (value(certificate.primal), value(certificate.dual));
                assert!((primal - optimum).abs() < 1e-12 && dual <= primal, "{primal} {dual} {optimum}");
            }
        }
    }
}

/// Down to an alpha that rounding of the Gram matrix swallows; there, and beyond, rows say that they missed.
#[test]
fn ridge_meets_its_tolerance_or_says_that_it_did_not() {
    for x in samples() {
        for alpha in [1e-6, 1e-9, 1e300] {
            let s = run(&x, MemoryMode::Gram, &Method::Ridge { alpha, affine: false }, 1e-6);
            assert_eq!(s.count(SolveStatus::MaxIter), 0, "alpha {alpha}: gap {}", s.gap_max());
        }
        for alpha in [1e-30, 1e-320] {
            let s = run(&x, MemoryMode::Gram, &Method::Ridge { alpha, affine: false }, 1e-6);
            assert!(s.coefficients.values().iter().all(|v| v.is_finite()), "alpha {alpha}");
            let honest = |c: &subspect_express::Certificate| {
                c.status != SolveStatus::Converged || c.gap.value().is_some_and(|g| g <= 1e-6)
            };
            assert!(s.certificates.iter().all(honest) && s.count(SolveStatus::MaxIter) > 0);
        }
    }
}

#[test]
fn the_elastic_net_with_hardly_any_l1_approaches_ridge() {
    let x = subspaces(40, 12, 4);
    let (alpha, l1_ratio) = (0.5, 1e-7);
    let net = Method::ElasticNet {
        alpha: Alpha::Absolute(alpha / (1.0 - l1_ratio)),
        l1_ratio,
        positive: false,
        affine: false,
    };
    let (a, b) = (
        run(&x, MemoryMode::Gram, &Method::Ridge { alpha, affine: false }, 1e-10),
        run(&x, MemoryMode::Gram, &net, 1e-10),
    );
    for (i, (p, q)) in a.certificates.iter().zip(&b.certificates).enumerate() {
        assert!((value(p.primal) - value(q.primal)).abs() < 1e-6, "row {i}");
        for j in 0..40 {
            assert!((a.coefficients.get(i, j) - b.coefficients.get(i, j)).abs() < 1e-5, "{i} {j}");
        }
    }
}

#[test]
fn lrsc_is_optimal_and_its_rows_share_the_objective() {
    for x in samples() {
        for (mode, tau) in MODES.into_iter().flat_map(|m| [(m, 0.5), (m, 10.0), (m, 1e4)]) {
            let s = run(&x, mode, &Method::Lrsc { tau }, 1e-9);
            assert_eq!(s.count(SolveStatus::MaxIter), 0, "tau {tau} {mode:?}: gap {}", s.gap_max());
            let dual: f64 = s.certificates.iter().map(|c| value(c.dual)).sum();
            let primal = value(s.objective());
            assert!(primal - dual <= 1e-9 * primal && dual <= primal * (1.0 + 1e-14), "{primal} {dual}");
            assert!(s.certificates.iter().all(|c| value(c.kkt_violation) < 1e-10 * (1.0 + tau)));
            for i in 0..x.n_rows() {
                for j in 0..i {
                    assert_eq!(s.coefficients.get(i, j), s.coefficients.get(j, i));
                }
            }
        }
    }
}

#[test]
fn lrsc_of_a_weak_data_term_is_zero_and_of_orthogonal_inputs_only_its_diagonal() {
    let x = subspaces(30, 8, 5);
    let s = run(&x, MemoryMode::Gram, &Method::Lrsc { tau: 1.0 / 31.0 }, 1e-9);
    assert_eq!((s.coefficients.nnz(), s.count(SolveStatus::Trivial)), (0, 30));
    let x = Matrix::from_fn(4, 4, |i, j| f32::from(u8::from(i == j)));
    let s = run(&x, MemoryMode::Gram, &Method::Lrsc { tau: 10.0 }, 1e-9);
    assert!(s.coefficients.values().iter().all(|v| v.abs() < 1e-15));
    // C = 0.9 I: ||C||_* = 3.6, tau/2 ||X - C X||² = 5 * 4 * 0.01.
    assert!((value(s.objective()) - 3.8).abs() < 1e-12, "{}", s.objective());
}

#[test]
fn admm_reaches_the_objective_of_the_exact_lasso() {
    for x in samples() {
        for (mode, alpha) in MODES.into_iter().flat_map(|m| {
            [
                (m, Alpha::Ratio(0.5)),
                (m, Alpha::Ratio(0.1)),
                (m, Alpha::Ratio(0.02)),
                (m, Alpha::Absolute(0.1)),
            ]
        }) {
            let a = run(&x, mode, &Method::Admm { alpha, affine: false }, 1e-8);
            let b = run(&x, mode, &Method::Lasso { alpha, positive: false, affine: false }, 1e-10);
            assert_eq!(a.count(SolveStatus::MaxIter), 0, "{alpha:?} {mode:?}: gap {}", a.gap_max());
            for (i, (p, q)) in a.certificates.iter().zip(&b.certificates).enumerate() {
                let (p, q) = (value(p.primal), value(q.primal));
                assert!((p - q).abs() <= 1e-6 * q, "{alpha:?} {mode:?} row {i}: {p} against {q}");
            }
            let statuses = |s: &Solution| s.count(SolveStatus::Trivial);
            assert_eq!(statuses(&a), statuses(&b), "{alpha:?} {mode:?}");
        }
    }
}

/// Also of unfinished rows: what is reported is true of what is returned.
#[test]
fn admm_certificates_agree_with_certificates_from_scratch() {
    let x = subspaces(50, 10, 6);
    let d = dictionary(&x, MemoryMode::Gram);
    for max_iter in [1, 2, 100] {
        let options = SolveOptions { tol: 1e-8, max_iter };
        let s = solve(&d, &Method::Admm { alpha: Alpha::Absolute(0.05), affine: false }, &options, &Silent)
            .unwrap();
        assert!(max_iter > 1 || s.count(SolveStatus::MaxIter) > 0);
        for (i, found) in s.certificates.iter().enumerate() {
            let (cols, vals) = s.coefficients.row(i);
            let entries: Vec<(u32, f64)> = cols.iter().copied().zip(vals.iter().copied()).collect();
            let problem = ElasticNetRow { alpha: 0.05, l1_ratio: 1.0, positive: false, affine: false };
            let fresh = certify(&d, i, &entries, &problem, options.tol);
            assert_eq!(found.status, fresh.status, "row {i}");
            for (a, b) in [(found.primal, fresh.primal), (found.dual, fresh.dual), (found.gap, fresh.gap)] {
                assert!((value(a) - value(b)).abs() < 1e-11, "row {i}: {a} against {b}");
            }
        }
    }
}

#[test]
fn copies_are_interchangeable_and_zero_inputs_unused() {
    let x = subspaces(60, 15, 7);
    for method in [Method::Ridge { alpha: 0.1, affine: false }, Method::Lrsc { tau: 10.0 }] {
        let s = run(&x, MemoryMode::Gram, &method, 1e-9);
        assert!(s.coefficients.get(3, 7) > 0.0);
        for i in 0..60 {
            assert_eq!((s.coefficients.get(i, 11), s.coefficients.get(11, i)), (0.0, 0.0));
            if i != 3 && i != 7 {
                assert!((s.coefficients.get(i, 3) - s.coefficients.get(i, 7)).abs() < 1e-10);
                assert!((s.coefficients.get(3, i) - s.coefficients.get(7, i)).abs() < 1e-10);
            }
        }
        assert_eq!(s.certificates[11].status, SolveStatus::Trivial);
    }
}

#[test]
fn too_many_inputs_are_refused_before_anything_is_formed() {
    let x = Matrix::filled(1.0, 20_001, 1);
    let d = Dictionary::new(x.as_ref(), RowScale::Unit, MemoryMode::Panels).unwrap();
    for method in [
        Method::Ridge { alpha: 1.0, affine: false },
        Method::Lrsc { tau: 1.0 },
        Method::Admm { alpha: Alpha::Ratio(0.1), affine: false },
    ] {
        let err = solve(&d, &method, &SolveOptions::default(), &Silent).unwrap_err();
        assert_eq!(err, ExpressError::TooManyInputs { method: method.name(), limit: 20_000, found: 20_001 });
    }
}

struct Stopped;

impl Monitor for Stopped {
    fn rows_done(&self, _n: usize) {}
    fn is_cancelled(&self) -> bool {
        true
    }
}

#[test]
fn dense_methods_can_be_stopped() {
    let x = subspaces(40, 8, 8);
    let d = dictionary(&x, MemoryMode::Gram);
    for method in [
        Method::Ridge { alpha: 1.0, affine: false },
        Method::Lrsc { tau: 1.0 },
        Method::Admm { alpha: Alpha::Ratio(0.1), affine: false },
    ] {
        let outcome = solve(&d, &method, &SolveOptions::default(), &Stopped);
        assert_eq!(outcome.unwrap_err(), ExpressError::Cancelled);
    }
}
