//! How long SSC-CKA of all pairs of L random graphs takes:
//! `cargo run --release -p subspect-similarity --example ssc_cka_map -- LAYERS INPUTS ENTRIES_PER_ROW`.

use std::time::Instant;

use rand::RngCore;
use subspect_linalg::{Csr, CsrBuilder, Seed};
use subspect_similarity::ssc_moments;

fn main() {
    let mut args = std::env::args().skip(1).map(|a| a.parse().unwrap_or(0_usize));
    let layers = args.next().unwrap_or(100);
    let n = args.next().unwrap_or(10_000);
    let per_row = args.next().unwrap_or(50);
    let graphs: Vec<Csr> = (0..layers as u64).map(|l| graph(n, per_row, Seed::new(l))).collect();
    let borrowed: Vec<&Csr> = graphs.iter().collect();
    for _ in 0..3 {
        let start = Instant::now();
        match ssc_moments(&borrowed) {
            Ok(moments) => println!(
                "{} x {} layers, {n} inputs, {} entries each: {:.2} s",
                moments.n_kernels(),
                moments.n_kernels(),
                graphs.first().map_or(0, Csr::nnz),
                start.elapsed().as_secs_f64()
            ),
            Err(error) => eprintln!("{error}"),
        }
    }
}

/// About `per_row / 2` random edges from every input, both ways.
fn graph(n: usize, per_row: usize, seed: Seed) -> Csr {
    let mut rng = seed.rng();
    let mut rows: Vec<Vec<(u32, f32)>> = vec![Vec::new(); n];
    for i in 0..n {
        for _ in 0..per_row / 2 {
            let j = rng.next_u32() as usize % n;
            let weight = (rng.next_u32() >> 8) as f32 + 1.0;
            if i != j && !rows[i].iter().any(|e| e.0 == j as u32) {
                rows[i].push((j as u32, weight));
                rows[j].push((i as u32, weight));
            }
        }
    }
    let mut builder = CsrBuilder::new(n);
    rows.iter_mut().for_each(|row| builder.push_row(row));
    builder.finish()
}
