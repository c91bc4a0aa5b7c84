//! A ranking as a table.

use subspect_data::rundir::{Cell, Table};

use super::Ranking;

/// The first `top` inputs of a ranking, or all of them.
pub fn ranking_table(ranking: &Ranking, top: Option<usize>) -> Table {
    let mut table = Table::new(&[
        "rank",
        "id",
        "label",
        "prediction",
        "confidence",
        "vote",
        "score",
        "layer",
        "value",
        "status",
    ]);
    let record = &ranking.record;
    let class = |of: Option<u32>| -> Cell {
        let name =
            |c: u32| record.dataset.classes.get(c as usize).map_or_else(|| c.into(), |n| n.clone().into());
        of.map_or(Cell::Empty, name)
    };
    for (rank, &i) in ranking.order.iter().take(top.unwrap_or(usize::MAX)).enumerate() {
        let value = ranking.score.values[i];
        table.push(vec![
            (rank + 1).into(),
            record.inputs.ids[i].clone().into(),
            class(record.inputs.labels.get(i).copied()),
            class(record.inputs.predictions.get(i).copied()),
            record.inputs.confidence.get(i).map(|&c| f64::from(c)).into(),
            class(ranking.votes.get(i).copied().flatten()),
            ranking.score.name.clone().into(),
            ranking.score.layer.clone().into(),
            value.into(),
            value.status().map_or("ok", |s| s.as_str()).into(),
        ]);
    }
    table
}
