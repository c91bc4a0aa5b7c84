//! Shared by the end-to-end tests: running the binary, and small files to run it on.
#![allow(dead_code, clippy::unwrap_used)] // each test binary uses its own part; helpers may panic

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use subspect_data::dense::{NpzWriter, write_f32, write_labels};
use subspect_linalg::Matrix;

/// The network that is built into the binary, as a file.
pub(crate) const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/digits_resnet.onnx");

/// A scratch folder and the binary, run inside it so that messages hold relative paths.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Scratch(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("subspect"));
        command.current_dir(self.0.path()).args(args).env("COLUMNS", "100").env_remove("NO_COLOR");
        command
    }

    pub(crate) fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must succeed and gives its stdout.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let out = self.output(args);
        assert_eq!(out.status.code(), Some(0), "{args:?}: {}", text(&out.stderr));
        text(&out.stdout)
    }

    /// Runs a command that must succeed and gives its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        serde_json::from_str(&self.ok(&args)).unwrap()
    }

    /// Runs a command that must fail with exit code 2, print nothing on stdout, and gives its stderr.
    pub(crate) fn error(&self, args: &[&str]) -> String {
        let out = self.output(args);
        let stderr = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {stderr}");
        assert_eq!(text(&out.stdout), "", "{args:?}");
        assert!(!stderr.contains('\x1b'), "colour without a terminal: {stderr}");
        stderr
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Activations with `classes` groups, and their labels.
    pub(crate) fn activations(&self, name: &str, n: usize, d: usize) {
        write_f32(&self.path(name), sample(n, d).as_ref()).unwrap();
        let labels: Vec<u32> = (0..n).map(|i| (i % 3) as u32).collect();
        write_labels(&self.path("y.npy"), &labels).unwrap();
    }

    /// Pictures of `side` x `side` with as many labels as given.
    pub(crate) fn pictures(&self, name: &str, n: usize, side: usize, n_labels: usize) {
        let file = std::fs::File::create(self.path(name)).unwrap();
        let mut npz = NpzWriter::new(file, &self.path(name));
        let pixels: Vec<u8> = (0..n * side * side).map(|i| (i * 37 % 251) as u8).collect();
        npz.add("images", "|u1", &[n, side, side], &pixels).unwrap();
        let labels: Vec<u8> = (0..n_labels).map(|i| (i % 10) as u8).collect();
        npz.add("labels", "|u1", &[n_labels], &labels).unwrap();
        npz.finish().unwrap();
    }
}

/// `labels` and `images` of the IDX layout: two classes of 8 x 8 pictures, bright above or below.
pub(crate) fn write_pictures(s: &Scratch, part: &str, n: usize) {
    std::fs::create_dir_all(s.path("data")).unwrap();
    let mut images = vec![0, 0, 8, 3];
    let mut labels = vec![0, 0, 8, 1];
    for axis in [n, 8, 8] {
        images.extend(u32::try_from(axis).unwrap().to_be_bytes());
    }
    labels.extend(u32::try_from(n).unwrap().to_be_bytes());
    for i in 0..n {
        let class = i % 2;
        labels.push(class as u8);
        for y in 0..8 {
            for x in 0..8 {
                let noise = (i * 37 + y * 11 + x * 5) % 90;
                images.push((noise + if y / 4 == class { 120 } else { 0 }) as u8);
            }
        }
    }
    s.write(&format!("data/{part}-images-idx3-ubyte"), &images);
    s.write(&format!("data/{part}-labels-idx1-ubyte"), &labels);
}

/// Inputs of three classes with a direction of their own and some noise.
pub(crate) fn sample(n: usize, d: usize) -> Matrix<f32> {
    Matrix::from_fn(n, d, |i, j| {
        let own = if i % 3 == j % 3 { 2.0 } else { 0.0 };
        own + ((i * 7919 + j * 104_729) as f32 * 0.618_034).sin()
    })
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files of a run's graphs with their contents.
pub(crate) fn graphs(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out: Vec<(String, Vec<u8>)> = std::fs::read_dir(run.join("graphs"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "npz"))
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&p).unwrap()))
        .collect();
    out.sort();
    out
}

/// The record of a run, without what may differ between equal runs.
pub(crate) fn record(run: &Path) -> serde_json::Value {
    let mut record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("record.json")).unwrap()).unwrap();
    for name in ["created", "command", "seconds"] {
        record[name] = serde_json::Value::Null;
    }
    record["machine"]["threads"] = serde_json::Value::Null;
    record["settings"]["output"] = serde_json::Value::Null;
    for layer in record["layers"].as_array_mut().unwrap() {
        layer["solve"]["seconds"] = serde_json::Value::Null;
    }
    record
}

/// Equal graphs byte by byte, and equal records but for times. Says which part differs, not both records.
pub(crate) fn assert_same_run(one: &Path, other: &Path) {
    for ((name, a), (other_name, b)) in graphs(one).iter().zip(&graphs(other)) {
        assert!(name == other_name && a == b, "{name} and {other_name} differ");
    }
    let (one, other) = (record(one), record(other));
    for (key, value) in one.as_object().unwrap() {
        assert!(*value == other[key], "the records differ in {key}");
    }
}
