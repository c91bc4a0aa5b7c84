//! Inputs and classes that the two networks see differently.

use subspect_data::comparison::{ClassChange, Difference, InputChange, LayerPair};
use subspect_linalg::{Measured, Status};

use super::CompareSettings;
use super::change::{mean, neighbourhood_changes};
use super::layers::{of_answers, share};
use super::pair::{Pair, Side};

/// Every input: its neighbourhoods in `focus` and, on average, in the first network's layers and their matches.
pub(crate) fn inputs(
    pair: &Pair,
    pairs: &[LayerPair],
    matched: &[usize],
    focus: Option<&LayerPair>,
) -> Vec<InputChange> {
    let changes = |p: &LayerPair| neighbourhood_changes(&pair.a.graphs[p.first], &pair.b.graphs[p.second]);
    let of_matches: Vec<Vec<Measured>> = matched.iter().map(|&k| changes(&pairs[k])).collect();
    let of_focus = focus.map(changes);
    let vote = |side: &Side, layer: Option<usize>, i: usize| {
        layer.and_then(|l| side.votes.get(l)).and_then(|v| v.get(i).copied().flatten())
    };
    let inputs = [&pair.a.record.inputs, &pair.b.record.inputs];
    (0..inputs[0].ids.len())
        .map(|i| InputChange {
            change: of_focus.as_ref().map_or(Status::NotExecuted.into(), |c| c[i]),
            mean_change: mean(of_matches.iter().map(|c| c[i])),
            votes: [vote(&pair.a, focus.map(|p| p.first), i), vote(&pair.b, focus.map(|p| p.second), i)],
            predictions: inputs.map(|x| x.predictions.get(i).copied()),
            confidence: inputs.map(|x| x.confidence.get(i).copied()),
        })
        .collect()
}

/// Whether each network names the label; nothing unless both and the labels are known.
pub(crate) fn right_answers(pair: &Pair) -> Option<[Vec<bool>; 2]> {
    let partition = pair.partition.as_ref()?;
    let right = |side: &Side| -> Option<Vec<bool>> {
        let predictions = &side.record.inputs.predictions;
        let known = predictions.len() == partition.len();
        known.then(|| predictions.iter().zip(partition.classes()).map(|(p, c)| p == c).collect())
    };
    Some([right(&pair.a)?, right(&pair.b)?])
}

/// Share of the inputs to which the networks give different answers.
pub(crate) fn prediction_change(pair: &Pair) -> Measured {
    let (a, b) = (&pair.a.record.inputs.predictions, &pair.b.record.inputs.predictions);
    if a.is_empty() || b.is_empty() {
        return Status::NoPredictions.into();
    }
    share(a.iter().zip(b).map(|(x, y)| x != y))
}

/// Every class; empty without labels.
pub(crate) fn classes(pair: &Pair, inputs: &[InputChange], settings: &CompareSettings) -> Vec<ClassChange> {
    let Some(partition) = &pair.partition else { return Vec::new() };
    let answers = right_answers(pair);
    (0..partition.n_classes())
        .map(|c| {
            let members: Vec<usize> = (0..partition.len()).filter(|&i| partition.class(i) == c).collect();
            let of = |right: &[bool]| members.iter().map(|&i| right[i]).collect::<Vec<_>>();
            let voted = |side: usize| -> Vec<bool> {
                members.iter().map(|&i| inputs[i].votes[side] == Some(c as u32)).collect()
            };
            let difference = |x: &[bool], y: &[bool]| {
                if members.is_empty() {
                    Difference::of_nothing(Status::NTooSmall)
                } else {
                    of_answers(x, y, settings)
                }
            };
            ClassChange {
                n_inputs: members.len(),
                accuracy: answers.as_ref().map(|[x, y]| difference(&of(x), &of(y))),
                vote: difference(&voted(0), &voted(1)),
                change: mean(members.iter().map(|&i| inputs[i].change)),
            }
        })
        .collect()
}

/// Positions of the inputs, the largest change first; those without a value last.
pub fn most_changed(inputs: &[InputChange]) -> Vec<usize> {
    let key = |i: &usize| inputs[*i].change.value().unwrap_or(f64::NEG_INFINITY);
    let second = |i: &usize| inputs[*i].mean_change.value().unwrap_or(f64::NEG_INFINITY);
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by(|a, b| key(b).total_cmp(&key(a)).then(second(b).total_cmp(&second(a))));
    order
}
