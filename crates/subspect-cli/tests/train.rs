//! `subspect train`, from a folder of pictures to snapshots that `subspect dynamics` follows.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::{Scratch, write_pictures};

#[test]
fn a_training_is_made_resumed_and_followed() {
    let s = Scratch::new();
    write_pictures(&s, "train", 80);
    write_pictures(&s, "t10k", 40);
    let arch = "cnn:width=0.25";
    let args = [
        "train",
        "--arch",
        arch,
        "--data",
        "data",
        "--epochs",
        "3",
        "--batch-size",
        "16",
        "--crop",
        "0",
        "--output",
        "t",
    ];
    let made = s.json(&args);
    assert_eq!((made["state"].as_str(), made["epochs"].as_array().unwrap().len()), (Some("complete"), 4));
    assert!(made["epochs"][3]["test_accuracy"]["value"].as_f64().unwrap() > 0.8, "{made}");
    // Nothing is left to do, and other options are not mistaken for it.
    assert_eq!(s.json(&args)["epochs"], made["epochs"]);
    let other = [&args[..6], &["4"], &args[7..]].concat();
    let error = s.error(&other);
    assert!(error.contains("another epochs (3)"), "{error}");
    let error = s.error(&["train", "--arch", "resnet9", "--data", "data", "--output", "u"]);
    assert!(error.contains("resnet9"), "{error}");
    s.ok(&[
        "dynamics",
        "t",
        "--data",
        "data",
        "--output",
        "d",
        "--inputs",
        "40",
        "--permutations",
        "9",
        "--resamples",
        "9",
    ]);
    let text = std::fs::read_to_string(s.path("d/dynamics.json")).unwrap();
    let followed: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(followed["series"][0]["epochs"].as_array().map(Vec::len), Some(4));
    assert!(s.path("d/report.html").is_file());
    // Inputs ranked over the epochs, by a score of the last one, and a score that a single run has not.
    let ranked = s.json(&["rank", "d", "--by", "epoch-margin", "--top", "3"]);
    assert_eq!((ranked["score"].as_str(), ranked["n_inputs"].as_u64()), (Some("epoch_margin"), Some(40)));
    assert_eq!(s.json(&["rank", "d", "--top", "3"]), s.json(&["rank", "d/epochs/0003", "--top", "3"]));
    let error = s.error(&["rank", "d/epochs/0003", "--by", "forgotten"]);
    assert!(error.contains("the folder of `subspect dynamics`"), "{error}");
}

/// Two networks of two lengths, and two snapshots of each: four cells, but two trainings.
const SWEEP: &str = "output = 'sweep'\n\
    [train]\ndata = 'data'\narch = 'cnn:width=0.25'\nbatch_size = 16\ncrop = 0\nflip = false\n\
    [options]\ninputs = 40\npermutations = 9\nresamples = 0\nlayout_epochs = 0\nexamples = 0\n\
    [grid]\nepoch = ['first', 'last']\n[grid.train]\nepochs = [2, 3]\nseed = [0, 1]\n";

#[test]
fn a_sweep_trains_every_network_once_and_follows_its_snapshots() {
    let s = Scratch::new();
    write_pictures(&s, "train", 80);
    write_pictures(&s, "t10k", 40);
    s.write("s.toml", SWEEP.as_bytes());
    let dry = s.json(&["check", "s.toml"]);
    assert_eq!((dry["trainings"].as_array().unwrap().len(), dry["cells"].as_array().unwrap().len()), (4, 8));
    assert_eq!(dry["trainings"][1]["folder"], "trainings/epochs-2_seed-1");
    assert!(!s.path("sweep").exists());
    let done = s.json(&["sweep", "s.toml"]);
    let sweep = &done["sweep"];
    let cells = sweep["cells"].as_array().unwrap();
    let training = |k: usize| &cells[k]["training"];
    assert_eq!((training(0)["epoch"].as_u64(), training(7)["epoch"].as_u64()), (Some(1), Some(3)));
    assert_eq!((training(0)["n_train"].as_u64(), cells[0]["n_inputs"].as_u64()), (Some(80), Some(40)));
    // The run sees the same held-out pictures as the training.
    for cell in cells {
        assert_eq!(cell["accuracy"], cell["training"]["test_accuracy"], "{}", cell["name"]);
    }
    let (seeds, trends) = (sweep["seeds"].as_array().unwrap(), sweep["trends"].as_array().unwrap());
    assert_eq!((seeds.len(), seeds[0]["n_seeds"].as_u64()), (4, Some(2)));
    assert!(seeds[0]["accuracy"]["lo"]["value"].as_f64() <= seeds[0]["accuracy"]["value"]["value"].as_f64());
    let along: Vec<&str> = trends.iter().map(|t| t["axis"].as_str().unwrap()).collect();
    assert!(along.contains(&"epoch") && along.contains(&"epochs") && !along.contains(&"seed"), "{along:?}");
    assert_eq!(trends[0]["points"].as_array().unwrap().len(), 4);
    for table in ["cells", "seeds", "trends"] {
        assert!(s.path(&format!("sweep/tables/{table}.csv")).is_file(), "{table}");
    }
    let page = std::fs::read_to_string(s.path("sweep/sweep.html")).unwrap();
    for part in ["Block score along an axis", "Over seeds", "3 of 3", "Spearman"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(s.path("sweep/figures/trend-epochs.svg").is_file());
    // Nothing is trained or run again.
    let training = s.path("sweep/trainings/epochs-3_seed-1/training.json");
    let before = std::fs::read(&training).unwrap();
    assert_eq!(s.json(&["sweep", "s.toml"])["sweep"]["cells"], sweep["cells"]);
    assert_eq!(std::fs::read(&training).unwrap(), before);
}

#[test]
fn a_sweep_with_trainings_is_checked_before_anything_is_computed() {
    let s = Scratch::new();
    for (from, to, part) in [
        ("crop = 0", "crpo = 0", "did you mean \"crop\""),
        ("epochs = [2, 3]", "epochs = [2, 'many']", "cell epoch=first, epochs=many, seed=0"),
        ("'first', ", "'half', ", "expected first, last, a share"),
        ("data = 'data'", "data = 'nowhere'", "found nothing at nowhere"),
        ("flip = false", "snapshots = 'last'", "whose weights are kept (3), found \"first\""),
    ] {
        s.write(
            "s.toml",
            SWEEP
                .replace("[2, 3]", if part.contains("(3)") { "[3]" } else { "[2, 3]" })
                .replace(from, to)
                .as_bytes(),
        );
        for command in ["check", "sweep"] {
            let error = s.error(&[command, "s.toml"]);
            assert!(error.contains(part), "{part}: {error}");
        }
    }
    assert!(!s.path("sweep").exists());
}

#[test]
fn a_training_that_diverges_leaves_the_other_cells() {
    let s = Scratch::new();
    write_pictures(&s, "train", 80);
    write_pictures(&s, "t10k", 40);
    let wild = SWEEP.replace("epochs = [2, 3]\nseed = [0, 1]", "learning_rate = [0.05, 1e30]");
    s.write(
        "s.toml",
        wild.replace("['first', 'last']", "['last']").replace("flip", "epochs = 2\nflip").as_bytes(),
    );
    let done = s.json(&["sweep", "s.toml"]);
    assert_eq!(done["sweep"]["cells"].as_array().unwrap().len(), 1, "{}", done["sweep"]["failures"]);
    let reason = done["sweep"]["failures"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("diverged after epoch"), "{reason}");
}
