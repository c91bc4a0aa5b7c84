//! Every command on good input, and the files it leaves.
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{MODEL, Scratch, graphs, record, text};
use subspect_data::dense::{NpzWriter, read_labels};
use subspect_data::sparse::load_csr;

#[test]
fn demo_ends_with_the_sentences_and_the_page() {
    let s = Scratch::new();
    let out = s.ok(&["demo", "--pretrained", "--output", "d"]);
    assert!(out.contains("network accuracy 97.6 %"), "{out}");
    assert!(out.contains("Label modularity is above what permuted labels reach"), "{out}");
    assert!(out.ends_with("page: d/report.html\n"), "{out}");
    let page = std::fs::read_to_string(s.path("d/report.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") || page.starts_with("<!DOCTYPE html>"));
    for file in [
        "plan.toml",
        "record.json",
        "log.txt",
        "thumbnails.png",
        "tables/layers.csv",
        "tables/ssc_cka_biased.csv",
    ] {
        assert!(s.path("d").join(file).is_file(), "{file}");
    }
    // Its own plan repeats it, and everything is reused.
    s.ok(&["run", "--config", "d/plan.toml"]);
    // Another method does not trip over the parameters of the first.
    s.ok(&["run", "--config", "d/plan.toml", "--method", "omp", "--output", "o", "--no-report"]);
    let log = std::fs::read_to_string(s.path("d/log.txt")).unwrap();
    let second = &log[log.rfind("starts:").unwrap()..];
    assert!(
        second.contains("graphs conv1: reused") && !second.contains("graphs conv1: computed"),
        "{second}"
    );
}

#[test]
fn neighbors_report_export_and_similarity_read_a_run() {
    let s = Scratch::new();
    s.ok(&["demo", "--pretrained", "--output", "d"]);
    let near = s.json(&["neighbors", "d", "--input", "53"]);
    assert_eq!((near["label"].as_u64(), near["prediction"].as_u64()), (Some(3), Some(5)));
    assert_eq!(near["layer"], "layer2.0");
    let shares: f64 = near["class_affinity"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9);
    insta::assert_snapshot!("unknown_input", s.error(&["neighbors", "d", "--input", "9999"]));
    insta::assert_snapshot!(
        "unknown_run_layer",
        s.error(&["neighbors", "d", "--input", "53", "--layer", "layer2.1"])
    );

    std::fs::remove_file(s.path("d/report.html")).unwrap();
    s.ok(&["report", "d"]);
    assert!(s.path("d/report.html").is_file());

    let files = s.json(&["export", "d", "--to", "graphml", "--output", "g"]);
    assert_eq!(files["files"].as_array().unwrap().len(), graphs(&s.path("d")).len());
    let xml = std::fs::read_to_string(s.path("g/layer2.0.graphml")).unwrap();
    assert_eq!(xml.matches("<node ").count(), 1000);
    s.ok(&["export", "d", "--to", "csv", "--output", "c"]);
    assert!(std::fs::read_to_string(s.path("c/inputs.csv")).unwrap().starts_with(
        "id,label,prediction,confidence,propagated_label,vote_label,vote_network,layers,vote:conv1"
    ));

    let own = s.json(&["similarity", "d", "d"]);
    assert_eq!(own["measure"], "ssc_cka");
    assert!((own["biased"][2][2]["value"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    let map = &record(&s.path("d"))["similarity"][0]["values"];
    assert_eq!(own["biased"][0][1], map[0][1]);
}

#[test]
fn import_express_measure_similarity_work_on_bare_files() {
    let s = Scratch::new();
    s.activations("x.npy", 60, 9);
    s.ok(&["express", "x.npy", "--alpha-ratio", "0.2", "--output", "c.npz"]);
    let coefficients = load_csr(&s.path("c.npz")).unwrap();
    assert_eq!((coefficients.n_rows(), coefficients.get(3, 3)), (60, 0.0));
    let certificate: serde_json::Value =
        serde_json::from_slice(&std::fs::read(s.path("c.json")).unwrap()).unwrap();
    assert_eq!(certificate["rows"]["gap"].as_array().unwrap().len(), 60);
    assert_eq!(certificate["parameters"]["alpha_ratio"], 0.2);
    assert!(certificate["solve"]["gap_max"]["value"].as_f64().unwrap() <= 1e-6);

    let measured = s.json(&["measure", "c.npz", "--labels", "y.npy"]);
    assert!(measured["structure"]["measures"]["modularity"]["value"].as_f64().unwrap() > 0.2);
    let blind = s.json(&["measure", "c.npz"]);
    assert_eq!(blind["structure"]["measures"]["modularity"]["status"], "no_labels");

    s.ok(&["express", "x.npy", "--method", "omp", "--n-nonzero-coefs", "4", "--output", "o.npz"]);
    let pair = s.json(&["similarity", "c.npz", "o.npz"]);
    assert_eq!(pair["measure"], "ssc_cka");
    let same = s.json(&["similarity", "x.npy", "x.npy"]);
    assert!((same["biased"][0][0]["value"].as_f64().unwrap() - 1.0).abs() < 1e-9);

    s.ok(&["import", "x.npy", "--labels", "y.npy", "--output", "store"]);
    s.ok(&["express", "store", "--alpha-ratio", "0.2", "--output", "again.npz"]);
    assert_eq!(std::fs::read(s.path("again.npz")).unwrap(), std::fs::read(s.path("c.npz")).unwrap());
    s.ok(&["run", "--store", "store", "--output", "r", "--permutations", "19"]);
    assert_eq!(record(&s.path("r"))["model"], serde_json::Value::Null);
}

#[test]
fn capture_and_run_on_files_agree_with_the_built_in_ones() {
    let s = Scratch::new();
    s.pictures("d.npz", 40, 8, 40);
    let first =
        s.json(&["capture", "--model", MODEL, "--data", "d.npz", "--inputs", "20", "--output", "store"]);
    assert_eq!(first["n_inputs"], 20);
    let layers = s.json(&["layers", MODEL, "--selected"]);
    assert_eq!(layers["layers"].as_array().unwrap().len(), first["layers"].as_array().unwrap().len());
    insta::assert_snapshot!("layers", s.ok(&["layers", MODEL]));
}

#[test]
fn cluster_finds_groups_and_compares_them_with_labels() {
    let s = Scratch::new();
    s.activations("x.npy", 60, 9);
    s.ok(&["express", "x.npy", "--alpha-ratio", "0.2", "--output", "c.npz"]);
    let args = ["cluster", "c.npz", "--n-clusters", "3", "--labels", "y.npy", "--output", "found.npy"];
    let found = s.json(&args);
    let clusters = &found["clusters"];
    assert_eq!((&found["n_inputs"], &clusters["status"]), (&60.into(), &"converged".into()), "{clusters}");
    let sizes: u64 = clusters["sizes"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).sum();
    assert_eq!((sizes, clusters["eigenvalues"].as_array().unwrap().len()), (60, 3));
    assert!(clusters["agreement"]["accuracy"]["value"].as_f64().unwrap() >= 1.0 / 3.0, "{clusters}");
    let labels = read_labels(&s.path("found.npy")).unwrap();
    assert_eq!((labels.len(), labels[0]), (60, 0));
    // The same with one thread; another affinity has other edges.
    s.ok(&[&args[..], &["--threads", "1"]].concat());
    assert_eq!(read_labels(&s.path("found.npy")).unwrap(), labels);
    let few = ["cluster", "c.npz", "--n-clusters", "3", "--postprocess", "strongest", "--n-strongest", "1"];
    assert!(s.json(&few)["clusters"]["n_edges"].as_u64() < clusters["n_edges"].as_u64());
    let text = s.ok(&args);
    assert!(text.contains("3 clusters of") && text.contains("accuracy"), "{text}");
}

#[test]
fn strict_fails_when_rows_did_not_converge() {
    let s = Scratch::new();
    s.activations("x.npy", 60, 9);
    let args = [
        "express",
        "x.npy",
        "--max-iter",
        "1",
        "--tol",
        "1e-14",
        "--alpha-ratio",
        "0.01",
        "--output",
        "c.npz",
    ];
    assert_eq!(s.output(&args).status.code(), Some(0));
    let strict = s.output(&[&args[..], &["--strict"]].concat());
    assert_eq!(strict.status.code(), Some(1), "{}", text(&strict.stderr));
    assert!(text(&strict.stderr).contains("did not converge (--strict)"));
    assert!(!strict.stdout.is_empty(), "the result is printed all the same");
}

#[test]
fn quiet_says_nothing_and_a_closed_pipe_is_no_error() {
    let s = Scratch::new();
    let out = s.output(&["demo", "--pretrained", "--output", "d", "--quiet"]);
    assert_eq!((out.status.code(), text(&out.stderr).as_str()), (Some(0), ""));
    let mut child = s
        .command(&["methods"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!((out.status.code(), text(&out.stderr).as_str()), (Some(0), ""));
}

const ENCODER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../subspect-nets/tests/fixtures/encoder.onnx");

/// Token arrays of `n` inputs and 7 tokens; the class decides the ids.
fn token_arrays(s: &Scratch, name: &str, n: usize) {
    let mut npz = NpzWriter::new(std::fs::File::create(s.path(name)).unwrap(), &s.path(name));
    let bytes = |value: &dyn Fn(usize, usize) -> i64| -> Vec<u8> {
        (0..n * 7).flat_map(|k| value(k / 7, k % 7).to_le_bytes()).collect()
    };
    let mask = |i: usize, t: usize| i64::from(t <= i % 7);
    let ids = |i: usize, t: usize| mask(i, t) * (1 + (13 * (i % 3) + (i + t) % 9) as i64);
    npz.add("input_ids", "<i8", &[n, 7], &bytes(&ids)).unwrap();
    npz.add("attention_mask", "<i8", &[n, 7], &bytes(&mask)).unwrap();
    npz.add("token_type_ids", "<i8", &[n, 7], &bytes(&|_, _| 0)).unwrap();
    npz.add("labels", "|u1", &[n], &(0..n).map(|i| (i % 3) as u8).collect::<Vec<_>>()).unwrap();
    npz.finish().unwrap();
}

#[test]
fn a_text_encoder_is_analysed_like_a_classifier() {
    let s = Scratch::new();
    insta::assert_snapshot!(
        "layers_of_an_encoder",
        s.ok(&["layers", ENCODER, "--selected", "--tokens", "7"])
    );
    token_arrays(&s, "tokens.npz", 60);
    let args = ["run", "--model", ENCODER, "--data", "tokens.npz", "--permutations", "19", "--output", "r"];
    s.ok(&[&args[..], &["--pool", "mean"]].concat());
    let record = record(&s.path("r"));
    let layers: Vec<&str> =
        record["layers"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    assert_eq!((layers[0], layers[1], layers.len()), ("embeddings", "encoder.layer.0.attention.output", 6));
    assert_eq!(
        (&record["layers"][0]["pool"], &record["layers"][0]["n_features"]),
        (&"mean".into(), &16.into())
    );
    assert_eq!(
        (&record["model"]["input_shape"][0], &record["thumbnails"]),
        (&7.into(), &serde_json::Value::Null)
    );
    assert!(record["layers"][0]["measures"]["modularity"]["value"].as_f64().unwrap() > 0.3);
    assert!(std::fs::read_to_string(s.path("r/report.html")).unwrap().contains("encoder.layer.1.output"));
    // Mistakes: pictures for it, tokens for a classifier, pixel options for tokens, a token of a convolution.
    s.pictures("pictures.npz", 10, 8, 10);
    insta::assert_snapshot!(
        "tokens_and_pictures",
        [
            s.error(&["capture", "--model", ENCODER, "--data", "pictures.npz", "--output", "x"]),
            s.error(&["capture", "--model", MODEL, "--data", "tokens.npz", "--output", "x"]),
            s.error(&[
                "capture",
                "--model",
                ENCODER,
                "--data",
                "tokens.npz",
                "--normalize",
                "cifar10",
                "--output",
                "x"
            ]),
            s.error(&[
                "capture",
                "--model",
                MODEL,
                "--data",
                "pictures.npz",
                "--pool",
                "cls",
                "--output",
                "x"
            ]),
        ]
        .concat()
    );
}

#[test]
fn saved_activations_are_analysed_without_a_model() {
    let s = Scratch::new();
    std::fs::create_dir(s.path("tables")).unwrap();
    for layer in ["l1", "l2"] {
        let mut text = String::from("id,a,b,c,d,label,prediction\n");
        for i in 0..45_usize {
            let value = |j: usize| f64::from(u8::from(i % 3 == j)) + ((i * 7 + j * 5) as f64).sin() / 4.0;
            let values: Vec<String> = (0..4).map(|j| value(j).to_string()).collect();
            let class = ["ant", "bee", "cat"];
            let (label, prediction) = (class[i % 3], class[if i == 4 { 0 } else { i % 3 }]);
            text += &format!("input {i},{},{label},{prediction}\n", values.join(","));
        }
        s.write(&format!("tables/{layer}.csv"), text.as_bytes());
    }
    let args = ["run", "--store", "tables", "--output", "r", "--permutations", "19"];
    s.ok(&args);
    let found = record(&s.path("r"));
    assert_eq!(found["dataset"]["classes"], serde_json::json!(["ant", "bee", "cat"]));
    assert_eq!(found["inputs"]["ids"][4], "input 4");
    assert_eq!(found["neighbourhoods"][0]["input"], 4, "the one that the network got wrong comes first");
    assert!(found["layers"][1]["measures"]["vote_agreement"]["value"].as_f64().unwrap() > 0.5);
    assert!(s.path("r/report.html").is_file());
    // Again: nothing is imported or computed; a changed table is.
    s.ok(&args);
    let log = std::fs::read_to_string(s.path("r/log.txt")).unwrap();
    assert!(log[log.rfind("starts:").unwrap()..].contains("graphs l1: reused"), "{log}");
    s.write("tables/l1.csv", b"id,a,b,label,prediction\ninput 0,1,x,ant,ant\n");
    insta::assert_snapshot!("bad_table", s.error(&args));
}

/// Weights of a small network of the digits' shape, in a file.
fn weights(s: &Scratch, file: &str) {
    let arch: subspect_nets::ArchitectureSpec = "cnn:width=0.25,input=1x8x8".parse().unwrap();
    let network = arch.build(&subspect_nets::ArchitectureOptions::default()).unwrap();
    let weights = network.initialise(subspect_linalg::Seed::new(1));
    weights.save_safetensors(&s.path(file)).unwrap();
}

#[test]
fn weights_are_analysed_with_the_name_of_their_network() {
    let s = Scratch::new();
    weights(&s, "w.safetensors");
    let error = s.error(&["layers", "w.safetensors"]);
    assert!(error.contains("say with --arch what network they are of"), "{error}");
    let listed = s.json(&["layers", "w.safetensors", "--arch", "cnn:width=0.25"]);
    assert_eq!(listed["layers"][0]["name"], "conv1");
    let taps = ["layers", "w.safetensors", "--arch", "cnn:width=0.25", "--layers", "taps", "--selected"];
    let taps = s.json(&taps)["layers"].as_array().unwrap().len();
    assert!(taps >= 3 && taps < listed["layers"].as_array().unwrap().len(), "{taps}");
    let error = s.error(&["layers", "w.safetensors", "--arch", "cnn"]);
    assert!(error.contains("conv1.weight: expected shape [16, 1, 3, 3], found [4, 1, 3, 3]"), "{error}");
    let common = ["--data", "builtin:digits", "--inputs", "60", "--permutations", "9", "--resamples", "0"];
    let run = ["run", "--model", "w.safetensors", "--arch", "cnn:width=0.25", "--output", "r"];
    let args: Vec<&str> = run.into_iter().chain(common).collect();
    s.ok(&args);
    assert_eq!(record(&s.path("r"))["settings"]["arch"], "cnn:width=0.25");
    let again = s.json(&["run", "--config", "r/plan.toml"]);
    assert_eq!(again["layers"].as_array().unwrap().len(), 5);
}

#[test]
fn a_sweep_runs_every_cell_once() {
    let s = Scratch::new();
    weights(&s, "cnn.safetensors");
    let config = "name = 'two'\noutput = 'sweep'\n[options]\ndata = 'builtin:digits'\npermutations = 9\nresamples = 0\nlayout_epochs = 0\n\
                  layers = ['conv', 'logits']\n[grid]\ninputs = [60, 80]\n\
                  [[cell]]\nname = 'small'\nmodel = '{name_of}.safetensors'\narch = 'cnn:width=0.25'\n";
    s.write("two.toml", config.replace("{name_of}", "cnn").as_bytes());
    let dry = s.json(&["sweep", "two.toml", "--dry-run"]);
    assert_eq!(dry["cells"], serde_json::json!(["small, inputs=60", "small, inputs=80"]));
    assert!(!s.path("sweep").exists());
    let done = s.json(&["sweep", "two.toml"]);
    let cells = done["sweep"]["cells"].as_array().unwrap();
    assert_eq!((cells.len(), cells[1]["n_inputs"].as_u64()), (2, Some(80)));
    assert!(cells[0]["maps"][0]["blocks"]["starts"].is_array());
    let page = std::fs::read_to_string(s.path("sweep/sweep.html")).unwrap().replace("&#x2f;", "/");
    assert!(page.contains("cells/small_inputs-60/report.html") && page.contains("Blocks begin at"));
    assert!(s.path("sweep/cells/small_inputs-60/report.html").is_file());
    let table = std::fs::read_to_string(s.path("sweep/tables/cells.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 2 * 4);
    let again = s.output(&["sweep", "two.toml"]);
    let log = std::fs::read_to_string(s.path("sweep/cells/small_inputs-80/log.txt")).unwrap();
    assert!(again.status.success() && log.matches("complete").count() == 2, "{log}");
    let page_again = std::fs::read_to_string(s.path("sweep/sweep.html")).unwrap().replace("&#x2f;", "/");
    assert_eq!(page.replace(" --format json", ""), page_again);
}
