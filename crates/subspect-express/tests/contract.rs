//! What every listed method must hold, walked over the list.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

use std::collections::BTreeMap;

use rand_chacha::rand_core::RngCore;
use subspect_express::{
    Alpha, Certificate, ElasticNetRow, ExpressError, METHODS, Method, Monitor, Silent, Solution,
    SolveOptions, SolveStatus, certify, express_others, express_range, panel_height, solve,
};
use subspect_linalg::{Dictionary, Matrix, MemoryMode, Queries, RowScale, Seed};

/// A standard normal by the sum of twelve uniforms: enough for test data.
fn normal(rng: &mut impl RngCore) -> f32 {
    (0..12).map(|_| rng.next_u32() as f32 / u32::MAX as f32).sum::<f32>() - 6.0
}

/// A union of subspaces with noise, with duplicates, nearly collinear, zero and constant rows among them.
fn sample(n: usize, d: usize, seed: u64) -> Matrix<f32> {
    let mut rng = Seed::new(seed).rng();
    let bases: Vec<Vec<f32>> = (0..3).map(|_| (0..4 * d).map(|_| normal(&mut rng)).collect()).collect();
    let mut x = Matrix::filled(0.0, n, d);
    for i in 0..n {
        let basis = &bases[i % 3];
        for k in 0..4 {
            let w = normal(&mut rng);
            for j in 0..d {
                x.row_mut(i)[j] += w * basis[k * d + j] + 0.05 * normal(&mut rng);
            }
        }
    }
    let (copy, near) = (x.row(5).to_vec(), x.row(6).to_vec());
    x.row_mut(9).copy_from_slice(&copy);
    for (v, w) in x.row_mut(10).iter_mut().zip(&near) {
        *v = w * (1.0 + 1e-5);
    }
    x.row_mut(11)[0] += 1e-4;
    x.row_mut(12).fill(0.0);
    x.row_mut(13).fill(2.5);
    x
}

fn dictionary(x: &Matrix<f32>, mode: MemoryMode) -> Dictionary<'_> {
    Dictionary::new(x.as_ref(), RowScale::Unit, mode).unwrap()
}

fn defaults(name: &str) -> Method {
    Method::from_parameters(name, &BTreeMap::new()).unwrap()
}

fn run(x: &Matrix<f32>, mode: MemoryMode, method: &Method, options: &SolveOptions) -> Solution {
    solve(&dictionary(x, mode), method, options, &Silent).unwrap()
}

/// Alpha of row `i` from the definition, in float64.
fn alpha_of(d: &Dictionary<'_>, i: usize, ratio: f64, l1_ratio: f64, positive: bool) -> f64 {
    let pull = |c: f64| if positive { c } else { c.abs() };
    let mut row = vec![0.0; d.n_features()];
    d.add_scaled_atom(i, 1.0, &mut row);
    let most = (0..d.n_atoms()).filter(|&j| j != i).map(|j| pull(d.atom_dot(j, &row))).fold(0.0, f64::max);
    ratio * most / l1_ratio
}

fn row_entries(s: &Solution, i: usize) -> Vec<(u32, f64)> {
    let (cols, vals) = s.coefficients.row(i);
    cols.iter().copied().zip(vals.iter().copied()).collect()
}

#[test]
fn zero_diagonal_finite_and_one_certificate_per_row() {
    for (n, dims) in [(60, 9), (60, 40), (16, 1), (1, 3), (2, 2), (3, 5)] {
        let x =
            if n >= 16 { sample(n, dims, 1) } else { Matrix::from_fn(n, dims, |i, j| (i + 2 * j) as f32) };
        for info in METHODS {
            for mode in [MemoryMode::Gram, MemoryMode::Panels] {
                let s = run(&x, mode, &defaults(info.name), &SolveOptions::default());
                assert_eq!(s.certificates.len(), n, "{}", info.name);
                for i in 0..n {
                    assert_eq!(s.coefficients.get(i, i), 0.0, "{} row {i}", info.name);
                    let (_, vals) = s.coefficients.row(i);
                    assert!(vals.iter().all(|v| v.is_finite()), "{} row {i}", info.name);
                }
                assert_eq!(s.objective().value().is_some(), info.name != "knn", "{}", info.name);
            }
        }
    }
}

#[test]
fn no_input_at_all_gives_an_empty_solution() {
    let x = Matrix::filled(0.0, 0, 4);
    for info in METHODS {
        let s = run(&x, MemoryMode::Gram, &defaults(info.name), &SolveOptions::default());
        assert_eq!((s.coefficients.n_rows(), s.certificates.len()), (0, 0));
    }
}

#[test]
fn one_thread_and_many_give_the_same_bits() {
    let x = sample(150, 12, 2);
    for info in METHODS {
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| run(&x, mode, &defaults(info.name), &SolveOptions::default()))
            };
            assert_eq!(with(1), with(3), "{} {mode:?}", info.name);
        }
    }
}

/// The certificate that came with a row against one computed from scratch from the returned coefficients.
#[test]
fn certificates_recomputed_from_the_returned_answer_agree_also_after_one_round() {
    let x = sample(120, 20, 3);
    for mode in [MemoryMode::Gram, MemoryMode::Panels] {
        for (max_iter, l1_ratio, positive) in
            [(1, 1.0, false), (1, 0.7, true), (100, 1.0, false), (100, 1.0, true), (100, 0.7, false)]
        {
            let options = SolveOptions { tol: 1e-8, max_iter };
            let method = Method::ElasticNet { alpha: Alpha::Ratio(0.02), l1_ratio, positive, affine: false };
            let s = run(&x, mode, &method, &options);
            let d = dictionary(&x, mode);
            for (i, reported) in s.certificates.iter().enumerate() {
                if reported.status == SolveStatus::Trivial {
                    assert!(row_entries(&s, i).is_empty());
                    continue;
                }
                let alpha = alpha_of(&d, i, 0.02, l1_ratio, positive);
                let fresh = certify(
                    &d,
                    i,
                    &row_entries(&s, i),
                    &ElasticNetRow { alpha, l1_ratio, positive, affine: false },
                    options.tol,
                );
                assert_close(reported, &fresh, &format!("{mode:?} row {i} max_iter {max_iter}"));
                assert_eq!(reported.status, fresh.status, "{mode:?} row {i}");
                assert!(max_iter == 1 || fresh.gap.value().unwrap() <= options.tol);
            }
            let unfinished = s.count(SolveStatus::MaxIter);
            assert_eq!(unfinished > 0, max_iter == 1, "{unfinished} rows unfinished at max_iter {max_iter}");
        }
    }
}

fn assert_close(a: &Certificate, b: &Certificate, what: &str) {
    for (name, x, y) in [("primal", a.primal, b.primal), ("dual", a.dual, b.dual), ("gap", a.gap, b.gap)] {
        let (x, y) = (x.value().unwrap(), y.value().unwrap());
        assert!((x - y).abs() <= 1e-10 * (1.0 + x.abs()), "{what}: {name} {x} against {y}");
    }
}

#[test]
fn exact_methods_reach_a_gap_of_1e_10_on_hard_rows() {
    for d in [3, 9, 40, 300] {
        let x = sample(100, d, 4);
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            for ratio in [0.5, 0.1, 0.01] {
                let options = SolveOptions { tol: 1e-10, max_iter: 100 };
                let s = run(
                    &x,
                    mode,
                    &Method::Lasso { alpha: Alpha::Ratio(ratio), positive: false, affine: false },
                    &options,
                );
                let gap = s.gap_max().value().unwrap();
                assert!(gap <= 1e-10, "D {d} {mode:?} ratio {ratio}: gap {gap}");
                assert_eq!(s.count(SolveStatus::MaxIter), 0);
            }
        }
    }
}

#[test]
fn the_elastic_net_at_l1_ratio_one_is_the_lasso_and_memory_modes_agree() {
    let x = sample(90, 15, 5);
    let options = SolveOptions { tol: 1e-10, max_iter: 100 };
    let lasso = Method::Lasso { alpha: Alpha::Ratio(0.05), positive: false, affine: false };
    let net = Method::ElasticNet { alpha: Alpha::Ratio(0.05), l1_ratio: 1.0, positive: false, affine: false };
    let a = run(&x, MemoryMode::Gram, &lasso, &options);
    for other in [run(&x, MemoryMode::Gram, &net, &options), run(&x, MemoryMode::Panels, &lasso, &options)] {
        for (i, (p, q)) in a.certificates.iter().zip(&other.certificates).enumerate() {
            let (p, q) = (p.primal.value().unwrap(), q.primal.value().unwrap());
            assert!((p - q).abs() <= 1e-9 * p, "row {i}: {p} against {q}");
        }
    }
}

#[test]
fn alpha_from_alpha_max_on_gives_empty_rows_and_less_does_not() {
    let x = sample(60, 10, 6);
    let d = dictionary(&x, MemoryMode::Gram);
    let s = run(
        &x,
        MemoryMode::Gram,
        &Method::Lasso { alpha: Alpha::Ratio(1.0), positive: false, affine: false },
        &SolveOptions::default(),
    );
    assert_eq!(s.coefficients.nnz(), 0);
    assert_eq!(s.count(SolveStatus::Trivial), 60);
    let i = 20;
    let alpha = Alpha::Absolute(alpha_of(&d, i, 1.0 - 1e-6, 1.0, false));
    let s = run(
        &x,
        MemoryMode::Gram,
        &Method::Lasso { alpha, positive: false, affine: false },
        &SolveOptions::default(),
    );
    assert_eq!(row_entries(&s, i).len(), 1);
}

#[test]
fn permuting_the_inputs_permutes_the_result() {
    // General position: the answer is unique.
    let mut rng = Seed::new(7).rng();
    let x = Matrix::from_fn(50, 20, |_, _| normal(&mut rng));
    let order: Vec<usize> = (0..50).map(|i| (i * 17 + 3) % 50).collect();
    let permuted = Matrix::from_fn(50, 20, |i, j| x.row(order[i])[j]);
    for info in METHODS {
        let options = SolveOptions { tol: 1e-10, max_iter: 100 };
        let a = run(&x, MemoryMode::Gram, &defaults(info.name), &options);
        let b = run(&permuted, MemoryMode::Gram, &defaults(info.name), &options);
        for i in 0..50 {
            for j in 0..50 {
                let (p, q) = (a.coefficients.get(order[i], order[j]), b.coefficients.get(i, j));
                assert!((p - q).abs() < 1e-6, "{} {i} {j}: {p} against {q}", info.name);
            }
        }
    }
}

#[test]
fn duplicates_express_each_other_and_zero_rows_nothing() {
    let x = sample(60, 10, 8);
    for info in METHODS.iter().filter(|m| m.name != "saini2021") {
        let s = run(&x, MemoryMode::Gram, &defaults(info.name), &SolveOptions::default());
        // A dense answer shares the weight among all that are alike.
        let least = if info.dense { 0.0 } else { 0.5 };
        assert!(s.coefficients.get(9, 5) > least, "{}", info.name);
        assert!(row_entries(&s, 12).is_empty(), "{}", info.name);
        assert_eq!(s.certificates[12].status, SolveStatus::Trivial, "{}", info.name);
        for i in 0..60 {
            assert_eq!(s.coefficients.get(i, 12), 0.0, "{}: a zero row is nobody's neighbour", info.name);
        }
    }
}

#[test]
fn omp_keeps_its_limits_and_both_memory_modes_choose_the_same_atoms() {
    let x = sample(150, 30, 9);
    for k in [1, 3, 10, 60] {
        let method = Method::Omp { n_nonzero_coefs: k, tol: 1e-10, positive: false };
        let a = run(&x, MemoryMode::Gram, &method, &SolveOptions::default());
        let b = run(&x, MemoryMode::Panels, &method, &SolveOptions::default());
        for i in 0..150 {
            assert!(row_entries(&a, i).len() <= k.min(30));
            let left = a.certificates[i].kkt_violation.value().unwrap();
            assert!(left < 1e-9, "row {i}: {left} left on the support");
            let (p, q) =
                (a.certificates[i].primal.value().unwrap(), b.certificates[i].primal.value().unwrap());
            assert!((p - q).abs() < 5e-6, "k {k} row {i}: {p} against {q}");
        }
    }
}

struct StopAfter(std::sync::atomic::AtomicUsize);

impl Monitor for StopAfter {
    fn rows_done(&self, n: usize) {
        self.0.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
    }
    fn is_cancelled(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed) > 0
    }
}

#[test]
fn a_solve_can_be_stopped() {
    let x = sample(200, 8, 10);
    let d = dictionary(&x, MemoryMode::Gram);
    let monitor = StopAfter(0.into());
    let outcome = solve(&d, &defaults("lasso"), &SolveOptions::default(), &monitor);
    assert_eq!(outcome.unwrap_err(), ExpressError::Cancelled);
}

#[test]
fn positive_methods_have_no_negative_coefficient_and_never_beat_the_free_problem() {
    let x = sample(120, 20, 11);
    for name in ["lasso", "elastic_net", "omp"] {
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            let with = |positive: f64| {
                let params = BTreeMap::from([("positive".to_owned(), positive)]);
                run(&x, mode, &Method::from_parameters(name, &params).unwrap(), &SolveOptions::default())
            };
            let (signed, positive) = (with(0.0), with(1.0));
            assert!(signed.coefficients.values().iter().any(|v| *v < 0.0), "{name}");
            assert!(positive.coefficients.values().iter().all(|v| *v > 0.0), "{name}");
            assert_eq!(positive.count(SolveStatus::MaxIter), 0, "{name}");
            assert!(positive.coefficients.nnz() > 0);
            let most = if name == "omp" { 10 } else { 120 };
            assert!((0..120).all(|i| row_entries(&positive, i).len() <= most), "{name}");
        }
    }
    // A fixed alpha makes the two problems comparable: fewer choices cost more.
    let alpha = Alpha::Absolute(0.05);
    let free = run(
        &x,
        MemoryMode::Gram,
        &Method::Lasso { alpha, positive: false, affine: false },
        &SolveOptions::default(),
    );
    let bound = run(
        &x,
        MemoryMode::Gram,
        &Method::Lasso { alpha, positive: true, affine: false },
        &SolveOptions::default(),
    );
    for (i, (f, b)) in free.certificates.iter().zip(&bound.certificates).enumerate() {
        assert!(f.primal.value().unwrap() <= b.primal.value().unwrap() + 1e-6, "row {i}");
    }
}

/// Out of sample: leaving input `i` out of the dictionary and expressing it is what row `i` in sample is.
#[test]
fn an_input_outside_the_dictionary_is_expressed_as_it_would_be_inside() {
    let mut rng = Seed::new(12).rng();
    let x = Matrix::from_fn(70, 12, |_, _| normal(&mut rng));
    let atoms = Matrix::new(x.data()[12..].to_vec(), 69, 12).unwrap();
    let first = Matrix::new(x.data()[..12].to_vec(), 1, 12).unwrap();
    for info in METHODS {
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            let method = defaults(info.name);
            let d = dictionary(&atoms, mode);
            let queries = Queries::new(first.as_ref(), &d).unwrap();
            let outside = match express_others(&d, &queries, &method, &SolveOptions::default(), &Silent) {
                Err(ExpressError::InSampleOnly { .. }) => continue,
                other => other.unwrap(),
            };
            assert_eq!((outside.coefficients.n_rows(), outside.coefficients.n_cols()), (1, 69));
            let inside = run(&x, mode, &method, &SolveOptions::default());
            for j in 0..69 {
                let (a, b) = (outside.coefficients.get(0, j), inside.coefficients.get(0, j + 1));
                assert!((a - b).abs() < 1e-5, "{} {mode:?} atom {j}: {a} against {b}", info.name);
            }
        }
    }
}

#[test]
fn queries_must_have_the_features_of_the_atoms() {
    let x = sample(30, 8, 13);
    let d = dictionary(&x, MemoryMode::Gram);
    let wrong = Matrix::filled(1.0, 2, 9);
    let err = Queries::new(wrong.as_ref(), &d).unwrap_err();
    assert_eq!(err.to_string(), "expected 2 x 8 = 16 values, found 18");
}

/// What a cluster relies on: any block of whole panels is bit by bit what the whole solve gives there.
#[test]
fn blocks_of_whole_panels_are_the_same_bits_as_the_whole() {
    let x = sample(600, 24, 8);
    let options = SolveOptions::default();
    for info in METHODS {
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            let (d, method) = (dictionary(&x, mode), defaults(info.name));
            let height = panel_height(mode, 600);
            let blocks = [0..height, height..2 * height, 2 * height..600];
            if matches!(
                express_range(&d, 0..height, &method, &options, &Silent),
                Err(ExpressError::InSampleOnly { .. })
            ) {
                continue;
            }
            let whole = solve(&d, &method, &options, &Silent).unwrap();
            for rows in blocks {
                let block = express_range(&d, rows.clone(), &method, &options, &Silent).unwrap();
                for (k, i) in rows.enumerate() {
                    assert_eq!(row_entries(&block, k), row_entries(&whole, i), "{} row {i}", info.name);
                    assert_eq!(block.certificates[k], whole.certificates[i], "{} row {i}", info.name);
                }
            }
            let bad = |rows| express_range(&d, rows, &method, &options, &Silent).unwrap_err().to_string();
            assert!(bad(1..height).contains("the start of a block must be a multiple"));
            assert!(bad(0..height + 1).contains("the end of a block must be a multiple"));
        }
    }
}
