//! Does the block score grow along an axis? Spearman's rho and Kendall's tau-b of the axis and the score over cells, all
//! other axes but the seed held fixed, with the two-sided p of all orders of up to eight cells and of random ones above.
//!
//! Below four cells nothing is tested. Scores of snapshots of one training depend on one another, and no p is adjusted for
//! the number of maps and axes: both are said.

use subspect_data::record::SimilarityRecord;
use subspect_data::rundir::{Cell, Table};
use subspect_data::sweep::{SweepCell, SweepRecord, Trend, TrendPoint};
use subspect_linalg::{Measured, Seed, Status};
use subspect_statistics::{RankCorrelation, kendall, spearman};

use super::order::places;
use super::seeds::{SEED, groups};
use crate::dynamics::label;

/// Fewest cells that are tested.
const MIN_POINTS: usize = 4;
/// Random orders for more than eight cells.
const N_PERMUTATIONS: usize = 9999;
/// p below which an order is claimed.
const ALPHA: f64 = 0.05;
/// The axis of snapshots of one training.
const EPOCH: &str = "epoch";

/// One trend per ordered axis, combination of the other axes and kind of map.
pub(super) fn trends(record: &SweepRecord) -> Vec<Trend> {
    let mut out = Vec::new();
    for axis in record.axes.iter().filter(|a| *a != SEED) {
        for (fixed, cells) in groups(record, &[axis.as_str(), SEED]) {
            let Some(x) = along(axis, &cells) else { continue };
            for map in &cells[0].maps {
                let points = points(axis, &cells, &x, map);
                let mut trend = Trend {
                    axis: axis.clone(),
                    fixed: fixed.clone(),
                    measure: map.measure.clone(),
                    estimator: map.estimator.clone(),
                    points,
                    spearman: Status::NTooSmall.into(),
                    spearman_p: Status::NTooSmall.into(),
                    kendall: Status::NTooSmall.into(),
                    kendall_p: Status::NTooSmall.into(),
                    exact: false,
                    sentence: String::new(),
                };
                test(&mut trend);
                out.push(trend);
            }
        }
    }
    out
}

/// Place of every cell on an axis that has an order and two values or more.
fn along(axis: &str, cells: &[&SweepCell]) -> Option<Vec<f64>> {
    let x: Vec<f64> = if axis == EPOCH {
        cells.iter().map(|c| c.training.as_ref().map(|t| t.epoch as f64)).collect::<Option<_>>()?
    } else {
        let values: Option<Vec<&str>> =
            cells.iter().map(|c| c.values.get(axis).map(String::as_str)).collect();
        places(axis, &values?)?
    };
    x.iter().any(|v| *v != x[0]).then_some(x)
}

fn points(axis: &str, cells: &[&SweepCell], x: &[f64], map: &SimilarityRecord) -> Vec<TrendPoint> {
    let missing = Measured::from(Status::NotExecuted);
    let mut points: Vec<TrendPoint> = cells
        .iter()
        .zip(x)
        .map(|(cell, &x)| {
            let same = cell.maps.iter().find(|m| m.measure == map.measure && m.estimator == map.estimator);
            let blocks = same.and_then(|m| m.blocks.as_ref());
            TrendPoint {
                cell: cell.name.clone(),
                value: cell.values.get(axis).cloned().unwrap_or_default(),
                x,
                score: blocks.map_or(missing, |b| b.score),
                null_mean: blocks.map_or(missing, |b| b.null.mean),
                null_hi: blocks.map_or(missing, |b| b.null.hi),
            }
        })
        .collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    points
}

/// Fills in the correlations and the sentence.
fn test(trend: &mut Trend) {
    let defined: Vec<(f64, f64)> =
        trend.points.iter().filter_map(|p| Some((p.x, p.score.value()?))).collect();
    let (x, y): (Vec<f64>, Vec<f64>) = defined.into_iter().unzip();
    let label = label(&trend.measure, &trend.estimator);
    if x.len() < MIN_POINTS {
        trend.sentence = format!(
            "By {label}, {} runs along {}: too few for a test of order ({MIN_POINTS} are needed).",
            x.len(),
            trend.axis
        );
        return;
    }
    let seed = Seed::new(0).axis("trend");
    let rho = spearman(&x, &y, N_PERMUTATIONS, seed);
    let tau = kendall(&x, &y, N_PERMUTATIONS, seed);
    // The axis against itself: no order of these runs has a smaller p.
    let floor = spearman(&x, &x, N_PERMUTATIONS, seed).p;
    (trend.spearman, trend.spearman_p) = (rho.value, rho.p);
    (trend.kendall, trend.kendall_p) = (tau.value, tau.p);
    trend.exact = rho.exact;
    trend.sentence = sentence(trend, &label, x.len(), &rho, floor);
}

fn sentence(trend: &Trend, label: &str, n: usize, rho: &RankCorrelation, floor: Measured) -> String {
    let axis = &trend.axis;
    let (Some(value), Some(p)) = (rho.value.value(), rho.p.value()) else {
        return format!("By {label}, the rank correlation with {axis} is undefined: {}.", rho.value);
    };
    let claim = match (p <= ALPHA, value > 0.0) {
        (true, true) => format!("the block score grows with {axis}"),
        (true, false) => format!("the block score falls with {axis}"),
        (false, _) => format!("no order of block score and {axis} is shown"),
    };
    let orders = if rho.exact { "all orders" } else { "random orders" };
    let mut out = format!(
        "By {label}, {claim}: Spearman's rho {value:.2}, two-sided p {p:.3} over {orders} of {n} runs; Kendall's tau {:.2}",
        trend.kendall
    );
    if let Some(floor) = floor.value().filter(|f| *f > ALPHA) {
        out += &format!("; so few runs cannot give a p below {floor:.3}");
    }
    if axis == EPOCH {
        out += "; snapshots of one training are not independent of one another";
    }
    out + "."
}

/// One row per cell on an axis and map, with the test of its trend.
pub(super) fn trend_table(record: &SweepRecord) -> Table {
    let mut table = Table::new(&[
        "axis",
        "fixed",
        "measure",
        "estimator",
        "cell",
        "value",
        "x",
        "block_score",
        "null_mean",
        "null_hi",
        "spearman",
        "spearman_p",
        "kendall",
        "kendall_p",
    ]);
    for t in &record.trends {
        let fixed: Vec<String> = t.fixed.iter().map(|(k, v)| format!("{k}={v}")).collect();
        for p in &t.points {
            table.push(vec![
                t.axis.clone().into(),
                fixed.join(", ").into(),
                t.measure.clone().into(),
                t.estimator.clone().into(),
                p.cell.clone().into(),
                p.value.clone().into(),
                Cell::from(p.x),
                p.score.into(),
                p.null_mean.into(),
                p.null_hi.into(),
                t.spearman.into(),
                t.spearman_p.into(),
                t.kendall.into(),
                t.kendall_p.into(),
            ]);
        }
    }
    table
}
