//! Seconds and quality of Leiden on a graph from a file, and of the whole analysis of a layer's graph.
//!
//! `cargo run --release -p subspect-graph --example leiden_rate -- EDGES [--nodes 10000] [--classes 50]
//! [--quality modularity] [--resolution 1] [--seeds 10] [--iterations 100] [--threads 2] [--permutations 0]
//! [--output MEMBERSHIP]` prints one JSON object. EDGES holds one edge after the other, little-endian: two u32 and a
//! float32. Every search is timed for itself on one thread (seconds of a core), then all of them together. With permutations, Leiden, all
//! measures (node i in class `i * classes / nodes`) and the permutations are timed together as well. MEMBERSHIP gets
//! the community of every node, u32.

use std::error::Error;
use std::time::Instant;

use subspect_graph::{
    AffinityGraph, Communities, LeidenOptions, Partition, QualityFunction, Subject, leiden, measure_all,
    modularity_null,
};
use subspect_linalg::{Csr, CsrBuilder, Seed};

fn option<'a>(args: &'a [String], name: &str, default: &'a str) -> &'a str {
    args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).map_or(default, String::as_str)
}

/// Every edge once, above the diagonal.
fn coefficients(path: &str, n: usize) -> Result<Csr, Box<dyn Error>> {
    let mut rows = vec![Vec::new(); n];
    for edge in std::fs::read(path)?.as_chunks::<12>().0 {
        let [i, j, w] = [0, 4, 8].map(|at| [edge[at], edge[at + 1], edge[at + 2], edge[at + 3]]);
        let (i, j) = (u32::from_le_bytes(i), u32::from_le_bytes(j));
        rows[i.min(j) as usize].push((i.max(j), f32::from_le_bytes(w)));
    }
    let mut builder = CsrBuilder::new(n);
    rows.iter_mut().for_each(|row| builder.push_row(row));
    Ok(builder.finish())
}

/// Seconds that this thread has had a core for, so that other work on the machine does not count; wall seconds where
/// the system does not tell.
fn cpu_seconds(since: Instant) -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.map_or_else(|| since.elapsed().as_secs_f64(), |n| n * 1e-9)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let out = work();
    (out, start.elapsed().as_secs_f64())
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

/// What Leiden, all measures and the permutations take together.
fn analysis(
    c: &Csr,
    graph: &AffinityGraph,
    options: &LeidenOptions,
    n_classes: usize,
    n: usize,
) -> Result<f64, Box<dyn Error>> {
    let nodes = graph.n_nodes();
    let labels = Partition::new((0..nodes).map(|i| (i * n_classes / nodes) as u32).collect(), n_classes)?;
    let start = Instant::now();
    leiden(graph, options, Seed::new(0))?;
    measure_all(&Subject::new(c, graph, Some(&labels)))?;
    modularity_null(graph, &labels, 1.0, n, Seed::new(0));
    Ok(start.elapsed().as_secs_f64())
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().ok_or("expected a file of edges")?;
    let c = coefficients(path, option(&args, "--nodes", "10000").parse()?)?;
    let graph = AffinityGraph::from_coefficients(&c)?;
    let options = LeidenOptions {
        quality: QualityFunction::from_name(option(&args, "--quality", "modularity"))?,
        resolution: option(&args, "--resolution", "1").parse()?,
        theta: option(&args, "--theta", "0.01").parse()?,
        n_iterations: option(&args, "--iterations", "100").parse()?,
        n_seeds: option(&args, "--seeds", "10").parse()?,
    };
    let threads: usize = option(&args, "--threads", "2").parse()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;

    let one = LeidenOptions { n_seeds: 1, ..options };
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let start = Instant::now();
    let single = |i: usize| {
        alone.install(|| {
            let before = cpu_seconds(start);
            leiden(&graph, &one, Seed::new(i as u64)).map(|_| cpu_seconds(start) - before)
        })
    };
    let seconds: Vec<f64> = (0..options.n_seeds).map(single).collect::<Result<_, _>>()?;
    let seconds = list(seconds.iter().map(|s| format!("{s:.6}")));
    let (found, together) = timed(|| pool.install(|| leiden(&graph, &options, Seed::new(0))));
    let Communities { partition, quality, runs, .. } = found?;
    let permutations: usize = option(&args, "--permutations", "0").parse()?;
    let whole = if permutations > 0 {
        let n_classes = option(&args, "--classes", "50").parse()?;
        let seconds = pool
            .install(|| analysis(&c, &graph, &options, n_classes, permutations).map_err(|e| e.to_string()))?;
        format!(", \"permutations\": {permutations}, \"analysis_seconds\": {seconds:.6}")
    } else {
        String::new()
    };
    if let Some(at) = args.iter().position(|a| a == "--output") {
        let bytes: Vec<u8> = partition.classes().iter().flat_map(|c| c.to_le_bytes()).collect();
        std::fs::write(args.get(at + 1).ok_or("--output: expected a file")?, bytes)?;
    }
    println!(
        "{{\"nodes\": {}, \"edges\": {}, \"threads\": {threads}, \"seconds_per_seed\": {seconds}, \
         \"seconds_together\": {together:.6}, \"quality\": {:.15}, \"n_communities\": {}, \"qualities\": {}, \
         \"iterations\": {}{whole}}}",
        graph.n_nodes(),
        graph.n_edges(),
        quality.value().unwrap_or(0.0),
        partition.n_classes(),
        list(runs.iter().map(|r| format!("{:.15}", r.quality.value().unwrap_or(0.0)))),
        list(runs.iter().map(|r| r.n_iterations.to_string())),
    );
    Ok(())
}
