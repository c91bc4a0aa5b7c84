//! The comparison in a few sentences, made from its numbers.

use subspect_data::comparison::{ComparisonRecord, Difference};
use subspect_linalg::Measured;

/// The sentences, in order.
pub(crate) fn summary(record: &ComparisonRecord) -> Vec<String> {
    [accuracy(record), focus(record), matches(record), chance(record), classes(record)]
        .into_iter()
        .flatten()
        .collect()
}

fn percent(m: Measured) -> String {
    match m {
        Measured::Value(v) => format!("{:.1} %", 100.0 * v),
        Measured::Undefined(status) => status.as_str().to_owned(),
    }
}

/// `p = 0.034`, `p < 0.001`, or nothing.
pub(crate) fn p_text(p: Measured) -> String {
    match p {
        Measured::Value(p) if p < 0.001 => "p < 0.001".into(),
        Measured::Value(p) => format!("p = {p:.3}"),
        Measured::Undefined(status) => format!("p {status}"),
    }
}

fn accuracy(record: &ComparisonRecord) -> Option<String> {
    let d = record.accuracy.as_ref()?;
    let [a, b] = &record.networks;
    Some(format!(
        "{} names the label of {} of the inputs and {} of {} ({}, McNemar); their answers differ on {}.",
        a.name,
        percent(d.first),
        b.name,
        percent(d.second),
        p_text(d.p),
        percent(record.prediction_change)
    ))
}

fn focus(record: &ComparisonRecord) -> Option<String> {
    let pair = &record.pairs[record.focus?];
    let [a, b] = &record.networks;
    let names = (&a.layers[pair.first].name, &b.layers[pair.second].name);
    let mut text = format!(
        "In the deepest layers before the output ({} and {}) SSC-CKA is {:.3}",
        names.0, names.1, pair.ssc_cka
    );
    if let Measured::Value(overlap) = pair.neighbour_overlap {
        text += &format!(" and an input keeps {:.1} % of its neighbourhood on average", 100.0 * overlap);
    }
    if pair.modularity.value.value().is_some() {
        text += &format!("; {}", modularity(&pair.modularity));
    }
    Some(text + ".")
}

fn modularity(d: &Difference) -> String {
    let interval = match (d.lo, d.hi) {
        (Measured::Value(lo), Measured::Value(hi)) => format!(" ({lo:.3} to {hi:.3})"),
        _ => String::new(),
    };
    format!(
        "label modularity is {:.3} and {:.3}, a difference of {:.3}{interval}",
        d.first, d.second, d.value
    )
}

fn matches(record: &ComparisonRecord) -> Option<String> {
    let found: Vec<(usize, usize)> =
        record.best[0].iter().enumerate().filter_map(|(i, m)| Some((i, m.layer?))).collect();
    if found.len() < 2 {
        return None;
    }
    let in_order = found.windows(2).filter(|w| w[1].1 >= w[0].1).count();
    let mutual =
        found.iter().filter(|&&(i, j)| record.best[1].get(j).is_some_and(|m| m.layer == Some(i))).count();
    Some(format!(
        "Of {} layers of {}, {mutual} are the best match of their own best match in {}; the matches keep the order of the layers in {in_order} of {} steps.",
        found.len(),
        record.networks[0].name,
        record.networks[1].name,
        found.len() - 1
    ))
}

/// How many cells of the first map are not told from chance.
fn chance(record: &ComparisonRecord) -> Option<String> {
    let map = record.maps.first()?;
    let tested: Vec<f64> = map.inference.p_adjusted.iter().flatten().filter_map(|p| p.value()).collect();
    if tested.is_empty() {
        return None;
    }
    let unclear = tested.iter().filter(|p| **p > 1.0 - map.inference.level + 1e-12).count();
    Some(match unclear {
        0 => format!(
            "All {} pairs of layers are more alike by SSC-CKA than random orders of the inputs would make them.",
            tested.len()
        ),
        k => format!(
            "{k} of {} pairs of layers are no more alike by SSC-CKA than random orders of the inputs could make them.",
            tested.len()
        ),
    })
}

/// The class whose neighbourhoods change most.
fn classes(record: &ComparisonRecord) -> Option<String> {
    let value = |c: usize| record.by_class[c].change.value();
    let defined = || (0..record.by_class.len()).filter(|&c| value(c).is_some());
    let most = defined().max_by(|&a, &b| value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0)))?;
    let least = defined().min_by(|&a, &b| value(a).unwrap_or(0.0).total_cmp(&value(b).unwrap_or(0.0)))?;
    // A difference that two digits do not show is none to speak of.
    if value(most)? - value(least)? < 0.01 {
        return None;
    }
    let name = |c: usize| record.classes.get(c).cloned().unwrap_or_else(|| c.to_string());
    Some(format!(
        "Neighbourhoods change most for inputs of class {} (on average by {:.2}) and least for {} ({:.2}).",
        name(most),
        record.by_class[most].change,
        name(least),
        record.by_class[least].change
    ))
}
