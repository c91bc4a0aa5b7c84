//! The maps between the layers of two networks, from the record of a comparison.

use serde::Serialize;
use subspect_data::comparison::ComparisonRecord;

use super::header::{Inference, Map, numbers};
use crate::figure::measure_title;

/// What a comparison says of two runs of the page, by their positions.
#[derive(Serialize)]
pub(crate) struct Cross {
    first: usize,
    second: usize,
    maps: Vec<Map>,
}

impl Cross {
    pub(crate) fn new(record: &ComparisonRecord, first: usize, second: usize) -> Self {
        let maps = record.maps.iter().map(|map| Map {
            measure: map.measure.clone(),
            title: measure_title(&map.measure),
            estimator: map.estimator.clone(),
            values: numbers(&map.values),
            inference: Some(Inference::new(&map.inference, numbers)),
            blocks: None,
        });
        Cross { first, second, maps: maps.collect() }
    }
}
