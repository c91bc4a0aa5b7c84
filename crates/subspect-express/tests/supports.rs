//! Dense supports, dependent atoms and both memory modes: the exact answer, certified from scratch.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

mod common;

use common::{dictionary, normal, subspaces};
use subspect_express::{
    Alpha, ElasticNetRow, Method, Silent, Solution, SolveOptions, SolveStatus, certify, express_rows, solve,
};
use subspect_linalg::{Dictionary, Matrix, MemoryMode, RowScale, Seed};

const MODES: [MemoryMode; 2] = [MemoryMode::Gram, MemoryMode::Panels];
const OPTIONS: SolveOptions = SolveOptions { tol: 1e-10, max_iter: 100 };

fn entries(s: &Solution, i: usize) -> Vec<(u32, f64)> {
    let (columns, values) = s.coefficients.row(i);
    columns.iter().copied().zip(values.iter().copied()).collect()
}

/// Noise without structure: at a small alpha nearly every atom that can has a coefficient.
fn noise(n: usize, d: usize, seed: u64) -> Matrix<f32> {
    let mut rng = Seed::new(seed).rng();
    Matrix::from_fn(n, d, |_, _| normal(&mut rng))
}

/// Every row against the reference certificate, which knows nothing of the solver.
fn check(d: &Dictionary<'_>, s: &Solution, problem: impl Fn(usize) -> ElasticNetRow, what: &str) {
    for i in 0..d.n_atoms() {
        if s.certificates[i].status == SolveStatus::Trivial {
            continue;
        }
        let fresh = certify(d, i, &entries(s, i), &problem(i), OPTIONS.tol);
        assert_eq!(fresh.status, SolveStatus::Converged, "{what} row {i}: gap {}", fresh.gap);
    }
}

#[test]
fn dense_supports_are_exact_with_fewer_and_with_more_inputs_than_features() {
    for (n, d, seed) in [(70, 200, 1), (140, 50, 2), (120, 119, 3)] {
        let x = noise(n, d, seed);
        for (mode, positive, l1_ratio) in
            MODES.into_iter().flat_map(|m| [(m, false, 1.0), (m, true, 1.0), (m, false, 0.5)])
        {
            let dictionary = dictionary(&x, mode);
            let alpha = 0.004;
            let method =
                Method::ElasticNet { alpha: Alpha::Absolute(alpha), l1_ratio, positive, affine: false };
            let s = solve(&dictionary, &method, &OPTIONS, &Silent).unwrap();
            let what = format!("{n} x {d} {mode:?} positive {positive} l1_ratio {l1_ratio}");
            assert_eq!(s.count(SolveStatus::MaxIter), 0, "{what}");
            check(&dictionary, &s, |_| ElasticNetRow { alpha, l1_ratio, positive, affine: false }, &what);
            let density = s.coefficients.nnz() as f64 / (n * n.min(d)) as f64;
            assert!(density > if positive { 0.2 } else { 0.6 }, "{what}: density {density}");
        }
    }
}

/// Groups of nearly collinear inputs, copies and opposites, where float32 Gram entries cannot tell atoms apart.
#[test]
fn collinear_groups_are_exact_in_both_memory_modes() {
    let base = noise(12, 40, 4);
    let mut rng = Seed::new(5).rng();
    let x = Matrix::from_fn(96, 40, |i, j| {
        let sign = if i % 5 == 4 { -1.0 } else { 1.0 };
        let size = [0.0, 1e-7, 1e-5, 1e-3, 1e-2][i % 5];
        sign * (base.row(i % 12)[j] + size * normal(&mut rng))
    });
    for mode in MODES {
        let dictionary = dictionary(&x, mode);
        for alpha in [0.3, 0.03, 1e-3] {
            let method = Method::Lasso { alpha: Alpha::Absolute(alpha), positive: false, affine: false };
            let s = solve(&dictionary, &method, &OPTIONS, &Silent).unwrap();
            let what = format!("{mode:?} alpha {alpha}");
            if alpha < 0.01 {
                // Down there some rows miss the tolerance by rounding: they must say so, and truly.
                for (i, reported) in s.certificates.iter().enumerate() {
                    let problem = ElasticNetRow { alpha, l1_ratio: 1.0, positive: false, affine: false };
                    let fresh = certify(&dictionary, i, &entries(&s, i), &problem, OPTIONS.tol);
                    let (p, q) = (reported.gap.value().unwrap(), fresh.gap.value().unwrap());
                    assert!((p - q).abs() <= 1e-3 * q + 1e-11, "{what} row {i}: {p} against {q}");
                }
                continue;
            }
            assert_eq!(s.count(SolveStatus::MaxIter), 0, "{what}: {}", s.gap_max());
            check(
                &dictionary,
                &s,
                |_| ElasticNetRow { alpha, l1_ratio: 1.0, positive: false, affine: false },
                &what,
            );
        }
    }
}

/// Twenty near copies of each of thirty inputs: corrections of float32 entries keep moving the fit from scan to scan, and
/// only float64 entries end that.
#[test]
fn near_copies_converge_in_both_memory_modes() {
    let base = noise(30, 40, 8);
    for (size, seed) in [(1e-3, 9), (1e-4, 10), (1e-5, 11)] {
        let mut rng = Seed::new(seed).rng();
        let x = Matrix::from_fn(600, 40, |i, j| base.row(i / 20)[j] + size * normal(&mut rng));
        for mode in MODES {
            let alpha = Alpha::Absolute(1e-3);
            let method = Method::Lasso { alpha, positive: false, affine: false };
            let s = solve(&dictionary(&x, mode), &method, &SolveOptions::default(), &Silent).unwrap();
            assert_eq!(s.count(SolveStatus::MaxIter), 0, "{mode:?}, distance {size}: {}", s.gap_max());
            let most = s.certificates.iter().map(|c| c.n_iter).max();
            assert!(most < Some(20), "{mode:?}, distance {size}: {most:?} rounds");
        }
    }
}

/// The float64 Gram matrix changes the arithmetic and nothing else.
#[test]
fn the_ways_to_keep_a_dictionary_agree() {
    let x = subspaces(140, 200, 6);
    let method = Method::Lasso { alpha: Alpha::Ratio(0.02), positive: false, affine: false };
    let exact = Dictionary::with_exact_gram(x.as_ref(), RowScale::Unit).unwrap();
    let a = solve(&exact, &method, &OPTIONS, &Silent).unwrap();
    let far = Matrix::from_fn(140, 200, |i, j| x.row(i)[j] * if i % 2 == 0 { 1e14 } else { 1e-14 });
    for (x, scaled) in [(&x, false), (&far, true)] {
        let panels = dictionary(x, MemoryMode::Panels);
        let b = solve(&panels, &method, &OPTIONS, &Silent).unwrap();
        for (i, (p, q)) in a.certificates.iter().zip(&b.certificates).enumerate() {
            let (p, q) = (p.primal.value().unwrap(), q.primal.value().unwrap());
            assert!((p - q).abs() <= 1e-6 * p, "row {i}, lengths far apart {scaled}: {p} against {q}");
        }
    }
}

/// Rows of a panel share memory: what came before must not show.
#[test]
fn a_row_is_the_same_bits_whatever_rows_come_before_it() {
    let x = noise(80, 200, 7);
    let method = Method::Lasso { alpha: Alpha::Ratio(0.02), positive: false, affine: false };
    let dictionary = dictionary(&x, MemoryMode::Gram);
    let all = solve(&dictionary, &method, &OPTIONS, &Silent).unwrap();
    for rows in [&[40_u32][..], &[79, 3, 17], &[17, 3]] {
        let some = express_rows(&dictionary, rows, &method, &OPTIONS, &Silent).unwrap();
        for (k, &i) in rows.iter().enumerate() {
            assert_eq!(entries(&some, k), entries(&all, i as usize), "row {i}");
        }
    }
}
