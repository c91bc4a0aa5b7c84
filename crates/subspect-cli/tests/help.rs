//! The help text of every command, under snapshot: changing it is a decision.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::Scratch;

#[test]
fn help_of_every_command() {
    let scratch = Scratch::new();
    // The list of commands is that of a build with every feature, as ./test makes it.
    #[cfg(feature = "train")]
    insta::assert_snapshot!("help", scratch.ok(&["--help"]));
    for command in [
        #[cfg(feature = "train")]
        "train",
        "demo",
        "run",
        "layers",
        "capture",
        "import",
        "express",
        "measure",
        "vote",
        "cluster",
        "similarity",
        "compare",
        "dynamics",
        "sweep",
        "rank",
        "neighbors",
        "report",
        "serve",
        "figures",
        "export",
        "methods",
        "check",
    ] {
        let long = scratch.ok(&[command, "--help"]);
        assert!(long.contains("Examples:"), "{command} has no examples");
        insta::assert_snapshot!(format!("help_{command}"), long);
    }
}

#[test]
fn methods_names_everything_once() {
    let scratch = Scratch::new();
    let all = scratch.json(&["methods"]);
    for (list, name) in [
        ("methods", "lasso"),
        ("measures", "modularity"),
        ("similarities", "ssc_cka"),
        ("postprocesses", "strongest"),
        ("detectors", "leiden"),
        ("quality_functions", "cpm"),
        ("agreements", "ari"),
        ("architectures", "cnn"),
        ("options", "inputs"),
    ] {
        assert!(all[list].as_array().unwrap().iter().any(|m| m["name"] == name), "{list}: {name}");
    }
    insta::assert_snapshot!("methods_omp", scratch.ok(&["methods", "omp"]));
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    let scratch = Scratch::new();
    insta::assert_snapshot!("wrong_argument", scratch.error(&["run", "--alpha-raito", "0.1"]));
    insta::assert_snapshot!("wrong_command", scratch.error(&["rum"]));
}
