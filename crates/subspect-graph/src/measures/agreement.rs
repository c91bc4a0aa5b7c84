//! The affinity vote as a number: how often it is right, and how often the network says the same.

use subspect_linalg::{Measured, Status};

use crate::measures::MeasureInfo;
use crate::vote::{vote_accuracy, vote_share};

pub(super) static ACCURACY: MeasureInfo = MeasureInfo {
    name: "vote_accuracy",
    summary: "share of inputs whose neighbours' affinity is largest for their own class; isolated inputs count as wrong",
    reference: "Saini, Devineni & Papalexakis, ECML-PKDD 2021",
    range: "0 to 1",
    parameters: &[],
    compute: |s| s.with_partition(|p| vote_accuracy(s.votes(p), p)),
};

pub(super) static AGREEMENT: MeasureInfo = MeasureInfo {
    name: "vote_agreement",
    summary: "share of inputs whose affinity vote is the network's own prediction; isolated inputs count as different",
    reference: "Saini, Devineni & Papalexakis, ECML-PKDD 2021",
    range: "0 to 1",
    parameters: &[],
    compute: |s| {
        s.with_partition(|p| match s.predictions {
            None => Measured::from(Status::NoPredictions),
            Some(predictions) => vote_share(s.votes(p), predictions),
        })
    },
};
