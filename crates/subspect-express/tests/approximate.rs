//! Approximations: exact at full size, better with more, and honest about what they lose.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

mod common;

use common::subspaces;
use subspect_express::{
    APPROXIMATIONS, Alpha, Approximation, ApproximationError, FullProblem, Method, Silent, SolveOptions,
    SolveStatus, measure_error, solve, solve_approximately,
};
use subspect_linalg::{Dictionary, Matrix, MemoryMode, RowScale, Seed};

const GRAM: usize = 1 << 30;

fn problem(x: &Matrix<f32>, method: Method, gram_budget: usize) -> FullProblem<'_> {
    let options = SolveOptions { tol: 1e-8, max_iter: 100 };
    FullProblem { x: x.as_ref(), scale: RowScale::Unit, gram_budget, method, options }
}

fn lasso(ratio: f64, positive: bool) -> Method {
    Method::Lasso { alpha: Alpha::Ratio(ratio), positive, affine: false }
}

fn error_of(p: &FullProblem<'_>, approximation: Approximation, n_rows: usize) -> ApproximationError {
    let s = solve_approximately(p, approximation, Seed::new(1), &Silent).unwrap();
    measure_error(p, &s.coefficients, n_rows, Seed::new(2), &Silent).unwrap()
}

#[test]
fn at_full_size_every_approximation_is_the_exact_answer() {
    let x = subspaces(120, 24, 1);
    for budget in [GRAM, 0] {
        let net =
            Method::ElasticNet { alpha: Alpha::Ratio(0.05), l1_ratio: 0.9, positive: false, affine: false };
        for method in [lasso(0.05, false), lasso(0.05, true), net] {
            let p = problem(&x, method, budget);
            for (name, size) in [("projection", 24), ("landmarks", 120), ("neighbours", 119)] {
                let approximation = Approximation::from_name(name, size).unwrap();
                let e = error_of(&p, approximation, 120);
                assert_eq!(e.rows.len(), 120);
                let gap = e.objective_gap_max.value().unwrap();
                assert!(gap.abs() < 2e-8, "{name} {method:?}: {gap}");
                assert!(e.certified_gap_max.value().unwrap() <= 1e-8, "{name}");
                let recall = e.l1_recall.value().unwrap();
                // Rows 3 and 7 are equal: those who use one may as well use the other.
                assert!(recall > 0.98, "{name} {method:?}: {recall}");
                let s = solve_approximately(&p, approximation, Seed::new(0), &Silent).unwrap();
                assert_eq!(s.count(SolveStatus::MaxIter), 0, "{name}");
            }
        }
    }
}

#[test]
fn errors_fall_with_size_and_the_certificate_bounds_them() {
    let x = subspaces(300, 200, 2);
    let p = problem(&x, lasso(0.05, false), GRAM);
    for (name, sizes) in
        [("projection", [10, 40, 160]), ("landmarks", [20, 80, 250]), ("neighbours", [3, 20, 120])]
    {
        let errors: Vec<ApproximationError> =
            sizes.map(|s| error_of(&p, Approximation::from_name(name, s).unwrap(), 60)).into();
        let mean = |e: &ApproximationError| e.objective_gap_mean.value().unwrap();
        assert!(mean(&errors[0]) > mean(&errors[1]) && mean(&errors[1]) > mean(&errors[2]), "{name}");
        let recalls = errors.iter().map(|e| e.l1_recall.value().unwrap()).collect::<Vec<_>>();
        assert!(recalls[0] < recalls[1] && recalls[1] < recalls[2], "{name}: {recalls:?}");
        for e in &errors {
            assert!(mean(e) >= -1e-8, "{name}: nothing is better than the exact answer");
            // (P - D) / P against (P - P*) / P*.
            let (own, certified) =
                (e.objective_gap_max.value().unwrap(), e.certified_gap_max.value().unwrap());
            assert!(own / (1.0 + own) <= certified + 1e-8, "{name}: {own} beyond the certified {certified}");
        }
    }
}

#[test]
fn rows_confined_to_neighbours_carry_the_certificate_of_the_full_problem() {
    let x = subspaces(200, 60, 3);
    for budget in [GRAM, 0] {
        let p = problem(&x, lasso(0.02, false), budget);
        let confined =
            solve_approximately(&p, Approximation::Neighbours { size: 4 }, Seed::new(0), &Silent).unwrap();
        let mode = MemoryMode::for_budget(200, budget);
        let d = Dictionary::new(x.as_ref(), RowScale::Unit, mode).unwrap();
        let exact = solve(&d, &p.method, &p.options, &Silent).unwrap();
        assert!(confined.count(SolveStatus::MaxIter) > 100);
        for (i, (c, e)) in confined.certificates.iter().zip(&exact.certificates).enumerate() {
            assert!(confined.coefficients.row(i).0.len() <= 4);
            let (own, best) = (c.primal.value().unwrap(), e.primal.value().unwrap());
            assert!(own >= best * (1.0 - 1e-8), "row {i}");
            assert!(
                c.dual.value().unwrap() <= best * (1.0 + 1e-12),
                "row {i}: the bound exceeds the optimum"
            );
        }
    }
}

#[test]
fn landmarks_alone_are_used_and_duplicates_of_a_landmark_find_it() {
    let x = subspaces(100, 30, 4);
    let p = problem(&x, lasso(0.1, false), GRAM);
    let s = solve_approximately(&p, Approximation::Landmarks { size: 25 }, Seed::new(0), &Silent).unwrap();
    let mut used: Vec<u32> = s.coefficients.indices().to_vec();
    used.sort_unstable();
    used.dedup();
    assert!(used.len() <= 25);
    assert!((0..100).all(|i| s.coefficients.get(i, i) == 0.0));
    assert_eq!((s.coefficients.n_rows(), s.certificates.len()), (100, 100));
    assert_eq!(s.certificates[11].status, SolveStatus::Trivial);
}

#[test]
fn other_methods_are_compared_by_their_supports() {
    let x = subspaces(150, 40, 5);
    let omp = Method::Omp { n_nonzero_coefs: 5, tol: 1e-10, positive: false };
    let p = problem(&x, omp, GRAM);
    let e = error_of(&p, Approximation::Projection { size: 30 }, 150);
    assert_eq!(e.objective_gap_mean.value(), None);
    let recall = e.support_recall.value().unwrap();
    assert!(recall > 0.2 && recall < 1.0, "{recall}");
    let refused = solve_approximately(&p, Approximation::Neighbours { size: 9 }, Seed::new(0), &Silent);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "candidate sets of neighbours needs lasso or elastic_net, found method `omp`"
    );
}

#[test]
fn one_thread_and_many_give_the_same_bits() {
    let x = subspaces(200, 50, 6);
    for info in APPROXIMATIONS {
        for budget in [GRAM, 0] {
            let p = problem(&x, lasso(0.1, false), budget);
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let approximation = Approximation::from_name(info.name, 30).unwrap();
                assert_eq!((approximation.name(), approximation.size()), (info.name, 30));
                pool.install(|| {
                    let s = solve_approximately(&p, approximation, Seed::new(1), &Silent).unwrap();
                    let e = measure_error(&p, &s.coefficients, 20, Seed::new(1), &Silent).unwrap();
                    (s, e)
                })
            };
            assert_eq!(with(1), with(3), "{}", info.name);
        }
    }
}

#[test]
fn mistakes_are_named() {
    let text = |name, size| Approximation::from_name(name, size).unwrap_err().to_string();
    assert_eq!(
        text("landmark", 3),
        "unknown approximation `landmark`: expected one of projection, landmarks, neighbours"
    );
    assert!(text("landmarks", 0).contains("a whole number of at least 1, found 0"));
    let x = subspaces(40, 6, 7);
    let p = problem(&x, lasso(0.1, false), GRAM);
    let solved = |a| solve_approximately(&p, a, Seed::new(0), &Silent).unwrap_err().to_string();
    assert!(solved(Approximation::Neighbours { size: 5000 }).contains("at most 2048"));
    let s = solve_approximately(&p, Approximation::Landmarks { size: 9 }, Seed::new(0), &Silent).unwrap();
    let checked = |n| measure_error(&p, &s.coefficients, n, Seed::new(0), &Silent);
    assert!(checked(0).unwrap_err().to_string().contains("rows to check must be at least 1"));
    assert_eq!(checked(1000).unwrap().rows.len(), 40);
}
