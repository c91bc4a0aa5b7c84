//! What a condition of `subspect compare --fail-if` may be about.

use subspect_data::comparison::ComparisonRecord;
use subspect_linalg::{Measured, Status};

use super::map_value;

/// One such measure: an entry of [`COMPARED`].
pub struct ComparedInfo {
    /// Name in conditions.
    pub name: &'static str,
    /// What it says.
    pub summary: &'static str,
    /// Whether it is of a layer of each network, or of the networks as a whole.
    pub of_layers: bool,
    /// Its value for a layer of the first and one of the second network (0 and 0 for whole networks).
    pub value: fn(&ComparisonRecord, usize, usize) -> Measured,
}

/// All of them. Drops are the first network's value minus the second's.
pub static COMPARED: &[ComparedInfo] = &[
    ComparedInfo {
        name: "ssc_cka",
        summary: "SSC-CKA of the two layers' graphs",
        of_layers: true,
        value: |r, i, j| map_value(r, "ssc_cka", "biased", (i, j)),
    },
    ComparedInfo {
        name: "ssc_cka_debiased",
        summary: "The same, debiased",
        of_layers: true,
        value: |r, i, j| map_value(r, "ssc_cka", "debiased", (i, j)),
    },
    ComparedInfo {
        name: "linear_cka",
        summary: "Linear CKA of the two layers' activations, biased",
        of_layers: true,
        value: |r, i, j| map_value(r, "linear_cka", "biased", (i, j)),
    },
    ComparedInfo {
        name: "linear_cka_debiased",
        summary: "The same, debiased",
        of_layers: true,
        value: |r, i, j| map_value(r, "linear_cka", "debiased", (i, j)),
    },
    ComparedInfo {
        name: "modularity_drop",
        summary: "How much lower the modularity of the class labels is in the second network",
        of_layers: true,
        value: |r, i, j| difference(r.networks[0].layers[i].modularity, r.networks[1].layers[j].modularity),
    },
    ComparedInfo {
        name: "vote_drop",
        summary: "How much lower the accuracy of the affinity vote is in the second network",
        of_layers: true,
        value: |r, i, j| {
            difference(r.networks[0].layers[i].vote_accuracy, r.networks[1].layers[j].vote_accuracy)
        },
    },
    ComparedInfo {
        name: "accuracy_drop",
        summary: "How much lower the accuracy of the second network itself is",
        of_layers: false,
        value: |r, _, _| r.accuracy.as_ref().map_or(Status::NoPredictions.into(), |d| d.value),
    },
    ComparedInfo {
        name: "prediction_change",
        summary: "Share of inputs to which the two networks give different answers",
        of_layers: false,
        value: |r, _, _| r.prediction_change,
    },
];

fn difference(first: Measured, second: Measured) -> Measured {
    match (first, second) {
        (Measured::Value(a), Measured::Value(b)) => Measured::finite(a - b),
        (Measured::Undefined(status), _) | (_, Measured::Undefined(status)) => status.into(),
    }
}
