//! Seconds of permutations and of whole inferences on sparse graphs of two or more layers.
//!
//! `cargo run --release -p subspect-similarity --example permutation_rate -- [--inputs 1000] [--edges 25000]
//! [--layers 2] [--permutations 1000] [--threads 2] [--repeats 3]` prints one JSON object. With `--write FOLDER` the
//! graphs' upper triangles are written there as little-endian binary (`rows.u32`, `cols.u32` and `values.f32` of every
//! layer), so that another program can permute the same graphs.

use std::hint::black_box;
use std::time::Instant;

use rand::RngCore;
use subspect_linalg::{Csr, CsrBuilder, Seed};
use subspect_similarity::{InferenceOptions, Silent, ssc_cka_inference};

fn option(args: &[String], name: &str, default: usize) -> Result<usize, std::num::ParseIntError> {
    let at = args.iter().position(|a| a == name);
    at.and_then(|i| args.get(i + 1)).map_or(Ok(default), |text| text.parse())
}

/// About `n_edges` random edges of random weight, without loops.
fn graph(n: usize, n_edges: usize, seed: Seed) -> Csr {
    let mut rng = seed.rng();
    let mut rows = vec![Vec::new(); n];
    for _ in 0..n_edges {
        let (i, j) = ((rng.next_u32() as usize) % n, (rng.next_u32() as usize) % n);
        if i != j {
            let weight = (1 + rng.next_u32() % 1000) as f32 / 1000.0;
            rows[i].push((j as u32, weight));
            rows[j].push((i as u32, weight));
        }
    }
    let mut b = CsrBuilder::new(n);
    for row in &mut rows {
        // Of two draws of one edge the heavier stays, on both of its sides.
        row.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        row.dedup_by_key(|e| e.0);
        b.push_row(row);
    }
    b.finish()
}

fn write(folder: &str, layer: usize, graph: &Csr) -> std::io::Result<()> {
    let (mut rows, mut cols, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..graph.n_rows() {
        let (js, vs) = graph.row(i);
        for (&j, &v) in js.iter().zip(vs).filter(|(j, _)| **j as usize > i) {
            rows.extend((i as u32).to_le_bytes());
            cols.extend(j.to_le_bytes());
            values.extend(v.to_le_bytes());
        }
    }
    let folder = std::path::Path::new(folder).join(layer.to_string());
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("rows.u32"), rows)?;
    std::fs::write(folder.join("cols.u32"), cols)?;
    std::fs::write(folder.join("values.f32"), values)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n = option(&args, "--inputs", 1000)?;
    let n_edges = option(&args, "--edges", 25 * n)?;
    let n_layers = option(&args, "--layers", 2)?;
    let n_permutations = option(&args, "--permutations", 1000)?;
    let threads = option(&args, "--threads", 2)?;
    let repeats = option(&args, "--repeats", 3)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let graphs: Vec<Csr> = (0..n_layers).map(|l| graph(n, n_edges, Seed::new(1).index(l as u64))).collect();
    if let Some(at) = args.iter().position(|a| a == "--write") {
        let folder = args.get(at + 1).ok_or("--write: expected a folder")?;
        for (l, g) in graphs.iter().enumerate() {
            write(folder, l, g)?;
        }
    }
    let refs: Vec<&Csr> = graphs.iter().collect();
    let timed = |n_permutations: usize, n_resamples: usize| -> Result<Vec<f64>, Box<dyn std::error::Error>> {
        let options = InferenceOptions {
            n_permutations,
            n_resamples,
            max_lookups: f64::INFINITY,
            ..InferenceOptions::new(Seed::new(2))
        };
        let mut seconds = Vec::new();
        for _ in 0..repeats {
            let start = Instant::now();
            black_box(pool.install(|| ssc_cka_inference(&refs, &options, &Silent))?);
            seconds.push(start.elapsed().as_secs_f64());
        }
        Ok(seconds)
    };
    let (permutations, resamples) = (timed(n_permutations, 0)?, timed(0, 1000)?);
    println!(
        "{{\"inputs\": {n}, \"edges\": {}, \"layers\": {n_layers}, \"threads\": {threads}, \"permutations\": \
         {n_permutations}, \"permutation_seconds\": {permutations:?}, \"interval_seconds\": {resamples:?}}}",
        graphs[0].nnz() / 2
    );
    Ok(())
}
