//! Small records for tests.

use std::collections::BTreeMap;

use subspect_data::record::{
    DatasetInfo, Inputs, LayerRecord, Machine, ModelInfo, NullRecord, RECORD_SCHEMA, RunRecord, RunState,
    SolveRecord,
};
use subspect_linalg::{Measured, Status};

pub(crate) fn layer(name: &str, modularity: impl Into<Option<f64>>, hi: f64) -> LayerRecord {
    let q = modularity.into().map_or(Measured::Undefined(Status::EmptyGraph), Measured::Value);
    let none = Measured::Undefined(Status::NotExecuted);
    let measures = [("modularity", q), ("modularity_ceiling", Measured::Value(0.5))];
    LayerRecord {
        name: name.into(),
        kind: "conv".into(),
        shape: vec![1],
        n_features: 1,
        pool: "flatten".into(),
        graph: String::new(),
        solve: SolveRecord {
            method: "lasso".into(),
            n_converged: 4,
            n_max_iter: 0,
            n_trivial: 0,
            gap_max: none,
            gap_median: none,
            objective: none,
            memory_mode: "gram".into(),
            seconds: 0.0,
        },
        nnz: 4,
        n_edges: 4,
        n_isolated: 0,
        measures: measures.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        modularity_null: NullRecord {
            n_permutations: 9,
            mean: none,
            sd: none,
            lo: none,
            hi: Measured::Value(hi),
            z: none,
            p: none,
        },
        nulls: BTreeMap::new(),
        intervals: BTreeMap::new(),
        class_affinity: Vec::new(),
        votes: vec![None; 4],
        layout: None,
        neighbours: None,
    }
}

pub(crate) fn record(layers: Vec<LayerRecord>, labels: Vec<u32>) -> RunRecord {
    RunRecord {
        schema: RECORD_SCHEMA,
        subspect_version: String::new(),
        created: String::new(),
        command: String::new(),
        state: RunState::Complete,
        machine: Machine { os: String::new(), arch: String::new(), threads: 1 },
        model: None,
        dataset: DatasetInfo {
            name: "d".into(),
            format: "npz".into(),
            n_total: 4,
            classes: vec!["a".into(), "b".into()],
            image_shape: Vec::new(),
            normalize: "none".into(),
            hash: String::new(),
            citation: None,
        },
        settings: BTreeMap::new(),
        inputs: Inputs { ids: (0..4).map(|i| i.to_string()).collect(), labels, ..Inputs::default() },
        layers,
        similarity: Vec::new(),
        neighbourhoods: Vec::new(),
        scores: Vec::new(),
        thumbnails: None,
        summary: Vec::new(),
        warnings: Vec::new(),
        seconds: BTreeMap::new(),
    }
}

pub(crate) fn labelled(layers: Vec<LayerRecord>) -> RunRecord {
    record(layers, vec![0, 0, 1, 1])
}

pub(crate) fn model(accuracy: f64) -> ModelInfo {
    ModelInfo {
        name: "m".into(),
        hash: String::new(),
        engine: String::new(),
        input_shape: Vec::new(),
        accuracy: Measured::Value(accuracy),
    }
}
