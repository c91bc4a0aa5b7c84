//! The configuration of a sweep.
//!
//! ```toml
//! name = "depth"
//! output = "sweeps/depth"
//!
//! [options]                       # of subspect run, for every cell
//! data = "cifar10/"
//! model = "weights/{arch}.pth"    # {NAME} stands for the value of an option
//!
//! [grid]                          # every combination of these values
//! arch = ["resnet20", "resnet32"]
//!
//! [[cell]]                        # or cells by name; with a grid, each of them with every combination
//! name = "mine"
//! model = "mine.onnx"
//! ```
//!
//! Or the cells' networks are trained first, each training once; `epoch` chooses the snapshot, by default the last one:
//!
//! ```toml
//! [train]                         # of subspect train
//! data = "cifar10/"
//! arch = "resnet8"
//!
//! [grid]
//! epoch = ["first", "1/3", "last"]
//!
//! [grid.train]
//! seed = [0, 1, 2]
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::cell::{Cell, CellPlan, Common, Values};
use super::trainer::{PlannedTraining, Trainer, Trainings};
use crate::PipelineError;
use crate::options::{Options, config_table, nearest};

/// Most cells of a sweep: a grid beyond it is more likely a slip than meant.
const MAX_CELLS: usize = 1000;
/// The keys of a sweep's configuration.
const KEYS: [&str; 6] = ["name", "output", "options", "train", "grid", "cell"];

/// What a sweep does.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPlan {
    /// What it is called.
    pub name: String,
    /// Its folder.
    pub output: PathBuf,
    /// The options that vary.
    pub axes: Vec<String>,
    /// Networks that are trained first, in the order in which cells need them.
    pub trainings: Vec<PlannedTraining>,
    /// Every cell, in order.
    pub cells: Vec<CellPlan>,
    /// A command that repeats it.
    pub command: String,
}

/// Whether a configuration is that of a sweep: it has tables, and that of a run has none.
///
/// # Errors
/// When the file cannot be read or is not TOML.
pub fn is_sweep(path: &Path) -> Result<bool, PipelineError> {
    let table = config_table(path)?;
    Ok(["options", "train", "grid", "cell"].iter().any(|key| table.contains_key(*key)))
}

/// Reads a sweep; `overlay` goes before what the file says (for `--output`, `--seed`). Every cell is checked before
/// anything is computed. Without a `trainer`, cells that have to be trained are refused.
///
/// # Errors
/// When the file cannot be read, has an unknown key, an axis without values, or a cell whose options cannot be used.
pub fn read_sweep(
    path: &Path,
    overlay: &Options,
    trainer: Option<&dyn Trainer>,
    command: &str,
) -> Result<SweepPlan, PipelineError> {
    let file = File { name: path.display().to_string(), table: config_table(path)? };
    if let Some(key) = file.table.keys().find(|k| !KEYS.contains(&k.as_str())) {
        let nearest = nearest(key, KEYS).map(str::to_owned);
        return Err(PipelineError::UnknownKey { file: file.name, key: key.clone(), nearest });
    }
    let output = overlay.path("output").or_else(|| file.text("output").map(PathBuf::from));
    let output = output.ok_or_else(|| PipelineError::Missing {
        what: "the folder of the sweep".into(),
        mend: "give --output DIR".into(),
    })?;
    let values = Values { options: file.part("options")?, train: file.part("train")? };
    if values.options.contains_key("output") {
        return Err(file.wrong("options.output", "no output: each cell has its own folder", "one".into()));
    }
    let (grid, named) = (file.grid()?, file.cells()?);
    if named.len() * grid.len() > MAX_CELLS {
        let found = (named.len() * grid.len()).to_string();
        return Err(file.wrong("grid", &format!("at most {MAX_CELLS} cells"), found));
    }
    let common = Common { values, output: &output, overlay, file: &file.name, command };
    let mut trainings = Trainings::new(trainer);
    let mut cells = Vec::new();
    for (given, own) in &named {
        for varied in &grid {
            cells.push(Cell { given: given.clone(), own, varied }.plan(&common, &mut trainings)?);
        }
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = cells.iter().find(|c| !names.insert(c.folder.clone())) {
        return Err(file.wrong("cell", "names that differ", format!("{} twice", twice.name)));
    }
    let axes: BTreeSet<String> = cells.iter().flat_map(|c| c.values.keys().cloned()).collect();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = file.text("name").unwrap_or(stem);
    let trainings = trainings.planned;
    let axes = axes.into_iter().collect();
    Ok(SweepPlan { name, output, axes, trainings, cells, command: command.to_owned() })
}

/// The file and its keys.
struct File {
    name: String,
    table: toml::Table,
}

impl File {
    fn wrong(&self, what: &str, expected: &str, found: String) -> PipelineError {
        let origin = format!("{what} in {}", self.name);
        PipelineError::Option { origin, expected: expected.to_owned(), found }
    }

    fn text(&self, key: &str) -> Option<String> {
        self.table.get(key).and_then(toml::Value::as_str).map(str::to_owned)
    }

    fn part(&self, key: &str) -> Result<toml::Table, PipelineError> {
        match self.table.get(key) {
            None => Ok(toml::Table::new()),
            Some(toml::Value::Table(t)) => Ok(t.clone()),
            Some(other) => Err(self.wrong(key, "a table", other.to_string())),
        }
    }

    /// Every combination of the axes' values.
    fn grid(&self) -> Result<Vec<Values>, PipelineError> {
        let mut grid = self.part("grid")?;
        let train = match grid.remove("train") {
            None => toml::Table::new(),
            Some(toml::Value::Table(t)) => t,
            Some(other) => return Err(self.wrong("grid.train", "a table of lists", other.to_string())),
        };
        let axes = |table: &toml::Table, of: &str| {
            let wrong = |(axis, found): (String, String)| {
                self.wrong(&format!("{of}.{axis}"), "a list of one value or more", found)
            };
            combinations(table).map_err(wrong)
        };
        let (options, trains) = (axes(&grid, "grid")?, axes(&train, "grid.train")?);
        let with = |options: &toml::Table, train: &toml::Table| Values {
            options: options.clone(),
            train: train.clone(),
        };
        Ok(options.iter().flat_map(|o| trains.iter().map(move |t| with(o, t))).collect())
    }

    /// The tables [[cell]] with their names; one without anything where there are none.
    fn cells(&self) -> Result<Vec<(Option<String>, Values)>, PipelineError> {
        let tables = match self.table.get("cell") {
            None => return Ok(vec![(None, Values::default())]),
            Some(toml::Value::Array(cells)) if !cells.is_empty() => cells.as_slice(),
            Some(other) => return Err(self.wrong("cell", "tables [[cell]]", other.to_string())),
        };
        let read = |cell: &toml::Value| {
            let table = cell.as_table();
            let mut options =
                table.cloned().ok_or_else(|| self.wrong("cell", "tables [[cell]]", cell.to_string()))?;
            let name = options.remove("name").and_then(|n| n.as_str().map(str::to_owned));
            let train = match options.remove("train") {
                None => toml::Table::new(),
                Some(toml::Value::Table(t)) => t,
                Some(other) => return Err(self.wrong("train of a cell", "a table", other.to_string())),
            };
            Ok((name, Values { options, train }))
        };
        tables.iter().map(read).collect()
    }
}

/// Every combination of an axis' values, the last axis fastest.
fn combinations(grid: &toml::Table) -> Result<Vec<toml::Table>, (String, String)> {
    let mut all = vec![toml::Table::new()];
    for (axis, values) in grid {
        let values =
            values.as_array().filter(|v| !v.is_empty()).ok_or_else(|| (axis.clone(), values.to_string()))?;
        let with = |partial: &toml::Table, value: &toml::Value| {
            let mut one = partial.clone();
            one.insert(axis.clone(), value.clone());
            one
        };
        all = all.iter().flat_map(|partial| values.iter().map(move |v| with(partial, v))).collect();
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrainingOutline;

    /// Trains nothing, and has three options beside the seed.
    struct Words;

    impl Trainer for Words {
        fn names(&self) -> Vec<String> {
            ["arch", "data", "epochs", "seed"].map(str::to_owned).to_vec()
        }

        fn outline(&self, options: &Options, place: &str) -> Result<TrainingOutline, PipelineError> {
            let epochs = options.count("epochs")?.unwrap_or(10) as usize;
            let word = |name: &str| options.text(name).unwrap_or_default();
            if word("arch").is_empty() {
                let reason = "expected a network, found none".to_owned();
                return Err(PipelineError::Training { place: place.to_owned(), reason });
            }
            Ok(TrainingOutline {
                arch: word("arch"),
                normalize: "cifar10".into(),
                data: word("data").into(),
                data_format: None,
                test_data: None,
                epochs,
                kept: (0..=epochs).collect(),
            })
        }

        fn train(
            &self,
            _options: &Options,
            folder: &Path,
        ) -> Result<subspect_data::training::TrainingRecord, PipelineError> {
            Err(PipelineError::Training {
                place: folder.display().to_string(),
                reason: "expected no training".into(),
            })
        }
    }

    fn read(text: &str) -> Result<SweepPlan, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("depth.toml");
        std::fs::write(&path, text).unwrap();
        read_sweep(&path, &Options::default(), Some(&Words), "c").map_err(|e| e.to_string())
    }

    #[test]
    fn a_grid_is_every_combination_of_every_cell() {
        let text = "output = 'o'\n[options]\ndata = 'd'\nmodel = 'w/{arch}.pth'\n[grid]\narch = ['resnet20', 'resnet32']\n\
                    inputs = [100, 200]";
        let plan = read(text).unwrap();
        assert_eq!(plan.axes, ["arch", "inputs"]);
        let names: Vec<&str> = plan.cells.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names[..2], ["arch=resnet20, inputs=100", "arch=resnet20, inputs=200"]);
        assert_eq!((plan.name.as_str(), plan.cells.len()), ("depth", 4));
        assert_eq!(plan.cells[3].folder, "cells/arch-resnet32_inputs-200");
        assert_eq!(plan.cells[3].plan.inputs, Some(200));
        let crate::Source::Network(source) = &plan.cells[3].plan.source else { panic!() };
        assert_eq!(source.model, Path::new("w/resnet32.pth"));
        let cells = "output = 'o'\n[options]\ndata = 'd'\n[[cell]]\nname = 'a'\nmodel = 'a.onnx'\n[[cell]]\nname = 'b'\nmodel = 'b.onnx'";
        let plan = read(cells).unwrap();
        assert_eq!(plan.cells[1].folder, "cells/b");
        assert_eq!(plan.cells[1].values["model"], "b.onnx");
    }

    #[test]
    fn mistakes_are_located() {
        for (text, part) in [
            ("outptu = 'o'", "no option \"outptu\""),
            ("[options]\ndata = 'd'", "the folder of the sweep is missing"),
            ("output = 'o'\n[grid]\narch = []", "grid.arch in"),
            (
                "output = 'o'\n[options]\ndata = 'd'\nmodel = 'm'\n[grid]\nalpa_ratio = [0.1]",
                "no option \"alpa_ratio\"",
            ),
            ("output = 'o'\n[options]\noutput = 'x'", "each cell has its own folder"),
            (
                "output = 'o'\n[options]\ndata = 'd'\n[[cell]]\nname='a'\nmodel='m'\n[[cell]]\nname='a'\nmodel='m'",
                "a twice",
            ),
            ("output = 'o'\n[options]\ndata = 'd'\nmodel = 'w.pth'\n[grid]\narch = ['resnt20']", "resnet20"),
        ] {
            let e = read(text).unwrap_err();
            assert!(e.contains(part), "{part}: {e}");
        }
    }

    const TRAINED: &str = "output = 'o'\n[train]\ndata = 'd'\narch = 'resnet8'\n";

    #[test]
    fn cells_of_equal_options_share_a_training() {
        let grid = "[grid]\nepoch = ['first', 'last']\n[grid.train]\nseed = [0, 1]\n";
        let plan = read(&format!("{TRAINED}{grid}")).unwrap();
        assert_eq!(plan.axes, ["epoch", "seed"]);
        let folders: Vec<&str> = plan.trainings.iter().map(|t| t.folder.as_str()).collect();
        assert_eq!(folders, ["trainings/seed-0", "trainings/seed-1"]);
        let snapshots: Vec<_> =
            plan.cells.iter().filter_map(|c| c.snapshot).map(|s| (s.training, s.epoch)).collect();
        assert_eq!(snapshots, [(0, 1), (1, 1), (0, 10), (1, 10)]);
        assert_eq!(plan.cells[3].name, "epoch=last, seed=1");
        let crate::Source::Network(source) = &plan.cells[3].plan.source else { panic!() };
        assert_eq!(source.model, Path::new("o/trainings/seed-1/checkpoints/epoch-0010.safetensors"));
        assert_eq!(
            (source.arch.as_deref(), source.normalize.as_str(), source.data.as_path()),
            (Some("resnet8"), "cifar10", Path::new("d"))
        );
    }

    #[test]
    fn cells_train_each_their_own_beside_networks_that_are_there() {
        let cells = "[options]\ndata = 'held_out'\n[[cell]]\nname = 'long'\ntrain = { epochs = 20 }\n\
                     [[cell]]\nname = 'usual'\n[[cell]]\nname = 'there'\nmodel = 'm.onnx'\n";
        let plan = read(&format!("{TRAINED}{cells}")).unwrap();
        let names: Vec<&str> = plan.trainings.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["epochs=20", "resnet8"]);
        assert_eq!(plan.cells[2].snapshot, None);
        let crate::Source::Network(source) = &plan.cells[0].plan.source else { panic!() };
        assert_eq!(source.data, Path::new("held_out"));
    }

    #[test]
    fn mistakes_of_trainings_are_located() {
        for (text, part) in [
            ("[grid.train]\nepchs = [1]", "no option \"epchs\""),
            ("[grid]\nepoch = ['half']", "expected first, last, a share"),
            ("[grid.train]\nepochs = 1", "grid.train.epochs in"),
            ("[options]\nmodel = 'm.onnx'", "exclude each other"),
            ("[options]\nnormalize = 'imagenet'", "expected cifar10, as in train"),
            ("[grid]\nseed = [1]\n[grid.train]\nseed = [1]", "expected seed in one place"),
            ("[[cell]]\nname = 'a'\ntrain = 1", "train of a cell in"),
            ("[[cell]]\nname = 'a'\nmodel = 'm.onnx'\nepoch = 1", "a cell with a training"),
        ] {
            let e = read(&format!("{TRAINED}{text}\n")).unwrap_err();
            assert!(e.contains(part), "{part}: {e}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, TRAINED).unwrap();
        let e = read_sweep(&path, &Options::default(), None, "c").unwrap_err();
        assert!(e.help().unwrap().contains("this build cannot train"), "{e}");
        assert!(is_sweep(&path).unwrap());
    }
}
