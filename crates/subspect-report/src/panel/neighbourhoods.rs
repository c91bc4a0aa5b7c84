//! Misclassified inputs with their neighbours, one card each.

use serde::Serialize;
use subspect_data::record::{NeighbourRecord, NeighbourhoodRecord, RunRecord};

use super::{PanelInfo, View};
use crate::context::{Context, MAX_CARDS, MAX_NEIGHBOURS};
use crate::names::class_name;
use crate::number::{count, fixed, percent};

pub(super) const INFO: PanelInfo = PanelInfo {
    name: "neighbourhoods",
    title: "Misclassified inputs",
    summary: "The most confident mistakes, who they are expressed by, and what the affinity votes for",
    template: include_str!("../../templates/neighbourhoods.html"),
    render,
};

/// Most class-affinity bars on one card; the vote, the label and the prediction are always among them.
const MAX_BARS: usize = 5;

#[derive(Serialize)]
struct Neighbourhoods {
    cards: Vec<Card>,
    layer: String,
    n_more: usize,
    n_dropped: usize,
    has_pictures: bool,
    /// Why there is nothing to show.
    status: &'static str,
}

/// What a card says of one input.
#[derive(Serialize)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) layer: String,
    pub(crate) label: String,
    pub(crate) prediction: String,
    pub(crate) is_mistake: bool,
    pub(crate) confidence: String,
    pub(crate) tile: Option<String>,
    pub(crate) neighbours: Vec<Neighbour>,
    pub(crate) n_more: usize,
    pub(crate) bars: Vec<Bar>,
    pub(crate) others: Option<String>,
    pub(crate) verdict: &'static str,
}

/// One of its neighbours.
#[derive(Serialize)]
pub(crate) struct Neighbour {
    pub(crate) id: String,
    pub(crate) class: String,
    pub(crate) role: &'static str,
    pub(crate) affinity: String,
    pub(crate) sign: &'static str,
    pub(crate) about: String,
    pub(crate) tile: Option<String>,
}

/// Share of its affinity on one class.
#[derive(Serialize)]
pub(crate) struct Bar {
    pub(crate) class: String,
    pub(crate) role: &'static str,
    pub(crate) share: String,
    pub(crate) width: String,
    pub(crate) is_vote: bool,
}

fn render(context: &Context<'_>) -> View {
    let record = context.record;
    let shown = &record.neighbourhoods[..record.neighbourhoods.len().min(MAX_CARDS)];
    let view = Neighbourhoods {
        cards: shown.iter().map(|n| shortened(card(context, n))).collect(),
        layer: common_layer(record, shown),
        n_more: record.neighbourhoods.len() - shown.len(),
        n_dropped: context.sprite.as_ref().map_or(0, |s| s.n_dropped),
        has_pictures: context.sprite.is_some(),
        status: why_empty(record),
    };
    View::new(view, 0)
}

/// The name of the layer when all cards are about one.
fn common_layer(record: &RunRecord, shown: &[NeighbourhoodRecord]) -> String {
    match shown.first() {
        Some(first) if shown.iter().all(|n| n.layer == first.layer) => {
            record.layers[first.layer].name.clone()
        }
        _ => String::new(),
    }
}

fn why_empty(record: &RunRecord) -> &'static str {
    let inputs = &record.inputs;
    if inputs.labels.is_empty() {
        "no_labels"
    } else if inputs.predictions.is_empty() {
        "no_predictions"
    } else if inputs.labels == inputs.predictions {
        "none"
    } else {
        "not_executed"
    }
}

/// A card with no more neighbours than there is room for on the page.
fn shortened(mut card: Card) -> Card {
    card.n_more = card.neighbours.len().saturating_sub(MAX_NEIGHBOURS);
    card.neighbours.truncate(MAX_NEIGHBOURS);
    card
}

/// One input's card.
pub(crate) fn card(context: &Context<'_>, near: &NeighbourhoodRecord) -> Card {
    let record = context.record;
    let label = record.inputs.labels.get(near.input).copied();
    let prediction = record.inputs.predictions.get(near.input).copied();
    let name =
        |class: Option<u32>, missing: &str| class.map_or_else(|| missing.into(), |c| class_name(record, c));
    let confidence = record.inputs.confidence.get(near.input);
    let (bars, others) = bars(record, near, label, prediction);
    Card {
        id: record.inputs.ids[near.input].clone(),
        layer: record.layers[near.layer].name.clone(),
        label: name(label, "no_labels"),
        prediction: name(prediction, "no_predictions"),
        is_mistake: label.is_some() && prediction.is_some() && label != prediction,
        confidence: confidence.map_or_else(String::new, |c| confidence_text(f64::from(*c))),
        tile: tile(context, near.input),
        neighbours: near.neighbours.iter().map(|n| neighbour(context, n, label, prediction)).collect(),
        n_more: 0,
        bars,
        others,
        verdict: verdict(near.vote, label, prediction),
    }
}

/// `0.99996` (or 1 after rounding to f32) must not read as certainty.
fn confidence_text(confidence: f64) -> String {
    if confidence >= 0.9995 { "> 0.999".into() } else { fixed(confidence, 3) }
}

fn verdict(vote: Option<u32>, label: Option<u32>, prediction: Option<u32>) -> &'static str {
    match vote {
        None => "The input has no neighbours here: no vote.",
        Some(_) if label.is_none() && prediction.is_none() => "",
        v if v == label && v == prediction => "The vote agrees with the label and the network.",
        v if v == label => "The vote is right where the network is wrong.",
        v if v == prediction => "The vote makes the network\u{2019}s mistake.",
        _ => "The vote goes to a third class.",
    }
}

fn tile(context: &Context<'_>, input: usize) -> Option<String> {
    context.sprite.as_ref().and_then(|s| s.style(input))
}

/// Colours follow a class's part in the story: the label, the prediction, or another.
fn role(class: Option<u32>, label: Option<u32>, prediction: Option<u32>) -> &'static str {
    match class {
        None => "other",
        c if c == label => "label",
        c if c == prediction => "prediction",
        _ => "other",
    }
}

fn neighbour(
    context: &Context<'_>,
    near: &NeighbourRecord,
    label: Option<u32>,
    prediction: Option<u32>,
) -> Neighbour {
    let record = context.record;
    let class = record.inputs.labels.get(near.input).copied();
    let id = record.inputs.ids[near.input].clone();
    let class_text = class.map_or_else(|| "no_labels".into(), |c| class_name(record, c));
    let about = format!(
        "{id}, {class_text}: affinity {}, coefficient {}, reverse {}",
        fixed(near.affinity, 4),
        fixed(near.coefficient, 4),
        fixed(near.reverse_coefficient, 4)
    );
    let tile = tile(context, near.input);
    let role = role(class, label, prediction);
    Neighbour {
        sign: sign(near),
        affinity: fixed(near.affinity, 3),
        class: class_text,
        id,
        role,
        about,
        tile,
    }
}

/// Sign of the input's own coefficient, or an arrow when only the neighbour uses the input.
fn sign(near: &NeighbourRecord) -> &'static str {
    if near.coefficient > 0.0 {
        "+"
    } else if near.coefficient < 0.0 {
        "\u{2212}"
    } else {
        "\u{2190}"
    }
}

fn bars(
    record: &RunRecord,
    near: &NeighbourhoodRecord,
    label: Option<u32>,
    prediction: Option<u32>,
) -> (Vec<Bar>, Option<String>) {
    let mut order: Vec<usize> =
        (0..near.class_affinity.len()).filter(|&c| near.class_affinity[c] > 0.0).collect();
    order.sort_by(|&a, &b| near.class_affinity[b].total_cmp(&near.class_affinity[a]).then(a.cmp(&b)));
    let story = [near.vote, label, prediction].map(|c| c.map(|c| c as usize));
    let (mut shown, rest): (Vec<usize>, Vec<usize>) = {
        let ranked: Vec<(usize, usize)> = order.into_iter().enumerate().collect();
        let keep = |&(rank, c): &(usize, usize)| rank < MAX_BARS || story.contains(&Some(c));
        let (a, b): (Vec<_>, Vec<_>) = ranked.into_iter().partition(keep);
        (a.into_iter().map(|p| p.1).collect(), b.into_iter().map(|p| p.1).collect())
    };
    // The label is shown even when it has no affinity at all: that is the finding.
    for class in [label, prediction].into_iter().flatten().map(|c| c as usize) {
        if class < near.class_affinity.len() && !shown.contains(&class) && !shown.is_empty() {
            shown.push(class);
        }
    }
    let bar = |c: usize| Bar {
        class: class_name(record, c as u32),
        role: role(Some(c as u32), label, prediction),
        share: fixed(near.class_affinity[c], 2),
        width: percent(near.class_affinity[c]),
        is_vote: near.vote == Some(c as u32),
    };
    let others = (!rest.is_empty()).then(|| {
        let mass: f64 = rest.iter().map(|&c| near.class_affinity[c]).sum();
        format!(
            "{} other class{}: {}",
            count(rest.len()),
            if rest.len() == 1 { "" } else { "es" },
            fixed(mass, 2)
        )
    });
    (shown.into_iter().map(bar).collect(), others)
}
