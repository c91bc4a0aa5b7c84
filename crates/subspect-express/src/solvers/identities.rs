//! Closed forms that the dense methods must satisfy, each against an independent way to the same number.
//!
//! `S_alpha = K (K + alpha I)⁻¹ = I - alpha P` is ridge self-expression without the diagonal condition.

use proptest::prelude::*;
use subspect_linalg::{Matrix, gram_f64, spd_inverse, symmetric_eigen};

use super::lrsc::coefficients;
use super::ridge::regularised_inverse;

fn transpose(a: &Matrix<f64>) -> Matrix<f64> {
    Matrix::from_fn(a.n_cols(), a.n_rows(), |i, j| a.row(j)[i])
}

fn product(a: &Matrix<f64>, b: &Matrix<f64>) -> Matrix<f64> {
    Matrix::from_fn(a.n_rows(), b.n_cols(), |i, j| (0..a.n_cols()).map(|k| a.row(i)[k] * b.row(k)[j]).sum())
}

fn dot(a: &Matrix<f64>, b: &Matrix<f64>) -> f64 {
    a.data().iter().zip(b.data()).map(|(a, b)| a * b).sum()
}

fn plus_diagonal(a: &Matrix<f64>, value: f64) -> Matrix<f64> {
    Matrix::from_fn(a.n_rows(), a.n_rows(), |i, j| a.row(i)[j] + if i == j { value } else { 0.0 })
}

fn apart(a: &Matrix<f64>, b: &Matrix<f64>) -> f64 {
    a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// `I - alpha (K + alpha I)⁻¹`.
fn smoother(x: &Matrix<f64>, alpha: f64) -> Matrix<f64> {
    let inverse = regularised_inverse(&gram_f64(x.as_ref()), alpha).unwrap();
    Matrix::from_fn(x.n_rows(), x.n_rows(), |i, j| f64::from(u8::from(i == j)) - alpha * inverse.row(i)[j])
}

/// Weights of the ridge probe `min_w ||y - X w||² + alpha ||w||²`, in feature space.
fn probe(x: &Matrix<f64>, y: &Matrix<f64>, alpha: f64) -> Matrix<f64> {
    let xt = transpose(x);
    let inverse = spd_inverse(&plus_diagonal(&gram_f64(xt.as_ref()), alpha)).unwrap();
    product(&inverse, &product(&xt, y))
}

/// `V f(S) Vᵀ` and `(f(s), V)`.
fn filtered(x: &Matrix<f64>, f: impl Fn(f64) -> f64) -> (Matrix<f64>, Vec<f64>, Matrix<f64>) {
    let (values, v) = symmetric_eigen(&gram_f64(x.as_ref())).unwrap();
    let weights: Vec<f64> = values.iter().map(|s| f(s.max(0.0))).collect();
    let scaled = Matrix::from_fn(v.n_rows(), v.n_rows(), |i, k| v.row(i)[k] * weights[k]);
    (product(&scaled, &transpose(&v)), weights, v)
}

/// `GULP²` of Boix-Adserà et al., NeurIPS 2022, from covariances in feature space.
fn squared_gulp(x: &Matrix<f64>, y: &Matrix<f64>, lambda: f64) -> f64 {
    let n = x.n_rows() as f64;
    let covariance = |a: &Matrix<f64>, b: &Matrix<f64>| {
        let sum = product(&transpose(a), b);
        Matrix::from_fn(sum.n_rows(), sum.n_cols(), |i, j| sum.row(i)[j] / n)
    };
    let whitened = |a: &Matrix<f64>, b: &Matrix<f64>| {
        let inverse = spd_inverse(&plus_diagonal(&covariance(a, a), lambda)).unwrap();
        product(&inverse, &covariance(a, b))
    };
    let trace = |a: &Matrix<f64>, b: &Matrix<f64>| dot(a, &transpose(b));
    let (own_x, own_y) = (whitened(x, x), whitened(y, y));
    trace(&own_x, &own_x) + trace(&own_y, &own_y) - 2.0 * trace(&whitened(x, y), &whitened(y, x))
}

fn matrix(n: usize, d: usize, values: &[f64]) -> Matrix<f64> {
    Matrix::from_fn(n, d, |i, j| values[i * d + j])
}

/// Fewer and more inputs than features.
fn two_layers() -> impl Strategy<Value = (Matrix<f64>, Matrix<f64>)> {
    (2_usize..9, 1_usize..7, 1_usize..7, proptest::collection::vec(-1.0_f64..1.0, 2 * 8 * 6))
        .prop_map(|(n, d, e, v)| (matrix(n, d, &v), matrix(n, e, &v[48..])))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_gulp_distance_is_the_distance_between_ridge_self_expressions(
        (x, y) in two_layers(), lambda in 0.01_f64..2.0)
    {
        let alpha = x.n_rows() as f64 * lambda;
        let (a, b) = (smoother(&x, alpha), smoother(&y, alpha));
        let squared: f64 = a.data().iter().zip(b.data()).map(|(a, b)| (a - b).powi(2)).sum();
        prop_assert!((squared - squared_gulp(&x, &y, lambda)).abs() < 1e-10);
    }

    #[test]
    fn ridge_self_expression_predicts_what_a_ridge_probe_predicts((x, y) in two_layers(), alpha in 0.01_f64..5.0) {
        let by_inputs = product(&smoother(&x, alpha), &y);
        let by_features = product(&x, &probe(&x, &y, alpha));
        prop_assert!(apart(&by_inputs, &by_features) < 1e-10);
    }

    /// With the diagonal condition: the prediction for input `i` by the probe that has not seen it.
    #[test]
    fn a_zero_diagonal_leaves_the_input_out_of_its_own_probe((x, y) in two_layers(), alpha in 0.01_f64..5.0) {
        let inverse = regularised_inverse(&gram_f64(x.as_ref()), alpha).unwrap();
        for i in 0..x.n_rows() {
            let others: Vec<usize> = (0..x.n_rows()).filter(|&j| j != i).collect();
            let without = |m: &Matrix<f64>| Matrix::from_fn(others.len(), m.n_cols(), |k, j| m.row(others[k])[j]);
            let weights = probe(&without(&x), &without(&y), alpha);
            for column in 0..y.n_cols() {
                let seen: f64 = (0..x.n_cols()).map(|k| x.row(i)[k] * weights.row(k)[column]).sum();
                let expressed: f64 =
                    others.iter().map(|&j| -inverse.row(i)[j] / inverse.row(i)[i] * y.row(j)[column]).sum();
                prop_assert!((seen - expressed).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn ridge_is_the_filter_s_over_s_plus_alpha((x, _) in two_layers(), alpha in 0.01_f64..5.0) {
        let (by_filter, _, _) = filtered(&x, |s| s / (s + alpha));
        prop_assert!(apart(&by_filter, &smoother(&x, alpha)) < 1e-11);
    }

    #[test]
    fn similarity_of_ridge_self_expressions_is_a_sum_over_pairs_of_eigenvectors(
        (x, y) in two_layers(), alpha in 0.01_f64..5.0)
    {
        let (a, f, v) = filtered(&x, |s| s / (s + alpha));
        let (b, g, w) = filtered(&y, |s| s / (s + alpha));
        let overlap = product(&transpose(&v), &w);
        let n = f.len();
        let sum: f64 =
            (0..n).map(|i| (0..n).map(|j| f[i] * g[j] * overlap.row(i)[j].powi(2)).sum::<f64>()).sum();
        prop_assert!((sum - dot(&a, &b)).abs() < 1e-11);
        let norm = |f: &[f64]| f.iter().map(|v| v * v).sum::<f64>().sqrt();
        prop_assert!((norm(&f) - dot(&a, &a).sqrt()).abs() < 1e-11);
        prop_assert!((norm(&g) - dot(&b, &b).sqrt()).abs() < 1e-11);
    }

    #[test]
    fn lrsc_is_the_filter_one_minus_one_over_tau_s((x, _) in two_layers(), tau in 0.1_f64..50.0) {
        let (values, v) = symmetric_eigen(&gram_f64(x.as_ref())).unwrap();
        let c = coefficients(&values, &v, &vec![1.0; values.len()], tau);
        let (by_filter, _, _) = filtered(&x, |s| if tau * s > 1.0 { 1.0 - 1.0 / (tau * s) } else { 0.0 });
        prop_assert!(apart(&by_filter, &c) < 1e-11);
        // The same as a proximal fixed point: C is its own singular value threshold after a gradient step.
        let gram = gram_f64(x.as_ref());
        let rest = Matrix::from_fn(c.n_rows(), c.n_rows(), |i, j| f64::from(u8::from(i == j)) - c.row(i)[j]);
        let slope = product(&rest, &gram);
        let moved = Matrix::from_fn(c.n_rows(), c.n_rows(), |i, j| c.row(i)[j] + tau * slope.row(i)[j]);
        let symmetric = Matrix::from_fn(c.n_rows(), c.n_rows(), |i, j| 0.5 * (moved.row(i)[j] + moved.row(j)[i]));
        prop_assert!(apart(&moved, &symmetric) < 1e-9);
        let (values, v) = symmetric_eigen(&symmetric).unwrap();
        let kept = Matrix::from_fn(v.n_rows(), v.n_rows(), |i, k| v.row(i)[k] * (values[k] - 1.0).max(0.0));
        prop_assert!(apart(&product(&kept, &transpose(&v)), &c) < 1e-9);
    }
}

/// Six inputs with three features.
fn six() -> Matrix<f64> {
    Matrix::from_fn(6, 3, |i, j| (1.0 + 0.7 * (i * i) as f64 + 1.3 * j as f64).sin())
}

/// Values of an accelerated proximal gradient method with singular value thresholding in NumPy.
#[test]
fn lrsc_is_what_an_iterative_solver_of_its_problem_converges_to() {
    let gram = gram_f64(six().as_ref());
    let (values, v) = symmetric_eigen(&gram).unwrap();
    for (tau, c01, c35, c22) in [
        (5.0, 0.22463471964931173, 0.027064873171397046, 0.2675228680422001),
        (0.9, 0.18990934072790838, 0.011245664476901276, 0.20654872325173562),
    ] {
        let c = coefficients(&values, &v, &[1.0; 6], tau);
        for (found, want) in [(c.row(0)[1], c01), (c.row(3)[5], c35), (c.row(2)[2], c22)] {
            assert!((found - want).abs() < 1e-13, "tau {tau}: {found} for {want}");
        }
    }
}

/// Values of one augmented least-squares problem per row in NumPy.
#[test]
fn ridge_rows_are_the_constrained_least_squares_solutions() {
    let gram = gram_f64(six().as_ref());
    for (alpha, c01, c35, c53, objective) in [
        (0.1, 0.3159749364781307, 0.03996605361463658, 0.04687512862859852, 0.14730313192869413),
        (2.0, 0.218241139315451, 0.014488441864679649, 0.015398848780753066, 1.7666808082610457),
    ] {
        let p = regularised_inverse(&gram, alpha).unwrap();
        let c = |i: usize, j: usize| -p.row(i)[j] / p.row(i)[i];
        for (found, want) in [(c(0, 1), c01), (c(3, 5), c35), (c(5, 3), c53)] {
            assert!((found - want).abs() < 1e-13, "alpha {alpha}: {found} for {want}");
        }
        let optimum: f64 = (0..6).map(|i| 0.5 * (1.0 / p.row(i)[i] - alpha)).sum();
        assert!((optimum - objective).abs() < 1e-13, "alpha {alpha}: {optimum} for {objective}");
    }
}
