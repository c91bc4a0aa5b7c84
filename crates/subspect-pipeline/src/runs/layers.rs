//! Layers side by side: class structure of both with the difference, its interval over inputs and a paired test.
//!
//! Modularity: the same resampled inputs in both graphs. Vote and network: McNemar's exact test of right and wrong,
//! and a BCa interval of the mean difference (see `subspect-statistics`).

use subspect_data::comparison::{Difference, LayerPair, Network, NetworkLayer};
use subspect_graph::{IntervalOptions, modularity_difference, vote_accuracy};
use subspect_linalg::{Measured, Seed, Status};
use subspect_statistics::{mcnemar, mean_interval};

use super::CompareSettings;
use super::change::{mean, neighbourhood_changes};
use super::pair::{Pair, Side};
use crate::{PipelineError, focus_layer, is_output};

/// A network as the record names it.
pub(crate) fn network(side: &Side) -> Network {
    let measure = |l: &subspect_data::record::LayerRecord, name: &str| {
        l.measures.get(name).copied().unwrap_or(Status::NotExecuted.into())
    };
    Network {
        name: side.name(),
        run: side.path.display().to_string(),
        layers: side
            .record
            .layers
            .iter()
            .map(|l| NetworkLayer {
                name: l.name.clone(),
                modularity: measure(l, "modularity"),
                vote_accuracy: measure(l, "vote_accuracy"),
            })
            .collect(),
    }
}

/// The deepest layers before the output of both networks.
pub(crate) fn focus(pair: &Pair) -> Option<(usize, usize)> {
    let of = |side: &Side| focus_layer(&side.record.layers, is_output(&side.record));
    Some((of(&pair.a)?, of(&pair.b)?))
}

/// One layer of each network side by side.
pub(crate) fn layer_pair(
    pair: &Pair,
    (first, second): (usize, usize),
    ssc_cka: Measured,
    settings: &CompareSettings,
) -> Result<LayerPair, PipelineError> {
    let (a, b) = (&pair.a.graphs[first], &pair.b.graphs[second]);
    let overlap = neighbourhood_changes(a, b).into_iter().map(|m| m.map(|v| 1.0 - v));
    let none = Difference::of_nothing(Status::NoLabels);
    let (mut modularity, mut vote, mut vote_change) = (none.clone(), none, Measured::from(Status::NoLabels));
    if let Some(partition) = &pair.partition {
        let options = IntervalOptions {
            n_resamples: settings.resamples,
            level: settings.level,
            seed: Seed::new(settings.seed).axis("compare").axis("inputs"),
        };
        let found = modularity_difference(a, b, partition, settings.resolution, &options)?;
        let value = |g| subspect_graph::modularity(g, partition, settings.resolution);
        modularity = Difference {
            first: value(a),
            second: value(b),
            value: found.value,
            lo: found.interval.lo,
            hi: found.interval.hi,
            p: found.p,
        };
        let (x, y) = (&pair.a.votes[first], &pair.b.votes[second]);
        vote = if x.iter().chain(y).all(Option::is_none) {
            Difference::of_nothing(Status::EmptyGraph)
        } else {
            let right = |votes: &[Option<u32>]| -> Vec<bool> {
                votes.iter().zip(partition.classes()).map(|(v, c)| *v == Some(*c)).collect()
            };
            let paired = of_answers(&right(x), &right(y), settings);
            Difference { first: vote_accuracy(x, partition), second: vote_accuracy(y, partition), ..paired }
        };
        vote_change = share(x.iter().zip(y).map(|(v, w)| v != w));
    }
    Ok(LayerPair { first, second, ssc_cka, neighbour_overlap: mean(overlap), modularity, vote, vote_change })
}

/// Right and wrong answers of both to the same inputs.
pub(crate) fn of_answers(first: &[bool], second: &[bool], settings: &CompareSettings) -> Difference {
    let test = mcnemar(first, second);
    let differences: Vec<f64> =
        first.iter().zip(second).map(|(x, y)| f64::from(u8::from(*x)) - f64::from(u8::from(*y))).collect();
    let seed = Seed::new(settings.seed).axis("compare").axis("inputs");
    let interval = mean_interval(&differences, settings.resamples, settings.level, seed);
    Difference {
        first: share(first.iter().copied()),
        second: share(second.iter().copied()),
        value: test.difference,
        lo: interval.lo,
        hi: interval.hi,
        p: test.p,
    }
}

/// Share of the answers that are yes.
pub(crate) fn share(answers: impl Iterator<Item = bool>) -> Measured {
    mean(answers.map(|yes| Measured::Value(f64::from(u8::from(yes)))))
}
