//! Seconds of the nulls and intervals of class structure on one random graph.
//!
//! `cargo run --release -p subspect-graph --example null_rate -- [--inputs 1000] [--edges 25000] [--classes 10]
//! [--permutations 1000] [--threads 2] [--repeats 3]` prints one JSON object: the modularity's null alone, the null of
//! all four class measures, and 1,000 resamples for the modularity's interval.

use std::hint::black_box;
use std::time::Instant;

use rand::RngCore;
use subspect_graph::{
    AffinityGraph, IntervalOptions, Partition, Subject, class_nulls, modularity_interval, modularity_null,
};
use subspect_linalg::{Csr, CsrBuilder, Seed};

fn option(args: &[String], name: &str, default: usize) -> Result<usize, std::num::ParseIntError> {
    let at = args.iter().position(|a| a == name);
    at.and_then(|i| args.get(i + 1)).map_or(Ok(default), |text| text.parse())
}

/// About `n_edges` random coefficients of random weight, off the diagonal.
fn coefficients(n: usize, n_edges: usize) -> Csr {
    let mut rng = Seed::new(1).rng();
    let mut b = CsrBuilder::new(n);
    for i in 0..n {
        let draw = |_| {
            let j = (i + 1 + rng.next_u32() as usize % (n - 1)) % n;
            (j as u32, (1 + rng.next_u32() % 1000) as f32 / 1000.0)
        };
        let mut row: Vec<(u32, f32)> = (0..n_edges / n).map(draw).collect();
        row.sort_by_key(|e| e.0);
        row.dedup_by_key(|e| e.0);
        b.push_row(&mut row);
    }
    b.finish()
}

fn timed(repeats: usize, mut work: impl FnMut()) -> Vec<f64> {
    (0..repeats)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n = option(&args, "--inputs", 1000)?;
    let n_edges = option(&args, "--edges", 25 * n)?;
    let n_classes = option(&args, "--classes", 10)?;
    let n_permutations = option(&args, "--permutations", 1000)?;
    let threads = option(&args, "--threads", 2)?;
    let repeats = option(&args, "--repeats", 3)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let c = coefficients(n, n_edges);
    let graph = AffinityGraph::from_coefficients(&c)?;
    let partition = Partition::new((0..n).map(|i| (i % n_classes) as u32).collect(), n_classes)?;
    let subject = Subject::new(&c, &graph, Some(&partition));
    let seed = Seed::new(2);
    let [modularity, all, interval] = pool.install(|| {
        [
            timed(repeats, || {
                black_box(modularity_null(&graph, &partition, 1.0, n_permutations, seed));
            }),
            timed(repeats, || {
                // The parts of the subject were made here for the same inputs.
                black_box(class_nulls(&subject, n_permutations, seed).is_ok());
            }),
            timed(repeats, || {
                black_box(modularity_interval(&graph, &partition, 1.0, &IntervalOptions::new(seed)));
            }),
        ]
    });
    println!(
        "{{\"inputs\": {n}, \"edges\": {}, \"classes\": {n_classes}, \"threads\": {threads}, \"permutations\": \
         {n_permutations}, \"modularity_seconds\": {modularity:?}, \"class_nulls_seconds\": {all:?}, \
         \"interval_seconds\": {interval:?}}}",
        graph.n_edges()
    );
    Ok(())
}
