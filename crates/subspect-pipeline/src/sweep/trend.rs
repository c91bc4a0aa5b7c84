//! Does the block score grow along an axis? Spearman's rho and Kendall's tau-b of the axis and the score over cells, all
//! other axes but the seed held fixed, with the two-sided p of all orders of up to eight cells and of random ones above.
//!
//! Below four cells nothing is tested. Scores of snapshots of one training depend on one another, and no p is adjusted for
//! the number of maps and axes: both are said.

use subspect_data::record::SimilarityRecord;
use subspect_data::rundir::{Cell, Table};
use subspect_data::sweep::{SweepCell, SweepRecord, Trend, TrendPoint, axis_words};
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
        for p in &t.points {
            table.push(vec![
                t.axis.clone().into(),
                axis_words(&t.fixed).into(),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use subspect_data::record::{BlockRecord, NullRecord};
    use subspect_data::sweep::SWEEP_SCHEMA;

    use super::*;

    /// Cells along `axis` with these block scores.
    fn sweep(axis: &str, cells: &[(&str, f64)]) -> SweepRecord {
        let undefined = Measured::from(Status::NotExecuted);
        let null = NullRecord {
            mean: Measured::finite(0.1),
            hi: Measured::finite(0.2),
            lo: undefined,
            sd: undefined,
            z: undefined,
            p: undefined,
            n_permutations: 9,
        };
        let cell = |(value, score): &(&str, f64)| SweepCell {
            name: format!("{axis}={value}"),
            values: BTreeMap::from([(axis.to_owned(), (*value).to_owned())]),
            run: String::new(),
            n_inputs: 10,
            accuracy: undefined,
            modularity: undefined,
            vote: undefined,
            agreement: undefined,
            layer: String::new(),
            layers: Vec::new(),
            maps: vec![SimilarityRecord {
                measure: "ssc_cka".into(),
                estimator: "biased".into(),
                values: Vec::new(),
                inference: None,
                blocks: Some(BlockRecord {
                    starts: vec![0],
                    score: Measured::finite(*score),
                    null: null.clone(),
                }),
            }],
            training: None,
        };
        SweepRecord {
            schema: SWEEP_SCHEMA,
            subspect_version: String::new(),
            command: String::new(),
            name: String::new(),
            axes: vec![axis.to_owned()],
            n_cells: cells.len(),
            cells: cells.iter().map(cell).collect(),
            failures: Vec::new(),
            seeds: Vec::new(),
            trends: Vec::new(),
        }
    }

    #[test]
    fn five_networks_in_order_are_enough_and_four_are_not() {
        let depths =
            [("resnet32", 0.6), ("resnet8", 0.2), ("resnet14", 0.3), ("resnet20", 0.5), ("resnet26", 0.55)];
        let found = trends(&sweep("arch", &depths));
        let x: Vec<f64> = found[0].points.iter().map(|p| p.x).collect();
        assert_eq!((found.len(), x), (1, vec![8.0, 14.0, 20.0, 26.0, 32.0]));
        assert_eq!((found[0].spearman.value(), found[0].kendall.value()), (Some(1.0), Some(1.0)));
        assert!((found[0].spearman_p.value().unwrap() - 2.0 / 120.0).abs() < 1e-12 && found[0].exact);
        assert!(found[0].sentence.contains("the block score grows with arch"), "{}", found[0].sentence);
        let four = &trends(&sweep("arch", &depths[1..]))[0];
        assert!(
            four.sentence.contains("no order") && four.sentence.contains("below 0.083"),
            "{}",
            four.sentence
        );
        let three = &trends(&sweep("arch", &depths[..3]))[0];
        assert_eq!(three.spearman.status(), Some(Status::NTooSmall));
        assert!(three.sentence.contains("too few"), "{}", three.sentence);
    }

    #[test]
    fn axes_without_an_order_have_no_trend() {
        for (axis, cells) in
            [("optimizer", [("sgd", 0.1), ("adam", 0.2)]), ("seed", [("0", 0.1), ("1", 0.2)])]
        {
            assert!(trends(&sweep(axis, &cells)).is_empty(), "{axis}");
        }
        assert!(trends(&sweep("epochs", &[("5", 0.1), ("5.0", 0.3)])).is_empty());
    }
}
