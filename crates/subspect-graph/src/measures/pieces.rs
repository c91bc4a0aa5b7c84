//! Into how many pieces the graph falls.

use subspect_linalg::{Measured, Status};

use crate::measures::MeasureInfo;

pub(super) static COMPONENTS: MeasureInfo = MeasureInfo {
    name: "components",
    summary: "connected components of two inputs and more; isolated inputs are counted apart",
    reference: "count",
    range: "0 to N/2",
    parameters: &[],
    compute: |s| Measured::finite(s.components().sizes.iter().filter(|&&size| size > 1).count() as f64),
};

pub(super) static LARGEST: MeasureInfo = MeasureInfo {
    name: "largest_component",
    summary: "share of the inputs in the largest connected component",
    reference: "count / N",
    range: "1/N to 1 (connected)",
    parameters: &[],
    compute: |s| match s.components().sizes.iter().max() {
        None => Status::NTooSmall.into(),
        Some(&largest) => Measured::finite(largest as f64 / s.graph.n_nodes() as f64),
    },
};
