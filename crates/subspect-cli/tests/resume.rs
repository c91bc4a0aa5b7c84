//! Runs that are killed, interrupted, or made on another number of threads.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use common::{Scratch, assert_same_run, record, text};

/// Dense enough to take a while per layer.
const SLOW: &[&str] = &[
    "run",
    "--model",
    "builtin:digits",
    "--data",
    "builtin:digits",
    "--alpha-ratio",
    "0.02",
    "--output",
    "r",
];

fn start(s: &Scratch) -> Child {
    s.command(SLOW).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until so many graphs are finished; false when the run ended before.
fn wait_for_graphs(child: &mut Child, run: &Path, count: usize) -> bool {
    let start = Instant::now();
    while finished_graphs(run).len() < count {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "no graph after two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Graphs whose note is written, with the time of the graph file.
fn finished_graphs(run: &Path) -> Vec<(String, SystemTime)> {
    let Ok(entries) = std::fs::read_dir(run.join("graphs")) else { return Vec::new() };
    let mut out: Vec<(String, SystemTime)> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .filter_map(|p| {
            let modified = std::fs::metadata(p.with_extension("npz")).ok()?.modified().ok()?;
            Some((p.file_stem()?.to_string_lossy().into_owned(), modified))
        })
        .collect();
    out.sort();
    out
}

#[test]
fn a_killed_run_goes_on_where_it_stopped() {
    let s = Scratch::new();
    let run = s.path("r");
    let mut child = start(&s);
    assert!(wait_for_graphs(&mut child, &run, 2), "the run was too fast to be killed");
    child.kill().unwrap();
    child.wait().unwrap();
    let before = finished_graphs(&run);
    let partial = record(&run);
    assert_eq!(partial["state"], "partial");

    s.ok(SLOW);
    let after = finished_graphs(&run);
    assert!(before.iter().all(|graph| after.contains(graph)), "finished graphs were made again");
    assert!(after.len() > before.len(), "the run had ended before it was killed");
    let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
    let second = &log[log.rfind("starts:").unwrap()..];
    assert!(second.contains("capture builtin:digits: reused"), "{second}");
    for (name, _) in &before {
        assert!(second.contains(&format!("graphs {name}: reused")), "{name} in {second}");
    }

    let whole = Scratch::new();
    whole.ok(SLOW);
    assert_same_run(&run, &whole.path("r"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_finished_work_and_says_how_to_go_on() {
    let s = Scratch::new();
    let run = s.path("r");
    let mut child = start(&s);
    assert!(wait_for_graphs(&mut child, &run, 1), "the run was too fast to be interrupted");
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let out = child.wait_with_output().unwrap();
    let stderr = text(&out.stderr);
    assert_eq!(out.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("everything finished so far is kept"), "{stderr}");
    assert!(stderr.contains("run the same command again: subspect run --model builtin:digits"), "{stderr}");
    assert_eq!(record(&run)["state"], "partial");
    s.ok(SLOW);
    assert_eq!(record(&run)["state"], "complete");
}

#[test]
fn threads_change_nothing_but_times() {
    let s = Scratch::new();
    for (threads, output) in [("1", "one"), ("3", "three")] {
        s.ok(&["demo", "--pretrained", "--threads", threads, "--seed", "7", "--output", output]);
    }
    assert_same_run(&s.path("one"), &s.path("three"));
}
