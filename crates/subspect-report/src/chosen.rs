//! Figures of single inputs, for one layer: the map of its inputs, and the neighbourhoods that were chosen.

use std::path::Path;

use subspect_data::neighbours::Neighbours;
use subspect_data::record::{NeighbourRecord, NeighbourhoodRecord, RunRecord};

use crate::context::Context;
use crate::error::ReportError;
use crate::explore::LayerFiles;
use crate::figure::{Figure, input_map, neighbourhood};
use crate::sprite::Atlas;

/// What the figures of single inputs show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FigureChoice {
    /// Name of the layer; the deepest one before the output where none is given.
    pub layer: Option<String>,
    /// Ids of the inputs with a figure of their neighbours; the first recorded example where there are none.
    pub inputs: Vec<String>,
}

/// Draws them, as far as the run recorded what they show.
pub(crate) fn figures_of_inputs(
    run_dir: &Path,
    context: &Context<'_>,
    choice: &FigureChoice,
) -> Result<Vec<Figure>, ReportError> {
    let record = context.record;
    let Some(l) = layer_of(record, choice.layer.as_deref())? else { return Ok(Vec::new()) };
    let inputs = inputs_of(record, &choice.inputs)?;
    let file = LayerFiles::of(run_dir, record.inputs.ids.len(), &record.layers[l], &mut Vec::new());
    let mut figures: Vec<Figure> = file.layout.iter().map(|map| input_map::draw(context, l, map)).collect();
    if let Some(near) = &file.neighbours {
        let atlas = record.thumbnails.as_ref().and_then(|t| Atlas::read(run_dir, t).ok());
        let picture = |i: usize| atlas.as_ref().and_then(|a| a.png(i).ok().flatten());
        let of = |&i: &usize| neighbourhood::draw(context, &neighbourhood_of(record, near, i, l), &picture);
        figures.extend(inputs.iter().map(of));
    }
    Ok(figures)
}

fn layer_of(record: &RunRecord, name: Option<&str>) -> Result<Option<usize>, ReportError> {
    let layers = &record.layers;
    let Some(name) = name else {
        let is_output = layers.len() > 1 && layers.last().is_some_and(|l| l.kind == "linear");
        return Ok(layers.len().checked_sub(if is_output { 2 } else { 1 }));
    };
    let found = layers.iter().position(|l| l.name == name);
    let expected = || layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| ReportError::Unknown {
        what: "layer",
        name: name.to_owned(),
        expected: format!("one of {}", expected()),
    })
}

fn inputs_of(record: &RunRecord, ids: &[String]) -> Result<Vec<usize>, ReportError> {
    if ids.is_empty() {
        return Ok(record.neighbourhoods.first().map(|n| n.input).into_iter().collect());
    }
    let find = |id: &String| {
        record.inputs.ids.iter().position(|i| i == id).ok_or_else(|| ReportError::Unknown {
            what: "input",
            name: id.clone(),
            expected: "an id as in tables/inputs.csv".into(),
        })
    };
    ids.iter().map(find).collect()
}

fn neighbourhood_of(
    record: &RunRecord,
    near: &Neighbours,
    input: usize,
    layer: usize,
) -> NeighbourhoodRecord {
    let neighbour = |at: usize| NeighbourRecord {
        input: near.indices[at] as usize,
        affinity: near.affinity[at].into(),
        coefficient: near.coefficient[at].into(),
        reverse_coefficient: near.reverse_coefficient[at].into(),
    };
    NeighbourhoodRecord {
        input,
        layer,
        neighbours: (near.indptr[input]..near.indptr[input + 1]).map(neighbour).collect(),
        class_affinity: near.class_affinity.row(input).iter().map(|&v| v.into()).collect(),
        vote: record.layers[layer].votes.get(input).copied().flatten(),
    }
}
