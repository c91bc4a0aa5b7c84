//! The run in three sentences, made from the numbers of its record: where class structure appears, how much of
//! it the last layers hold beside what the network itself answers, and where neighbouring layers differ.
//!
//! Each sentence states what was measured, not a story: it must stay true when modularity falls with depth, when
//! there are no labels or no network, and when values are undefined.

use subspect_data::record::{LayerRecord, NullRecord, RunRecord, SimilarityRecord};
use subspect_linalg::Measured;

/// The sentences for `record`, in order; none for a run without layers.
pub fn summary(record: &RunRecord) -> Vec<String> {
    if record.layers.is_empty() {
        return Vec::new();
    }
    let has_labels = !record.inputs.labels.is_empty();
    let structure = if has_labels { class_structure(&record.layers) } else { density(&record.layers) };
    let mut sentences = vec![structure];
    sentences.extend(has_labels.then(|| votes(record)).flatten());
    sentences.push(changes(record));
    sentences
}

/// The layer whose neighbourhoods are shown: the deepest that is not the network's output, or the only one.
pub fn focus_layer(layers: &[LayerRecord], is_output: impl Fn(&LayerRecord) -> bool) -> Option<usize> {
    (0..layers.len()).rev().find(|&l| !is_output(&layers[l])).or(layers.len().checked_sub(1))
}

fn measure(layer: &LayerRecord, name: &str) -> Option<f64> {
    layer.measures.get(name).copied().and_then(Measured::value)
}

fn above_null(null: &NullRecord, value: f64) -> bool {
    null.hi.value().is_some_and(|hi| value > hi)
}

fn class_structure(layers: &[LayerRecord]) -> String {
    let defined: Vec<(&LayerRecord, f64)> =
        layers.iter().filter_map(|l| measure(l, "modularity").map(|q| (l, q))).collect();
    if defined.is_empty() {
        let why = layers[0].measures.get("modularity").and_then(|m| m.status());
        let why = why.map_or("not measured", |s| s.as_str());
        return format!("The label modularity is undefined in every layer ({why}).");
    }
    let tested = defined.iter().any(|(l, _)| l.modularity_null.hi.value().is_some());
    let outside: Vec<&(&LayerRecord, f64)> =
        defined.iter().filter(|(l, q)| above_null(&l.modularity_null, *q)).collect();
    let start = match outside.first() {
        _ if !tested => format!("Label modularity goes from {}", range(&defined)),
        None => format!(
            "No layer holds more class structure than permuted labels do: label modularity is {}",
            range(&defined)
        ),
        Some((layer, q)) => {
            let count = match (outside.len(), layers.len()) {
                (1, 1) => "the only layer".to_owned(),
                (k, n) if k == n => format!("all {n} layers"),
                (k, n) => format!("{k} of {n} layers"),
            };
            let first = if layers.len() == 1 { "" } else { ", first in " };
            let name = if layers.len() == 1 { "" } else { layer.name.as_str() };
            let hi = layer.modularity_null.hi;
            format!(
                "Label modularity is above what permuted labels reach in {count}{first}{name} ({q:.3} against {hi:.3})"
            )
        }
    };
    format!("{start}{}.", largest_step(layers))
}

fn range(defined: &[(&LayerRecord, f64)]) -> String {
    let low = defined.iter().map(|d| d.1).fold(f64::INFINITY, f64::min);
    let high = defined.iter().map(|d| d.1).fold(f64::NEG_INFINITY, f64::max);
    format!("{low:.3} to {high:.3}")
}

/// The largest rise between consecutive layers, or that there is none.
fn largest_step(layers: &[LayerRecord]) -> String {
    let steps = layers.windows(2).filter_map(|pair| {
        let (a, b) = (measure(&pair[0], "modularity")?, measure(&pair[1], "modularity")?);
        Some((b - a, &pair[0], a, &pair[1], b))
    });
    match steps.max_by(|x, y| x.0.total_cmp(&y.0)) {
        Some((rise, from, a, to, b)) if rise > 0.0 => {
            format!(
                "; its largest rise from one layer to the next is from {} ({a:.3}) to {} ({b:.3})",
                from.name, to.name
            )
        }
        Some(_) => "; it does not rise from any layer to the next".to_owned(),
        None => String::new(),
    }
}

/// Without labels: what the graphs look like.
fn density(layers: &[LayerRecord]) -> String {
    let degree = |l: &LayerRecord| 2.0 * l.n_edges as f64 / l.votes.len().max(1) as f64;
    let (first, last) = (&layers[0], &layers[layers.len() - 1]);
    if layers.len() == 1 || first.votes.is_empty() {
        return format!(
            "The inputs have no labels; the graph of {} has {} edges.",
            first.name, first.n_edges
        );
    }
    format!(
        "The inputs have no labels; an input has {:.1} neighbours on average in {} and {:.1} in {}.",
        degree(first),
        first.name,
        degree(last),
        last.name
    )
}

fn votes(record: &RunRecord) -> Option<String> {
    let output = is_output(record);
    let focus = focus_layer(&record.layers, output)?;
    let layer = &record.layers[focus];
    let place = match (record.layers.len(), focus + 1 == record.layers.len()) {
        (1, _) => format!("In {}", layer.name),
        (_, true) => format!("In {}, the deepest layer", layer.name),
        (_, false) => format!("In {}, the deepest layer before the output", layer.name),
    };
    let modularity = match (measure(layer, "modularity"), measure(layer, "modularity_ceiling")) {
        (Some(q), Some(top)) if top > 0.0 => {
            format!(
                "label modularity is {q:.3}{} of at most {top:.3}",
                within(layer, "modularity", |v| format!("{v:.3}"))
            )
        }
        (Some(q), _) => {
            format!("label modularity is {q:.3}{}", within(layer, "modularity", |v| format!("{v:.3}")))
        }
        _ => "label modularity is undefined".to_owned(),
    };
    let Some(vote) = measure(layer, "vote_accuracy") else { return Some(format!("{place}, {modularity}.")) };
    let mut text = format!(
        "{place}, {modularity}; the affinity vote names the label of {}{} of the inputs",
        percent(vote),
        within(layer, "vote_accuracy", |v| format!("{:.1}", 100.0 * v))
    );
    if let Some(accuracy) = record.model.as_ref().and_then(|m| m.accuracy.value()) {
        text += &format!(", the network of {}", percent(accuracy));
        if let Some(agreement) = measure(layer, "vote_agreement") {
            text += &format!(", and the two agree on {}", percent(agreement));
        }
    }
    Some(text + ".")
}

/// ` (0.551 to 0.596)`, where the record has an interval.
fn within(layer: &LayerRecord, name: &str, show: impl Fn(f64) -> String) -> String {
    let ends = layer.intervals.get(name).and_then(|i| i.lo.value().zip(i.hi.value()));
    ends.map_or_else(String::new, |(lo, hi)| format!(" ({} to {})", show(lo), show(hi)))
}

/// Whether a layer is the network's output: the last one, when it has one feature per class.
pub fn is_output(record: &RunRecord) -> impl Fn(&LayerRecord) -> bool + '_ {
    move |layer| {
        record.model.is_some()
            && record.layers.last().is_some_and(|l| l.name == layer.name)
            && (layer.kind == "linear" || layer.name == "logits")
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn changes(record: &RunRecord) -> String {
    if record.layers.len() < 2 {
        return "With one layer there is nothing to compare.".to_owned();
    }
    let chosen = ["ssc_cka", "linear_cka"]
        .iter()
        .find_map(|name| record.similarity.iter().find(|s| s.measure == *name).map(|s| (s, *name)));
    let Some((map, name)) = chosen else { return "Similarity between layers was not computed.".to_owned() };
    let name = if name == "ssc_cka" { "SSC-CKA" } else { "linear CKA" };
    let pairs = consecutive(map);
    let label = |l: usize| &record.layers[l].name;
    let most = pairs.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let least = pairs.iter().min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    match (most, least) {
        (Some(&(m, high)), Some(&(l, low))) if m != l => format!(
            "By {name}, the most alike of consecutive layers are {} and {} ({high:.2}), and the sharpest change is between {} and {} ({low:.2}).",
            label(m),
            label(m + 1),
            label(l),
            label(l + 1)
        ),
        (Some(&(m, value)), _) => {
            format!("By {name}, {} and {} have a similarity of {value:.2}.", label(m), label(m + 1))
        }
        _ => format!("{name} is undefined between all consecutive layers."),
    }
}

fn consecutive(map: &SimilarityRecord) -> Vec<(usize, f64)> {
    (0..map.values.len().saturating_sub(1))
        .filter_map(|l| map.values[l].get(l + 1).copied().and_then(Measured::value).map(|v| (l, v)))
        .collect()
}

#[cfg(test)]
mod tests {
    use subspect_data::record::IntervalRecord;
    use subspect_linalg::Status;

    use super::*;
    use crate::sample::{labelled, layer, model};

    #[test]
    fn rising_modularity_names_the_first_layer_outside_the_null_and_the_largest_rise() {
        let r = labelled(vec![layer("a", 0.01, 0.02), layer("b", 0.1, 0.02), layer("c", 0.4, 0.02)]);
        let text = &summary(&r)[0];
        assert!(text.contains("in 2 of 3 layers, first in b (0.100 against 0.020)"), "{text}");
        assert!(text.contains("from b (0.100) to c (0.400)"), "{text}");
    }

    #[test]
    fn falling_modularity_is_not_called_a_rise() {
        let r = labelled(vec![layer("a", 0.4, 0.02), layer("b", 0.3, 0.02)]);
        let text = &summary(&r)[0];
        assert!(
            text.contains("in all 2 layers") && text.contains("does not rise from any layer to the next"),
            "{text}"
        );
    }

    #[test]
    fn nothing_above_the_null_is_said_plainly() {
        let r = labelled(vec![layer("a", 0.0, 0.02), layer("b", -0.01, 0.02)]);
        let text = &summary(&r)[0];
        assert!(text.starts_with("No layer holds more class structure than permuted labels do"), "{text}");
        assert!(text.contains("-0.010 to 0.000"), "{text}");
    }

    #[test]
    fn undefined_everywhere_gives_the_status() {
        let r = labelled(vec![layer("a", None, 0.0), layer("b", None, 0.0)]);
        let all = summary(&r);
        assert_eq!(all[0], "The label modularity is undefined in every layer (empty_graph).");
        assert!(all[1].contains("label modularity is undefined"), "{all:?}");
        assert!(all[2].contains("was not computed"), "{all:?}");
    }

    #[test]
    fn one_layer_reads_well() {
        let text = summary(&labelled(vec![layer("only", 0.3, 0.1)])).join(" ");
        assert!(text.contains("in the only layer (0.300 against 0.100)."), "{text}");
        assert!(text.contains("In only, label modularity is 0.300 of at most 0.500."), "{text}");
        assert!(text.contains("nothing to compare"), "{text}");
    }

    #[test]
    fn votes_stand_beside_the_network() {
        let mut deep = layer("deep", 0.3, 0.1);
        deep.measures.insert("vote_accuracy".into(), Measured::Value(0.9));
        deep.measures.insert("vote_agreement".into(), Measured::Value(0.94));
        let interval = IntervalRecord {
            lo: Measured::Value(0.28),
            hi: Measured::Value(0.32),
            level: 0.95,
            method: "node_bootstrap".into(),
            n_resamples: 99,
        };
        deep.intervals.insert("modularity".into(), interval);
        let mut r = labelled(vec![deep, LayerRecord { kind: "linear".into(), ..layer("fc", 0.4, 0.1) }]);
        r.model = Some(model(0.92));
        let text = &summary(&r)[1];
        assert!(text.starts_with("In deep, the deepest layer before the output"), "{text}");
        assert!(text.contains("label modularity is 0.300 (0.280 to 0.320) of at most 0.500"), "{text}");
        assert!(
            text.ends_with("90.0 % of the inputs, the network of 92.0 %, and the two agree on 94.0 %."),
            "{text}"
        );
    }

    #[test]
    fn the_sharpest_change_skips_undefined_pairs() {
        let mut r = labelled(vec![
            layer("a", 0.1, 0.0),
            layer("b", 0.1, 0.0),
            layer("c", 0.1, 0.0),
            layer("d", 0.1, 0.0),
        ]);
        let mut values = vec![vec![Measured::Value(1.0); 4]; 4];
        values[0][1] = Measured::Value(0.9);
        values[1][2] = Status::EmptyGraph.into();
        values[2][3] = Measured::Value(0.2);
        r.similarity = vec![SimilarityRecord {
            measure: "ssc_cka".into(),
            estimator: "biased".into(),
            values,
            inference: None,
            blocks: None,
        }];
        let text = &summary(&r)[2];
        assert!(text.contains("are a and b (0.90)") && text.contains("between c and d (0.20)"), "{text}");
    }
}
