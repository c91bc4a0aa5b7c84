//! A page of several runs, and of the epochs of one training run.
//!
//! Runs over the same inputs share their pictures; the interactive part sets layers of two of them side by side, with
//! the maps of a comparison where there is one. A run that cannot be read is named with its reason, the others are
//! shown. Epochs are ordinary run directories `epochs/NNNN`; the page's sections are those of the last one.

use std::path::{Path, PathBuf};

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;
use subspect_data::comparison::ComparisonRecord;
use subspect_data::dynamics::{DYNAMICS_FILE, DynamicsRecord};
use subspect_data::record::RunRecord;

use crate::context::Context;
use crate::error::ReportError;
use crate::explore::{Cross, Packable, Training, reach};
use crate::loaded::Loaded;
use crate::page::{Contents, Form, Manifest, Page, page};
use crate::panel::{line, title, warnings};
use crate::sprite::{MAX_PICTURE_BYTES, Pictures};

/// Folder of the epochs in the folder of a training run.
const EPOCHS: &str = "epochs";
/// Inputs of all layers above which pictures have to make room.
const MANY_ROWS: usize = 100_000;
/// Bytes of pictures then.
const FEW_PICTURE_BYTES: usize = 320_000;

/// The pictures of each of `n` sets of inputs, where all layers have so many inputs together.
pub(crate) fn pictures_of(n_rows: usize, n: usize, form: Form) -> Pictures {
    match form {
        Form::Served => Pictures::Cards,
        Form::File if n_rows > MANY_ROWS => Pictures::UpTo(FEW_PICTURE_BYTES / n.max(1)),
        Form::File => Pictures::UpTo(MAX_PICTURE_BYTES / n.max(1)),
    }
}

/// A page and what it shows.
pub(crate) struct Shown {
    pub(crate) page: Page,
    /// For the log.
    pub(crate) notes: Vec<String>,
    pub(crate) runs: Vec<ShownRun>,
}

/// One run of a page.
pub(crate) struct ShownRun {
    pub(crate) dir: PathBuf,
    pub(crate) record: RunRecord,
}

impl Shown {
    fn new(page: Page, notes: Vec<String>, dirs: Vec<PathBuf>, loaded: Vec<Loaded>) -> Self {
        let run = |(dir, loaded): (PathBuf, Loaded)| ShownRun { dir, record: loaded.record };
        Shown { page, notes, runs: dirs.into_iter().zip(loaded).map(run).collect() }
    }
}

#[derive(Serialize)]
struct Several {
    title: String,
    failures: Vec<String>,
    runs: Vec<Card>,
}

#[derive(Serialize)]
struct Card {
    title: String,
    line: String,
    summary: Vec<String>,
    warnings: Vec<String>,
    command: String,
}

/// The page of one run.
pub(crate) fn run(dir: &Path, form: Form) -> Result<Shown, ReportError> {
    let mut loaded = Loaded::read(dir, form)?;
    let notes = loaded.notes.clone();
    let pictures = pictures_of(loaded.n_rows(), 1, form);
    let page = page(&Contents::of_run(&loaded.context(pictures)?, form))?;
    Ok(Shown::new(page, notes, vec![dir.to_owned()], vec![loaded]))
}

/// The page of several runs.
pub(crate) fn runs(dirs: &[PathBuf], comparison: Option<&Path>, form: Form) -> Result<Shown, ReportError> {
    let (mut loaded, mut shown, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    let mut first_error = None;
    for dir in dirs {
        match Loaded::read(dir, form) {
            Ok(run) => {
                loaded.push(run);
                shown.push(dir.clone());
            }
            Err(error) => {
                failures.push(format!("{}: {error}", dir.display()));
                first_error.get_or_insert(error);
            }
        }
    }
    if let (true, Some(error)) = (loaded.is_empty(), first_error) {
        return Err(error);
    }
    let mut notes: Vec<String> =
        failures.iter().chain(loaded.iter().flat_map(|l| &l.notes)).cloned().collect();
    let cross = match comparison {
        Some(folder) => cross(folder, &shown, &loaded, &mut notes)?,
        None => Vec::new(),
    };
    let labels = labels(&loaded, &shown);
    let pictures = pictures(&loaded);
    let n_atlases = pictures.iter().enumerate().filter(|(k, of)| k == *of).count();
    let wanted = pictures_of(loaded.iter().map(Loaded::n_rows).sum(), n_atlases, form);
    let contexts = loaded.iter_mut().map(|l| l.context(wanted)).collect::<Result<Vec<_>, _>>()?;
    let view = Several {
        title: labels.join(" and "),
        failures,
        runs: contexts.iter().zip(&labels).map(|(c, label)| card(c, label)).collect(),
    };
    let contents = Contents {
        run: None,
        several: Some(Value::from(Serde(view))),
        runs: packables(&contexts, &pictures),
        manifest: Manifest {
            kind: "runs",
            served: form == Form::Served,
            labels,
            pictures,
            cross,
            training: None,
        },
    };
    let page = page(&contents)?;
    Ok(Shown::new(page, notes, shown, loaded))
}

fn card(context: &Context<'_>, label: &str) -> Card {
    Card {
        title: label.to_owned(),
        line: line(context.record),
        summary: context.record.summary.clone(),
        warnings: warnings(context),
        command: context.record.command.clone(),
    }
}

fn packables<'a>(contexts: &'a [Context<'a>], pictures: &[usize]) -> Vec<Packable<'a>> {
    let of = |k: usize| Packable { context: &contexts[k], sprite: contexts[pictures[k]].sprite.as_ref() };
    (0..contexts.len()).map(of).collect()
}

/// Model on data set; with the folder's name where two runs would be called the same.
fn labels(loaded: &[Loaded], dirs: &[PathBuf]) -> Vec<String> {
    let titles: Vec<String> = loaded.iter().map(|l| title(&l.record)).collect();
    let is_unique = |t: &String| titles.iter().filter(|o| *o == t).count() == 1;
    let folder =
        |k: usize| dirs[k].file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let named =
        |(k, t): (usize, &String)| if is_unique(t) { t.clone() } else { format!("{t} ({})", folder(k)) };
    titles.iter().enumerate().map(named).collect()
}

/// Whose pictures each run shows: those of the first run over the same inputs.
fn pictures(loaded: &[Loaded]) -> Vec<usize> {
    let same = |a: &Loaded, b: &Loaded| {
        a.record.dataset.hash == b.record.dataset.hash && a.record.inputs.ids == b.record.inputs.ids
    };
    (0..loaded.len()).map(|k| (0..k).find(|&j| same(&loaded[j], &loaded[k])).unwrap_or(k)).collect()
}

/// The comparison's maps, for the two runs that it names.
fn cross(
    folder: &Path,
    dirs: &[PathBuf],
    loaded: &[Loaded],
    notes: &mut Vec<String>,
) -> Result<Vec<Cross>, ReportError> {
    let folder = if folder.is_file() { folder.parent().unwrap_or(folder) } else { folder };
    let record = ComparisonRecord::read(folder).map_err(ReportError::Data)?;
    let absolute = |p: &Path| std::fs::canonicalize(p).unwrap_or_else(|_| p.to_owned());
    let find = |k: usize, taken: Option<usize>| {
        let network = &record.networks[k];
        let fits = |&at: &usize| {
            let layers = &loaded[at].record.layers;
            Some(at) != taken
                && layers.len() == network.layers.len()
                && layers.iter().zip(&network.layers).all(|(a, b)| a.name == b.name)
        };
        let by_path =
            (0..dirs.len()).filter(fits).find(|&at| absolute(&dirs[at]) == absolute(Path::new(&network.run)));
        by_path.or_else(|| (0..dirs.len()).find(fits))
    };
    let first = find(0, None);
    let second = find(1, first);
    if let (Some(first), Some(second)) = (first, second) {
        return Ok(vec![Cross::new(&record, first, second)]);
    }
    notes.push(format!(
        "the comparison is of {} and {}: expected both among the runs of the page, found other layers",
        record.networks[0].run, record.networks[1].run
    ));
    Ok(Vec::new())
}

/// Whether a folder holds a training run.
pub(crate) fn is_training(folder: &Path) -> bool {
    folder.join(DYNAMICS_FILE).is_file() || folder.join(EPOCHS).is_dir()
}

/// The page of a training run.
pub(crate) fn epochs(folder: &Path, form: Form) -> Result<Shown, ReportError> {
    let (mut loaded, mut shown, mut labels, mut notes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let dynamics = folder.join(DYNAMICS_FILE).is_file().then(|| DynamicsRecord::read(folder)).transpose();
    let dynamics = dynamics.map_err(ReportError::Data)?;
    let dirs = match dynamics.as_ref().and_then(|d| d.series.first()) {
        Some(series) => series.epochs.iter().map(|e| (folder.join(&e.run), e.epoch.to_string())).collect(),
        None => epoch_dirs(folder)?,
    };
    for (dir, name) in dirs {
        match Loaded::read(&dir, form) {
            Ok(run) => {
                loaded.push(run);
                shown.push(dir);
                labels.push(name);
            }
            Err(error) => notes.push(format!("epoch {name}: {error}")),
        }
    }
    let alike = |l: &Loaded| {
        l.record.layers.iter().map(|l| &l.name).eq(loaded[0].record.layers.iter().map(|l| &l.name))
    };
    if loaded.is_empty()
        || !loaded.iter().all(|l| alike(l) && l.record.inputs.ids == loaded[0].record.inputs.ids)
    {
        return Err(ReportError::Epochs { folder: folder.to_owned(), n: loaded.len() });
    }
    notes.extend(loaded.iter().flat_map(|l| l.notes.clone()));
    if form == Form::File {
        one_scale(&mut loaded);
    }
    let training = dynamics.as_ref().and_then(Training::new);
    let wanted = pictures_of(loaded.iter().map(Loaded::n_rows).sum(), 1, form);
    let last = loaded.len() - 1;
    for other in &mut loaded[..last] {
        other.atlas = None;
    }
    let contexts = loaded.iter_mut().map(|l| l.context(wanted)).collect::<Result<Vec<_>, _>>()?;
    let pictures = vec![last; contexts.len()];
    let contents = Contents {
        run: Some(&contexts[last]),
        several: None,
        runs: packables(&contexts, &pictures),
        manifest: Manifest {
            kind: "epochs",
            served: form == Form::Served,
            labels,
            pictures,
            cross: Vec::new(),
            training,
        },
    };
    let page = page(&contents)?;
    Ok(Shown::new(page, notes, shown, loaded))
}

/// The epochs' folders in the order of their names.
fn epoch_dirs(folder: &Path) -> Result<Vec<(PathBuf, String)>, ReportError> {
    let path = folder.join(EPOCHS);
    let io = |source| ReportError::Io { action: "read", path: path.clone(), source };
    let mut dirs = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(io)? {
        let dir = entry.map_err(io)?.path();
        if dir.join("record.json").is_file() {
            dirs.push(dir);
        }
    }
    dirs.sort();
    let name = |d: &PathBuf| d.file_name().map_or_else(String::new, |n| epoch_label(&n.to_string_lossy()));
    Ok(dirs.into_iter().map(|d| (d.clone(), name(&d))).collect())
}

/// `0012` is epoch 12.
fn epoch_label(name: &str) -> String {
    name.parse::<u64>().map_or_else(|_| name.to_owned(), |n| n.to_string())
}

/// The maps of a layer in all epochs share their largest coordinate, so that nothing jumps between them.
fn one_scale(loaded: &mut [Loaded]) {
    for layer in 0..loaded[0].files.len() {
        let of = |l: &Loaded| reach(l.files[layer].layout.as_ref());
        let reach = loaded.iter().map(of).fold(0.0, f32::max);
        for run in loaded.iter_mut() {
            run.files[layer].reach = Some(reach);
        }
    }
}
