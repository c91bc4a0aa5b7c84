//! One epoch as an ordinary run, or what an earlier call left of it.
//!
//! A finished epoch is known by a note under the key of everything it depends on: the snapshot's bytes, the probe
//! inputs, and every option. The run itself is resumed stage by stage as any other.

use std::path::{Path, PathBuf};

use subspect_data::record::{RunRecord, RunState};
use subspect_data::rundir::RunDir;
use subspect_data::store::{ActivationStore, MANIFEST_FILE};
use subspect_graph::AffinityGraph;

use super::series::{Kind, Moment, name};
use crate::builtin::Builtin;
use crate::options::Options;
use crate::recorded::layer_graph;
use crate::run::note::{Note, file_hash, written_hash};
use crate::{Events, KeyBuilder, PipelineError, Plan, Source};

/// Options that say where things lie, not what they are.
const PLACES: [&str; 5] = ["model", "store", "data", "output", "keep_activations"];

/// One epoch to be worked on.
pub(crate) struct Epoch {
    pub(crate) number: u64,
    pub(crate) source: PathBuf,
    pub(crate) plan: Plan,
    /// Of everything its results depend on.
    pub(crate) key: String,
}

/// A finished epoch.
pub(crate) struct Finished {
    pub(crate) record: RunRecord,
    pub(crate) graphs: Vec<AffinityGraph>,
}

impl Epoch {
    /// Plans the run of a moment in `folder`.
    pub(crate) fn plan(
        moment: &Moment,
        kind: Kind,
        options: &Options,
        folder: &Path,
        data_key: &str,
        command: &str,
    ) -> Result<Self, PipelineError> {
        let output = folder.join(format!("{:04}", moment.epoch));
        let source = if kind == Kind::Network { "model" } else { "store" };
        let mut options = options.clone();
        options.set(source, vec![moment.path.display().to_string()], &name(&moment.path));
        options.set("output", vec![output.display().to_string()], "--output");
        // They are needed beyond the run, and removed by those who know when.
        options.set("keep_activations", vec!["true".into()], "--keep-activations");
        let plan = Plan::from_options(&options, command)?;
        let settings = plan.values();
        let settings: Vec<String> = settings
            .iter()
            .filter(|(name, _)| !PLACES.contains(&name.as_str()))
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        let key = KeyBuilder::new("epoch", 1)
            .list("source", fingerprint(&moment.path)?.iter().map(String::as_str))
            .text("data", data_key)
            .list("settings", settings.iter().map(String::as_str))
            .finish();
        Ok(Epoch { number: moment.epoch, source: moment.path.clone(), plan, key })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.plan.output
    }

    fn note(&self) -> PathBuf {
        self.dir().join("stages/epoch.json")
    }

    /// Whether an earlier call finished it.
    pub(crate) fn is_finished(&self) -> bool {
        let record = self.dir().join(subspect_data::rundir::RECORD_FILE);
        Note::<String>::read(&self.note(), &self.key).is_some_and(|n| file_hash(&record) == Some(n.value))
    }

    /// Runs it, also when it is finished, because its activations are needed.
    pub(crate) fn run(&self, library: &[Builtin], events: &dyn Events) -> Result<RunRecord, PipelineError> {
        let record = crate::run(&self.plan, library, events)?;
        let value = written_hash(&self.dir().join(subspect_data::rundir::RECORD_FILE))?;
        Note { key: self.key.clone(), seconds: record.seconds.values().sum(), value }.write(&self.note())?;
        Ok(record)
    }

    /// Reads what [`Epoch::run`] left.
    pub(crate) fn read(&self) -> Result<RunRecord, PipelineError> {
        let record = RunDir::open(self.dir())?.read_record()?;
        debug_assert_eq!(record.state, RunState::Complete);
        Ok(record)
    }

    pub(crate) fn graphs(&self, record: &RunRecord) -> Result<Vec<AffinityGraph>, PipelineError> {
        let dir = RunDir::open(self.dir())?;
        record.layers.iter().map(|l| layer_graph(&dir, l)).collect()
    }

    /// Its activations, while they are there.
    pub(crate) fn activations(&self) -> Result<ActivationStore, PipelineError> {
        let given = match &self.plan.source {
            Source::Store(s) if s.store.join(MANIFEST_FILE).is_file() => s.store.clone(),
            _ => self.dir().join("activations"),
        };
        Ok(ActivationStore::open(&given)?)
    }

    /// Removes the activations that its run wrote; the user's own store stays.
    pub(crate) fn remove_activations(&self) -> Result<(), PipelineError> {
        crate::run::remove_activations(self.dir())
    }
}

/// Hashes of the files that a snapshot consists of: itself and, for ONNX, those beside it that carry its name and hold its
/// weights; the manifest of a store, which names its content.
fn fingerprint(path: &Path) -> Result<Vec<String>, PipelineError> {
    let hash = |p: &Path| {
        file_hash(p)
            .ok_or_else(|| PipelineError::io("read", p, std::io::Error::other("the file cannot be read")))
    };
    if path.is_dir() {
        return Ok(vec![hash(&path.join(MANIFEST_FILE))?]);
    }
    let mut files = vec![path.to_owned()];
    if let (Some(folder), true) = (path.parent(), path.extension().is_some_and(|e| e == "onnx")) {
        let own = name(path);
        let entries = std::fs::read_dir(folder).map_err(|e| PipelineError::io("read", folder, e))?;
        let beside = entries.filter_map(Result::ok).map(|e| e.path());
        files.extend(beside.filter(|p| p.is_file() && name(p) != own && name(p).starts_with(&own)));
        files.sort();
    }
    files.iter().map(|p| hash(p)).collect()
}

/// Two epochs must have the same layers and the same inputs.
pub(crate) fn check_same(
    first: (&Path, &RunRecord),
    other: (&Path, &RunRecord),
) -> Result<(), PipelineError> {
    let what = format!("{} and {}", first.0.display(), other.0.display());
    let refuse = |expected: &str, found: String, mend: &str| {
        let (expected, mend) = (expected.to_owned(), mend.to_owned());
        Err(PipelineError::Input { what: what.clone(), expected, found, mend })
    };
    let (a, b) = (first.1, other.1);
    let names = |r: &RunRecord| r.layers.iter().map(|l| l.name.clone()).collect::<Vec<_>>();
    let (mine, theirs) = (names(a), names(b));
    if mine != theirs {
        let only =
            |x: &[String], y: &[String]| x.iter().filter(|n| !y.contains(n)).cloned().collect::<Vec<_>>();
        let show = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let found = format!(
            "{} and {} layers; only in the first: {}; only in the second: {}",
            mine.len(),
            theirs.len(),
            show(only(&mine, &theirs)),
            show(only(&theirs, &mine))
        );
        return refuse(
            "the same layers at every epoch",
            found,
            "choose layers that all have with --layers, or separate the trainings",
        );
    }
    if let Some((l, m)) = a.layers.iter().zip(&b.layers).find(|(l, m)| l.n_features != m.n_features) {
        let found = format!("{} with {} and with {} features", l.name, l.n_features, m.n_features);
        return refuse(
            "the same layers at every epoch",
            found,
            "separate the trainings of different networks",
        );
    }
    if a.inputs.ids != b.inputs.ids || a.inputs.labels != b.inputs.labels {
        let found =
            format!("{} and {} inputs with other ids or labels", a.inputs.ids.len(), b.inputs.ids.len());
        return refuse(
            "the same inputs in the same order at every epoch",
            found,
            "record every epoch with the same inputs",
        );
    }
    // The hash of imported activations is that of the activations.
    let of_inputs = a.dataset.format != "activations" && b.dataset.format != "activations";
    if of_inputs && a.dataset.hash != b.dataset.hash {
        let found = format!("inputs with hash {} and {}", short(&a.dataset.hash), short(&b.dataset.hash));
        return refuse("the same inputs at every epoch", found, "record every epoch with the same inputs");
    }
    Ok(())
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{labelled, layer};

    #[test]
    fn what_differs_between_epochs_is_named() {
        let of = |names: &[&str]| labelled(names.iter().map(|n| layer(n, 0.1, 0.0)).collect());
        let (a, mut b) = (of(&["x", "y"]), of(&["x", "z"]));
        let error = |a: &RunRecord, b: &RunRecord| {
            check_same((Path::new("e1"), a), (Path::new("e2"), b)).unwrap_err().to_string()
        };
        let text = error(&a, &b);
        assert!(
            text.starts_with("e1 and e2: expected the same layers") && text.contains("second: z"),
            "{text}"
        );
        b = of(&["x", "y"]);
        check_same((Path::new("e1"), &a), (Path::new("e2"), &b)).unwrap();
        b.layers[1].n_features = 7;
        assert!(error(&a, &b).contains("y with 1 and with 7 features"));
        b = of(&["x", "y"]);
        b.dataset.hash = "other".into();
        assert!(error(&a, &b).contains("with hash"));
        b.inputs.labels[0] = 1;
        assert!(error(&a, &b).contains("the same inputs in the same order"));
    }
}
