//! What the run directory holds for single inputs: served part by part, and drawn as figures.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use subspect_data::dense::write_f32;
use subspect_data::neighbours::Neighbours;
use subspect_data::record::RunRecord;
use subspect_linalg::Matrix;
use subspect_report::{FigureChoice, FigureFormat, ReportError, Viewer, write_figures};
use support::Sample;

/// A run whose first layer has a map that reaches to `reach`, and neighbours in a ring.
fn write(dir: &Path, reach: f32) -> RunRecord {
    let sample = Sample { n_inputs: 60, n_layers: 3, n_cards: 4, ..Sample::default() };
    let mut record = sample.write(dir);
    let n = sample.n_inputs;
    let layout = Matrix::from_fn(n, 2, |i, j| if (i, j) == (7, 1) { reach } else { (i as f32).sin() / 2.0 });
    write_f32(&dir.join("map.npy"), layout.as_ref()).unwrap();
    let near = Neighbours {
        indptr: (0..=n).map(|i| 2 * i).collect(),
        indices: (0..n as u32).flat_map(|i| [(i + 1) % n as u32, (i + 2) % n as u32]).collect(),
        affinity: (0..n).flat_map(|_| [0.75, 0.5]).collect(),
        coefficient: (0..n).flat_map(|_| [0.75, -0.25]).collect(),
        reverse_coefficient: (0..n).flat_map(|_| [0.0, 0.25]).collect(),
        class_affinity: Matrix::from_fn(n, 10, |i, c| if c == i % 10 { 1.0 } else { 0.0 }),
    };
    near.save(&dir.join("near.npz")).unwrap();
    record.layers[0].layout = Some("map.npy".into());
    record.layers[0].neighbours = Some("near.npz".into());
    std::fs::write(dir.join("record.json"), serde_json::to_string(&record).unwrap()).unwrap();
    record
}

/// The header of a stream, and one of its arrays of 16 bits.
fn opened(stream: &[u8], array: &str) -> (serde_json::Value, Vec<i16>) {
    let length = u32::from_le_bytes(stream[..4].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&stream[4..4 + length]).unwrap();
    let section = &header["sections"][array];
    assert_eq!(section["type"], "i16", "{array}");
    let number = |key: &str| section[key].as_u64().unwrap() as usize;
    let start = (4 + length).next_multiple_of(4) + number("offset");
    let bytes = &stream[start..start + 2 * number("length")];
    (header.clone(), bytes.chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
}

fn get(viewer: &Viewer, name: &str) -> Vec<u8> {
    viewer.get(name).unwrap().unwrap_or_else(|| panic!("{name} is not served")).bytes
}

#[test]
fn a_layer_is_served_with_all_that_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 2.0);
    let viewer = Viewer::open(&[dir.path().to_owned()], None).unwrap();
    assert!(viewer.notes.is_empty(), "{:?}", viewer.notes);
    let (header, places) = opened(&get(&viewer, "/data/0/0"), "layout");
    assert_eq!((&header["mapped"], &header["linked"]), (&serde_json::json!([0]), &serde_json::json!([0])));
    assert_eq!((places.len(), places[15]), (120, i16::MAX));
    let (_, own) = opened(&get(&viewer, "/data/0/0"), "near_coefficient");
    assert_eq!(own[..2], [i16::MAX, -10922]);
    // A layer of which nothing is recorded is served empty, and the page says so.
    let (header, places) = opened(&get(&viewer, "/data/0/1"), "layout");
    assert_eq!((&header["mapped"], places.len()), (&serde_json::json!([]), 0));
}

#[test]
fn the_epochs_of_a_training_share_the_scale_of_their_maps() {
    let dir = tempfile::tempdir().unwrap();
    for (name, reach) in [("0000", 1.0), ("0005", 4.0)] {
        let epoch = dir.path().join("epochs").join(name);
        write(&epoch, reach);
    }
    let viewer = Viewer::open(&[dir.path().to_owned()], None).unwrap();
    let furthest = |k: usize| opened(&get(&viewer, &format!("/data/{k}/0")), "layout").1[15];
    assert_eq!((furthest(0), furthest(1)), (8192, i16::MAX));
}

#[test]
fn figures_of_single_inputs_follow_the_choice() {
    let dir = tempfile::tempdir().unwrap();
    let record = write(dir.path(), 2.0);
    let write = |layer: Option<&str>, inputs: &[&str], out: &str| -> Result<PathBuf, ReportError> {
        let choice = FigureChoice {
            layer: layer.map(str::to_owned),
            inputs: inputs.iter().map(|&i| i.to_owned()).collect(),
        };
        let folder = dir.path().join(out);
        write_figures(dir.path(), &choice, &FigureFormat::ALL, &folder).map(|_| folder)
    };
    let layer = &record.layers[0].name;
    let id = &record.inputs.ids[9];
    let folder = write(Some(layer), &[id], "chosen").unwrap();
    let map = std::fs::read_to_string(folder.join(format!("map-{layer}.svg"))).unwrap();
    assert_eq!(map.matches("h.01").count(), 60, "not every input is a dot");
    let stem = format!("neighbourhood-{id}-{layer}");
    let near = std::fs::read_to_string(folder.join(format!("{stem}.svg"))).unwrap();
    assert_eq!(near.matches("data:image/png").count(), 3, "the input and two neighbours");
    assert!(near.contains("+0.750") && near.contains("\u{2212}0.250") && near.contains("vote"), "{near}");
    let pdf = std::fs::read(folder.join(format!("{stem}.pdf"))).unwrap();
    assert!(
        String::from_utf8_lossy(&pdf).contains("/Subtype /Image") || pdf.windows(6).any(|w| w == b"/Image")
    );
    assert!(std::fs::read(folder.join(format!("map-{layer}.png"))).unwrap().starts_with(b"\x89PNG"));
    // By default the layer before the output, of which nothing is recorded here.
    let folder = write(None, &[], "default").unwrap();
    assert!(folder.join("modularity.pdf").is_file());
    assert!(write(Some("no such layer"), &[], "none").unwrap_err().to_string().contains(layer.as_str()));
    assert!(write(None, &["no such id"], "none").unwrap_err().to_string().contains("tables/inputs.csv"));
}
