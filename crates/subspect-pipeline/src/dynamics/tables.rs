//! `tables/*.csv` of a training: one row per number.

use std::path::Path;

use subspect_data::dynamics::{
    Censored, ConvergenceRecord, DynamicsRecord, Estimate, SeriesRecord, SettlingRecord,
};
use subspect_data::rundir::{Cell, Table};
use subspect_linalg::Measured;

use crate::PipelineError;

/// Writes `dynamics`, `settling` and `order`.
pub(crate) fn write(folder: &Path, record: &DynamicsRecord) -> Result<(), PipelineError> {
    let tables = folder.join("tables");
    std::fs::create_dir_all(&tables).map_err(|e| PipelineError::io("create", &tables, e))?;
    for (name, table) in
        [("dynamics", dynamics_table(record)), ("settling", settling(record)), ("order", order(record))]
    {
        table.write(&tables.join(format!("{name}.csv")))?;
    }
    Ok(())
}

fn status(value: Measured) -> Cell {
    value.status().map_or("ok", |s| s.as_str()).into()
}

/// Every measure of every layer at every epoch, and its similarity to the final and to the next epoch.
pub fn dynamics_table(record: &DynamicsRecord) -> Table {
    let mut table = Table::new(&[
        "series",
        "epoch",
        "layer",
        "measure",
        "estimator",
        "to",
        "value",
        "lo",
        "hi",
        "status",
    ]);
    for series in &record.series {
        for (k, epoch) in series.epochs.iter().enumerate() {
            for (l, layer) in record.layers.iter().enumerate() {
                let mut row =
                    |measure: &str, estimator: &str, to: Cell, found: [Cell; 3], value: Measured| {
                        let [v, lo, hi] = found;
                        let names: [Cell; 5] = [
                            series.name.clone().into(),
                            epoch.epoch.to_string().into(),
                            layer.name.clone().into(),
                            measure.into(),
                            estimator.into(),
                        ];
                        table.push(names.into_iter().chain([to, v, lo, hi, status(value)]).collect());
                    };
                for (name, &value) in &epoch.layers[l].measures {
                    let interval = epoch.layers[l].intervals.get(name);
                    let ends = [value.into(), interval.map(|i| i.lo).into(), interval.map(|i| i.hi).into()];
                    row(name, "", Cell::Empty, ends, value);
                }
                for (map, to, found) in similarities(series, k, l) {
                    let ends = [found.value.into(), found.lo.into(), found.hi.into()];
                    row(&map.measure, &map.estimator, to.to_string().into(), ends, found.value);
                }
                if let Some(change) = series.changes.get(k).map(|c| c[l]) {
                    let to = || Cell::from(series.epochs[k + 1].epoch.to_string());
                    for (name, value) in
                        [("neighbour_overlap", change.neighbour_overlap), ("vote_change", change.vote_change)]
                    {
                        row(name, "", to(), [value.into(), Cell::Empty, Cell::Empty], value);
                    }
                }
            }
        }
    }
    table
}

/// A layer's similarities of one epoch: to the last, and to the next where that is another one.
fn similarities(series: &SeriesRecord, k: usize, l: usize) -> Vec<(&ConvergenceRecord, u64, Estimate)> {
    let end = series.epochs.len() - 1;
    let mut out = Vec::new();
    for map in &series.convergence {
        out.push((map, series.epochs[end].epoch, map.to_final[k][l]));
        if k + 1 < end {
            out.push((map, series.epochs[k + 1].epoch, map.to_next[k][l]));
        }
    }
    out
}

/// All settling records: of every series, and over them where there are several.
fn records(record: &DynamicsRecord) -> Vec<(&str, &SettlingRecord)> {
    let own = record.series.iter().flat_map(|s| s.settling.iter().map(move |r| (s.name.as_str(), r)));
    let all = record.settling.iter().filter(|_| record.series.len() > 1).map(|r| ("all", r));
    own.chain(all).collect()
}

fn settling(record: &DynamicsRecord) -> Table {
    let mut table = Table::new(&[
        "series",
        "measure",
        "estimator",
        "depth",
        "layer",
        "epoch",
        "lo",
        "hi",
        "over",
        "censored",
        "status",
    ]);
    for (name, found) in records(record) {
        for (depth, (layer, s)) in record.layers.iter().zip(&found.layers).enumerate() {
            let censored = match s.censored {
                Censored::No => "no",
                Censored::ByFirst => "by_first",
                Censored::AtLast => "at_last",
                Censored::Mixed => "mixed",
            };
            table.push(vec![
                name.into(),
                found.measure.clone().into(),
                found.estimator.clone().into(),
                depth.into(),
                layer.name.clone().into(),
                s.epoch.into(),
                s.lo.into(),
                s.hi.into(),
                found.over.clone().into(),
                censored.into(),
                status(s.epoch),
            ]);
        }
    }
    table
}

fn order(record: &DynamicsRecord) -> Table {
    let mut table = Table::new(&[
        "series",
        "measure",
        "estimator",
        "statistic",
        "value",
        "lo",
        "hi",
        "p",
        "over",
        "n_layers",
        "n_by_first",
        "n_at_last",
        "n_permutations",
        "exact",
        "status",
    ]);
    for (name, found) in records(record) {
        let o = &found.order;
        for (statistic, value, p) in
            [("spearman", o.spearman, o.spearman_p), ("kendall", o.kendall, o.kendall_p)]
        {
            table.push(vec![
                name.into(),
                found.measure.clone().into(),
                found.estimator.clone().into(),
                statistic.into(),
                value.value.into(),
                value.lo.into(),
                value.hi.into(),
                p.into(),
                found.over.clone().into(),
                o.n_layers.into(),
                o.n_by_first.into(),
                o.n_at_last.into(),
                o.n_permutations.into(),
                if o.exact { "true" } else { "false" }.into(),
                status(value.value),
            ]);
        }
    }
    table
}
