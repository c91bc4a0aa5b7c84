//! Seconds of the products that every solver stands on: the Gram matrix in float32 and float64, and one panel.
//!
//! `cargo run --release -p subspect-linalg --example gram_rate -- [--rows 10000] [--features 784] [--threads 2]
//! [--repeats 5] [--float32-only]` prints one JSON object: for every product all its times and the multiplications and additions that
//! a plain product of that shape takes (`2 N² D`), although the symmetric ones do half of them. Rows are noise.

use std::hint::black_box;
use std::time::Instant;

use subspect_linalg::{Matrix, gram_f64, product_abt, symmetric_product};

/// Rows of the panel product: what a solver asks for at a time when the Gram matrix does not fit.
const PANEL: usize = 256;

fn option(args: &[String], name: &str, default: usize) -> Result<usize, std::num::ParseIntError> {
    let at = args.iter().position(|a| a == name);
    at.and_then(|i| args.get(i + 1)).map_or(Ok(default), |text| text.parse())
}

/// Noise in 0..1.
fn noise(n_rows: usize, n_cols: usize) -> Matrix<f32> {
    let mut state = 1_u32;
    Matrix::from_fn(n_rows, n_cols, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    })
}

/// One JSON member; the first run warms up.
fn timed(name: &str, repeats: usize, operations: f64, mut product: impl FnMut()) -> String {
    product();
    let seconds: Vec<String> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            product();
            format!("{:.6}", start.elapsed().as_secs_f64())
        })
        .collect();
    format!("\"{name}\": {{\"operations\": {operations:.0}, \"seconds\": [{}]}}", seconds.join(", "))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n = option(&args, "--rows", 10_000)?;
    let d = option(&args, "--features", 784)?;
    let threads = option(&args, "--threads", 2)?;
    let repeats = option(&args, "--repeats", 5)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;

    let x = noise(n, d);
    let panel = x.as_ref().rows(0, PANEL.min(n));
    let mut out = vec![0.0; panel.n_rows() * n];
    let per_row = 2.0 * n as f64 * d as f64;
    let products = pool.install(|| {
        let gram = timed("gram_f32", repeats, per_row * n as f64, || {
            black_box(symmetric_product(black_box(x.as_ref())));
        });
        if args.iter().any(|a| a == "--float32-only") {
            return vec![gram];
        }
        let exact = Matrix::from_fn(n, d, |i, j| f64::from(x.row(i)[j]));
        vec![
            gram,
            timed("gram_f64", repeats, per_row * n as f64, || {
                black_box(gram_f64(black_box(exact.as_ref())));
            }),
            timed("panel_f32_one_thread", repeats, per_row * panel.n_rows() as f64, || {
                product_abt(black_box(panel), black_box(x.as_ref()), &mut out);
            }),
        ]
    });
    println!(
        "{{\"rows\": {n}, \"features\": {d}, \"threads\": {threads}, \"panel_rows\": {}, \"products\": {{{}}}}}",
        panel.n_rows(),
        products.join(", ")
    );
    Ok(())
}
