//! Two runs side by side, conditions and their exit codes, and inputs in the order to look at.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{Scratch, text};

/// The demo, and the same network analysed with sparser graphs: `a` and `b`.
fn two_runs() -> Scratch {
    let s = Scratch::new();
    s.ok(&["demo", "--pretrained", "--output", "a"]);
    s.ok(&["run", "--config", "a/plan.toml", "--alpha-ratio", "0.3", "--output", "b", "--no-report"]);
    s
}

#[test]
fn a_comparison_has_maps_matches_tests_and_a_page() {
    let s = two_runs();
    let found = s.json(&["compare", "a", "b", "--output", "cmp"]);
    assert_eq!((found["n_inputs"].as_u64(), &found["notes"]), (Some(1000), &serde_json::json!([])));
    let maps = found["maps"].as_array().unwrap();
    let names: Vec<String> = maps
        .iter()
        .map(|m| format!("{} {}", m["measure"].as_str().unwrap(), m["estimator"].as_str().unwrap()))
        .collect();
    assert_eq!(names, ["ssc_cka biased", "ssc_cka debiased", "linear_cka biased", "linear_cka debiased"]);
    // The activations are the same, so linear CKA of a layer with itself is 1 and every layer matches itself.
    let value = |m: usize, i: usize, j: usize| maps[m]["values"][i][j]["value"].as_f64().unwrap();
    for layer in 0..7 {
        assert!((value(2, layer, layer) - 1.0).abs() < 1e-6);
        assert!((0.3..1.0).contains(&value(0, layer, layer)), "{}", value(0, layer, layer));
    }
    let best = &found["best_in_b"][6];
    assert_eq!((best["layer"].as_str(), best["match"].as_str()), (Some("linear"), Some("linear")));
    // One network: its own answers are the same.
    assert_eq!(found["prediction_change"]["value"], 0.0);
    assert_eq!(found["accuracy"]["p"]["value"], 1.0);
    for file in ["comparison.json", "comparison.html", "tables/similarity.csv", "tables/inputs.csv"] {
        assert!(s.path("cmp").join(file).is_file(), "{file}");
    }
    let table = s.ok(&["compare", "a", "b", "--format", "csv"]);
    assert!(table.starts_with(
        "model_a,layer_a,model_b,layer_b,measure,estimator,value,lo,hi,z,p,p_adjusted,status,n"
    ));
    assert_eq!(table.lines().count(), 1 + 4 * 49);
    assert_eq!(std::fs::read_to_string(s.path("cmp/tables/similarity.csv")).unwrap(), table);
    // The same with one thread.
    assert_eq!(s.ok(&["compare", "a", "b", "--format", "csv", "--threads", "1"]), table);
    let page = std::fs::read_to_string(s.path("cmp/comparison.html")).unwrap();
    assert!(page.contains("Matching layers") && !page.contains("NaN"));
}

#[test]
fn conditions_decide_the_exit_code() {
    let s = two_runs();
    let passes =
        s.output(&["compare", "a", "b", "--fail-if", "ssc_cka(*) < 0.01", "--fail-if", "accuracy_drop > 0"]);
    assert_eq!(passes.status.code(), Some(0), "{}", text(&passes.stderr));
    let args = ["compare", "a", "b", "--format", "json", "--fail-if", "ssc_cka(layer2.*) < 1", "--fail-if"];
    let fails = s.output(&[&args[..], &["modularity_drop(conv1, linear) > 1"]].concat());
    assert_eq!(fails.status.code(), Some(1), "{}", text(&fails.stderr));
    assert!(
        text(&fails.stderr).starts_with("failed: --fail-if ssc_cka(layer2.*) < 1 (layer2.0"),
        "{}",
        text(&fails.stderr)
    );
    let verdict = &serde_json::from_slice::<serde_json::Value>(&fails.stdout).unwrap()["verdict"];
    assert_eq!((&verdict["failed"], &verdict["conditions"][1]["failed"]), (&true.into(), &false.into()));
    assert_eq!(verdict["conditions"][0]["cells"].as_array().unwrap().len(), 3);
    // What cannot be measured must not pass.
    std::fs::remove_dir_all(s.path("b/activations")).unwrap();
    let gone = s.output(&["compare", "a", "b", "--fail-if", "linear_cka(linear) < 0.1"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("linear: not_executed"), "{}", text(&gone.stderr));
    assert!(text(&gone.stdout).contains("note: linear CKA was left out: b has no activations any more"));
}

#[test]
fn mistakes_in_conditions_and_runs_are_explained() {
    let s = two_runs();
    let condition = |text: &str| s.error(&["compare", "a", "b", "--fail-if", text]);
    insta::assert_snapshot!("unknown_measure", condition("ssc_kca(linear) < 0.8"));
    insta::assert_snapshot!("unknown_layer", condition("ssc_cka(linaer) < 0.8"));
    insta::assert_snapshot!("no_number", condition("ssc_cka(linear) < much"));
    insta::assert_snapshot!("no_layer", condition("ssc_cka < 0.8"));
    s.ok(&[
        "run",
        "--config",
        "a/plan.toml",
        "--inputs",
        "200",
        "--output",
        "c",
        "--no-report",
        "--similarity",
        "none",
    ]);
    insta::assert_snapshot!("other_inputs", s.error(&["compare", "a", "c"]));
    insta::assert_snapshot!("no_csv", s.error(&["report", "a", "--format", "csv"]));
    insta::assert_snapshot!("bad_level", s.error(&["compare", "a", "b", "--level", "95"]));
    std::fs::create_dir(s.path("taken")).unwrap();
    s.write("taken/notes.txt", b"mine");
    insta::assert_snapshot!("taken_folder", s.error(&["compare", "a", "b", "--output", "taken"]));
}

#[test]
fn inputs_are_ranked() {
    let s = Scratch::new();
    s.ok(&["demo", "--pretrained", "--output", "d"]);
    let found = s.json(&["rank", "d", "--top", "0"]);
    assert_eq!((&found["score"], &found["layer"]), (&"propagated_label".into(), &"layer2.0".into()));
    let inputs = found["inputs"].as_array().unwrap();
    let score = |k: usize| inputs[k]["score"]["value"].as_f64().unwrap();
    assert!(inputs.len() == 1000 && (1..1000).all(|k| score(k) <= score(k - 1)));
    // The digits that the network gets wrong come early.
    let wrong = inputs.iter().take(100).filter(|i| i["label"] != i["prediction"]).count();
    assert!(wrong >= 16, "{wrong} of 24");
    let table = s.ok(&["rank", "d", "--by", "layers", "--top", "5", "--format", "csv"]);
    assert_eq!(
        table.lines().next(),
        Some("rank,id,label,prediction,confidence,vote,score,layer,value,status")
    );
    assert_eq!(table.lines().count(), 6);
    let first = s.json(&["rank", "d", "--by", "layers", "--layer", "conv1", "--top", "1"]);
    assert_eq!(first["inputs"][0]["score"]["status"], "not_applicable");
    insta::assert_snapshot!("rank_unknown", s.error(&["rank", "d", "--by", "vote-lable"]));
    insta::assert_snapshot!("rank_no_layer", s.error(&["rank", "d", "--layer", "layer2"]));
}
