//! Prints how long the two matrices of a run take; asserts nothing.
//! `cargo test -p subspect-similarity --test speed -- --ignored --nocapture`
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::time::Instant;

use common::random_graph;
use rand::RngCore;
use subspect_linalg::{Csr, MatRef, Matrix, Seed};
use subspect_similarity::{Silent, linear_moments, ssc_moments};

/// Cheap noise around a mean: the values do not matter here.
fn noise(n: usize, d: usize) -> Matrix<f32> {
    let mut rng = Seed::new(1).rng();
    Matrix::from_fn(n, d, |_, _| rng.next_u32() as f32 / u32::MAX as f32)
}

fn linear(name: &str, layers: &[MatRef<'_, f32>], budget: usize) {
    let n = layers[0].n_rows() as f64;
    let start = Instant::now();
    let moments = linear_moments(layers, budget, &Silent).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let flop: f64 = layers.iter().map(|x| n * n * x.n_cols() as f64).sum();
    eprintln!(
        "{name}: {seconds:.2} s, {:.0} effective GFLOP/s, {} layers",
        flop / seconds / 1e9,
        moments.n_kernels()
    );
}

#[test]
#[ignore = "timing, asserts nothing"]
fn linear_cka_of_resnet20_at_1000() {
    let wide = noise(1000, 16_384);
    // Widths of the 29 captured layers: three stages and the logits, as views of one buffer.
    let widths = [16_384; 10].into_iter().chain([8192; 9]).chain([4096; 9]).chain([10]);
    let layers: Vec<MatRef<'_, f32>> =
        widths.map(|d| MatRef::new(&wide.data()[..1000 * d], 1000, d).unwrap()).collect();
    linear("N = 1,000, 29 layers, 1 GiB", &layers, 1 << 30);
    linear("N = 1,000, 29 layers, 64 MiB", &layers, 1 << 26);
}

#[test]
#[ignore = "timing, asserts nothing"]
fn linear_cka_of_two_wide_layers_at_10000() {
    let wide = noise(10_000, 16_384);
    let layers = [wide.as_ref(), wide.as_ref()];
    linear("N = 10,000, D = 16,384, 2 layers, 1 GiB", &layers, 1 << 30);
}

#[test]
#[ignore = "timing, asserts nothing"]
fn ssc_cka_of_29_graphs() {
    for (n, share) in [(1000, 0.1), (4000, 0.025)] {
        let graphs: Vec<Csr> = (0..29).map(|k| random_graph(n, share, Seed::new(k))).collect();
        let start = Instant::now();
        ssc_moments(&graphs.iter().collect::<Vec<_>>()).unwrap();
        eprintln!("N = {n}, {} entries each: {:.3} s", graphs[0].nnz(), start.elapsed().as_secs_f64());
    }
}
