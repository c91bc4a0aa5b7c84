//! A run's numbers as long tables: one row per number, with its interval, its null and its status.
//!
//! The adjusted p of a measure takes into account that it was tested in every layer (Holm); that of a similarity, that
//! every cell of its map was (step-down max-T).

use subspect_data::record::{NullRecord, RunRecord};
use subspect_data::rundir::{Cell, Table};
use subspect_linalg::{Measured, Status};
use subspect_statistics::{Adjustment, adjust};

fn status(value: Measured) -> Cell {
    value.status().map_or("ok", |s| s.as_str()).into()
}

fn model(record: &RunRecord) -> String {
    record.model.as_ref().map_or_else(|| record.dataset.name.clone(), |m| m.name.clone())
}

/// Every measure of every layer.
pub(crate) fn measures(record: &RunRecord) -> Table {
    let mut table = Table::new(&[
        "model",
        "layer",
        "measure",
        "value",
        "lo",
        "hi",
        "null_lo",
        "null_hi",
        "z",
        "p",
        "p_adjusted",
        "status",
        "n",
    ]);
    let none = Measured::from(Status::NotExecuted);
    for info in subspect_graph::MEASURES {
        let nulls: Vec<Option<&NullRecord>> = record
            .layers
            .iter()
            .map(
                |l| if info.name == "modularity" { Some(&l.modularity_null) } else { l.nulls.get(info.name) },
            )
            .collect();
        let p: Vec<Measured> = nulls.iter().map(|n| n.map_or(none, |n| n.p)).collect();
        let adjusted = adjust(&p, Adjustment::Holm);
        for (k, layer) in record.layers.iter().enumerate() {
            let value = layer.measures.get(info.name).copied().unwrap_or(none);
            let interval = layer.intervals.get(info.name);
            table.push(vec![
                model(record).into(),
                layer.name.clone().into(),
                info.name.into(),
                value.into(),
                interval.map(|i| i.lo).into(),
                interval.map(|i| i.hi).into(),
                nulls[k].map(|n| n.lo).into(),
                nulls[k].map(|n| n.hi).into(),
                nulls[k].map(|n| n.z).into(),
                nulls[k].map(|n| n.p).into(),
                nulls[k].map(|_| adjusted[k]).into(),
                status(value),
                record.inputs.ids.len().into(),
            ]);
        }
    }
    table
}

/// Every pair of layers of every map, once.
pub(crate) fn similarity(record: &RunRecord) -> Table {
    let mut table = Table::new(&[
        "model_a",
        "layer_a",
        "model_b",
        "layer_b",
        "measure",
        "estimator",
        "value",
        "lo",
        "hi",
        "z",
        "p",
        "p_adjusted",
        "status",
        "n",
    ]);
    for map in &record.similarity {
        for (i, row) in map.values.iter().enumerate() {
            for (j, &value) in row.iter().enumerate().skip(i) {
                let found = map.inference.as_ref();
                let of = |table: fn(&subspect_data::record::InferenceRecord) -> &Vec<Vec<Measured>>| -> Cell {
                    found.and_then(|f| table(f).get(i)?.get(j).copied()).into()
                };
                table.push(vec![
                    model(record).into(),
                    record.layers[i].name.clone().into(),
                    model(record).into(),
                    record.layers[j].name.clone().into(),
                    map.measure.clone().into(),
                    map.estimator.clone().into(),
                    value.into(),
                    of(|f| &f.lo),
                    of(|f| &f.hi),
                    of(|f| &f.z),
                    of(|f| &f.p),
                    of(|f| &f.p_adjusted),
                    status(value),
                    record.inputs.ids.len().into(),
                ]);
            }
        }
    }
    table
}

/// The blocks of every map: one row per block.
pub(crate) fn blocks(record: &RunRecord) -> Table {
    let mut table = Table::new(&[
        "model",
        "measure",
        "estimator",
        "block",
        "first_layer",
        "last_layer",
        "n_layers",
        "score",
        "z",
        "p",
        "status",
    ]);
    for map in &record.similarity {
        let Some(found) = &map.blocks else { continue };
        let name = |l: usize| -> Cell { record.layers.get(l).map_or(Cell::Empty, |l| l.name.clone().into()) };
        let mut row = |block: Cell, ends: Option<(usize, usize)>| {
            table.push(vec![
                model(record).into(),
                map.measure.clone().into(),
                map.estimator.clone().into(),
                block,
                ends.map_or(Cell::Empty, |(start, _)| name(start)),
                ends.map_or(Cell::Empty, |(_, end)| name(end - 1)),
                ends.map_or(Cell::Empty, |(start, end)| (end - start).into()),
                found.score.into(),
                found.null.z.into(),
                found.null.p.into(),
                status(found.score),
            ]);
        };
        let ends = found.starts.iter().skip(1).copied().chain([record.layers.len()]);
        for (k, (&start, end)) in found.starts.iter().zip(ends).enumerate() {
            row(k.into(), Some((start, end)));
        }
        if found.starts.is_empty() {
            row(Cell::Empty, None);
        }
    }
    table
}
