//! A training in a few sentences, made from the numbers.

use subspect_data::dynamics::{Censored, DynamicsRecord, SettlingRecord};

use super::assemble::label;

/// The sentences, in order.
pub(crate) fn summary(record: &DynamicsRecord) -> Vec<String> {
    let mut out = vec![extent(record)];
    let biased =
        |measure: &str| record.settling.iter().find(|s| s.measure == measure && s.estimator == "biased");
    let (ssc, linear) = (biased("ssc_cka"), biased("linear_cka"));
    out.extend(ssc.and_then(|s| settling(record, s)));
    out.extend(ssc.map(|s| s.order.sentence.clone()));
    out.extend(linear.map(|s| s.order.sentence.clone()));
    out.extend(ssc.zip(linear).and_then(|(s, l)| spread(s, l)));
    out.extend(class_structure(record));
    out
}

fn extent(record: &DynamicsRecord) -> String {
    let n: usize = record.series.iter().map(|s| s.epochs.len()).sum();
    let trainings = match record.series.len() {
        1 => String::new(),
        n => format!(" of {n} trainings"),
    };
    let numbers = || record.series.iter().flat_map(|s| s.epochs.iter().map(|e| e.epoch));
    format!(
        "{} layers at {n} epochs{trainings} ({} to {}), {} inputs of {}.",
        record.layers.len(),
        numbers().min().unwrap_or(0),
        numbers().max().unwrap_or(0),
        record.ids.len(),
        record.dataset.name
    )
}

/// Which layers settle first and last.
fn settling(record: &DynamicsRecord, of: &SettlingRecord) -> Option<String> {
    let mut known: Vec<(usize, f64)> =
        of.layers.iter().enumerate().filter_map(|(l, s)| Some((l, s.epoch.value()?))).collect();
    known.sort_by(|a, b| a.1.total_cmp(&b.1));
    let ((first, from), (last, to)) = (*known.first()?, *known.last()?);
    let when = |l: usize, epoch: f64| match of.layers[l].censored {
        Censored::ByFirst => format!("by epoch {epoch:.0}, the first that was recorded"),
        Censored::AtLast => format!("not before the last epoch, {epoch:.0}"),
        Censored::Mixed => format!("at about epoch {epoch:.1} (some seeds only bound it)"),
        Censored::No => format!("at epoch {epoch:.1}"),
    };
    let name = |l: usize| &record.layers[l].name;
    Some(format!(
        "A layer counts as settled once its {} with its final state stays at {} or above: {} does {}, {} {}.",
        label(&of.measure, &of.estimator),
        record.threshold,
        name(first),
        when(first, from),
        name(last),
        when(last, to)
    ))
}

/// How far apart the layers' settling epochs lie by either measure.
fn spread(ssc: &SettlingRecord, linear: &SettlingRecord) -> Option<String> {
    let range = |s: &SettlingRecord| {
        let epochs: Vec<f64> = s.layers.iter().filter_map(|l| l.epoch.value()).collect();
        let least = epochs.iter().copied().reduce(f64::min)?;
        Some((least, epochs.iter().copied().reduce(f64::max)?))
    };
    let ((a, b), (c, d)) = (range(ssc)?, range(linear)?);
    Some(format!(
        "By SSC-CKA the layers settle between epochs {a:.1} and {b:.1}, by linear CKA between {c:.1} and {d:.1}."
    ))
}

/// Label modularity of the deepest layer before the output, at the first and the last epoch of the first training.
fn class_structure(record: &DynamicsRecord) -> Option<String> {
    let epochs = &record.series.first()?.epochs;
    let (first, last) = (epochs.first()?, epochs.last()?);
    let value =
        |e: &subspect_data::dynamics::EpochLayer| e.measures.get("modularity").and_then(|m| m.value());
    let best = (0..record.layers.len())
        .filter_map(|l| Some((l, value(&last.layers[l])?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    let before = value(&first.layers[best.0])?;
    Some(format!(
        "Label modularity is largest in {}: {before:.3} at epoch {}, {:.3} at epoch {}.",
        record.layers[best.0].name, first.epoch, best.1, last.epoch
    ))
}
