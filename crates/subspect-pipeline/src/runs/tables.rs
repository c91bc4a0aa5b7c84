//! A comparison for spreadsheets: long tables, one row per number.

use subspect_data::comparison::{ComparisonRecord, Difference};
use subspect_data::rundir::{Cell, Table};
use subspect_linalg::Measured;

use super::inputs::most_changed;

/// Every table, by name.
pub(crate) fn tables(record: &ComparisonRecord) -> Vec<(&'static str, Table)> {
    vec![
        ("similarity", similarity_table(record)),
        ("layers", layers(record)),
        ("inputs", inputs(record)),
        ("classes", classes(record)),
    ]
}

/// Status of a row: `ok`, or why there is no value.
fn status(value: Measured) -> Cell {
    value.status().map_or("ok", |s| s.as_str()).into()
}

/// Every cell of every map: the layers' names, the value, its interval and its null.
pub fn similarity_table(record: &ComparisonRecord) -> Table {
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
    let [a, b] = &record.networks;
    for map in &record.maps {
        let found = &map.inference;
        for (i, row) in map.values.iter().enumerate() {
            for (j, &value) in row.iter().enumerate() {
                let of = |t: &[Vec<Measured>]| Cell::from(t[i][j]);
                table.push(vec![
                    a.name.clone().into(),
                    a.layers[i].name.clone().into(),
                    b.name.clone().into(),
                    b.layers[j].name.clone().into(),
                    map.measure.clone().into(),
                    map.estimator.clone().into(),
                    value.into(),
                    of(&found.lo),
                    of(&found.hi),
                    of(&found.z),
                    of(&found.p),
                    of(&found.p_adjusted),
                    status(value),
                    record.ids.len().into(),
                ]);
            }
        }
    }
    table
}

fn difference(d: &Difference) -> [Cell; 6] {
    [d.first, d.second, d.value, d.lo, d.hi, d.p].map(Cell::from)
}

fn layers(record: &ComparisonRecord) -> Table {
    let mut table = Table::new(&[
        "layer_a",
        "layer_b",
        "ssc_cka",
        "neighbour_overlap",
        "vote_change",
        "measure",
        "value_a",
        "value_b",
        "difference",
        "lo",
        "hi",
        "p",
        "status",
        "n",
    ]);
    for pair in &record.pairs {
        for (measure, d) in [("modularity", &pair.modularity), ("vote_accuracy", &pair.vote)] {
            let mut row: Vec<Cell> = vec![
                record.networks[0].layers[pair.first].name.clone().into(),
                record.networks[1].layers[pair.second].name.clone().into(),
                pair.ssc_cka.into(),
                pair.neighbour_overlap.into(),
                pair.vote_change.into(),
                measure.into(),
            ];
            row.extend(difference(d));
            row.extend([status(d.value), record.ids.len().into()]);
            table.push(row);
        }
    }
    table
}

fn class(record: &ComparisonRecord, of: Option<u32>) -> Cell {
    of.map_or(Cell::Empty, |c| record.classes.get(c as usize).map_or_else(|| c.into(), |n| n.clone().into()))
}

fn inputs(record: &ComparisonRecord) -> Table {
    let mut table = Table::new(&[
        "id",
        "label",
        "prediction_a",
        "prediction_b",
        "confidence_a",
        "confidence_b",
        "vote_a",
        "vote_b",
        "change",
        "mean_change",
    ]);
    for i in most_changed(&record.inputs) {
        let x = &record.inputs[i];
        let mut row: Vec<Cell> =
            vec![record.ids[i].clone().into(), class(record, record.labels.get(i).copied())];
        row.extend(x.predictions.map(|p| class(record, p)));
        row.extend(x.confidence.map(|c| Cell::from(c.map(f64::from))));
        row.extend(x.votes.map(|v| class(record, v)));
        row.extend([x.change, x.mean_change].map(Cell::from));
        table.push(row);
    }
    table
}

fn classes(record: &ComparisonRecord) -> Table {
    let mut table = Table::new(&[
        "class",
        "n",
        "change",
        "measure",
        "value_a",
        "value_b",
        "difference",
        "lo",
        "hi",
        "p",
        "status",
    ]);
    for (c, found) in record.by_class.iter().enumerate() {
        let rows = found.accuracy.iter().map(|d| ("accuracy", d)).chain([("vote_accuracy", &found.vote)]);
        for (measure, d) in rows {
            let mut row: Vec<Cell> = vec![
                class(record, Some(c as u32)),
                found.n_inputs.into(),
                found.change.into(),
                measure.into(),
            ];
            row.extend(difference(d));
            row.push(status(d.value));
            table.push(row);
        }
    }
    table
}
