//! What a reader should know before trusting a number, found in a record.
//!
//! One line per kind of trouble, with the layers it concerns, worst first. Nothing here stops a run.

use subspect_data::record::{LayerRecord, RunRecord};
use subspect_linalg::Measured;

/// Inputs per class below which class structure is mostly chance.
const FEW_PER_CLASS: usize = 10;
/// Share of all inputs that an input may be linked to on average before a graph counts as dense.
const DENSE: f64 = 0.3;

/// All warnings for `record`.
pub fn warnings(record: &RunRecord) -> Vec<String> {
    let mut out = of_inputs(record);
    out.extend(of_layers(record));
    out
}

/// Those that are known before any graph is made.
pub(crate) fn of_inputs(record: &RunRecord) -> Vec<String> {
    near_chance(record).into_iter().chain(few_per_class(record)).collect()
}

/// Those that the graphs give.
pub(crate) fn of_layers(record: &RunRecord) -> Vec<String> {
    let n = record.inputs.ids.len();
    let mut out = Vec::new();
    out.extend(by_layer(&record.layers, |l| (l.solve.n_trivial >= n).then_some(n as f64)).map(|(_, names)| {
        format!("{names}: no input can be expressed by the others (all activations zero or uncorrelated), so the graph is empty")
    }));
    out.extend(by_layer(&record.layers, |l| positive(l.solve.n_max_iter)).map(|(worst, names)| {
        format!("{names}: up to {worst} of {n} rows stopped at max_iter before the tolerance was met")
    }));
    let isolated = |l: &LayerRecord| if l.n_isolated < n { positive(l.n_isolated) } else { None };
    out.extend(by_layer(&record.layers, isolated).map(|(worst, names)| {
        format!("{names}: up to {worst} of {n} inputs have no edge (zero activations, or nothing correlated with them)")
    }));
    let dense = |l: &LayerRecord| {
        let share = 2.0 * l.n_edges as f64 / (n as f64 * (n as f64 - 1.0).max(1.0));
        (n > 20 && share > DENSE).then_some(100.0 * share)
    };
    out.extend(by_layer(&record.layers, dense).map(|(worst, names)| {
        format!("{names}: an input is linked to up to {worst:.0} % of all inputs; a graph this dense says little about neighbourhoods (raise alpha_ratio)")
    }));
    out
}

fn positive(count: usize) -> Option<f64> {
    (count > 0).then_some(count as f64)
}

/// The largest value of `trouble` and the names of the layers that have it, at most three of them.
fn by_layer(layers: &[LayerRecord], trouble: impl Fn(&LayerRecord) -> Option<f64>) -> Option<(f64, String)> {
    let mut hit: Vec<(f64, &str)> =
        layers.iter().filter_map(|l| trouble(l).map(|t| (t, l.name.as_str()))).collect();
    hit.sort_by(|a, b| b.0.total_cmp(&a.0));
    let worst = hit.first()?.0;
    let shown: Vec<&str> = hit.iter().take(3).map(|h| h.1).collect();
    let more = match hit.len().saturating_sub(3) {
        0 => String::new(),
        k => format!(" and {k} more layers"),
    };
    Some((worst, shown.join(", ") + &more))
}

/// The network does no better than naming one class for everything: nearly always a wrong `--normalize`.
fn near_chance(record: &RunRecord) -> Option<String> {
    let model = record.model.as_ref()?;
    let accuracy = model.accuracy.value()?;
    let sizes = class_sizes(&record.inputs.labels);
    let n = record.inputs.labels.len() as f64;
    if sizes.len() < 2 {
        return None;
    }
    let chance = sizes.iter().copied().max()? as f64 / n;
    let sd = (chance * (1.0 - chance) / n).sqrt();
    (accuracy <= chance + 3.0 * sd).then(|| {
        format!(
            "the network names the label of {:.1} % of the inputs, no better than always answering one class ({:.1} %): \
             check normalize (now {}) and that the model knows these classes",
            100.0 * accuracy,
            100.0 * chance,
            record.dataset.normalize
        )
    })
}

fn few_per_class(record: &RunRecord) -> Option<String> {
    let least = class_sizes(&record.inputs.labels).into_iter().min()?;
    (least < FEW_PER_CLASS).then(|| {
        format!("the smallest class has {least} inputs: with fewer than {FEW_PER_CLASS}, class structure is mostly chance")
    })
}

/// Sizes of the classes that occur.
fn class_sizes(labels: &[u32]) -> Vec<usize> {
    let mut sizes = std::collections::BTreeMap::new();
    for &label in labels {
        *sizes.entry(label).or_insert(0_usize) += 1;
    }
    sizes.into_values().collect()
}

/// Rows over all layers that did not converge: what `--strict` fails on.
pub fn n_unconverged(record: &RunRecord) -> usize {
    record.layers.iter().map(|l| l.solve.n_max_iter).sum()
}

/// Measures that are undefined, as `layer: measure (status)`, for the log.
pub fn undefined(record: &RunRecord) -> Vec<String> {
    let of_layer = |l: &LayerRecord| {
        let name = l.name.clone();
        l.measures
            .iter()
            .filter_map(|(m, v)| match v {
                Measured::Undefined(s) => Some(format!("{name}: {m} ({s})")),
                Measured::Value(_) => None,
            })
            .collect::<Vec<_>>()
    };
    record.layers.iter().flat_map(of_layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{labelled, layer, model};

    /// A run without trouble: two classes of 20 inputs, a network that is right.
    fn sound() -> RunRecord {
        let mut r = labelled(vec![layer("a", 0.1, 0.0), layer("b", 0.2, 0.0)]);
        r.inputs.ids = (0..40).map(|i| i.to_string()).collect();
        r.inputs.labels = (0..40).map(|i| i % 2).collect();
        r.model = Some(model(0.9));
        r
    }

    #[test]
    fn a_sound_run_has_none() {
        assert_eq!(warnings(&sound()), Vec::<String>::new());
        assert_eq!(n_unconverged(&sound()), 0);
    }

    #[test]
    fn guessing_points_at_the_normalisation() {
        let mut r = sound();
        r.model = Some(model(0.55));
        let w = warnings(&r);
        assert!(
            w.len() == 1 && w[0].contains("55.0 %") && w[0].contains("check normalize (now none)"),
            "{w:?}"
        );
    }

    #[test]
    fn troubles_are_gathered_by_kind_worst_layer_first() {
        let mut r = sound();
        r.layers[0].solve.n_max_iter = 3;
        r.layers[1].solve.n_max_iter = 7;
        r.layers[0].n_isolated = 2;
        r.layers[1].n_edges = 500;
        let w = warnings(&r);
        assert_eq!(n_unconverged(&r), 10);
        assert!(w[0].starts_with("b, a: up to 7 of 40 rows stopped"), "{w:?}");
        assert!(w[1].starts_with("a: up to 2 of 40 inputs have no edge"), "{w:?}");
        assert!(w[2].starts_with("b: an input is linked to up to 64 %"), "{w:?}");
        r.inputs.labels = (0..40).map(|i| u32::from(i < 4)).collect();
        assert!(warnings(&r).iter().any(|w| w.contains("smallest class has 4 inputs")));
    }
}
