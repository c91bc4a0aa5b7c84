//! How the layers of a training run move to their final state and when they settle, from `dynamics.json`.

use serde::Serialize;
use subspect_data::dynamics::{ConvergenceRecord, DynamicsRecord, Estimate, SettlingRecord};
use subspect_linalg::Measured;

use super::header::{Number, fourth};
use crate::figure::measure_title;

/// What the page shows of the first series of a training.
#[derive(Serialize)]
pub(crate) struct Training {
    epochs: Vec<u64>,
    threshold: f64,
    level: f64,
    summary: Vec<String>,
    convergence: Vec<Convergence>,
}

/// By one measure and estimator.
#[derive(Serialize)]
struct Convergence {
    title: String,
    /// Similarity to the final epoch, epochs x layers, and its interval.
    values: Vec<Vec<Number>>,
    lo: Vec<Vec<Number>>,
    hi: Vec<Vec<Number>>,
    settling: Option<Settling>,
}

#[derive(Serialize)]
struct Settling {
    /// Epoch, lower and upper end of its interval, layer by layer.
    epochs: Vec<[Number; 3]>,
    /// Whether the recorded epochs hold the moment: `no`, `by_first`, `at_last` or `mixed`.
    censored: Vec<serde_json::Value>,
    sentence: String,
}

impl Training {
    /// None when the record holds no series.
    pub(crate) fn new(record: &DynamicsRecord) -> Option<Self> {
        let series = record.series.first()?;
        let settling = |c: &ConvergenceRecord| {
            series
                .settling
                .iter()
                .find(|s| s.measure == c.measure && s.estimator == c.estimator)
                .map(Settling::new)
        };
        let table = |rows: &[Vec<Estimate>], of: fn(&Estimate) -> Measured| -> Vec<Vec<Number>> {
            rows.iter().map(|row| row.iter().map(|e| fourth(of(e))).collect()).collect()
        };
        let convergence = series.convergence.iter().map(|c| Convergence {
            title: format!("{}, {}", measure_title(&c.measure), c.estimator),
            values: table(&c.to_final, |e| e.value),
            lo: table(&c.to_final, |e| e.lo),
            hi: table(&c.to_final, |e| e.hi),
            settling: settling(c),
        });
        Some(Training {
            epochs: series.epochs.iter().map(|e| e.epoch).collect(),
            threshold: record.threshold,
            level: record.level,
            summary: record.summary.clone(),
            convergence: convergence.collect(),
        })
    }
}

impl Settling {
    fn new(record: &SettlingRecord) -> Self {
        Settling {
            epochs: record.layers.iter().map(|l| [l.epoch, l.lo, l.hi].map(fourth)).collect(),
            censored: record.layers.iter().filter_map(|l| serde_json::to_value(l.censored).ok()).collect(),
            sentence: record.order.sentence.clone(),
        }
    }
}
