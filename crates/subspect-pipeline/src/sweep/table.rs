//! A sweep for spreadsheets: one row per cell and map.

use subspect_data::rundir::{Cell, Table};
use subspect_data::sweep::SweepRecord;

/// Every cell with its axes, its deepest layer before the output, and the block structure of each of its maps.
pub fn sweep_table(record: &SweepRecord) -> Table {
    let mut header = vec!["cell"];
    header.extend(record.axes.iter().map(String::as_str));
    header.extend([
        "n_inputs",
        "n_layers",
        "training",
        "training_epoch",
        "test_accuracy",
        "accuracy",
        "layer",
        "modularity",
        "vote_accuracy",
        "vote_agreement",
        "measure",
        "estimator",
        "block_score",
        "null_mean",
        "null_hi",
        "z",
        "p",
        "n_blocks",
        "block_starts",
    ]);
    let mut table = Table::new(&header);
    for cell in &record.cells {
        for map in &cell.maps {
            let Some(blocks) = &map.blocks else { continue };
            let starts: Vec<&str> = blocks.starts.iter().map(|&s| cell.layers[s].as_str()).collect();
            let mut row: Vec<Cell> = vec![cell.name.clone().into()];
            row.extend(record.axes.iter().map(|axis| Cell::from(cell.values.get(axis).cloned())));
            row.extend([
                cell.n_inputs.into(),
                cell.layers.len().into(),
                cell.training.as_ref().map(|t| t.folder.clone()).into(),
                cell.training.as_ref().map(|t| t.epoch).into(),
                cell.training.as_ref().map(|t| t.test_accuracy).into(),
                cell.accuracy.into(),
                cell.layer.clone().into(),
                cell.modularity.into(),
                cell.vote.into(),
                cell.agreement.into(),
                map.measure.clone().into(),
                map.estimator.clone().into(),
                blocks.score.into(),
                blocks.null.mean.into(),
                blocks.null.hi.into(),
                blocks.null.z.into(),
                blocks.null.p.into(),
                blocks.starts.len().into(),
                starts.join(" ").into(),
            ]);
            table.push(row);
        }
    }
    table
}
