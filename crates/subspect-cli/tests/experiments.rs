//! Every configuration of `experiments/` can be read and planned; those for the shared data can be run.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::text;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Files below `experiments/` that `is_wanted` accepts, by path.
fn files(is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(Path::new(ROOT).join("experiments")).unwrap();
    let folders = folders.map(|f| f.unwrap().path()).filter(|p| p.is_dir());
    let inside = |f: PathBuf| std::fs::read_dir(f).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    let mut files: Vec<PathBuf> = folders.flat_map(inside).filter(|p| is_wanted(p)).collect();
    files.sort();
    files
}

/// Runs the program at the root, where experiments run.
fn subspect(args: &[&str], config: &Path) -> serde_json::Value {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("subspect"));
    let out = command.current_dir(ROOT).args(args).arg(config).args(["--format", "json"]).output().unwrap();
    assert!(out.status.success(), "{}: {}", config.display(), text(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn every_configuration_plans_its_cells() {
    let configs = files(|p| p.extension().is_some_and(|e| e == "toml"));
    assert!(configs.len() >= 10, "{configs:?}");
    let mut outputs = std::collections::BTreeSet::new();
    for config in configs {
        let plan = subspect(&["sweep", "--dry-run"], &config);
        assert!(plan["cells"].as_array().unwrap().len() >= 2, "{}", config.display());
        let output = plan["output"].as_str().unwrap().to_owned();
        assert!(
            output.starts_with("runs/") && outputs.insert(output),
            "{}: its own output",
            config.display()
        );
    }
}

#[test]
fn configurations_for_the_shared_data_can_be_run() {
    if !Path::new(ROOT).join("../shared/data/cifar10").is_dir() {
        eprintln!("skipped: configurations_for_the_shared_data_can_be_run: needs ../shared");
        return;
    }
    let is_small = |p: &Path| {
        let stem = p.file_stem().unwrap_or_default().to_string_lossy();
        p.extension().is_some_and(|e| e == "toml") && !stem.starts_with("full")
    };
    for config in files(is_small) {
        assert_eq!(subspect(&["check"], &config)["ok"], true);
    }
}

#[test]
fn every_experiment_says_what_is_expected_and_what_was_measured() {
    let pages = files(|p| p.ends_with("README.md"));
    let listed = std::fs::read_to_string(Path::new(ROOT).join("experiments/README.md")).unwrap();
    for page in pages {
        let (folder, text) = (page.parent().unwrap(), std::fs::read_to_string(&page).unwrap());
        assert!(text.contains("\n## Expected\n") && text.contains("\n## Measured\n"), "{}", page.display());
        let name = folder.file_name().unwrap().to_string_lossy();
        assert!(listed.contains(&format!("| `{name}/` |")), "{name} is not in the list");
        for file in files(|p| p.parent() == Some(folder) && p != page) {
            let name = file.file_name().unwrap().to_string_lossy();
            assert!(text.contains(&format!("`{name}`")), "{}: nothing about {name}", page.display());
        }
    }
}
