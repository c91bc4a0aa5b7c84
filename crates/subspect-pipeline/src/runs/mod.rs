//! Two runs over the same inputs compared: which layers do the same work, which inputs and classes are seen
//! differently, and whether stated conditions hold.

pub(crate) mod change;
mod condition;
mod inputs;
mod layers;
pub(crate) mod maps;
mod measures;
mod pair;
mod summary;
mod tables;
mod verdict;

use std::path::{Path, PathBuf};

use subspect_data::comparison::{COMPARISON_SCHEMA, ComparisonRecord};
use subspect_linalg::{Measured, Status};

use crate::{Events, PipelineError, Stage};
use pair::Pair;

pub use condition::{Condition, Operator};
pub use inputs::most_changed;
pub use measures::{COMPARED, ComparedInfo};
pub use tables::similarity_table;

/// How two runs are compared.
#[derive(Clone, Debug)]
pub struct CompareSettings {
    /// Orders of the inputs for the null of SSC-CKA.
    pub permutations: usize,
    /// Resamples of the inputs for intervals and paired differences.
    pub resamples: usize,
    /// Chance aimed at by the intervals.
    pub level: f64,
    /// Resolution of the modularity.
    pub resolution: f64,
    /// Memory budget, bytes.
    pub memory: u64,
    /// Root of all randomness.
    pub seed: u64,
    /// Conditions under which the comparison fails.
    pub conditions: Vec<Condition>,
    /// A command that repeats the comparison, for the record.
    pub command: String,
}

/// Compares the runs in `a` and `b`.
///
/// # Errors
/// When one is no run, the inputs differ, a condition names what is not there, or a graph file is broken.
pub fn compare_runs(
    a: &Path,
    b: &Path,
    settings: &CompareSettings,
    events: &dyn Events,
) -> Result<ComparisonRecord, PipelineError> {
    events.started(Stage::Data, "runs", 0);
    let mut pair = Pair::open(a, b)?;
    let mut notes = std::mem::take(&mut pair.notes);
    let networks = [layers::network(&pair.a), layers::network(&pair.b)];
    // Conditions that cannot be judged are found before the work.
    let conditions =
        settings.conditions.iter().map(|c| verdict::resolve(c, &networks)).collect::<Result<Vec<_>, _>>()?;
    events.started(Stage::Similarity, "layers", 0);
    let maps = maps::maps(&pair, settings, events, &mut notes)?;
    let ssc = &maps[0];
    let best = maps::best_matches(ssc);
    let focus = layers::focus(&pair);
    let chosen = chosen_pairs(&networks, &best, focus);
    events.started(Stage::Measures, "pairs", chosen.len() as u64);
    let mut pairs = Vec::with_capacity(chosen.len());
    for &(i, j) in &chosen {
        if events.is_cancelled() {
            return Err(PipelineError::Interrupted);
        }
        pairs.push(layers::layer_pair(&pair, (i, j), ssc.values[i][j], settings)?);
        events.advanced(Stage::Measures, 1);
    }
    let position = |wanted: (usize, usize)| chosen.iter().position(|&p| p == wanted);
    let focus = focus.and_then(position);
    let matched: Vec<usize> =
        best[0].iter().enumerate().filter_map(|(i, m)| position((i, m.layer?))).collect();
    let inputs = inputs::inputs(&pair, &pairs, &matched, focus.map(|k| &pairs[k]));
    let by_class = inputs::classes(&pair, &inputs, settings);
    let mut record = ComparisonRecord {
        schema: COMPARISON_SCHEMA,
        subspect_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: settings.command.clone(),
        dataset: pair.a.record.dataset.name.clone(),
        classes: pair.classes.clone(),
        ids: pair.a.record.inputs.ids.clone(),
        labels: pair.partition.as_ref().map_or_else(Vec::new, |p| p.classes().to_vec()),
        networks,
        notes,
        maps,
        best,
        pairs,
        focus,
        accuracy: inputs::right_answers(&pair).map(|[x, y]| layers::of_answers(&x, &y, settings)),
        prediction_change: inputs::prediction_change(&pair),
        inputs,
        by_class,
        summary: Vec::new(),
        verdict: None,
    };
    record.summary = summary::summary(&record);
    if !conditions.is_empty() {
        record.verdict = Some(verdict::judge(&record, &conditions));
    }
    Ok(record)
}

/// Writes `comparison.json` and `tables/*.csv` into `folder`.
///
/// # Errors
/// When the folder holds something else, or cannot be written.
pub fn write_comparison(record: &ComparisonRecord, folder: &Path) -> Result<Vec<PathBuf>, PipelineError> {
    let tables = folder.join("tables");
    let is_foreign = folder.is_dir()
        && !folder.join(subspect_data::comparison::COMPARISON_FILE).is_file()
        && std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_foreign {
        return Err(PipelineError::Input {
            what: folder.display().to_string(),
            expected: "a new or empty folder, or an earlier comparison".into(),
            found: "other files".into(),
            mend: "choose another --output".into(),
        });
    }
    std::fs::create_dir_all(&tables).map_err(|e| PipelineError::io("create", &tables, e))?;
    let mut written = vec![record.write(folder)?];
    for (name, table) in tables::tables(record) {
        let path = tables.join(format!("{name}.csv"));
        table.write(&path)?;
        written.push(path);
    }
    Ok(written)
}

/// Best matches of either network, layers of one name, and the focus, without repetition, in the order of layers.
fn chosen_pairs(
    networks: &[subspect_data::comparison::Network; 2],
    best: &[Vec<subspect_data::comparison::BestMatch>; 2],
    focus: Option<(usize, usize)>,
) -> Vec<(usize, usize)> {
    let forth = best[0].iter().enumerate().filter_map(|(i, m)| Some((i, m.layer?)));
    let back = best[1].iter().enumerate().filter_map(|(j, m)| Some((m.layer?, j)));
    let named = networks[0]
        .layers
        .iter()
        .enumerate()
        .filter_map(|(i, l)| Some((i, networks[1].layers.iter().position(|m| m.name == l.name)?)));
    let mut pairs: Vec<(usize, usize)> = forth.chain(back).chain(named).chain(focus).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// A value of a map, or why there is none.
pub(crate) fn map_value(
    record: &ComparisonRecord,
    measure: &str,
    estimator: &str,
    at: (usize, usize),
) -> Measured {
    let map = record.maps.iter().find(|m| m.measure == measure && m.estimator == estimator);
    map.and_then(|m| m.values.get(at.0)?.get(at.1).copied()).unwrap_or(Status::NotExecuted.into())
}
