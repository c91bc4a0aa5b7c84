//! How often intervals over inputs hold the value that they are about: simulated layers.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{gaussian, to_f32};
use rand::RngCore;
use subspect_linalg::{Csr, Matrix, Seed};
use subspect_similarity::{
    Estimator, Inference, InferenceOptions, Silent, linear_cka, linear_cka_inference, ssc_cka,
    ssc_cka_inference,
};

fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Two graphs of one stochastic block model with uneven propensities: the same inputs, edges drawn twice.
fn two_graphs(n: usize, spread: f64, within: f64, between: f64, seed: Seed) -> [Csr; 2] {
    let normals = gaussian(n, 1, seed.axis("propensity"));
    let mut rng = seed.axis("graph").rng();
    let classes: Vec<u64> = (0..n).map(|_| rng.next_u64() % 4).collect();
    let propensity: Vec<f64> = normals.data().iter().map(|z| (spread * z).exp()).collect();
    [0, 1].map(|_| {
        let mut dense = Matrix::filled(0.0_f32, n, n);
        for i in 0..n {
            for j in 0..i {
                let chance = if classes[i] == classes[j] { within } else { between };
                if uniform(&mut rng) < chance * propensity[i] * propensity[j] {
                    let weight = (0.1 + uniform(&mut rng)) as f32;
                    dense.row_mut(i)[j] = weight;
                    dense.row_mut(j)[i] = weight;
                }
            }
        }
        common::sparse(&dense)
    })
}

/// Two layers that share part of their features' variance.
fn two_layers(n: usize, d: usize, noise: f64, seed: Seed) -> [Matrix<f64>; 2] {
    let (x, e) = (gaussian(n, d, seed.axis("x")), gaussian(n, d, seed.axis("noise")));
    let heavy = |i: usize, j: usize| x.row(i)[j] * (1.0 + 2.0 / (1.0 + j as f64));
    let y = Matrix::from_fn(n, d, |i, j| heavy(i, j) + noise * e.row(i)[j]);
    [Matrix::from_fn(n, d, heavy), y]
}

/// Share of 95 % intervals that hold the mean value of many other samples, and their mean width relative to the
/// spread of those values, for both estimators.
fn coverage(value: impl Fn(Seed) -> [f64; 2], infer: impl Fn(Seed, u64) -> Inference) -> [(f64, f64); 2] {
    const OTHERS: u64 = 400;
    const SAMPLES: u64 = 200;
    let others: Vec<[f64; 2]> = (0..OTHERS).map(|r| value(Seed::new(1).axis("others").index(r))).collect();
    let found: Vec<Inference> = (0..SAMPLES).map(|r| infer(Seed::new(1).index(r), r)).collect();
    [0, 1].map(|e| {
        let truth = others.iter().map(|v| v[e]).sum::<f64>() / OTHERS as f64;
        let sd = (others.iter().map(|v| (v[e] - truth).powi(2)).sum::<f64>() / OTHERS as f64).sqrt();
        let (mut n_within, mut width) = (0.0, 0.0);
        for inference in &found {
            let interval = [&inference.biased, &inference.debiased][e].cell(0, 1).interval;
            n_within += f64::from(u8::from(interval.contains(truth).unwrap()));
            width += interval.hi.value().unwrap() - interval.lo.value().unwrap();
        }
        let n = SAMPLES as f64;
        (n_within / n, width / n / (2.0 * 1.96 * sd))
    })
}

fn options(r: u64) -> InferenceOptions {
    InferenceOptions { n_permutations: 0, n_resamples: 200, ..InferenceOptions::new(Seed::new(r)) }
}

/// 200 samples put two standard errors at 3 %; a bootstrap of inputs without the dyadic correction is 40 to 70 % too
/// wide on graphs without structure, which these bounds tell.
fn check(name: &str, found: [(f64, f64); 2]) {
    for (cover, width) in found {
        assert!((0.89..=0.99).contains(&cover), "{name}: {found:?}");
        assert!((0.85..=1.15).contains(&width), "{name}: {found:?}");
    }
}

#[test]
fn of_ssc_cka() {
    for (name, spread, within, between) in
        [("blocks", 0.0, 0.3, 0.05), ("uneven", 0.5, 0.2, 0.05), ("no structure", 0.0, 0.1, 0.1)]
    {
        let sample = |seed| two_graphs(80, spread, within, between, seed);
        let value = |seed| {
            let [a, b] = sample(seed);
            Estimator::SHOWN.map(|e| ssc_cka(&a, &b, e).unwrap().value().unwrap())
        };
        let infer = |seed, r| {
            let [a, b] = sample(seed);
            ssc_cka_inference(&[&a, &b], &options(r), &Silent).unwrap()
        };
        check(name, coverage(value, infer));
    }
}

#[test]
fn of_linear_cka() {
    for (name, n, d, noise) in [("alike", 60, 5, 0.1), ("half", 60, 5, 1.0), ("wide", 80, 40, 1.0)] {
        let sample = |seed| two_layers(n, d, noise, seed);
        let value = |seed| {
            let [a, b] = sample(seed);
            Estimator::SHOWN.map(|e| linear_cka(a.as_ref(), b.as_ref(), e).unwrap().value().unwrap())
        };
        let infer = |seed, r| {
            let layers = sample(seed).map(|m| to_f32(&m));
            linear_cka_inference(&common::views(&layers), 1 << 24, &options(r), &Silent).unwrap()
        };
        check(name, coverage(value, infer));
    }
}
