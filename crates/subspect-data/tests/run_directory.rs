//! The run directory: record, plan, tables and thumbnails.
#![allow(clippy::unwrap_used)]

mod common;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;

use common::dataset_info;
use subspect_data::dataset::EmbeddedImages;
use subspect_data::record::{Inputs, Machine, RECORD_SCHEMA, RunRecord, RunState};
use subspect_data::rundir::{Cell, RunDir, Table, write_thumbnails};
use subspect_linalg::{Measured, Status};

fn record() -> RunRecord {
    RunRecord {
        schema: RECORD_SCHEMA,
        subspect_version: "0.1.0".into(),
        created: "2026-11-24T12:00:00Z".into(),
        command: "subspect run".into(),
        state: RunState::Partial,
        machine: Machine { os: "linux".into(), arch: "x86_64".into(), threads: 2 },
        model: None,
        dataset: dataset_info(2),
        settings: BTreeMap::from([("seed".into(), "0".into())]),
        inputs: Inputs { ids: vec!["0".into(), "1".into()], labels: vec![0, 1], ..Inputs::default() },
        layers: Vec::new(),
        scores: Vec::new(),
        similarity: Vec::new(),
        neighbourhoods: Vec::new(),
        thumbnails: None,
        summary: vec!["two inputs".into()],
        warnings: Vec::new(),
        seconds: BTreeMap::from([("solve".into(), 0.25)]),
    }
}

#[test]
fn a_record_reads_back_and_damage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("run");
    let run = RunDir::create(&root).unwrap();
    let text = RunDir::open(&root).unwrap_err().to_string();
    assert!(text.contains("expected a run directory, found a folder without record.json"), "{text}");
    run.write_plan(&BTreeMap::from([("seed", 0)])).unwrap();
    assert_eq!(run.read_plan::<BTreeMap<String, i64>>().unwrap()["seed"], 0);
    assert!(RunDir::open(&root).unwrap_err().to_string().contains("stopped before its first record.json"));

    run.write_record(&record()).unwrap();
    assert_eq!(RunDir::open(&root).unwrap().read_record().unwrap(), record());
    let text = fs::read_to_string(run.record_path()).unwrap();
    fs::write(run.record_path(), &text[..text.len() - 20]).unwrap();
    let error = run.read_record().unwrap_err().to_string();
    assert!(error.contains("expected the JSON of one run record") && error.contains(", line "), "{error}");
    fs::write(run.record_path(), text.replacen("\"schema\": 2", "\"schema\": 3", 1)).unwrap();
    let error = run.read_record().unwrap_err().to_string();
    assert!(
        error.contains("its run record has schema 3, but this version of Subspect reads up to 2"),
        "{error}"
    );

    // A record of schema 1 lacks what schema 2 added, and reads as one in which none of it was computed.
    let old = text.replacen("\"schema\": 2", "\"schema\": 1", 1);
    let mut old: serde_json::Value = serde_json::from_str(&old).unwrap();
    old.as_object_mut().unwrap().remove("scores");
    for layer in old["layers"].as_array_mut().unwrap() {
        layer.as_object_mut().unwrap().retain(|name, _| !["nulls", "intervals"].contains(&name.as_str()));
    }
    for map in old["similarity"].as_array_mut().unwrap() {
        map.as_object_mut().unwrap().remove("inference");
    }
    fs::write(run.record_path(), old.to_string()).unwrap();
    let read = run.read_record().unwrap();
    assert_eq!((read.schema, read.scores.len(), read.layers.len()), (1, 0, record().layers.len()));

    let mut with_nan = record();
    with_nan.inputs.confidence = vec![0.5, f32::NAN];
    assert!(run.write_record(&with_nan).unwrap_err().to_string().contains("NaN"));
    fs::write(run.plan_path(), "seed = ").unwrap();
    assert!(
        run.read_plan::<BTreeMap<String, i64>>()
            .unwrap_err()
            .to_string()
            .contains("expected the plan of a run")
    );
}

#[test]
fn only_new_folders_and_runs_are_written_to() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("photo.jpg"), "x").unwrap();
    let text = RunDir::create(dir.path()).unwrap_err().to_string();
    assert!(text.contains("found 'photo.jpg' and no plan.toml; choose another output folder"), "{text}");
    let run = dir.path().join("r");
    RunDir::create(&run).unwrap();
    RunDir::create(&run).unwrap();
    assert!(run.join("graphs").is_dir() && run.join("tables").is_dir());
    assert!(RunDir::create(&dir.path().join("photo.jpg")).is_err());
    assert!(RunDir::open(&dir.path().join("photo.jpg")).unwrap_err().to_string().contains("found a file"));
    assert_eq!(RunDir::graph_file("layer1.0.conv1"), "graphs/layer1.0.conv1.npz");
    assert_eq!(RunDir::graph_file("../x"), "graphs/%2E.%2Fx.npz");
}

#[test]
fn tables_are_quoted_and_missing_values_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::create(dir.path()).unwrap();
    let mut table = Table::new(&["layer", "n", "modularity", "vote"]);
    table.push(vec!["plain".into(), 3_usize.into(), 0.1.into(), Some(2_u32).into()]);
    table.push(vec![
        "a,\"b\"\n".into(),
        0_usize.into(),
        Measured::from(Status::EmptyGraph).into(),
        Cell::Empty,
    ]);
    table.push(vec!["c".into(), 1_usize.into(), f64::NAN.into(), Cell::from(None::<u32>)]);
    let path = run.write_table("layers", &table).unwrap();
    assert_eq!(path, dir.path().join("tables/layers.csv"));
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        "layer,n,modularity,vote\nplain,3,0.1,2\n\"a,\"\"b\"\"\n\",0,empty_graph,\nc,1,not_finite,\n"
    );
    table.push(vec!["short".into()]);
    assert!(
        run.write_table("layers", &table)
            .unwrap_err()
            .to_string()
            .contains("row 3: expected 4 cells, found 1")
    );
}

fn pictures(shape: [usize; 3], n: usize) -> subspect_data::dataset::Dataset {
    let size: usize = shape.iter().product();
    let pixels = (0..n * size).map(|v| (v / size * 10) as u8).collect();
    let (name, labels) = ("p".to_owned(), Vec::new());
    EmbeddedImages {
        name,
        image_shape: shape,
        pixels: Cow::Owned(pixels),
        labels,
        classes: Vec::new(),
        citation: None,
    }
    .into_dataset()
    .unwrap()
}

#[test]
fn thumbnails_show_the_chosen_inputs_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("thumbnails.png");
    let layout = write_thumbnails(&path, &pictures([4, 6, 3], 9), &[8, 1, 2, 5, 3]).unwrap();
    assert_eq!(
        (layout.file.as_str(), layout.tile_width, layout.tile_height, layout.n_columns),
        ("thumbnails.png", 6, 4, 3)
    );
    let atlas = image::open(&path).unwrap().into_rgb8();
    assert_eq!(atlas.dimensions(), (18, 8));
    let tile = |k: u32| atlas.get_pixel(k % 3 * 6 + 5, k / 3 * 4 + 3).0[0];
    assert_eq!([tile(0), tile(1), tile(2), tile(3), tile(4), tile(5)], [80, 10, 20, 50, 30, 0]);

    let layout = write_thumbnails(&path, &pictures([100, 200, 1], 2), &[1]).unwrap();
    assert_eq!((layout.tile_width, layout.tile_height), (64, 32));
    assert_eq!(image::open(&path).unwrap().into_luma8().get_pixel(63, 31).0, [10]);
    assert!(write_thumbnails(&path, &pictures([4, 4, 1], 2), &[]).is_err());
    assert!(image::open(&path).is_ok(), "the old file is still there");
}
