//! Trainings over small activation stores: when layers settle, what is kept, what is computed again.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use subspect_data::dense::read_f32;
use subspect_data::dynamics::{Censored, DynamicsRecord, OrderVerdict};
use subspect_data::record::{DatasetInfo, Inputs};
use subspect_data::store::{LayerSpec, StoreHeader, StoreWriter};
use subspect_linalg::{Matrix, Status};
use subspect_pipeline::options::Options;
use subspect_pipeline::{
    DynamicsSettings, Events, Outcome, PipelineError, Recording, Silent, Stage, dynamics,
};

const N: usize = 60;
const FEATURES: usize = 12;
const LAYERS: usize = 5;
const EPOCHS: usize = 7;

/// Pseudo-random numbers in -1..1 without a generator.
fn noise(i: usize, j: usize, k: usize) -> f32 {
    let x = ((i * 7919 + j * 104_729 + k * 15_485_863) as f32 * 0.618_034).sin() * 43_758.547;
    2.0 * (x - x.floor()) - 1.0
}

/// Layer `l` goes from its start to its end within `l + 1` epochs, and then stands still but for a little.
fn layer(l: usize, epoch: usize, seed: usize) -> Matrix<f32> {
    let done = (epoch as f32 / (l + 1) as f32).min(1.0);
    Matrix::from_fn(N, FEATURES, |i, j| {
        let class = if j % 3 == i % 3 { 1.5 } else { 0.0 };
        let end = class + noise(i, j, l + 100 * seed);
        (1.0 - done) * noise(i, j, 50 + l) + done * end + 0.01 * noise(i, j, 1000 + epoch)
    })
}

fn write_store(folder: &Path, layers: &[(String, Matrix<f32>)], key: &str) {
    let header = StoreHeader {
        key: key.into(),
        inputs: Inputs {
            ids: (0..N).map(|i| format!("in{i}")).collect(),
            labels: (0..N).map(|i| (i % 3) as u32).collect(),
            ..Inputs::default()
        },
        dataset: DatasetInfo {
            name: "test".into(),
            format: "activations".into(),
            n_total: N,
            classes: ["a", "b", "c"].map(str::to_owned).into(),
            image_shape: Vec::new(),
            normalize: "none".into(),
            hash: key.into(),
            citation: None,
        },
        model: None,
    };
    let spec = |(name, x): &(String, Matrix<f32>)| LayerSpec {
        name: name.clone(),
        kind: "imported".into(),
        shape: vec![x.n_cols()],
        n_features: x.n_cols(),
        pool: "flatten".into(),
    };
    let mut writer =
        StoreWriter::create(folder, header, &layers.iter().map(spec).collect::<Vec<_>>()).unwrap();
    for (i, (_, x)) in layers.iter().enumerate() {
        writer.append(i, x.as_ref()).unwrap();
    }
    writer.finish().unwrap();
}

fn write_epoch(folder: &Path, epoch: usize, seed: usize) {
    let layers: Vec<_> = (0..LAYERS).map(|l| (format!("block{l}"), layer(l, epoch, seed))).collect();
    write_store(&folder.join(format!("epoch-{epoch}")), &layers, &format!("{seed} {epoch}"));
}

fn write_training(folder: &Path, epochs: impl IntoIterator<Item = usize>, seed: usize) -> PathBuf {
    epochs.into_iter().for_each(|e| write_epoch(folder, e, seed));
    folder.to_owned()
}

fn settings(output: PathBuf) -> DynamicsSettings {
    let options =
        Options::default().with("permutations", "19").with("resamples", "99").with("layout_epochs", "20");
    DynamicsSettings { options, output, threshold: 0.95, keep_activations: false, command: "test".into() }
}

fn follow(trainings: &[PathBuf], output: &Path) -> (DynamicsRecord, Vec<String>) {
    let events = Recording::default();
    let record = dynamics(trainings, &settings(output.to_owned()), &[], &events).unwrap();
    (record, events.lines())
}

fn count(lines: &[String], start: &str) -> usize {
    lines.iter().filter(|l| l.starts_with(start)).count()
}

#[test]
fn layers_that_settle_one_after_the_other_are_found_in_order() {
    let dir = tempfile::tempdir().unwrap();
    // Epochs are numbers: 10 comes after 2.
    let epochs = [0, 1, 2, 3, 4, 5, 10];
    let training = write_training(&dir.path().join("training"), epochs, 0);
    let (record, _) = follow(std::slice::from_ref(&training), &dir.path().join("out"));
    let series = &record.series[0];
    assert_eq!(series.epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), epochs.map(|e| e as u64));
    let ssc = &record.settling[0];
    assert_eq!((ssc.measure.as_str(), ssc.over.as_str(), ssc.layers.len()), ("ssc_cka", "inputs", LAYERS));
    let found: Vec<f64> = ssc.layers.iter().map(|l| l.epoch.value().unwrap()).collect();
    assert!(found.windows(2).all(|w| w[0] < w[1]), "{found:?}");
    for (l, s) in ssc.layers.iter().enumerate() {
        let (epoch, lo, hi) = (found[l], s.lo.value().unwrap(), s.hi.value().unwrap());
        // At l + 1 the layer stands still.
        assert!(epoch <= l as f64 + 1.0 && epoch > l as f64 && s.censored == Censored::No, "{l}: {s:?}");
        assert!(lo <= epoch + 0.2 && hi >= epoch - 0.2 && lo <= hi, "{l}: {s:?}");
    }
    assert_eq!((ssc.order.verdict, ssc.order.exact), (OrderVerdict::ShallowerFirst, true));
    assert!((ssc.order.spearman_p.value().unwrap() - 2.0 / 120.0).abs() < 1e-12);
    assert!(record.summary.contains(&ssc.order.sentence));
    let to_final = &series.convergence[0].to_final;
    assert_eq!((to_final.len(), to_final[6][0].value.value()), (7, Some(1.0)));
    assert_eq!(series.convergence[0].to_next.len(), 6);
    assert!(series.changes[5][0].neighbour_overlap.value().unwrap() > 0.9);
    assert!(series.changes[0][4].vote_change.value().unwrap() > 0.0);
    assert_eq!(DynamicsRecord::read(&dir.path().join("out")).unwrap(), record);
    // The user's stores stay where they are.
    assert!(training.join("epoch-0/store.json").is_file());
    let text = std::fs::read_to_string(dir.path().join("out/tables/settling.csv")).unwrap();
    assert_eq!(text.lines().count(), 1 + 4 * LAYERS);
    let table = std::fs::read_to_string(dir.path().join("out/tables/dynamics.csv")).unwrap();
    assert!(table.lines().any(|l| l.starts_with("training,0,block0,ssc_cka,biased,10,")), "{table}");
}

#[test]
fn maps_of_the_inputs_are_turned_onto_the_next_epochs() {
    let dir = tempfile::tempdir().unwrap();
    let training = write_training(&dir.path().join("training"), 0..4, 0);
    let (record, _) = follow(&[training], &dir.path().join("out"));
    let map = |e: usize| {
        let run = dir.path().join("out").join(&record.series[0].epochs[e].run);
        read_f32(&run.join("layouts/block0.npy")).unwrap()
    };
    for e in 0..3 {
        // No rotation is left: the antisymmetric part of the cross products vanishes for a Procrustes solution.
        let (a, b) = (map(e), map(e + 1));
        let mut cross = [0.0_f64; 2];
        for i in 0..N {
            let (x, y) = (a.row(i), b.row(i));
            cross[0] += f64::from(x[0] * y[1] - x[1] * y[0]);
            cross[1] += f64::from(x[0] * y[0] + x[1] * y[1]);
        }
        assert!(cross[0].abs() < 1e-3 * cross[1], "epoch {e}: {cross:?}");
    }
}

#[test]
fn a_finished_training_is_read_and_a_new_epoch_costs_what_it_costs() {
    let dir = tempfile::tempdir().unwrap();
    let (training, out) = (dir.path().join("training"), dir.path().join("out"));
    write_training(&training, 0..4, 0);
    let (first, _) = follow(std::slice::from_ref(&training), &out);
    let (again, lines) = follow(std::slice::from_ref(&training), &out);
    assert_eq!(count(&lines, "computed"), 0, "{lines:?}");
    assert_eq!(
        (again.series.clone(), again.settling.clone(), again.summary.clone()),
        (first.series, first.settling, first.summary)
    );
    write_epoch(&training, 4, 0);
    let (longer, lines) = follow(std::slice::from_ref(&training), &out);
    assert_eq!(longer.series[0].epochs.len(), 5);
    assert_eq!(count(&lines, "computed graphs"), LAYERS, "{lines:?}");
    assert_eq!(count(&lines, "computed similarity epochs"), 4);
    // Another snapshot under an old name is another epoch.
    let layers: Vec<_> = (0..LAYERS).map(|l| (format!("block{l}"), layer(l, 9, 3))).collect();
    write_store(&training.join("epoch-1"), &layers, "other");
    let (changed, lines) = follow(&[training], &out);
    assert_eq!(count(&lines, "computed graphs"), LAYERS, "{lines:?}");
    assert_ne!(changed.series[0].convergence, longer.series[0].convergence);
}

/// Stops after a number of finished stages.
struct StopAfter(AtomicUsize);

impl Events for StopAfter {
    fn finished(&self, _: Stage, _: &str, _: Outcome, _: f64) {
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    }
    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

#[test]
fn an_interrupted_call_goes_on_to_the_same_record() {
    let dir = tempfile::tempdir().unwrap();
    let training = write_training(&dir.path().join("training"), 0..4, 0);
    let whole = follow(std::slice::from_ref(&training), &dir.path().join("whole")).0;
    let out = dir.path().join("parts");
    let mut stops = 0;
    let parts = loop {
        // Stages that are there already count, too: each call gets a little further.
        let events = StopAfter(AtomicUsize::new(9 + 7 * stops));
        match dynamics(std::slice::from_ref(&training), &settings(out.clone()), &[], &events) {
            Ok(record) => break record,
            Err(PipelineError::Interrupted) => stops += 1,
            Err(other) => panic!("{other}"),
        }
        assert!(stops < 40);
    };
    assert!(stops > 1);
    assert_eq!((parts.series, parts.settling), (whole.series, whole.settling));
}

#[test]
fn several_seeds_give_intervals_over_seeds() {
    let dir = tempfile::tempdir().unwrap();
    let trainings: Vec<PathBuf> =
        (0..3).map(|seed| write_training(&dir.path().join(format!("run{seed}")), 0..EPOCHS, seed)).collect();
    let (record, _) = follow(&trainings, &dir.path().join("out"));
    assert_eq!(record.series.len(), 3);
    assert_eq!(record.series[2].epochs[0].run, "series/run2/epochs/0000");
    let over = &record.settling[0];
    assert_eq!(over.over, "seeds");
    let own: Vec<f64> =
        record.series.iter().map(|s| s.settling[0].layers[1].epoch.value().unwrap()).collect();
    let mean = own.iter().sum::<f64>() / 3.0;
    assert!((over.layers[1].epoch.value().unwrap() - mean).abs() < 1e-12);
    assert!(over.layers[1].lo.value().unwrap() < mean && over.layers[1].hi.value().unwrap() > mean);
    assert!(over.order.sentence.contains("over 3 seeds"), "{}", over.order.sentence);
}

#[test]
fn what_is_no_training_is_refused_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let error = |training: &Path, change: &dyn Fn(&mut DynamicsSettings)| {
        let mut settings = settings(dir.path().join("out"));
        change(&mut settings);
        dynamics(&[training.to_owned()], &settings, &[], &Silent).unwrap_err().to_string()
    };
    let one = write_training(&dir.path().join("one"), [3], 0);
    assert!(error(&one, &|_| {}).contains("expected two epochs or more, found only epoch-3"));
    let two = write_training(&dir.path().join("two"), 0..2, 0);
    assert!(error(&two, &|s| s.threshold = 1.5).contains("--threshold: expected a number between 0 and 1"));
    assert!(error(&two, &|s| s.output = two.clone()).contains("found other files"));
    let other: Vec<_> = (0..LAYERS).map(|l| (format!("layer{l}"), layer(l, 2, 0))).collect();
    write_store(&two.join("epoch-2"), &other, "x");
    let text = error(&two, &|_| {});
    assert!(text.contains("epoch-2") && text.contains("only in the second: block0"), "{text}");
}

#[test]
fn a_layer_without_a_final_state_has_a_status_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let training = dir.path().join("training");
    for e in 0..3 {
        let mut layers: Vec<_> = (0..3).map(|l| (format!("block{l}"), layer(l, e, 0))).collect();
        layers[1].1 = Matrix::filled(0.0, N, FEATURES);
        write_store(&training.join(format!("epoch-{e}")), &layers, &e.to_string());
    }
    let (record, _) = follow(&[training], &dir.path().join("out"));
    let ssc = &record.settling[0];
    assert!(ssc.layers[1].epoch.status().is_some() && ssc.layers[0].epoch.value().is_some(), "{ssc:?}");
    assert_eq!((ssc.order.n_layers, ssc.order.spearman.value.status()), (2, Some(Status::NTooSmall)));
    assert!(ssc.order.sentence.contains("only 2 layers"), "{}", ssc.order.sentence);
}
