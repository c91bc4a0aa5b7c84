//! Coefficients that sum to one, for every method that takes `affine`.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

mod common;

use std::collections::BTreeMap;

use common::{dictionary, subspaces};
use subspect_express::{
    Alpha, Approximation, ElasticNetRow, ExpressError, FullProblem, METHODS, Method, Silent, Solution,
    SolveOptions, SolveStatus, certify, express_others, path, solve, solve_approximately,
};
use subspect_linalg::{Dictionary, Matrix, MemoryMode, Queries, RowScale, Seed, gram_f64, spd_inverse};

const MODES: [MemoryMode; 2] = [MemoryMode::Gram, MemoryMode::Panels];

fn run(x: &Matrix<f32>, mode: MemoryMode, method: &Method, tol: f64) -> Solution {
    solve(&dictionary(x, mode), method, &SolveOptions { tol, max_iter: 100 }, &Silent).unwrap()
}

fn entries(s: &Solution, i: usize) -> Vec<(u32, f64)> {
    let (cols, vals) = s.coefficients.row(i);
    cols.iter().copied().zip(vals.iter().copied()).collect()
}

fn sum(s: &Solution, i: usize) -> f64 {
    entries(s, i).iter().map(|e| e.1).sum()
}

fn takes_affine() -> impl Iterator<Item = &'static str> {
    METHODS.iter().filter(|m| m.parameters.iter().any(|p| p.name == "affine")).map(|m| m.name)
}

fn affine(name: &str) -> Method {
    Method::from_parameters(name, &BTreeMap::from([("affine".to_owned(), 1.0)])).unwrap()
}

#[test]
fn rows_of_every_such_method_sum_to_one_on_any_number_of_threads() {
    assert_eq!(takes_affine().collect::<Vec<_>>(), ["lasso", "elastic_net", "ridge", "admm"]);
    for (n, d) in [(60, 6), (50, 90), (20, 1), (13, 3)] {
        let x = subspaces(n, d, 1);
        for (name, mode) in takes_affine().flat_map(|name| MODES.map(|mode| (name, mode))) {
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| run(&x, mode, &affine(name), 1e-6))
            };
            let s = with(1);
            assert_eq!(s, with(3), "{name} {mode:?}");
            assert_eq!(s.count(SolveStatus::MaxIter), 0, "{name} {mode:?} {n} x {d}: gap {}", s.gap_max());
            for i in 0..n {
                assert_eq!(s.coefficients.get(i, i), 0.0);
                assert_eq!(s.coefficients.get(i, 11), 0.0, "{name}: a zero input is nobody's neighbour");
                let want = if i == 11 { 0.0 } else { 1.0 };
                assert!((sum(&s, i) - want).abs() < 1e-11, "{name} {mode:?} row {i}: {}", sum(&s, i));
            }
        }
    }
}

#[test]
fn without_another_input_there_is_nothing_and_with_one_it_is_taken_whole() {
    for name in takes_affine() {
        let s = run(&Matrix::filled(1.0, 1, 3), MemoryMode::Gram, &affine(name), 1e-8);
        assert_eq!((s.coefficients.nnz(), s.certificates[0].status), (0, SolveStatus::Trivial), "{name}");
        let s =
            run(&Matrix::from_fn(2, 2, |i, j| (1 + i + 3 * j) as f32), MemoryMode::Gram, &affine(name), 1e-8);
        assert!((s.coefficients.get(0, 1) - 1.0).abs() < 1e-12, "{name}");
        assert_eq!(s.count(SolveStatus::Converged), 2, "{name}");
    }
}

/// Also of unfinished rows: what is reported is true of what is returned.
#[test]
fn certificates_agree_with_certificates_from_scratch() {
    for (d, seed) in [(6, 2), (20, 3), (150, 4)] {
        let x = subspaces(90, d, seed);
        for (mode, l1_ratio, positive, max_iter) in MODES.into_iter().flat_map(|mode| {
            [
                (1.0, false, 100),
                (0.7, false, 100),
                (1.0, true, 100),
                (0.7, true, 100),
                (1.0, false, 1),
                (0.7, true, 1),
            ]
            .map(|(l1_ratio, positive, max_iter)| (mode, l1_ratio, positive, max_iter))
        }) {
            let alpha = Alpha::Absolute(0.03);
            let method = Method::ElasticNet { alpha, l1_ratio, positive, affine: true };
            let d = dictionary(&x, mode);
            let s = solve(&d, &method, &SolveOptions { tol: 1e-10, max_iter }, &Silent).unwrap();
            let problem = ElasticNetRow { alpha: 0.03, l1_ratio, positive, affine: true };
            for (i, found) in s.certificates.iter().enumerate().filter(|(i, _)| *i != 11) {
                let fresh = certify(&d, i, &entries(&s, i), &problem, 1e-10);
                let what = format!("row {i} {mode:?} {l1_ratio} {positive} {max_iter}");
                for (a, b) in [(found.primal, fresh.primal), (found.dual, fresh.dual), (found.gap, fresh.gap)]
                {
                    assert!(
                        (a.value().unwrap() - b.value().unwrap()).abs() < 1e-9,
                        "{what}: {a:?} against {b:?}\n{found:?}\n{fresh:?}"
                    );
                }
                assert!(max_iter == 1 || fresh.gap.value().unwrap() <= 2e-10, "{what}: {}", fresh.gap);
                assert!(!positive || entries(&s, i).iter().all(|e| e.1 > 0.0));
            }
            assert_eq!(s.count(SolveStatus::MaxIter) > 0, max_iter == 1, "{mode:?} {l1_ratio} {positive}");
        }
    }
}

/// Two roads to one optimum, which costs more than the free one.
#[test]
fn admm_reaches_the_objective_of_the_exact_lasso() {
    for (n, d, seed) in [(40, 6, 5), (60, 20, 6), (30, 90, 7)] {
        let x = subspaces(n, d, seed);
        for alpha in [Alpha::Ratio(0.5), Alpha::Ratio(0.1), Alpha::Ratio(0.02), Alpha::Absolute(1.5)] {
            let a = run(&x, MemoryMode::Gram, &Method::Admm { alpha, affine: true }, 1e-8);
            let lasso = |affine| Method::Lasso { alpha, positive: false, affine };
            let b = run(&x, MemoryMode::Panels, &lasso(true), 1e-10);
            let free = run(&x, MemoryMode::Gram, &lasso(false), 1e-10);
            assert_eq!(a.count(SolveStatus::MaxIter), 0, "{alpha:?}: gap {}", a.gap_max());
            for i in 0..n {
                let [p, q, least] = [&a, &b, &free].map(|s| s.certificates[i].primal.value().unwrap());
                assert!((p - q).abs() <= 1e-7 * q, "{alpha:?} row {i}: {p} against {q}");
                assert!(least <= q * (1.0 + 1e-9), "{alpha:?} row {i}: {least} free, {q} bound");
            }
        }
    }
}

#[test]
fn a_ridge_row_solves_the_bordered_system_and_its_gap_is_true() {
    for (n, d, seed) in [(40, 6, 8), (30, 90, 9)] {
        let x = subspaces(n, d, seed);
        let gram = gram_f64(dictionary(&x, MemoryMode::Panels).scaled_f64().as_ref());
        for alpha in [1e-3, 0.1, 30.0] {
            let s = run(&x, MemoryMode::Gram, &Method::Ridge { alpha, affine: true }, 1e-10);
            for i in [0, 3, n - 1] {
                let others: Vec<usize> = (0..n).filter(|&j| j != i && j != 11).collect();
                let system = Matrix::from_fn(others.len(), others.len(), |a, b| {
                    gram.row(others[a])[others[b]] + if a == b { alpha } else { 0.0 }
                });
                let inverse = spd_inverse(&system).unwrap();
                let times = |v: &dyn Fn(usize) -> f64| -> Vec<f64> {
                    (0..others.len())
                        .map(|a| (0..others.len()).map(|b| inverse.row(a)[b] * v(b)).sum())
                        .collect()
                };
                let (free, ones) = (times(&|b| gram.row(i)[others[b]]), times(&|_| 1.0));
                let t = (1.0 - free.iter().sum::<f64>()) / ones.iter().sum::<f64>();
                let want: Vec<f64> = free.iter().zip(&ones).map(|(f, m)| f + t * m).collect();
                for (a, &j) in others.iter().enumerate() {
                    let found = s.coefficients.get(i, j);
                    assert!(
                        (found - want[a]).abs() < 1e-8,
                        "alpha {alpha} row {i} column {j}: {found}, {}",
                        want[a]
                    );
                }
                let certificate = &s.certificates[i];
                assert_eq!(certificate.status, SolveStatus::Converged);
                assert!(certificate.dual.value().unwrap() <= certificate.primal.value().unwrap());
            }
        }
    }
}

#[test]
fn the_elastic_net_with_hardly_any_l1_approaches_ridge() {
    let x = subspaces(40, 12, 10);
    let (alpha, l1_ratio) = (0.5, 1e-7);
    let weight = Alpha::Absolute(alpha / (1.0 - l1_ratio));
    let net = Method::ElasticNet { alpha: weight, l1_ratio, positive: false, affine: true };
    let a = run(&x, MemoryMode::Gram, &Method::Ridge { alpha, affine: true }, 1e-10);
    let b = run(&x, MemoryMode::Gram, &net, 1e-10);
    for (i, j) in (0..40).flat_map(|i| (0..40).map(move |j| (i, j))) {
        assert!((a.coefficients.get(i, j) - b.coefficients.get(i, j)).abs() < 1e-5, "{i} {j}");
    }
}

/// On a plane beside the origin an affine combination fits exactly, and moving the plane changes nothing.
#[test]
fn a_shift_of_raw_inputs_changes_no_affine_row() {
    let plane = subspaces(30, 12, 11);
    let moved = Matrix::from_fn(30, 12, |i, j| plane.row(i)[j] + 2.0 + j as f32);
    let solved = |x: &Matrix<f32>| {
        let keep: Vec<f32> = (0..30).filter(|i| *i != 11).flat_map(|i| x.row(i).to_vec()).collect();
        let x = Matrix::new(keep, 29, 12).unwrap();
        let d = Dictionary::new(x.as_ref(), RowScale::Raw, MemoryMode::Gram).unwrap();
        let method = Method::Lasso { alpha: Alpha::Absolute(0.5), positive: false, affine: true };
        solve(&d, &method, &SolveOptions { tol: 1e-9, max_iter: 100 }, &Silent).unwrap()
    };
    let (a, b) = (solved(&plane), solved(&moved));
    assert_eq!((a.count(SolveStatus::Converged), b.count(SolveStatus::Converged)), (29, 29));
    for (i, (p, q)) in a.certificates.iter().zip(&b.certificates).enumerate() {
        let (p, q) = (p.primal.value().unwrap(), q.primal.value().unwrap());
        assert!((p - q).abs() < 1e-4 * p, "row {i}: {p} against {q}");
    }
}

#[test]
fn an_input_outside_the_dictionary_is_expressed_as_it_would_be_inside() {
    let x = subspaces(50, 12, 12);
    let atoms = Matrix::new(x.data()[12..].to_vec(), 49, 12).unwrap();
    let first = Matrix::new(x.data()[..12].to_vec(), 1, 12).unwrap();
    for mode in MODES {
        let d = dictionary(&atoms, mode);
        let queries = Queries::new(first.as_ref(), &d).unwrap();
        let outside =
            express_others(&d, &queries, &affine("lasso"), &SolveOptions::default(), &Silent).unwrap();
        let inside = run(&x, mode, &affine("lasso"), 1e-6);
        for j in 0..49 {
            let (a, b) = (outside.coefficients.get(0, j), inside.coefficients.get(0, j + 1));
            assert!((a - b).abs() < 1e-5, "{mode:?} atom {j}: {a} against {b}");
        }
    }
}

#[test]
fn what_does_not_know_the_constraint_says_so_by_name() {
    let wanted = BTreeMap::from([("affine".to_owned(), 1.0)]);
    for info in METHODS.iter().filter(|m| !takes_affine().any(|name| name == m.name)) {
        let err = Method::from_parameters(info.name, &wanted).unwrap_err().to_string();
        assert!(err.starts_with(&format!("method `{}` has no parameter `affine`", info.name)), "{err}");
    }
    let x = subspaces(30, 6, 13);
    let d = dictionary(&x, MemoryMode::Gram);
    let err = path(&d, None, &affine("lasso"), &[0.1], &SolveOptions::default(), &Silent).unwrap_err();
    assert_eq!(err, ExpressError::NotAffine { what: "a regularisation path", method: "lasso" });
    let (method, options) = (affine("elastic_net"), SolveOptions::default());
    let problem = FullProblem { x: x.as_ref(), scale: RowScale::Unit, gram_budget: 1 << 20, method, options };
    let neighbours = Approximation::Neighbours { size: 5 };
    let err = solve_approximately(&problem, neighbours, Seed::new(0), &Silent).unwrap_err().to_string();
    assert_eq!(
        err,
        "candidate sets of neighbours does not take `affine`: leave it out of method `elastic_net`"
    );
}
