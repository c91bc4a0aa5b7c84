use super::*;
use crate::CsrBuilder;

/// A ring of `n` nodes with unit weights: eigenvalues `2 cos(2 pi j / n)`, all but the extreme ones twice.
fn ring(n: usize) -> Csr<f32> {
    let mut b = CsrBuilder::new(n);
    for i in 0..n {
        b.push_row(&mut [(((i + 1) % n) as u32, 1.0), (((i + n - 1) % n) as u32, 1.0)]);
    }
    b.finish()
}

/// A random graph with `degree` neighbours drawn per node.
fn random(n: usize, degree: usize) -> Csr<f32> {
    let mut rng = Seed::new(5).rng();
    let mut rows = vec![std::collections::BTreeMap::new(); n];
    for i in 0..n {
        for _ in 0..degree {
            let j = (rng.next_u64() % n as u64) as usize;
            if i != j {
                let weight = (rng.next_u32() % 8 + 1) as f32 / 8.0;
                rows[i].insert(j as u32, weight);
                rows[j].insert(i as u32, weight);
            }
        }
    }
    let mut b = CsrBuilder::new(n);
    rows.into_iter().for_each(|r| b.push_row(&mut r.into_iter().collect::<Vec<_>>()));
    b.finish()
}

fn check_pairs(matrix: &ScaledCsr<'_>, found: &Eigenpairs, tol: f64) {
    let n = matrix.n();
    for j in 0..found.values.len() {
        let mut x = vec![0.0; n * BLOCK];
        (0..n).for_each(|i| x[i * BLOCK] = found.vectors.row(i)[j]);
        let mut image = vec![0.0; n * BLOCK];
        matrix.apply(&x, &mut image);
        let square = |i: usize| (image[i * BLOCK] - found.values[j] * x[i * BLOCK]).powi(2);
        let residual = (0..n).map(square).sum::<f64>().sqrt();
        assert!(residual < tol, "pair {j} has residual {residual}, stated {}", found.residuals[j]);
        for l in 0..=j {
            let product: f64 = (0..n).map(|i| found.vectors.row(i)[j] * found.vectors.row(i)[l]).sum();
            assert!((product - f64::from(u8::from(j == l))).abs() < 1e-10, "vectors {j}, {l}: {product}");
        }
    }
}

#[test]
fn pairs_of_equal_eigenvalues_of_a_ring_are_all_found() {
    for n in [12, 200, 700] {
        let a = ring(n);
        let matrix = ScaledCsr::new(&a, vec![0.5; n]);
        let found = largest_eigenpairs(&matrix, &[], 7, &EigenOptions::default(), Seed::new(1));
        assert_eq!(found.n_converged, 7, "n = {n}: {:?}", found.residuals);
        check_pairs(&matrix, &found, 1e-7);
        for (j, value) in found.values.iter().enumerate() {
            let exact = 0.5 * (2.0 * std::f64::consts::PI * j.div_ceil(2) as f64 / n as f64).cos();
            assert!((value - exact).abs() < 1e-12, "n = {n}, {j}: {value} for {exact}");
        }
    }
}

#[test]
fn known_vectors_are_left_out() {
    for n in [40, 900] {
        let a = ring(n);
        let matrix = ScaledCsr::new(&a, vec![1.0; n]);
        let known = vec![vec![1.0 / (n as f64).sqrt(); n]];
        let found = largest_eigenpairs(&matrix, &known, 2, &EigenOptions::default(), Seed::new(1));
        let exact = 2.0 * (2.0 * std::f64::consts::PI / n as f64).cos();
        assert!(found.values.iter().all(|v| (v - exact).abs() < 1e-10), "{:?} for {exact}", found.values);
    }
}

#[test]
fn iterating_agrees_with_the_whole_decomposition() {
    let a = random(600, 4);
    let scale: Vec<f64> = (0..600).map(|i| 0.1 + (i % 7) as f64 / 20.0).collect();
    let matrix = ScaledCsr::new(&a, scale);
    let options = EigenOptions::default();
    let found = largest_eigenpairs(&matrix, &[], 12, &options, Seed::new(3));
    let exact = whole(&matrix, &[], 12, &options);
    assert!(found.n_restarts > 0 && exact.n_restarts == 0);
    assert_eq!((found.n_converged, exact.n_converged), (12, 12));
    check_pairs(&matrix, &found, 1e-7);
    check_pairs(&matrix, &exact, 1e-10);
    for (f, e) in found.values.iter().zip(&exact.values) {
        assert!((f - e).abs() < 1e-13, "{f} for {e}");
    }
}

#[test]
fn neither_threads_nor_degenerate_matrices_matter() {
    let a = random(3000, 3);
    let matrix = ScaledCsr::new(&a, vec![0.2; 3000]);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| largest_eigenpairs(&matrix, &[], 5, &EigenOptions::default(), Seed::new(9)))
    };
    assert_eq!(with(1), with(3));
    for n in [0, 1, 5, 1000] {
        let empty = Csr::empty(n, n);
        let matrix = ScaledCsr::new(&empty, vec![1.0; n]);
        let found = largest_eigenpairs(&matrix, &[], 3, &EigenOptions::default(), Seed::new(9));
        assert_eq!((found.values.len(), found.n_converged), (n.min(3), n.min(3)), "n = {n}");
        assert!(found.values.iter().all(|v| v.abs() < 1e-14));
        check_pairs(&matrix, &found, 1e-12);
    }
}

#[test]
fn an_iteration_that_was_cut_short_says_so() {
    let a = ring(2000);
    let matrix = ScaledCsr::new(&a, vec![0.5; 2000]);
    let options = EigenOptions { max_restarts: 0, ..Default::default() };
    let found = largest_eigenpairs(&matrix, &[], 4, &options, Seed::new(9));
    assert_eq!((found.n_converged, found.n_restarts), (0, 0));
    assert!(found.residuals[0] > 1e-8);
}
