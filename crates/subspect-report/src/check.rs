//! The parts of a record agree with each other, so that everything after this may index without fear.

use subspect_data::record::{LayerRecord, RunRecord};

use crate::error::ReportError;

/// Checks every length and position that the page follows.
pub(crate) fn check(record: &RunRecord) -> Result<(), ReportError> {
    let n_inputs = record.inputs.ids.len();
    let n_layers = record.layers.len();
    let inputs = &record.inputs;
    for (what, found) in [
        ("inputs.labels", inputs.labels.len()),
        ("inputs.predictions", inputs.predictions.len()),
        ("inputs.confidence", inputs.confidence.len()),
    ] {
        length_or_empty(what, found, n_inputs)?;
    }
    for layer in &record.layers {
        check_layer(layer, n_inputs)?;
    }
    for map in &record.similarity {
        let what = format!("similarity {} ({})", map.measure, map.estimator);
        length(&what, map.values.len(), n_layers)?;
        for (i, row) in map.values.iter().enumerate() {
            length(&format!("{what}, row {i}"), row.len(), n_layers)?;
        }
    }
    for (k, near) in record.neighbourhoods.iter().enumerate() {
        let what = format!("neighbourhoods[{k}]");
        below(&format!("{what}.layer"), near.layer, n_layers)?;
        below(&format!("{what}.input"), near.input, n_inputs)?;
        for neighbour in &near.neighbours {
            below(&format!("{what}.neighbours"), neighbour.input, n_inputs)?;
        }
    }
    Ok(())
}

fn check_layer(layer: &LayerRecord, n_inputs: usize) -> Result<(), ReportError> {
    length_or_empty(&format!("votes of layer {}", layer.name), layer.votes.len(), n_inputs)?;
    let n_classes = layer.class_affinity.len();
    for (c, row) in layer.class_affinity.iter().enumerate() {
        length(&format!("class_affinity of layer {}, row {c}", layer.name), row.len(), n_classes)?;
    }
    Ok(())
}

fn length(what: &str, found: usize, expected: usize) -> Result<(), ReportError> {
    if found == expected {
        return Ok(());
    }
    Err(inconsistent(what, format!("{expected} entries"), found.to_string()))
}

fn length_or_empty(what: &str, found: usize, expected: usize) -> Result<(), ReportError> {
    if found == 0 { Ok(()) } else { length(what, found, expected) }
}

fn below(what: &str, found: usize, bound: usize) -> Result<(), ReportError> {
    if found < bound {
        return Ok(());
    }
    Err(inconsistent(what, format!("a position below {bound}"), found.to_string()))
}

fn inconsistent(what: &str, expected: String, found: String) -> ReportError {
    ReportError::Inconsistent { what: what.to_owned(), expected, found }
}
