//! All paths to one number agree, with each other and with the definition.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{dense, gaussian, gram, product, random_graph, slow_cka, slow_hsic, to_f32, to_f64, views};
use proptest::prelude::*;
use subspect_linalg::{Csr, Matrix, Measured, Seed};
use subspect_similarity::{
    Estimator, KernelMoments, Silent, cka, hsic, kernel_moments, linear_cka, linear_cka_matrix,
    linear_moments, ssc_cka, ssc_cka_matrix,
};

const PLENTY: usize = 1 << 30;

fn value(m: Measured) -> f64 {
    m.value().unwrap_or_else(|| panic!("{m}"))
}

/// Layers that share a signal: widths on both sides of the split of 1,024 features.
fn layers(n: usize, widths: &[usize], seed: Seed) -> Vec<Matrix<f32>> {
    let signal = gaussian(n, 6, seed.axis("signal"));
    let layer = |(l, &d): (usize, &usize)| {
        let noise = gaussian(n, d, seed.index(l as u64));
        let mix = gaussian(6, d, seed.axis("mix").index(l as u64));
        let common = product(&signal, &mix);
        to_f32(&Matrix::from_fn(n, d, |i, j| {
            common.row(i)[j] + 0.5 * (l as f64 + 1.0) * noise.row(i)[j] + 10.0 * ((j % 7) as f64)
        }))
    };
    widths.iter().enumerate().map(layer).collect()
}

fn assert_matrices_agree(found: &KernelMoments, layers: &[Matrix<f32>], tolerance: f64) {
    for estimator in Estimator::ALL {
        for l in 0..layers.len() {
            for m in 0..layers.len() {
                let expected =
                    linear_cka(to_f64(&layers[l]).as_ref(), to_f64(&layers[m]).as_ref(), estimator);
                let (found, expected) = (value(found.cka(l, m, estimator)), value(expected.unwrap()));
                assert!((found - expected).abs() < tolerance, "{l} {m} {estimator}: {found} for {expected}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn kernels_and_graphs_follow_the_definition(seed in any::<u64>(), n in 4_usize..16) {
        let seed = Seed::new(seed);
        let (x, y) = (gaussian(n, 3, seed.index(0)), gaussian(n, 9, seed.index(1)));
        let (k, l) = (gram(&x), gram(&y));
        let (a, b) = (random_graph(n, 0.7, seed.index(2)), random_graph(n, 0.6, seed.index(3)));
        for estimator in Estimator::ALL {
            let found = value(hsic(k.as_ref(), l.as_ref(), estimator).unwrap());
            let expected = slow_hsic(&k, &l, estimator);
            prop_assert!((found - expected).abs() < 1e-12 * (1.0 + expected.abs()), "{found} {expected}");
            let expected = slow_cka(&k, &l, estimator);
            for found in [cka(k.as_ref(), l.as_ref(), estimator), linear_cka(x.as_ref(), y.as_ref(), estimator)] {
                prop_assert!((value(found.unwrap()) - expected).abs() < 1e-11);
            }
            // Small graphs may be empty, or complete with equal rows: then both sides have a status.
            let sparse = ssc_cka(&a, &b, estimator).unwrap();
            if let Some(found) = sparse.value() {
                prop_assert!((found - slow_cka(&dense(&a), &dense(&b), estimator)).abs() < 1e-9);
                let full = cka(dense(&a).as_ref(), dense(&b).as_ref(), estimator).unwrap();
                prop_assert!((found - value(full)).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn a_graph_with_loops_is_a_kernel_too() {
    let x = gaussian(20, 4, Seed::new(1));
    let k = to_f32(&gram(&x));
    let sparse = common::sparse(&k);
    let other = random_graph(20, 0.4, Seed::new(2));
    for estimator in Estimator::ALL {
        let found = value(ssc_cka(&sparse, &other, estimator).unwrap());
        let expected = slow_cka(&to_f64(&k), &dense(&other), estimator);
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    }
}

#[test]
fn all_pairs_at_once_are_the_pairs_one_by_one() {
    let graphs: Vec<Csr> = (0..4).map(|k| random_graph(150, 0.1, Seed::new(k))).collect();
    let borrowed: Vec<&Csr> = graphs.iter().collect();
    let kernels: Vec<Matrix<f64>> = graphs.iter().map(dense).collect();
    let dense = kernel_moments(&kernels.iter().map(Matrix::as_ref).collect::<Vec<_>>()).unwrap();
    for estimator in Estimator::ALL {
        let all = ssc_cka_matrix(&borrowed, estimator).unwrap();
        for l in 0..4 {
            assert_eq!(all[l][l], Measured::Value(1.0));
            for m in 0..4 {
                assert_eq!(all[l][m], all[m][l]);
                assert_eq!(all[l][m], ssc_cka(&graphs[l.min(m)], &graphs[l.max(m)], estimator).unwrap());
                assert!((value(all[l][m]) - value(dense.cka(l, m, estimator))).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn panels_agree_with_float64_whatever_the_budget() {
    let layers = layers(700, &[3000, 17, 2048, 1], Seed::new(3));
    // One tile of 256 inputs at a time; two; everything in one block.
    for budget in [6_000_000, 14_000_000, PLENTY] {
        assert_matrices_agree(&linear_moments(&views(&layers), budget, &Silent).unwrap(), &layers, 2e-6);
    }
}

#[test]
fn the_feature_space_form_agrees_with_float64() {
    let layers = layers(1500, &[40, 5, 300], Seed::new(4));
    assert_matrices_agree(&linear_moments(&views(&layers), PLENTY, &Silent).unwrap(), &layers, 1e-12);
}

#[test]
fn huge_tiny_and_shifted_activations_keep_their_similarity() {
    let layers = layers(300, &[200, 150], Seed::new(5));
    let expected = linear_cka_matrix(&views(&layers), Estimator::Debiased, PLENTY, &Silent).unwrap();
    for factor in [1e20_f32, 1e35, 1e-30] {
        let changed = |m: &Matrix<f32>| Matrix::from_fn(m.n_rows(), m.n_cols(), |i, j| m.row(i)[j] * factor);
        let pair = [changed(&layers[0]), layers[1].clone()];
        let found = linear_cka_matrix(&views(&pair), Estimator::Debiased, PLENTY, &Silent).unwrap();
        assert!((value(found[0][1]) - value(expected[0][1])).abs() < 1e-5, "{factor}");
        let (x, y) = (to_f64(&pair[0]), to_f64(&pair[1]));
        let found = linear_cka(x.as_ref(), y.as_ref(), Estimator::Debiased).unwrap();
        assert!((value(found) - value(expected[0][1])).abs() < 1e-5, "{factor} in float64");
    }
    // A mean 10,000 times the spread, of values that float32 still tells apart.
    let shifted = Matrix::from_fn(300, 200, |i, j| (layers[0].row(i)[j] * 64.0).round() / 64.0 + 16_384.0);
    let pair = [shifted, layers[1].clone()];
    let found = linear_cka_matrix(&views(&pair), Estimator::Debiased, PLENTY, &Silent).unwrap();
    assert!((value(found[0][1]) - value(expected[0][1])).abs() < 1e-3);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let wide = layers(600, &[2100, 300], Seed::new(6));
    let narrow = layers(2100, &[30, 300], Seed::new(6));
    let graphs: Vec<Csr> = (0..3).map(|k| random_graph(200, 0.1, Seed::new(k))).collect();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let borrowed: Vec<&Csr> = graphs.iter().collect();
            Estimator::ALL.map(|e| {
                (
                    linear_cka_matrix(&views(&wide), e, 8_000_000, &Silent).unwrap(),
                    linear_cka_matrix(&views(&narrow), e, PLENTY, &Silent).unwrap(),
                    ssc_cka_matrix(&borrowed, e).unwrap(),
                )
            })
        })
    };
    assert_eq!(with(1), with(3));
}
