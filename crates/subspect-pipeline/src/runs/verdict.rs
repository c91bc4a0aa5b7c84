//! Whether the conditions of `--fail-if` hold.
//!
//! A condition over several layers fails when it holds for any of them. A value that is undefined fails every
//! condition about it: a check that cannot be made must not pass.

use globset::GlobBuilder;
use subspect_data::comparison::{ComparisonRecord, ConditionCell, ConditionResult, Network, Verdict};
use subspect_linalg::Measured;

use super::condition::{Condition, Layers};
use crate::PipelineError;
use crate::options::nearest;

/// A condition and the pairs of layers that it is about.
pub(crate) struct Resolved {
    condition: Condition,
    /// Empty for whole networks.
    pairs: Vec<(usize, usize)>,
}

/// Finds the layers that a condition names.
///
/// # Errors
/// A layer that is not there: the nearest name and all choices are given.
pub(crate) fn resolve(condition: &Condition, networks: &[Network; 2]) -> Result<Resolved, PipelineError> {
    let pairs = match &condition.layers {
        Layers::Whole => Vec::new(),
        Layers::Two(a, b) => {
            vec![(
                position(condition, &networks[0], "first", a)?,
                position(condition, &networks[1], "second", b)?,
            )]
        }
        Layers::Named(pattern) => named(condition, networks, pattern)?,
    };
    Ok(Resolved { condition: condition.clone(), pairs })
}

fn position(
    condition: &Condition,
    network: &Network,
    which: &str,
    name: &str,
) -> Result<usize, PipelineError> {
    let names: Vec<&str> = network.layers.iter().map(|l| l.name.as_str()).collect();
    names.iter().position(|n| *n == name).ok_or_else(|| {
        missing(
            condition,
            &format!("a layer of the {which} run ({})", names.join(", ")),
            name,
            names.iter().copied(),
        )
    })
}

/// Layers of one name in both networks that match a name or a glob.
fn named(
    condition: &Condition,
    networks: &[Network; 2],
    pattern: &str,
) -> Result<Vec<(usize, usize)>, PipelineError> {
    let [first, second] = networks;
    let of_both: Vec<(usize, usize)> = first
        .layers
        .iter()
        .enumerate()
        .filter_map(|(i, l)| Some((i, second.layers.iter().position(|m| m.name == l.name)?)))
        .collect();
    let name = |pair: &(usize, usize)| first.layers[pair.0].name.as_str();
    if let Some(exact) = of_both.iter().find(|p| name(p) == pattern) {
        return Ok(vec![*exact]);
    }
    let glob = GlobBuilder::new(pattern).literal_separator(false).build().ok().map(|g| g.compile_matcher());
    let found: Vec<(usize, usize)> =
        of_both.iter().filter(|p| glob.as_ref().is_some_and(|g| g.is_match(name(p)))).copied().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let shared: Vec<&str> = of_both.iter().map(name).collect();
    let only = |n: &Network| n.layers.iter().any(|l| l.name == pattern);
    let expected = match shared.is_empty() {
        true => "a layer of both runs, of which there is none".to_owned(),
        false => format!("a layer of both runs ({})", shared.join(", ")),
    };
    if only(first) || only(second) {
        let which = if only(first) { "first" } else { "second" };
        return Err(PipelineError::Input {
            what: format!("--fail-if \"{}\"", condition.text()),
            expected,
            found: format!("\"{pattern}\", which only the {which} run has"),
            mend: format!("name both: {}(LAYER_OF_A, LAYER_OF_B)", condition.measure.name),
        });
    }
    Err(missing(condition, &expected, pattern, shared.into_iter()))
}

fn missing<'a>(
    condition: &Condition,
    expected: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> PipelineError {
    PipelineError::Input {
        what: format!("--fail-if \"{}\"", condition.text()),
        expected: expected.to_owned(),
        found: format!("\"{name}\""),
        mend: nearest(name, known).map_or(String::new(), |n| format!("did you mean \"{n}\"?")),
    }
}

/// Judges a comparison.
pub(crate) fn judge(record: &ComparisonRecord, conditions: &[Resolved]) -> Verdict {
    let conditions: Vec<ConditionResult> = conditions.iter().map(|c| result(record, c)).collect();
    Verdict { failed: conditions.iter().any(|c| c.failed), conditions }
}

fn result(record: &ComparisonRecord, resolved: &Resolved) -> ConditionResult {
    let condition = &resolved.condition;
    let cell = |value: Measured, names: Option<(usize, usize)>| ConditionCell {
        layer_a: names.map(|(i, _)| record.networks[0].layers[i].name.clone()),
        layer_b: names.map(|(_, j)| record.networks[1].layers[j].name.clone()),
        value,
        failed: value.value().is_none_or(|v| condition.operator.holds(v, condition.bound)),
    };
    let cells: Vec<ConditionCell> = if resolved.pairs.is_empty() {
        vec![cell((condition.measure.value)(record, 0, 0), None)]
    } else {
        resolved
            .pairs
            .iter()
            .map(|&(i, j)| cell((condition.measure.value)(record, i, j), Some((i, j))))
            .collect()
    };
    ConditionResult { condition: condition.text().to_owned(), failed: cells.iter().any(|c| c.failed), cells }
}
