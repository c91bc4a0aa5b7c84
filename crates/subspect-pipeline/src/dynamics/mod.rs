//! A training watched: one ordinary run per epoch over the same inputs, how similar each layer is to its final state and to
//! its next one, when it settles, and whether shallower layers do first.
//!
//! Epochs are worked on from the last to the first: each needs the last and the next one, whose activations are removed
//! as soon as they are not needed (unless they are to be kept). Every epoch, and every comparison, is kept under the key
//! of what it depends on; a call that was interrupted goes on, and epochs that a training adds later cost what they cost.

mod assemble;
mod epochs;
mod layouts;
mod order;
mod seeds;
mod series;
mod settle;
mod similarity;
mod summary;
mod tables;
mod training;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use subspect_data::dynamics::{DYNAMICS_FILE, DynamicsRecord, SeriesRecord};
use subspect_data::record::RunRecord;
use subspect_linalg::Seed;
use subspect_nets::Weights;

use crate::builtin::Builtin;
use crate::capture::choose_pictures;
use crate::options::Options;
use crate::plan::Source;
use crate::{Events, Outcome, PipelineError, Stage};
use epochs::{Epoch, Finished, check_same};
use series::{Kind, Series};
use similarity::{Similarities, Three};

pub(crate) use assemble::label;
pub use series::Snapshots;
pub use tables::dynamics_table;

/// Similarity to the final state from which on a layer counts as settled, unless another is asked for.
pub const SETTLED: f64 = 0.95;

/// How a training is looked at.
#[derive(Clone, Debug)]
pub struct DynamicsSettings {
    /// Options of the run of every epoch; `model`, `store` and `output` are set for each.
    pub options: Options,
    /// Folder of the record.
    pub output: PathBuf,
    /// Similarity to the final state from which on a layer counts as settled.
    pub threshold: f64,
    /// Whether every epoch's activations stay on disk.
    pub keep_activations: bool,
    /// A command that repeats it, for the record.
    pub command: String,
}

/// Looks at one training, or at several of one network from different seeds.
///
/// # Errors
/// A folder that is no training, epochs whose layers or inputs differ, anything that stops a run, or
/// [`PipelineError::Interrupted`]; finished epochs are kept.
pub fn dynamics(
    folders: &[PathBuf],
    settings: &DynamicsSettings,
    library: &[Builtin],
    events: &dyn Events,
) -> Result<DynamicsRecord, PipelineError> {
    let trainings: Vec<Snapshots> = folders.iter().cloned().map(Snapshots::Folder).collect();
    dynamics_of(&trainings, settings, library, events)
}

/// As [`dynamics`], also of trainings whose stores do not lie in one folder.
///
/// # Errors
/// As [`dynamics`].
pub fn dynamics_of(
    trainings: &[Snapshots],
    settings: &DynamicsSettings,
    library: &[Builtin],
    events: &dyn Events,
) -> Result<DynamicsRecord, PipelineError> {
    let start = Instant::now();
    let trainings = trainings.iter().map(Series::of).collect::<Result<Vec<_>, _>>()?;
    if !(settings.threshold > 0.0 && settings.threshold < 1.0) {
        return Err(PipelineError::Option {
            origin: "--threshold".into(),
            expected: "a number between 0 and 1".into(),
            found: settings.threshold.to_string(),
        });
    }
    prepare_output(&settings.output)?;
    let quiet = Heard { inner: events, warnings: Mutex::default() };
    let names = distinct_names(&trainings);
    let mut first: Option<(PathBuf, RunRecord)> = None;
    let mut all: Vec<SeriesRecord> = Vec::new();
    let mut seconds = BTreeMap::new();
    for (training, name) in trainings.iter().zip(&names) {
        let inner = if trainings.len() == 1 { "epochs".into() } else { format!("series/{name}/epochs") };
        let epochs = plan_epochs(training, settings, &settings.output.join(&inner), library, &quiet)?;
        let walked = walk(&epochs, settings, library, &quiet, &mut first)?;
        for record in &walked.records {
            for (stage, s) in &record.seconds {
                *seconds.entry(stage.clone()).or_insert(0.0) += s;
            }
        }
        all.push(assemble::series(training, name, &inner, &epochs, &walked, settings));
    }
    let (_, last) = first.ok_or_else(|| PipelineError::Missing {
        what: "a training".into(),
        mend: "give the folder of its checkpoints or activation stores".into(),
    })?;
    seconds.insert("total".to_owned(), start.elapsed().as_secs_f64());
    let mut warnings: Vec<String> = trainings.iter().filter_map(|t| t.training.warning.clone()).collect();
    warnings.iter().for_each(|w| events.warning(w));
    warnings.extend(quiet.warnings());
    let (level, seed) = (settings.options.level()?, settings.options.count("seed")?.unwrap_or(0));
    let around = assemble::Around { settings, seconds, warnings, level, seed: Seed::new(seed) };
    let record = assemble::whole(&last, all, around);
    record.write(&settings.output)?;
    tables::write(&settings.output, &record)?;
    Ok(record)
}

/// Rows that did not converge, over all epochs and layers: what `--strict` fails on.
pub fn n_unconverged_epochs(record: &DynamicsRecord) -> usize {
    let layers = record.series.iter().flat_map(|s| &s.epochs).flat_map(|e| &e.layers);
    layers.map(|l| l.n_unconverged).sum()
}

/// Makes the folder, or takes an earlier one over: one with a record, or with the first epochs of one to come.
fn prepare_output(folder: &Path) -> Result<(), PipelineError> {
    let is_ours = [DYNAMICS_FILE, "epochs", "series"].iter().any(|name| folder.join(name).exists());
    if !is_ours && std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(PipelineError::Input {
            what: folder.display().to_string(),
            expected: format!("a new or empty folder, or one with {DYNAMICS_FILE}"),
            found: "other files".into(),
            mend: "choose another --output".into(),
        });
    }
    std::fs::create_dir_all(folder).map_err(|e| PipelineError::io("create", folder, e))
}

/// Names of the trainings; those of equal folders are numbered.
fn distinct_names(trainings: &[Series]) -> Vec<String> {
    let named = |t: &Series| match t.training.seed {
        Some(seed) if trainings.len() > 1 => format!("{} (seed {seed})", t.name),
        _ => t.name.clone(),
    };
    let names: Vec<String> = trainings.iter().map(named).collect();
    let count = |name: &String| names.iter().filter(|n| *n == name).count();
    names
        .iter()
        .enumerate()
        .map(|(k, n)| {
            subspect_data::file_stem(&if count(n) > 1 { format!("{n}-{}", k + 1) } else { n.clone() })
        })
        .collect()
}

fn plan_epochs(
    training: &Series,
    settings: &DynamicsSettings,
    folder: &Path,
    library: &[Builtin],
    events: &dyn Events,
) -> Result<Vec<Epoch>, PipelineError> {
    let mut options = settings.options.clone();
    if training.kind == Kind::Network {
        let are_weights = Weights::is_weights_file(&training.moments[0].path);
        for (name, value) in &training.training.options {
            // A network with a graph of its own takes no architecture.
            if !options.is_set(name) && (are_weights || *name != "arch") {
                options.set(name, vec![value.clone()], "training.json");
            }
        }
    }
    let plan = |data_key: &str, moment| {
        Epoch::plan(moment, training.kind, &options, folder, data_key, &settings.command)
    };
    let data_key = match plan("", &training.moments[0])?.plan {
        crate::Plan { source: Source::Network(source), inputs, seed, .. } => {
            let pictures = choose_pictures(&source, inputs, seed, library, events)?;
            pictures.dataset.hash(&pictures.chosen)?
        }
        _ => String::new(),
    };
    training.moments.iter().map(|m| plan(&data_key, m)).collect()
}

/// What was found along a training, in the order of its epochs.
pub(crate) struct Walked {
    pub(crate) records: Vec<RunRecord>,
    /// Of every epoch but the last.
    pub(crate) similarities: Vec<Similarities>,
}

/// Runs and compares the epochs, the last one first.
fn walk(
    epochs: &[Epoch],
    settings: &DynamicsSettings,
    library: &[Builtin],
    events: &Heard<'_>,
    first: &mut Option<(PathBuf, RunRecord)>,
) -> Result<Walked, PipelineError> {
    let end = epochs.len() - 1;
    let three = |k: usize| Three { epoch: &epochs[k], next: &epochs[k + 1], last: &epochs[end] };
    let mut known: Vec<Option<Similarities>> = (0..end).map(|k| three(k).read()).collect();
    let needs = |k: usize| known.get(k).is_some_and(Option::is_none);
    // Its own comparison, the one before (as the next epoch), and as the last epoch any.
    let to_run: Vec<bool> = (0..=end)
        .map(|k| {
            let used = needs(k) || (k > 0 && needs(k - 1)) || (k == end && (0..end).any(&needs));
            used || !epochs[k].is_finished()
        })
        .collect();
    let mut records: Vec<RunRecord> = Vec::new();
    let (mut last, mut next): (Option<Finished>, Option<Finished>) = (None, None);
    let mut maps = None;
    for k in (0..=end).rev() {
        if events.is_cancelled() {
            return Err(PipelineError::Interrupted);
        }
        let epoch = &epochs[k];
        events.message(&format!("epoch {} ({} of {})", epoch.number, end + 1 - k, end + 1));
        events.begin(epoch.number, k == end);
        let record = if to_run[k] { epoch.run(library, events)? } else { epoch.read()? };
        match first {
            Some((path, other)) => check_same((path, other), (&epoch.source, &record))?,
            None => *first = Some((epoch.source.clone(), record.clone())),
        }
        if record.layers.is_empty() {
            return Err(PipelineError::Input {
                what: epoch.source.display().to_string(),
                expected: "at least one layer".into(),
                found: "none".into(),
                mend: "choose layers with --layers; `subspect layers` lists them".into(),
            });
        }
        maps = Some(layouts::turned(epoch.dir(), &record, maps.as_ref())?);
        let finished = Finished { graphs: epoch.graphs(&record)?, record };
        if k < end && known[k].is_none() {
            let start = Instant::now();
            events.started(Stage::Similarity, "epochs", 0);
            let (next, last) = (next.as_ref().or(last.as_ref()), last.as_ref());
            if let (Some(next), Some(last)) = (next, last) {
                known[k] = Some(three(k).compute([&finished, next, last], events)?);
            }
            let seconds = start.elapsed().as_secs_f64();
            events.finished(Stage::Similarity, "epochs", Outcome::Computed, seconds);
        }
        if !settings.keep_activations && k + 1 < end {
            epochs[k + 1].remove_activations()?;
        }
        records.push(finished.record.clone());
        if k == end { last = Some(finished) } else { next = Some(finished) }
    }
    if !settings.keep_activations {
        // Also what an interrupted call left.
        epochs.iter().try_for_each(Epoch::remove_activations)?;
    }
    records.reverse();
    Ok(Walked { records, similarities: known.into_iter().flatten().collect() })
}

/// Passes events on. Warnings of the last epoch are told and kept; the others stand in the logs of their runs: an
/// untrained network is expected to be at chance.
struct Heard<'a> {
    inner: &'a dyn Events,
    warnings: Mutex<Warnings>,
}

#[derive(Default)]
struct Warnings {
    is_last: bool,
    kept: Vec<String>,
    /// Epochs with warnings of their own.
    others: Vec<u64>,
    epoch: u64,
}

impl Heard<'_> {
    fn begin(&self, epoch: u64, is_last: bool) {
        if let Ok(mut w) = self.warnings.lock() {
            (w.epoch, w.is_last) = (epoch, is_last);
        }
    }

    fn warnings(&self) -> Vec<String> {
        let Ok(w) = self.warnings.lock() else { return Vec::new() };
        let mut out = w.kept.clone();
        if !w.others.is_empty() {
            let mut others = w.others.clone();
            others.sort_unstable();
            others.dedup();
            let list: Vec<String> = others.iter().map(u64::to_string).collect();
            out.push(match &list[..] {
                [one] => format!("epoch {one} has warnings of its own, see log.txt of its run"),
                many => {
                    format!(
                        "epochs {} have warnings of their own, see log.txt of their runs",
                        many.join(", ")
                    )
                }
            });
        }
        out
    }
}

impl Events for Heard<'_> {
    fn started(&self, stage: Stage, label: &str, total: u64) {
        self.inner.started(stage, label, total);
    }
    fn advanced(&self, stage: Stage, n: u64) {
        self.inner.advanced(stage, n);
    }
    fn finished(&self, stage: Stage, label: &str, outcome: Outcome, seconds: f64) {
        self.inner.finished(stage, label, outcome, seconds);
    }
    fn message(&self, text: &str) {
        self.inner.message(text);
    }
    fn warning(&self, text: &str) {
        let Ok(mut w) = self.warnings.lock() else { return };
        if !w.is_last {
            let epoch = w.epoch;
            if w.others.last() != Some(&epoch) {
                w.others.push(epoch);
            }
            return;
        }
        if !w.kept.iter().any(|k| k == text) {
            w.kept.push(text.to_owned());
            drop(w);
            self.inner.warning(text);
        }
    }
    fn is_cancelled(&self) -> bool {
        self.inner.is_cancelled()
    }
}
