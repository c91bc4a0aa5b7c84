//! The scores by which inputs are ranked over the epochs of a training: one layer, one graph per epoch.
//!
//! `epoch_margin` is the area under the margin (Pleiss, Zhang, Elenberg & Weinberger, NeurIPS 2020) with class affinities
//! in place of logits: labels that a network only learns by heart are contradicted by neighbours for many epochs.
//! `forgotten` counts forgetting events (Toneva et al., ICLR 2019) of the affinity vote.

use std::path::{Path, PathBuf};

use subspect_data::dynamics::{DYNAMICS_FILE, DynamicsRecord, SeriesRecord};
use subspect_data::record::ScoreRecord;
use subspect_data::rundir::RunDir;
use subspect_graph::{AffinityGraph, affinity_votes};
use subspect_linalg::{Measured, Status};

use super::score::{ScoreInfo, Subject, against, between, undefined};
use super::{Ranking, order};
use crate::PipelineError;
use crate::look::layer_index;
use crate::recorded::{layer_graph, partition};
use crate::runs::change::mean;

/// All of them; `graphs` of a subject are those of the epochs.
pub static EPOCH_SCORES: &[ScoreInfo] = &[
    ScoreInfo {
        name: "epoch_margin",
        summary: "Neighbours speak for another class than the label all along: mean over the epochs of the vote's margin against it",
        over_layers: false,
        compute: margins,
    },
    ScoreInfo {
        name: "forgotten",
        summary: "The vote was right and is wrong an epoch later: number of times",
        over_layers: false,
        compute: forgotten,
    },
    ScoreInfo {
        name: "epochs",
        summary: "Neighbours change from epoch to epoch: mean weighted Jaccard distance of consecutive epochs' neighbourhoods",
        over_layers: false,
        compute: |s| between(s, &(1..s.graphs.len()).collect::<Vec<_>>()),
    },
];

fn margins(subject: &Subject<'_>) -> Vec<Measured> {
    let Some(partition) = subject.partition else { return undefined(subject, Status::NoLabels) };
    let by_epoch: Vec<Vec<Measured>> = (0..subject.graphs.len())
        .map(|epoch| against(&Subject { layer: Some(epoch), ..*subject }, partition.classes()))
        .collect();
    mean_of(&by_epoch)
}

fn forgotten(subject: &Subject<'_>) -> Vec<Measured> {
    let Some(partition) = subject.partition else { return undefined(subject, Status::NoLabels) };
    let right: Vec<Vec<bool>> = subject
        .graphs
        .iter()
        .map(|g| {
            let votes = affinity_votes(g, partition);
            votes
                .iter()
                .enumerate()
                .map(|(i, v)| v.is_some_and(|v| v as usize == partition.class(i)))
                .collect()
        })
        .collect();
    let times = |i: usize| right.windows(2).filter(|w| w[0][i] && !w[1][i]).count() as f64;
    (0..partition.classes().len()).map(|i| Measured::finite(times(i))).collect()
}

fn mean_of(rows: &[Vec<Measured>]) -> Vec<Measured> {
    let n = rows.first().map_or(0, Vec::len);
    (0..n).map(|i| mean(rows.iter().map(|row| row[i]))).collect()
}

/// Whether `folder` is of a training that was followed.
pub(super) fn is_dynamics(folder: &Path) -> bool {
    folder.join(DYNAMICS_FILE).is_file()
}

/// The run of the last epoch, for scores of one epoch.
pub(super) fn last_run(folder: &Path, record: &DynamicsRecord) -> Result<PathBuf, PipelineError> {
    let last = record.series.first().and_then(|s| s.epochs.last()).map(|e| folder.join(&e.run));
    last.ok_or_else(|| PipelineError::Missing {
        what: format!("an epoch in {}", folder.display()),
        mend: "repeat `subspect dynamics`".into(),
    })
}

/// Ranks the inputs of the training in `folder`; with several trainings by the mean over them.
pub(super) fn rank(folder: &Path, info: &ScoreInfo, layer: Option<&str>) -> Result<Ranking, PipelineError> {
    let dynamics = DynamicsRecord::read(folder)?;
    let record = RunDir::open(&last_run(folder, &dynamics)?)?.read_record()?;
    let index = layer_index(folder, &record, layer)?;
    let partition = partition(&record.inputs.labels, record.dataset.classes.len())?;
    let mut by_series = Vec::with_capacity(dynamics.series.len());
    for series in &dynamics.series {
        let graphs = graphs(folder, series, index)?;
        if let Some(p) = &partition {
            graphs.iter().try_for_each(|g| p.check(g))?;
        }
        let graphs: Vec<&AffinityGraph> = graphs.iter().collect();
        let subject =
            Subject { graphs: &graphs, partition: partition.as_ref(), predictions: &[], layer: None };
        by_series.push((info.compute)(&subject));
    }
    let score = ScoreRecord {
        name: info.name.to_owned(),
        layer: Some(record.layers[index].name.clone()),
        values: mean_of(&by_series),
    };
    let (votes, order) = (record.layers[index].votes.clone(), order(&score));
    Ok(Ranking { record, layer: index, score, votes, order })
}

/// The graphs of one layer, epoch by epoch.
fn graphs(folder: &Path, series: &SeriesRecord, layer: usize) -> Result<Vec<AffinityGraph>, PipelineError> {
    let of = |run: &str| {
        let dir = RunDir::open(&folder.join(run))?;
        layer_graph(&dir, &dir.read_record()?.layers[layer])
    };
    series.epochs.iter().map(|e| of(&e.run)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_graph::Partition;
    use subspect_linalg::CsrBuilder;

    fn graph(of_zero: u32) -> AffinityGraph {
        let mut b = CsrBuilder::new(4);
        b.push_row(&mut [(of_zero, 1.0)]);
        b.push_row(&mut [(0, 0.1)]);
        b.push_row(&mut [(3, 1.0)]);
        b.push_row(&mut []);
        AffinityGraph::from_coefficients(&b.finish()).unwrap()
    }

    #[test]
    fn an_input_that_leaves_its_class_is_forgotten_once_and_ends_against_its_label() {
        let (before, after) = (graph(1), graph(3));
        let partition = Partition::new(vec![0, 0, 1, 1], 2).unwrap();
        let of = |name: &str, graphs: &[&AffinityGraph]| {
            let subject = Subject { graphs, partition: Some(&partition), predictions: &[], layer: None };
            (EPOCH_SCORES.iter().find(|s| s.name == name).unwrap().compute)(&subject)
        };
        let found = of("forgotten", &[&before, &after, &before, &after]);
        assert_eq!(found[..2], [Measured::Value(2.0), Measured::Value(0.0)]);
        let margin = of("epoch_margin", &[&before, &after]);
        let after_zero = (1.0 - 0.1) / 1.1;
        assert!((margin[0].value().unwrap() - (after_zero - 1.0) / 2.0).abs() < 1e-6, "{margin:?}");
        assert_eq!(of("epochs", &[&before, &before])[0], Measured::Value(0.0));
        assert!(of("epochs", &[&before, &after])[0].value().unwrap() > 0.5);
        assert_eq!(of("epochs", &[&before])[0].status(), Some(Status::NotApplicable));
    }

    #[test]
    fn names_of_all_scores_differ() {
        let mut names: Vec<&str> = super::super::SCORES.iter().chain(EPOCH_SCORES).map(|s| s.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
