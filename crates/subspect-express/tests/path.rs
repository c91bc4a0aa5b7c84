//! The regularisation path against separate solves, and the choice of a point.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

mod common;

use std::sync::Mutex;

use common::{dictionary, subspaces};
use subspect_express::{
    Alpha, DensityTarget, ExpressError, Method, PathBlock, Silent, Solution, SolveOptions, SolveStatus,
    choose_density, express_rows, knee, log_grid, path, path_blocks, path_summaries, solve,
};
use subspect_linalg::MemoryMode;

const MODES: [MemoryMode; 2] = [MemoryMode::Gram, MemoryMode::Panels];

fn lasso() -> Method {
    Method::Lasso { alpha: Alpha::Ratio(0.1), positive: false, affine: false }
}

/// A method at an alpha_ratio.
type AtRatio = fn(f64) -> Method;

fn problems() -> Vec<(&'static str, AtRatio)> {
    vec![
        ("lasso", |r| Method::Lasso { alpha: Alpha::Ratio(r), positive: false, affine: false }),
        ("positive lasso", |r| Method::Lasso { alpha: Alpha::Ratio(r), positive: true, affine: false }),
        ("elastic net", |r| Method::ElasticNet {
            alpha: Alpha::Ratio(r),
            l1_ratio: 0.8,
            positive: false,
            affine: false,
        }),
        ("positive elastic net", |r| Method::ElasticNet {
            alpha: Alpha::Ratio(r),
            l1_ratio: 0.8,
            positive: true,
            affine: false,
        }),
    ]
}

fn entries(s: &Solution, i: usize) -> (&[u32], &[f64]) {
    s.coefficients.row(i)
}

#[test]
fn every_point_is_what_a_separate_solve_gives() {
    // More inputs than features and the other way round, so that supports run into dependence too.
    for (n, d) in [(160, 12), (60, 90)] {
        let x = subspaces(n, d, 1);
        for mode in MODES {
            let dictionary = dictionary(&x, mode);
            for (name, method) in problems() {
                let options = SolveOptions { tol: 1e-9, max_iter: 100 };
                // Out of order and with 1, at which everything is zero.
                let ratios = [0.02, 1.0, 0.3, 0.1, 0.6];
                let points = path(&dictionary, None, &method(0.1), &ratios, &options, &Silent).unwrap();
                assert_eq!(points.iter().map(|p| p.ratio).collect::<Vec<_>>(), [1.0, 0.6, 0.3, 0.1, 0.02]);
                for point in &points {
                    let alone = solve(&dictionary, &method(point.ratio), &options, &Silent).unwrap();
                    assert_eq!(point.solution.count(SolveStatus::MaxIter), 0);
                    for (i, (a, b)) in point.solution.certificates.iter().zip(&alone.certificates).enumerate()
                    {
                        let what = format!("{name} {mode:?} {n} x {d} ratio {} row {i}", point.ratio);
                        assert_eq!(a.status, b.status, "{what}");
                        let (p, q) = (a.primal.value().unwrap(), b.primal.value().unwrap());
                        assert!((p - q).abs() <= 2e-9 * q, "{what}: {p} against {q}");
                        assert!(a.gap.value().unwrap() <= options.tol, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_path_of_one_point_is_bit_for_bit_a_solve() {
    let x = subspaces(120, 15, 2);
    for mode in MODES {
        let dictionary = dictionary(&x, mode);
        let alone = solve(&dictionary, &lasso(), &SolveOptions::default(), &Silent).unwrap();
        let points = path(&dictionary, None, &lasso(), &[0.1], &SolveOptions::default(), &Silent).unwrap();
        assert_eq!(points[0].solution, alone);
    }
}

#[test]
fn the_objective_falls_and_the_summaries_are_those_of_the_solutions() {
    let x = subspaces(150, 20, 3);
    let dictionary = dictionary(&x, MemoryMode::Gram);
    let grid = log_grid(0.8, 0.01, 9);
    let options = SolveOptions::default();
    let points = path(&dictionary, None, &lasso(), &grid, &options, &Silent).unwrap();
    let summaries = path_summaries(&dictionary, None, &lasso(), &grid, &options, &Silent).unwrap();
    for (point, summary) in points.iter().zip(&summaries) {
        let own = point.summary();
        let (a, b) = (own.objective.value().unwrap(), summary.objective.value().unwrap());
        assert!((a - b).abs() <= 1e-12 * a);
        assert_eq!((own.nonzeros_per_row, own.gap_max), (summary.nonzeros_per_row, summary.gap_max));
        assert_eq!((own.rounds_per_row, summary.n_rows), (summary.rounds_per_row, 150));
    }
    for pair in summaries.windows(2) {
        assert!(pair[1].objective.value().unwrap() < pair[0].objective.value().unwrap());
        assert!(pair[1].nonzeros_per_row > pair[0].nonzeros_per_row);
    }
    let cold: f64 = grid
        .iter()
        .map(|&r| {
            let method = Method::Lasso { alpha: Alpha::Ratio(r), positive: false, affine: false };
            path_summaries(&dictionary, None, &method, &[r], &options, &Silent).unwrap()[0].rounds_per_row
        })
        .sum();
    let warm: f64 = summaries.iter().map(|s| s.rounds_per_row).sum();
    assert!(warm <= cold, "{warm} rounds with warm starts, {cold} without");
}

#[test]
fn one_thread_and_many_give_the_same_bits() {
    let x = subspaces(300, 18, 4);
    for mode in MODES {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let dictionary = dictionary(&x, mode);
            let grid = log_grid(0.5, 0.02, 4);
            pool.install(|| {
                path(&dictionary, None, &lasso(), &grid, &SolveOptions::default(), &Silent).unwrap()
            })
        };
        assert_eq!(with(1), with(3), "{mode:?}");
    }
}

#[test]
fn blocks_and_chosen_rows_are_parts_of_the_whole() {
    let x = subspaces(100, 14, 5);
    for mode in MODES {
        let dictionary = dictionary(&x, mode);
        let (grid, options) = ([0.4, 0.1, 0.05], SolveOptions::default());
        let whole = path(&dictionary, None, &lasso(), &grid, &options, &Silent).unwrap();
        let blocks: Mutex<Vec<PathBlock>> = Mutex::new(Vec::new());
        let sink = |b: PathBlock| blocks.lock().unwrap().push(b);
        path_blocks(&dictionary, None, &lasso(), &grid, &options, &Silent, &sink).unwrap();
        let mut rows = 0;
        for block in blocks.into_inner().unwrap() {
            for k in 0..block.solution.certificates.len() {
                let there = &whole[block.point].solution;
                assert_eq!(entries(&block.solution, k), entries(there, block.first_row + k));
                rows += 1;
            }
        }
        assert_eq!(rows, 300);

        let chosen = [40, 3, 99, 11];
        let some = path(&dictionary, Some(&chosen), &lasso(), &grid, &options, &Silent).unwrap();
        let rows = express_rows(&dictionary, &chosen, &lasso(), &options, &Silent).unwrap();
        for (k, &i) in chosen.iter().enumerate() {
            // Products of one row and of a panel may round differently.
            for (a, b) in [(&some[2].solution, &whole[2].solution), (&rows, &whole[1].solution)] {
                let ((cols, a), (other, b)) = (entries(a, k), entries(b, i as usize));
                assert_eq!(cols, other, "{mode:?} row {i}");
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6));
            }
        }
        let outside = express_rows(&dictionary, &[100], &lasso(), &options, &Silent).unwrap_err();
        assert_eq!(
            outside.to_string(),
            "an input to express must be below 100, the number of inputs, found 100"
        );
    }
}

#[test]
fn rows_of_a_method_that_solves_all_together_are_picked() {
    let x = subspaces(30, 8, 6);
    let dictionary = dictionary(&x, MemoryMode::Gram);
    let method = Method::from_parameters("saini2021", &Default::default()).unwrap();
    let all = solve(&dictionary, &method, &SolveOptions::default(), &Silent).unwrap();
    let some = express_rows(&dictionary, &[20, 4], &method, &SolveOptions::default(), &Silent).unwrap();
    assert_eq!(entries(&some, 0), entries(&all, 20));
    assert_eq!(some.certificates[1], all.certificates[4]);
}

#[test]
fn a_target_density_is_met_within_its_tolerance() {
    let x = subspaces(250, 30, 7);
    let dictionary = dictionary(&x, MemoryMode::Gram);
    for wanted in [1.5, 3.0, 7.5, 16.0, 28.0] {
        let target = DensityTarget { nonzeros_per_row: wanted, tolerance: 0.03 };
        let options = SolveOptions::default();
        let found =
            choose_density(&dictionary, None, &lasso(), target, &[0.5, 0.1], &options, &Silent).unwrap();
        assert!(found.met, "{wanted}: {:?}", found.chosen);
        let method =
            Method::Lasso { alpha: Alpha::Ratio(found.chosen.ratio), positive: false, affine: false };
        let s = solve(&dictionary, &method, &options, &Silent).unwrap();
        let density = s.coefficients.nnz() as f64 / 250.0;
        assert!((density - wanted).abs() <= 0.03 * wanted, "{density} instead of {wanted}");
        assert!(found.looked_at.windows(2).all(|w| w[0].ratio > w[1].ratio));
    }
}

#[test]
fn a_density_out_of_reach_gives_the_nearest_and_says_so() {
    let x = subspaces(60, 9, 8);
    let dictionary = dictionary(&x, MemoryMode::Gram);
    let target = DensityTarget { nonzeros_per_row: 40.0, tolerance: 0.05 };
    let found =
        choose_density(&dictionary, None, &lasso(), target, &[0.5], &SolveOptions::default(), &Silent)
            .unwrap();
    assert!(!found.met && found.chosen.nonzeros_per_row <= 9.0, "{:?}", found.chosen);
}

#[test]
fn a_knee_lies_inside_the_grid() {
    let x = subspaces(200, 40, 9);
    let dictionary = dictionary(&x, MemoryMode::Gram);
    let grid = log_grid(0.9, 0.005, 14);
    let points =
        path_summaries(&dictionary, None, &lasso(), &grid, &SolveOptions::default(), &Silent).unwrap();
    let k = knee(&points).unwrap();
    assert!(k > 0 && k + 1 < points.len());
    // Subspaces of dimension five with a little noise: beyond a few atoms per row only noise is left to explain.
    let at = points[k].nonzeros_per_row;
    assert!((2.0..20.0).contains(&at), "knee at {at} non-zeros per row");
}

#[test]
fn what_has_no_path_is_refused() {
    let x = subspaces(30, 8, 10);
    let dictionary = dictionary(&x, MemoryMode::Gram);
    let with = |method: &Method, ratios: &[f64]| {
        path(&dictionary, None, method, ratios, &SolveOptions::default(), &Silent).unwrap_err().to_string()
    };
    assert_eq!(
        with(&Method::Knn { n_neighbors: 3 }, &[0.1]),
        "a regularisation path needs lasso or elastic_net, found method `knn`"
    );
    assert_eq!(with(&lasso(), &[0.1, 1.5]), "every ratio of a path must be in (0, 1], found 1.5");
    assert!(with(&lasso(), &[f64::NAN]).contains("found NaN"));
    let target = DensityTarget { nonzeros_per_row: 0.0, tolerance: 0.1 };
    let none = choose_density(&dictionary, None, &lasso(), target, &[0.1], &SolveOptions::default(), &Silent);
    assert!(matches!(none, Err(ExpressError::Range { .. })));
}
