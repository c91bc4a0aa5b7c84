//! Seeds as an axis: for every combination of the other axes, the mean over the seeds and its Student interval.

use std::collections::BTreeMap;

use subspect_data::dynamics::Estimate;
use subspect_data::rundir::{Cell, Table};
use subspect_data::sweep::{SeedBlocks, SeedSummary, SweepCell, SweepRecord};
use subspect_linalg::{Measured, Status};
use subspect_statistics::student_interval;

/// The axis.
pub(super) const SEED: &str = "seed";

/// Cells by the values of all axes but those in `without`, in the order in which they come.
pub(super) fn groups<'a>(
    record: &'a SweepRecord,
    without: &[&str],
) -> Vec<(BTreeMap<String, String>, Vec<&'a SweepCell>)> {
    let mut groups: Vec<(BTreeMap<String, String>, Vec<&SweepCell>)> = Vec::new();
    for cell in &record.cells {
        let mut values = cell.values.clone();
        values.retain(|axis, _| !without.contains(&axis.as_str()));
        match groups.iter_mut().find(|(known, _)| *known == values) {
            Some((_, cells)) => cells.push(cell),
            None => groups.push((values, vec![cell])),
        }
    }
    groups
}

/// Where every cell has a seed of its own among its likes; empty without that axis.
pub(super) fn over_seeds(record: &SweepRecord, level: f64) -> Vec<SeedSummary> {
    if !record.axes.iter().any(|a| a == SEED) {
        return Vec::new();
    }
    groups(record, &[SEED]).into_iter().map(|(values, cells)| summary(values, &cells, level)).collect()
}

fn summary(values: BTreeMap<String, String>, cells: &[&SweepCell], level: f64) -> SeedSummary {
    let over = |of: &dyn Fn(&SweepCell) -> Measured| {
        estimate(&cells.iter().map(|c| of(c)).collect::<Vec<_>>(), level)
    };
    let missing = || Measured::from(Status::NotExecuted);
    let blocks = |measure: &str, estimator: &str| {
        over(&|c| {
            let map = c.maps.iter().find(|m| m.measure == measure && m.estimator == estimator);
            map.and_then(|m| m.blocks.as_ref()).map_or_else(missing, |b| b.score)
        })
    };
    let maps = cells.first().map_or(&[][..], |c| &c.maps);
    SeedSummary {
        values,
        n_seeds: cells.len(),
        level,
        accuracy: over(&|c| c.accuracy),
        test_accuracy: over(&|c| c.training.as_ref().map_or_else(missing, |t| t.test_accuracy)),
        modularity: over(&|c| c.modularity),
        vote: over(&|c| c.vote),
        blocks: maps
            .iter()
            .map(|m| SeedBlocks {
                measure: m.measure.clone(),
                estimator: m.estimator.clone(),
                score: blocks(&m.measure, &m.estimator),
            })
            .collect(),
    }
}

/// Mean and Student interval; a value that is not there makes both undefined.
fn estimate(values: &[Measured], level: f64) -> Estimate {
    if let Some(status) = values.iter().find_map(|v| v.status()) {
        return Estimate { value: status.into(), lo: status.into(), hi: status.into() };
    }
    let numbers: Vec<f64> = values.iter().filter_map(|v| v.value()).collect();
    let interval = student_interval(&numbers, level);
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    Estimate { value: Measured::finite(mean), lo: interval.lo, hi: interval.hi }
}

/// One row per combination and map.
pub(super) fn seed_table(record: &SweepRecord) -> Table {
    let axes: Vec<&str> = record.axes.iter().map(String::as_str).filter(|a| *a != SEED).collect();
    let mut header = axes.clone();
    header.extend(["n_seeds", "level", "measure", "estimator"]);
    let names = ["block_score", "accuracy", "test_accuracy", "modularity", "vote_accuracy"];
    let columns: Vec<String> =
        names.iter().flat_map(|n| [(*n).to_owned(), format!("{n}_lo"), format!("{n}_hi")]).collect();
    header.extend(columns.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for s in &record.seeds {
        for map in &s.blocks {
            let mut row: Vec<Cell> = axes.iter().map(|a| Cell::from(s.values.get(*a).cloned())).collect();
            row.extend([
                s.n_seeds.into(),
                s.level.into(),
                map.measure.clone().into(),
                map.estimator.clone().into(),
            ]);
            let all = [map.score, s.accuracy, s.test_accuracy, s.modularity, s.vote];
            row.extend(all.iter().flat_map(|e| [e.value, e.lo, e.hi]).map(Cell::from));
            table.push(row);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_has_no_interval_and_one_missing_value_no_mean() {
        let of =
            |values: &[f64]| estimate(&values.iter().map(|v| Measured::finite(*v)).collect::<Vec<_>>(), 0.95);
        let three = of(&[1.0, 2.0, 6.0]);
        // t(0.975; 2) = 4.302653, standard error sqrt(7 / 3).
        assert!((three.value.value().unwrap() - 3.0).abs() < 1e-12);
        assert!((three.hi.value().unwrap() - 3.0 - 4.302_652_73 * (7.0_f64 / 3.0).sqrt()).abs() < 1e-6);
        let one = of(&[2.0]);
        assert_eq!((one.value.value(), one.lo.status()), (Some(2.0), Some(Status::NTooSmall)));
        let missing = estimate(&[Measured::finite(1.0), Status::EmptyGraph.into()], 0.95);
        assert_eq!(missing.value.status(), Some(Status::EmptyGraph));
    }
}
