//! From runs and comparisons to the record.

use std::collections::BTreeMap;

use subspect_data::dynamics::{
    ConvergenceRecord, DYNAMICS_SCHEMA, DynamicsLayer, DynamicsRecord, EpochLayer, EpochRecord, Estimate,
    SeriesRecord, SettlingEpoch, SettlingRecord,
};
use subspect_data::record::{RunRecord, RunState};
use subspect_linalg::{Measured, Seed, Status};

use super::epochs::Epoch;
use super::order::{Spread, order_test};
use super::series::Series;
use super::settle::{Curve, estimate, undefined};
use super::similarity::MAPS;
use super::{DynamicsSettings, Walked, seeds, summary};

/// Name of a measure and estimator in sentences.
pub(crate) fn label(measure: &str, estimator: &str) -> String {
    let name = match measure {
        "ssc_cka" => "SSC-CKA",
        "linear_cka" => "linear CKA",
        other => other,
    };
    if estimator == "biased" { name.to_owned() } else { format!("{estimator} {name}") }
}

/// One training's record.
pub(crate) fn series(
    training: &Series,
    name: &str,
    folder: &str,
    epochs: &[Epoch],
    walked: &Walked,
    settings: &DynamicsSettings,
) -> SeriesRecord {
    let convergence: Vec<ConvergenceRecord> = (0..MAPS.len()).map(|map| convergence(map, walked)).collect();
    let numbers: Vec<u64> = epochs.iter().map(|e| e.number).collect();
    let plan = &epochs[epochs.len() - 1].plan;
    let (level, seed) = (plan.level, Seed::new(plan.seed));
    let mut settling = Vec::new();
    for (map, curves) in convergence.iter().enumerate() {
        let mut layers: Vec<SettlingEpoch> = Vec::new();
        let mut draws: Vec<Option<Vec<f64>>> = Vec::new();
        for layer in 0..walked.records[0].layers.len() {
            let (epoch, of_draws) = settle(curves, map, layer, walked, &numbers, settings.threshold, level);
            layers.push(epoch);
            draws.push(of_draws);
        }
        let label = label(&curves.measure, &curves.estimator);
        let order = order_test(&layers, &Spread::Inputs(&draws), level, &label, seed);
        settling.push(SettlingRecord {
            measure: curves.measure.clone(),
            estimator: curves.estimator.clone(),
            over: "inputs".into(),
            layers,
            order,
        });
    }
    SeriesRecord {
        name: name.to_owned(),
        source: training.source.clone(),
        epochs: epochs.iter().zip(&walked.records).map(|(e, r)| epoch(e, r, folder)).collect(),
        convergence,
        changes: walked.similarities.iter().map(|s| s.changes.clone()).collect(),
        settling,
        training: training.training.points.clone(),
    }
}

fn epoch(epoch: &Epoch, run: &RunRecord, folder: &str) -> EpochRecord {
    let layer = |l: &subspect_data::record::LayerRecord| EpochLayer {
        measures: l.measures.clone(),
        intervals: l.intervals.clone(),
        n_unconverged: l.solve.n_max_iter,
    };
    let name = epoch.dir().file_name().unwrap_or_default().to_string_lossy().into_owned();
    EpochRecord {
        epoch: epoch.number,
        source: epoch.source.display().to_string(),
        run: format!("{folder}/{name}"),
        accuracy: run.model.as_ref().map_or(Status::NotExecuted.into(), |m| m.accuracy),
        layers: run.layers.iter().map(layer).collect(),
    }
}

fn convergence(map: usize, walked: &Walked) -> ConvergenceRecord {
    let column = |k: usize| -> Vec<Vec<Estimate>> {
        walked.similarities.iter().map(|s| s.cells[map].iter().map(|pair| pair[k]).collect()).collect()
    };
    let mut to_final = column(1);
    // The last state is like itself, unless it is like nothing: then it has no similarity with any other epoch either.
    let n_layers = walked.records[0].layers.len();
    let with_itself = |layer: usize| {
        let all: Vec<Measured> = to_final.iter().map(|row| row[layer].value).collect();
        let value = match all.iter().find_map(|v| v.status()) {
            Some(status) if all.iter().all(|v| v.status().is_some()) => status.into(),
            _ => Measured::Value(1.0),
        };
        Estimate::alone(value, Status::NotApplicable)
    };
    let end = (0..n_layers).map(with_itself).collect();
    to_final.push(end);
    let (measure, estimator) = MAPS[map];
    ConvergenceRecord { measure: measure.into(), estimator: estimator.into(), to_final, to_next: column(0) }
}

/// A layer's settling epoch, and that of every draw.
fn settle(
    curves: &ConvergenceRecord,
    map: usize,
    layer: usize,
    walked: &Walked,
    epochs: &[u64],
    threshold: f64,
    level: f64,
) -> (SettlingEpoch, Option<Vec<f64>>) {
    let n_layers = walked.records[0].layers.len();
    let values: Vec<Measured> = curves.to_final.iter().map(|row| row[layer].value).collect();
    let not_drawn = |row: &Vec<Estimate>| row[layer].lo.status() == Some(Status::NotExecuted);
    let draws: Option<Vec<&[f32]>> = match curves.to_final.iter().any(not_drawn) {
        true => None,
        false => walked
            .similarities
            .iter()
            .map(|s| s.draws.as_ref().map(|d| d.row(map * n_layers + layer)))
            .collect(),
    };
    let curve = Curve { values: &values, draws: draws.unwrap_or_default() };
    match curve.settle(epochs, threshold) {
        Err(status) => (undefined(status), None),
        Ok((epoch, censored, draws)) => {
            let found = estimate(epoch, censored, &draws, level);
            (found, Some(draws).filter(|d| !d.is_empty()))
        }
    }
}

/// What belongs to the whole and to no training.
pub(crate) struct Around<'a> {
    pub(crate) settings: &'a DynamicsSettings,
    pub(crate) seconds: BTreeMap<String, f64>,
    pub(crate) warnings: Vec<String>,
    pub(crate) level: f64,
    pub(crate) seed: Seed,
}

/// The whole record; `last` is the run of a final epoch.
pub(crate) fn whole(last: &RunRecord, series: Vec<SeriesRecord>, around: Around<'_>) -> DynamicsRecord {
    let Around { settings, seconds, warnings, level, seed } = around;
    let settling = match &series[..] {
        [one] => one.settling.clone(),
        many => seeds::over_seeds(many, level, seed),
    };
    let places = ["model", "store", "output", "keep_activations"];
    let mut effective = last.settings.clone();
    effective.retain(|name, _| !places.contains(&name.as_str()));
    effective.insert("threshold".into(), settings.threshold.to_string());
    let mut record = DynamicsRecord {
        schema: DYNAMICS_SCHEMA,
        subspect_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: crate::now_rfc3339(),
        command: settings.command.clone(),
        state: RunState::Complete,
        settings: effective,
        dataset: last.dataset.clone(),
        ids: last.inputs.ids.clone(),
        labels: last.inputs.labels.clone(),
        layers: last.layers.iter().map(layer).collect(),
        threshold: settings.threshold,
        level,
        series,
        settling,
        summary: Vec::new(),
        warnings,
        seconds,
    };
    record.summary = summary::summary(&record);
    record
}

fn layer(l: &subspect_data::record::LayerRecord) -> DynamicsLayer {
    DynamicsLayer {
        name: l.name.clone(),
        kind: l.kind.clone(),
        shape: l.shape.clone(),
        n_features: l.n_features,
    }
}
