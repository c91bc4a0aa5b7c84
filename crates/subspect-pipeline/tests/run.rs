//! Whole runs over a small activation store: what is computed, what is reused, what survives.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use subspect_data::record::{DatasetInfo, Inputs, RunRecord, RunState};
use subspect_data::rundir::RunDir;
use subspect_data::store::{LayerSpec, StoreHeader, StoreWriter};
use subspect_linalg::{Matrix, Seed, Status};
use subspect_pipeline::options::Options;
use subspect_pipeline::{Events, Outcome, PipelineError, Plan, Recording, Silent, Stage, run};

const N: usize = 60;
const CLASSES: usize = 3;
const FEATURES: usize = 12;

/// Pseudo-random numbers in -1..1 without a generator: enough to make inputs differ.
fn noise(i: usize, j: usize) -> f32 {
    ((i * 7919 + j * 104_729) as f32 * 0.618_034).sin()
}

/// Inputs of a class share a direction; `strength` is how much of it there is.
fn layer(strength: f32) -> Matrix<f32> {
    Matrix::from_fn(N, FEATURES, |i, j| {
        let own = if j % CLASSES == i % CLASSES { strength } else { 0.0 };
        own + noise(i, j)
    })
}

fn write_store(folder: &Path, layers: &[(&str, Matrix<f32>)], with_labels: bool) {
    let labels: Vec<u32> =
        if with_labels { (0..N).map(|i| (i % CLASSES) as u32).collect() } else { Vec::new() };
    let header = StoreHeader {
        key: format!("test {}", layers.len()),
        inputs: Inputs { ids: (0..N).map(|i| format!("in{i}")).collect(), labels, ..Inputs::default() },
        dataset: DatasetInfo {
            name: "test".into(),
            format: "activations".into(),
            n_total: N,
            classes: if with_labels { vec!["a".into(), "b".into(), "c".into()] } else { Vec::new() },
            image_shape: Vec::new(),
            normalize: "none".into(),
            hash: "h".into(),
            citation: None,
        },
        model: None,
    };
    let specs: Vec<LayerSpec> = layers
        .iter()
        .map(|(name, x)| LayerSpec {
            name: (*name).into(),
            kind: "imported".into(),
            shape: vec![x.n_cols()],
            n_features: x.n_cols(),
            pool: "flatten".into(),
        })
        .collect();
    let mut writer = StoreWriter::create(folder, header, &specs).unwrap();
    for (i, (_, x)) in layers.iter().enumerate() {
        writer.append(i, x.as_ref()).unwrap();
    }
    writer.finish().unwrap();
}

fn three_layers() -> Vec<(&'static str, Matrix<f32>)> {
    vec![("one", layer(0.1)), ("two", layer(1.0)), ("three", layer(4.0))]
}

fn plan(dir: &Path, changes: &[(&str, &str)]) -> Plan {
    let mut options = Options::default()
        .with("store", dir.join("store").to_str().unwrap())
        .with("output", dir.join("run").to_str().unwrap())
        .with("permutations", "19");
    for (name, value) in changes {
        options = options.with(name, value);
    }
    Plan::from_options(&options, "test").unwrap()
}

fn lines_of(plan: &Plan) -> Vec<String> {
    let events = Recording::default();
    run(plan, &[], &events).unwrap();
    events.lines()
}

fn count(lines: &[String], start: &str) -> usize {
    lines.iter().filter(|l| l.starts_with(start)).count()
}

fn files(run: &Path, folder: &str) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(run.join(folder))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "npz" || e == "csv"))
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&p).unwrap()))
        .collect()
}

/// The record without what may differ between equal runs.
fn comparable(mut record: RunRecord) -> RunRecord {
    record.created = String::new();
    record.machine.threads = 0;
    record.seconds.clear();
    record.layers.iter_mut().for_each(|l| l.solve.seconds = 0.0);
    record
}

#[test]
fn a_changed_option_recomputes_only_what_depends_on_it() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), true);
    let first = lines_of(&plan(dir.path(), &[]));
    assert_eq!(count(&first, "computed graphs"), 3);
    assert_eq!(count(&first, "computed similarity"), 2);

    let again = lines_of(&plan(dir.path(), &[]));
    assert_eq!((count(&again, "reused graphs"), count(&again, "reused measures")), (3, 3));
    assert_eq!(count(&again, "reused similarity"), 2);

    let permutations = lines_of(&plan(dir.path(), &[("permutations", "29")]));
    assert_eq!((count(&permutations, "reused graphs"), count(&permutations, "computed measures")), (3, 3));
    // The null of SSC-CKA is drawn anew; linear CKA's is exact.
    assert!(permutations.iter().any(|l| l == "computed similarity ssc_cka"), "{permutations:?}");
    assert!(permutations.iter().any(|l| l == "reused similarity linear_cka"), "{permutations:?}");

    let alpha = lines_of(&plan(dir.path(), &[("alpha_ratio", "0.2")]));
    assert_eq!((count(&alpha, "computed graphs"), count(&alpha, "computed measures")), (3, 3));
    assert!(alpha.iter().any(|l| l == "computed similarity ssc_cka"), "{alpha:?}");
    assert!(alpha.iter().any(|l| l == "reused similarity linear_cka"), "{alpha:?}");

    let fewer = lines_of(&plan(dir.path(), &[("alpha_ratio", "0.2"), ("layers", "t*")]));
    assert_eq!((count(&fewer, "reused graphs"), count(&fewer, "computed graphs")), (2, 0));
}

#[test]
fn a_damaged_or_missing_graph_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), true);
    lines_of(&plan(dir.path(), &[]));
    let run = dir.path().join("run");
    let before = files(&run, "graphs");
    std::fs::write(run.join("graphs/two.npz"), b"PK").unwrap();
    std::fs::remove_file(run.join("graphs/one.npz")).unwrap();
    let lines = lines_of(&plan(dir.path(), &[]));
    assert_eq!((count(&lines, "computed graphs"), count(&lines, "reused graphs")), (2, 1));
    assert_eq!(files(&run, "graphs"), before);
}

/// Cancels once a number of graphs is done.
struct StopAfter {
    graphs: usize,
    seen: AtomicUsize,
}

impl Events for StopAfter {
    fn finished(&self, stage: Stage, _label: &str, _outcome: Outcome, _seconds: f64) {
        if stage == Stage::Graph {
            self.seen.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn is_cancelled(&self) -> bool {
        self.seen.load(Ordering::Relaxed) >= self.graphs
    }
}

#[test]
fn an_interrupted_run_keeps_what_is_finished_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), true);
    let plan = plan(dir.path(), &[]);
    let stopped = run(&plan, &[], &StopAfter { graphs: 2, seen: AtomicUsize::new(0) });
    assert!(matches!(stopped, Err(PipelineError::Interrupted)));
    let record = RunDir::open(&dir.path().join("run")).unwrap().read_record().unwrap();
    assert_eq!((record.state, record.layers.len()), (RunState::Partial, 2));
    let lines = lines_of(&plan);
    assert_eq!((count(&lines, "reused graphs"), count(&lines, "computed graphs")), (2, 1));

    let whole = tempfile::tempdir().unwrap();
    write_store(&whole.path().join("store"), &three_layers(), true);
    run(&self::plan(whole.path(), &[]), &[], &Silent).unwrap();
    assert_eq!(files(&dir.path().join("run"), "graphs"), files(&whole.path().join("run"), "graphs"));
}

#[test]
fn threads_change_nothing_but_times() {
    let of = |threads: usize| {
        let dir = tempfile::tempdir().unwrap();
        write_store(&dir.path().join("store"), &three_layers(), true);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut record = pool.install(|| run(&plan(dir.path(), &[]), &[], &Silent)).unwrap();
        record.settings.retain(|name, _| name != "store" && name != "output");
        (comparable(record), files(&dir.path().join("run"), "graphs"))
    };
    assert_eq!(of(1), of(3));
}

#[test]
fn a_zero_layer_has_statuses_and_a_warning_and_the_run_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let layers = vec![("dead", Matrix::filled(0.0, N, 4)), ("alive", layer(2.0))];
    write_store(&dir.path().join("store"), &layers, true);
    let record = run(&plan(dir.path(), &[]), &[], &Silent).unwrap();
    assert_eq!(record.state, RunState::Complete);
    assert_eq!(record.layers[0].measures["modularity"].status(), Some(Status::EmptyGraph));
    assert_eq!(record.layers[0].n_isolated, N);
    assert!(record.layers[1].measures["modularity"].value().is_some());
    assert!(
        record.warnings.iter().any(|w| w.starts_with("dead: no input can be expressed")),
        "{:?}",
        record.warnings
    );
    let ssc = &record.similarity[0].values;
    assert_eq!(ssc[0][1].status(), Some(Status::EmptyGraph));
    assert!(
        record.summary.iter().any(|s| s.contains("undefined between all consecutive layers")),
        "{:?}",
        record.summary
    );
}

#[test]
fn without_labels_there_are_graphs_similarity_and_honest_sentences() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), false);
    let record = run(&plan(dir.path(), &[]), &[], &Silent).unwrap();
    assert_eq!(record.layers[0].measures["modularity"].status(), Some(Status::NoLabels));
    assert!(record.summary[0].starts_with("The inputs have no labels"), "{:?}", record.summary);
    assert_eq!(record.summary.len(), 2);
    assert!(record.neighbourhoods.iter().all(|n| n.vote.is_none() && !n.neighbours.is_empty()));
}

#[test]
fn labels_beside_a_store_must_fit_it() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), false);
    let file = dir.path().join("y.npy");
    let labels: Vec<u32> = (0..N).map(|i| (i % CLASSES) as u32).collect();
    subspect_data::dense::write_labels(&file, &labels).unwrap();
    let record = run(&plan(dir.path(), &[("labels", file.to_str().unwrap())]), &[], &Silent).unwrap();
    assert!(record.layers[2].measures["modularity"].value().unwrap() > 0.3);
    subspect_data::dense::write_labels(&file, &labels[1..]).unwrap();
    let err = run(&plan(dir.path(), &[("labels", file.to_str().unwrap())]), &[], &Silent).unwrap_err();
    assert!(err.to_string().contains("expected 60 labels") && err.to_string().contains("found 59"), "{err}");
}

#[test]
fn a_tight_memory_budget_gives_panels_and_the_same_answer() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), true);
    let of = |memory: &str| {
        run(&plan(dir.path(), &[("memory", memory), ("similarity", "ssc_cka")]), &[], &Silent).unwrap()
    };
    let (gram, panels) = (of("4GiB"), of("4KB"));
    assert_eq!(
        (gram.layers[0].solve.memory_mode.as_str(), panels.layers[0].solve.memory_mode.as_str()),
        ("gram", "panels")
    );
    for (a, b) in gram.layers.iter().zip(&panels.layers) {
        let (p, q) = (a.measures["modularity"].value().unwrap(), b.measures["modularity"].value().unwrap());
        assert!((p - q).abs() < 1e-4, "{}: {p} and {q}", a.name);
    }
}

#[test]
fn a_seed_moves_only_what_is_random() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), true);
    let of = |seed: &str| run(&plan(dir.path(), &[("seed", seed)]), &[], &Silent).unwrap();
    let (a, b) = (of("0"), of("1"));
    assert_eq!(a.layers[0].measures, b.layers[0].measures);
    assert_ne!(a.layers[0].modularity_null, b.layers[0].modularity_null);
    assert_ne!(Seed::new(0), Seed::new(1));
}

#[test]
fn every_layer_has_a_map_and_the_neighbours_of_its_inputs() {
    let dir = tempfile::tempdir().unwrap();
    write_store(&dir.path().join("store"), &three_layers(), true);
    let plan = plan(dir.path(), &[("neighbours", "4")]);
    let record = run(&plan, &[], &Silent).unwrap();
    let root = dir.path().join("run");
    for layer in &record.layers {
        let map = subspect_data::dense::read_f32(&root.join(layer.layout.as_ref().unwrap())).unwrap();
        assert_eq!((map.n_rows(), map.n_cols()), (N, 2));
        assert!(map.data().iter().all(|v| v.is_finite()));
    }
    // The record's own neighbourhoods are the same, for the layer that it shows.
    let shown = &record.neighbourhoods[0];
    let file = root.join(record.layers[shown.layer].neighbours.as_ref().unwrap());
    let near = subspect_data::neighbours::Neighbours::load(&file).unwrap();
    let at = near.indptr[shown.input]..near.indptr[shown.input + 1];
    let wanted: Vec<u32> = shown.neighbours.iter().map(|n| n.input as u32).collect();
    assert_eq!(near.indices[at], wanted);
    assert!((near.class_affinity.row(shown.input).iter().sum::<f32>() - 1.0).abs() < 1e-6);

    let again = lines_of(&plan);
    assert_eq!(count(&again, "reused layouts"), 1, "{again:?}");
    let other = lines_of(&self::plan(dir.path(), &[("neighbours", "4"), ("layout_epochs", "20")]));
    assert_eq!((count(&other, "computed layouts"), count(&other, "computed graphs")), (1, 0), "{other:?}");
    let none = run(&self::plan(dir.path(), &[("layout_epochs", "0")]), &[], &Silent).unwrap();
    assert!(none.layers.iter().all(|l| l.layout.is_none()));
}
