//! The regularisation path of one matrix of activations, and the ratio that a rule chooses from it.

use std::time::Instant;

use serde::Serialize;
use subspect_express::{
    DensityTarget, PathSummary, choose_density, knee, log_grid, path_summaries, sample_rows,
};
use subspect_linalg::{Dictionary, MatRef, Measured, Seed};

use crate::approximate::Quiet;
use crate::{Events, Expression, PipelineError, memory_mode};

/// Rows on which a rule looks where there are more: a density is a mean over rows.
const RULE_ROWS: usize = 2000;
/// Largest relative deviation from a wanted density on those rows.
const DENSITY_TOLERANCE: f64 = 0.02;

/// How a ratio is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PathRule {
    /// The bend of density against objective; see [`subspect_express::knee`].
    Knee,
    /// A mean number of non-zeros per row.
    Nonzeros(f64),
}

/// One point of the path.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PathPointRecord {
    /// `alpha / alpha_max` of every row.
    pub alpha_ratio: f64,
    /// Mean number of non-zeros per row.
    pub nonzeros_per_row: f64,
    /// Sum of the rows' objectives.
    pub objective: Measured,
    /// Largest relative duality gap.
    pub gap_max: Measured,
    /// Rows that missed the tolerance.
    pub n_max_iter: usize,
    /// Mean rounds per row: what the point cost, relative to the others.
    pub rounds_per_row: f64,
}

/// A path, and what was chosen from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PathRecord {
    /// Points, densest last.
    pub points: Vec<PathPointRecord>,
    /// Rows that were looked at.
    pub n_rows: usize,
    /// Time of all points together: every row runs down the whole grid before the next one starts.
    pub seconds: f64,
    /// `knee` or `target_nonzeros`; none when nothing is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// The wanted density.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_nonzeros: Option<f64>,
    /// Whether the density is within 2 % of what was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_met: Option<bool>,
    /// The chosen ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<f64>,
}

/// `n` ratios from 0.5 to 0.01, densest last.
pub fn default_grid(n: usize) -> Vec<f64> {
    log_grid(0.5, 0.01, n)
}

/// The path of all rows.
///
/// # Errors
/// As [`crate::express`]; a method without an alpha, or a ratio outside (0, 1].
pub fn path_record(
    x: MatRef<'_, f32>,
    expression: &Expression,
    ratios: &[f64],
    memory: u64,
    events: &dyn Events,
) -> Result<PathRecord, PipelineError> {
    let start = Instant::now();
    let dictionary = dictionary(x, expression, memory)?;
    let monitor = crate::express::Rows { events };
    let (method, options) = (&expression.method, &expression.options);
    let points = path_summaries(&dictionary, None, method, ratios, options, &monitor)?;
    Ok(record(&points, x.n_rows(), start))
}

/// Looks along the path for the ratio that `rule` wants, on all rows or, beyond 2,000, on a sample. Knees lie inside
/// the grid; a density is looked for beyond it as well.
///
/// # Errors
/// As [`path_record`]; a path without a bend.
pub fn choose_ratio(
    x: MatRef<'_, f32>,
    expression: &Expression,
    ratios: &[f64],
    rule: PathRule,
    seed: u64,
    memory: u64,
    events: &dyn Events,
) -> Result<PathRecord, PipelineError> {
    let start = Instant::now();
    let dictionary = dictionary(x, expression, memory)?;
    let (method, options, quiet) = (&expression.method, &expression.options, Quiet(events));
    let rows = sample(x.n_rows(), seed);
    let rows = rows.as_deref();
    let n_rows = rows.map_or(x.n_rows(), <[u32]>::len);
    match rule {
        PathRule::Knee => {
            let points = path_summaries(&dictionary, rows, method, ratios, options, &quiet)?;
            let Some(k) = knee(&points) else { return Err(no_knee(points.len())) };
            let chosen = Some(points[k].ratio);
            Ok(PathRecord { rule: Some("knee"), chosen, ..record(&points, n_rows, start) })
        }
        PathRule::Nonzeros(wanted) => {
            let target = DensityTarget { nonzeros_per_row: wanted, tolerance: DENSITY_TOLERANCE };
            let found = choose_density(&dictionary, rows, method, target, ratios, options, &quiet)?;
            Ok(PathRecord {
                rule: Some("target_nonzeros"),
                target_nonzeros: Some(wanted),
                target_met: Some(found.met),
                chosen: Some(found.chosen.ratio),
                ..record(&found.looked_at, n_rows, start)
            })
        }
    }
}

fn no_knee(n_points: usize) -> PipelineError {
    PipelineError::Input {
        what: "the path".into(),
        expected: "a bend between density and objective".into(),
        found: format!("none along its {n_points} points"),
        mend: "give more points or a wider range with --path, or choose by --target-nonzeros".into(),
    }
}

fn dictionary<'a>(
    x: MatRef<'a, f32>,
    expression: &Expression,
    memory: u64,
) -> Result<Dictionary<'a>, PipelineError> {
    Ok(Dictionary::new(x, expression.scale(), memory_mode(x.n_rows(), x.n_cols(), memory))?)
}

/// Rows for a rule: `None` for all of them.
fn sample(n: usize, seed: u64) -> Option<Vec<u32>> {
    if n <= RULE_ROWS {
        return None;
    }
    Some(sample_rows(n, RULE_ROWS, Seed::new(seed).axis("path")))
}

fn record(points: &[PathSummary], n_rows: usize, start: Instant) -> PathRecord {
    let point = |p: &PathSummary| PathPointRecord {
        alpha_ratio: p.ratio,
        nonzeros_per_row: p.nonzeros_per_row,
        objective: p.objective,
        gap_max: p.gap_max,
        n_max_iter: p.n_max_iter,
        rounds_per_row: p.rounds_per_row,
    };
    PathRecord {
        points: points.iter().map(point).collect(),
        n_rows,
        seconds: start.elapsed().as_secs_f64(),
        rule: None,
        target_nonzeros: None,
        target_met: None,
        chosen: None,
    }
}
