//! The same numbers for spreadsheets: `tables/*.csv`.

use subspect_data::record::RunRecord;
use subspect_data::rundir::{Cell, RunDir, Table};

use crate::PipelineError;

/// Writes every table of a record.
pub(crate) fn write(dir: &RunDir, record: &RunRecord) -> Result<(), PipelineError> {
    for (name, table) in tables(record) {
        dir.write_table(&name, &table)?;
    }
    Ok(())
}

/// Every table of a record, by name.
pub(crate) fn tables(record: &RunRecord) -> Vec<(String, Table)> {
    let mut out = vec![
        ("layers".to_owned(), layers(record)),
        ("measures".to_owned(), super::long_tables::measures(record)),
        ("similarity".to_owned(), super::long_tables::similarity(record)),
        ("blocks".to_owned(), super::long_tables::blocks(record)),
        ("inputs".to_owned(), inputs(record)),
    ];
    out.extend(record.similarity.iter().map(|map| {
        let names: Vec<&str> = record.layers.iter().map(|l| l.name.as_str()).collect();
        let mut columns = vec!["layer"];
        columns.extend(&names);
        let mut table = Table::new(&columns);
        for (name, row) in names.iter().zip(&map.values) {
            table.push(std::iter::once(Cell::from(*name)).chain(row.iter().map(|&v| v.into())).collect());
        }
        (format!("{}_{}", map.measure, map.estimator), table)
    }));
    out
}

fn layers(record: &RunRecord) -> Table {
    let measures: Vec<&str> = subspect_graph::MEASURES.iter().map(|m| m.name).collect();
    let mut columns = vec![
        "layer",
        "kind",
        "shape",
        "n_features",
        "pool",
        "method",
        "n_converged",
        "n_max_iter",
        "n_trivial",
        "gap_max",
        "gap_median",
        "objective",
        "memory_mode",
        "seconds",
        "nnz",
        "n_edges",
        "n_isolated",
    ];
    columns.extend(&measures);
    columns.extend(["null_mean", "null_sd", "null_lo", "null_hi", "null_z", "null_p"]);
    let mut table = Table::new(&columns);
    for l in &record.layers {
        let shape = l.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        let (s, null) = (&l.solve, &l.modularity_null);
        let mut row: Vec<Cell> = vec![
            l.name.clone().into(),
            l.kind.clone().into(),
            shape.into(),
            l.n_features.into(),
            l.pool.clone().into(),
            s.method.clone().into(),
            s.n_converged.into(),
            s.n_max_iter.into(),
            s.n_trivial.into(),
            s.gap_max.into(),
            s.gap_median.into(),
            s.objective.into(),
            s.memory_mode.clone().into(),
            s.seconds.into(),
            l.nnz.into(),
            l.n_edges.into(),
            l.n_isolated.into(),
        ];
        row.extend(measures.iter().map(|m| Cell::from(l.measures.get(*m).copied())));
        row.extend([null.mean, null.sd, null.lo, null.hi, null.z, null.p].map(Cell::from));
        table.push(row);
    }
    table
}

/// One row per input: label, prediction, confidence, the scores of `subspect rank`, and the vote in every layer, as
/// class names.
fn inputs(record: &RunRecord) -> Table {
    let mut columns = vec!["id".to_owned(), "label".into(), "prediction".into(), "confidence".into()];
    columns.extend(record.scores.iter().map(|s| s.name.clone()));
    columns.extend(record.layers.iter().map(|l| format!("vote:{}", l.name)));
    let class = |c: u32| -> Cell {
        record.dataset.classes.get(c as usize).map_or_else(|| Cell::from(c), |name| name.clone().into())
    };
    let mut table = Table { columns, rows: Vec::new() };
    let i = &record.inputs;
    for (k, id) in i.ids.iter().enumerate() {
        let mut row: Vec<Cell> = vec![id.clone().into()];
        row.push(i.labels.get(k).map_or(Cell::Empty, |&c| class(c)));
        row.push(i.predictions.get(k).map_or(Cell::Empty, |&c| class(c)));
        row.push(i.confidence.get(k).map_or(Cell::Empty, |&p| f64::from(p).into()));
        row.extend(record.scores.iter().map(|s| Cell::from(s.values.get(k).copied())));
        row.extend(
            record.layers.iter().map(|l| l.votes.get(k).copied().flatten().map_or(Cell::Empty, class)),
        );
        table.push(row);
    }
    table
}
