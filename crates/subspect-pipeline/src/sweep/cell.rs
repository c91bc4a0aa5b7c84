//! A cell as the configuration has it, and the run that it comes to.

use std::collections::BTreeMap;
use std::path::Path;

use subspect_data::file_stem;
use subspect_data::training::TrainingRecord;

use super::trainer::{PlannedTraining, Snapshot, Trainings};
use crate::options::{Options, config_options};
use crate::{PipelineError, Plan};

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellPlan {
    /// Unique name.
    pub name: String,
    /// Value of the axes that it sets.
    pub values: BTreeMap<String, String>,
    /// Run directory, relative to the sweep's.
    pub folder: String,
    /// The weights that it shows, where the sweep trains them.
    pub snapshot: Option<Snapshot>,
    /// The run.
    pub plan: Plan,
}

/// Options of runs and of trainings.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub(super) options: toml::Table,
    pub(super) train: toml::Table,
}

impl Values {
    /// Takes what `other` has over what is here.
    fn overlay(&mut self, other: &Values) {
        self.options.extend(other.options.clone());
        self.train.extend(other.train.clone());
    }

    /// `alpha_ratio=0.1`, ...: first the options of the run.
    fn words(&self) -> impl Iterator<Item = (String, String)> {
        self.options.iter().chain(&self.train).map(|(k, v)| (k.clone(), plain(v)))
    }
}

/// What all cells have in common.
pub(super) struct Common<'a> {
    pub(super) values: Values,
    pub(super) output: &'a Path,
    pub(super) overlay: &'a Options,
    pub(super) file: &'a str,
    pub(super) command: &'a str,
}

/// One table [[cell]] at one place of the grid.
pub(super) struct Cell<'a> {
    pub(super) given: Option<String>,
    /// What the cell sets.
    pub(super) own: &'a Values,
    /// What the grid sets.
    pub(super) varied: &'a Values,
}

impl Cell<'_> {
    pub(super) fn plan(
        &self,
        common: &Common<'_>,
        trainings: &mut Trainings<'_>,
    ) -> Result<CellPlan, PipelineError> {
        let name = self.name();
        let place = format!("{}, cell {name}", common.file);
        let folder = format!("cells/{}", folder_name(&name));
        let mut special = self.own.clone();
        special.overlay(self.varied);
        if let Some(twice) = special.options.keys().find(|k| special.train.contains_key(*k)) {
            let reason = format!("expected {twice} in one place, found it among the options and in train");
            return Err(PipelineError::Training { place, reason });
        }
        let mut all = common.values.clone();
        all.overlay(&special);
        let has_network = ["model", "store"].iter().any(|n| special.options.contains_key(*n));
        let is_trained = !special.train.is_empty() || !has_network && !common.values.train.is_empty();
        let epoch = all.options.remove("epoch").map(|e| plain(&e));
        let words: BTreeMap<String, String> = all.words().collect();
        fill(&mut all.options, &words);
        let mut options = config_options(&all.options, &place)?;
        let mut snapshot = None;
        if is_trained {
            fill(&mut all.train, &words);
            if let (Some(seed), None) = (common.overlay.text("seed"), all.train.get("seed")) {
                all.train.insert("seed".into(), seed.into());
            }
            let varied = special.train.iter().map(|(k, v)| format!("{k}={}", plain(v)));
            let mut called = varied.collect::<Vec<_>>().join(", ");
            if called.is_empty() {
                called = all.train.get("arch").map_or_else(|| "all".to_owned(), plain);
            }
            let epoch = epoch.as_deref().unwrap_or("last");
            let shown = trainings.snapshot(&all.train, &called, epoch, &place)?;
            analyse(&mut options, &trainings.planned[shown.training], shown.epoch, common.output, &place)?;
            snapshot = Some(shown);
        } else if let Some(epoch) = epoch {
            let expected = "a cell with a training ([train])".into();
            return Err(PipelineError::Option {
                origin: format!("epoch in {place}"),
                expected,
                found: epoch,
            });
        }
        options.overlay(common.overlay.clone());
        options.set("output", vec![common.output.join(&folder).display().to_string()], "--output");
        let plan = Plan::from_options(&options, common.command)?;
        Ok(CellPlan { name, values: special.words().collect(), folder, snapshot, plan })
    }

    /// `mine, inputs=500`.
    fn name(&self) -> String {
        let varied = self.varied.words().map(|(k, v)| format!("{k}={v}"));
        let parts: Vec<String> = self.given.clone().into_iter().chain(varied).collect();
        if parts.is_empty() { "all".to_owned() } else { parts.join(", ") }
    }
}

/// The options of the run that shows a snapshot to the held-out data, or to those that the configuration names.
fn analyse(
    options: &mut Options,
    training: &PlannedTraining,
    epoch: usize,
    output: &Path,
    place: &str,
) -> Result<(), PipelineError> {
    let outline = &training.outline;
    let trained = format!("train in {place}");
    if let Some(name) = ["model", "store"].into_iter().find(|n| options.is_set(n)) {
        return Err(PipelineError::Conflict { first: options.origin(name), second: trained });
    }
    for (name, value) in [("arch", &outline.arch), ("normalize", &outline.normalize)] {
        match options.text(name) {
            Some(other) if options.is_set(name) && other != *value => {
                return Err(options.refuse(name, &format!("{value}, as in {trained}"), &other));
            }
            _ => options.set(name, vec![value.clone()], &trained),
        }
    }
    if !options.is_set("data") {
        let data = outline.test_data.as_ref().unwrap_or(&outline.data);
        options.set("data", vec![data.display().to_string()], &trained);
        if let Some(format) = &outline.data_format {
            options.set("data_format", vec![format.clone()], &trained);
        }
    }
    let file = output.join(&training.folder).join(TrainingRecord::checkpoint_file(epoch));
    options.set("model", vec![file.display().to_string()], &trained);
    Ok(())
}

/// A name as part of a path that needs no escaping in a link: `arch=resnet20, inputs=100` is `arch-resnet20_inputs-100`.
pub(super) fn folder_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    file_stem(&name.replace(", ", "_").chars().map(plain).collect::<String>())
}

/// A value without quotes.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(s) => s.clone(),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// `{arch}` replaced by the value of that option; braces around anything else stay, globs may have them.
fn fill(table: &mut toml::Table, words: &BTreeMap<String, String>) {
    for (_, value) in table.iter_mut() {
        if let toml::Value::String(text) = value {
            *text = words
                .iter()
                .fold(text.clone(), |text, (name, word)| text.replace(&format!("{{{name}}}"), word));
        }
    }
}
