//! `subspect train`, from a folder of pictures to snapshots that `subspect dynamics` follows.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used)] // helpers of tests may panic

mod common;

use common::Scratch;

/// `labels` and `images` of the IDX layout: two classes of 8 x 8 pictures, bright above or below.
fn write_pictures(s: &Scratch, part: &str, n: usize) {
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
