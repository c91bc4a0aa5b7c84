//! Independent values: `../shared/oracle` and the published ADMM through the common door.
#![allow(clippy::unwrap_used)] // helpers outside #[test] functions

use std::path::PathBuf;

use subspect_express::{Alpha, Method, Silent, Solution, SolveOptions, SolveStatus, solve};
use subspect_linalg::{Dictionary, Matrix, MemoryMode, RowScale};

/// The folder of independent values, or a named skip.
fn oracle_folder(test: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("SUBSPECT_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let folder = shared.join("oracle");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {test}: needs ../shared");
    None
}

/// A little-endian float64 `.npy` in C order, rounded to float32.
fn read_npy(path: PathBuf) -> Matrix<f32> {
    let bytes = std::fs::read(path).unwrap();
    let header_end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..header_end]).unwrap();
    assert!(header.contains("'<f8'") && header.contains("'fortran_order': False"), "{header}");
    let dims: Vec<usize> = header[header.find('(').unwrap() + 1..header.find(')').unwrap()]
        .split(',')
        .filter_map(|s| s.trim().parse().ok())
        .collect();
    let values =
        bytes[header_end..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap()) as f32);
    Matrix::new(values.collect(), dims[0], dims[1]).unwrap()
}

fn run(x: &Matrix<f32>, scale: RowScale, mode: MemoryMode, method: Method, tol: f64) -> Solution {
    let dictionary = Dictionary::new(x.as_ref(), scale, mode).unwrap();
    solve(&dictionary, &method, &SolveOptions { tol, max_iter: 100 }, &Silent).unwrap()
}

/// `sum ||c||_1 + tau/2 ||x - Xᵀ c||²` is `tau` times our objective at `alpha = 1 / tau`.
#[test]
fn the_union_of_subspaces_reaches_the_known_optima_with_a_gap_below_1e_8() {
    let Some(folder) = oracle_folder("the_union_of_subspaces_reaches_the_known_optima_with_a_gap_below_1e_8")
    else {
        return;
    };
    let x = read_npy(folder.join("uos_30_5_3_30_x.npy"));
    for (tau, objective, tolerance) in
        [(10.0, 114.072_023_435_360_89, 1e-6), (100.0, 123.3047, 1e-4), (1000.0, 124.2569, 1e-4)]
    {
        for mode in [MemoryMode::Gram, MemoryMode::Panels] {
            let method = Method::Lasso { alpha: Alpha::Absolute(1.0 / tau), positive: false, affine: false };
            let s = run(&x, RowScale::Raw, mode, method, 1e-9);
            let found = tau * s.objective().value().unwrap();
            assert!((found / objective - 1.0).abs() < tolerance, "tau {tau} {mode:?}: {found}");
            assert!(s.gap_max().value().unwrap() < 1e-8, "tau {tau} {mode:?}: gap {}", s.gap_max());
            assert_eq!(s.count(SolveStatus::MaxIter), 0);
        }
    }
}

#[test]
fn exact_answers_stay_inside_the_subspaces() {
    let Some(folder) = oracle_folder("exact_answers_stay_inside_the_subspaces") else { return };
    let x = read_npy(folder.join("uos_30_5_3_30_x.npy"));
    let s = run(
        &x,
        RowScale::Raw,
        MemoryMode::Gram,
        Method::Lasso { alpha: Alpha::Absolute(0.1), positive: false, affine: false },
        1e-9,
    );
    let mean = s.coefficients.nnz() as f64 / 90.0;
    assert!((mean - 4.544).abs() < 0.01, "mean non-zeros {mean}");
    for i in 0..90 {
        let (atoms, _) = s.coefficients.row(i);
        assert!(atoms.iter().all(|&j| j as usize / 30 == i / 30), "row {i} leaves its subspace");
    }
}

#[test]
fn admm_reaches_the_known_optimum_that_the_published_loop_misses() {
    let Some(folder) = oracle_folder("admm_reaches_the_known_optimum_that_the_published_loop_misses") else {
        return;
    };
    let x = read_npy(folder.join("uos_30_5_3_30_x.npy"));
    let method = Method::Admm { alpha: Alpha::Absolute(0.1), affine: false };
    let s = run(&x, RowScale::Raw, MemoryMode::Gram, method, 1e-9);
    let objective = 10.0 * s.objective().value().unwrap();
    assert!((objective / 114.072_023_435_360_89 - 1.0).abs() < 1e-6, "{objective}");
    assert_eq!(s.count(SolveStatus::MaxIter), 0, "gap {}", s.gap_max());
}

#[test]
fn the_published_admm_ends_where_it_is_known_to_end() {
    let Some(folder) = oracle_folder("the_published_admm_ends_where_it_is_known_to_end") else { return };
    let x = read_npy(folder.join("uos_30_5_3_30_x.npy"));
    let method = Method::Saini2021 { tau: 10.0, mu: 100.0, max_iter: 100, tol: 1e-2 };
    let s = run(&x, RowScale::Raw, MemoryMode::Gram, method, 1e-6);
    let objective = 10.0 * s.objective().value().unwrap();
    assert!((objective / 267.716_714 - 1.0).abs() < 1e-4, "{objective}");
    assert_eq!(s.certificates[0].n_iter, 199);
    assert_eq!(s.count(SolveStatus::MaxIter), 90, "it does not converge, and says so");
}
