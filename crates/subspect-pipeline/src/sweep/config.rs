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

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use subspect_data::file_stem;

use crate::options::{Options, config_options, config_table};
use crate::{PipelineError, Plan};

/// Most cells of a sweep: a grid beyond it is more likely a slip than meant.
const MAX_CELLS: usize = 1000;

/// What a sweep does.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPlan {
    /// What it is called.
    pub name: String,
    /// Its folder.
    pub output: PathBuf,
    /// The options that vary.
    pub axes: Vec<String>,
    /// Every cell, in order.
    pub cells: Vec<CellPlan>,
    /// A command that repeats it.
    pub command: String,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellPlan {
    /// Unique name.
    pub name: String,
    /// Value of the axes that it sets.
    pub values: BTreeMap<String, String>,
    /// Run directory, relative to the sweep's.
    pub folder: String,
    /// The run.
    pub plan: Plan,
}

/// Reads a sweep; `overlay` goes before what the file says (for `--output`, `--seed`). Every cell is checked before
/// anything is computed.
///
/// # Errors
/// When the file cannot be read, has an unknown key, an axis without values, or a cell whose options cannot be used.
pub fn read_sweep(path: &Path, overlay: &Options, command: &str) -> Result<SweepPlan, PipelineError> {
    let file = path.display().to_string();
    let table = config_table(path)?;
    let wrong = |what: &str, expected: &str, found: String| PipelineError::Option {
        origin: format!("{what} in {file}"),
        expected: expected.to_owned(),
        found,
    };
    let known = ["name", "output", "options", "grid", "cell"];
    if let Some(key) = table.keys().find(|k| !known.contains(&k.as_str())) {
        let nearest = crate::options::nearest(key, known).map(str::to_owned);
        return Err(PipelineError::UnknownKey { file, key: key.clone(), nearest });
    }
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let part = |key: &str| match table.get(key) {
        None => Ok(toml::Table::new()),
        Some(toml::Value::Table(t)) => Ok(t.clone()),
        Some(other) => Err(wrong(key, "a table", other.to_string())),
    };
    let output = overlay.path("output").or_else(|| text("output").map(PathBuf::from)).ok_or_else(|| {
        PipelineError::Missing { what: "the folder of the sweep".into(), mend: "give --output DIR".into() }
    })?;
    let common = part("options")?;
    if common.contains_key("output") {
        return Err(wrong("options.output", "no output: each cell has its own folder", "one".into()));
    }
    let grid = combinations(&part("grid")?)
        .map_err(|(axis, found)| wrong(&format!("grid.{axis}"), "a list of one value or more", found))?;
    let named = match table.get("cell") {
        None => vec![toml::Table::new()],
        Some(toml::Value::Array(cells)) if !cells.is_empty() && cells.iter().all(toml::Value::is_table) => {
            cells.iter().filter_map(|c| c.as_table().cloned()).collect()
        }
        Some(other) => return Err(wrong("cell", "tables [[cell]]", other.to_string())),
    };
    if named.len() * grid.len() > MAX_CELLS {
        let found = (named.len() * grid.len()).to_string();
        return Err(wrong("grid", &format!("at most {MAX_CELLS} cells"), found));
    }
    let mut cells = Vec::new();
    let mut axes = BTreeSet::new();
    for own in &named {
        for combination in &grid {
            let mut own = own.clone();
            let given = own.remove("name").and_then(|n| n.as_str().map(str::to_owned));
            let mut values = own;
            values.extend(combination.clone());
            axes.extend(values.keys().cloned());
            let cell = Cell { given, values, varied: combination };
            cells.push(cell.plan(&common, &output, overlay, &file, command)?);
        }
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = cells.iter().find(|c| !names.insert(c.folder.clone())) {
        return Err(wrong("cell", "names that differ", format!("{} twice", twice.name)));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(SweepPlan {
        name: text("name").unwrap_or(stem),
        output,
        axes: axes.into_iter().collect(),
        cells,
        command: command.to_owned(),
    })
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

/// A cell as the file has it.
struct Cell<'a> {
    given: Option<String>,
    values: toml::Table,
    varied: &'a toml::Table,
}

impl Cell<'_> {
    fn plan(
        self,
        common: &toml::Table,
        output: &Path,
        overlay: &Options,
        file: &str,
        command: &str,
    ) -> Result<CellPlan, PipelineError> {
        let name = self.name();
        let folder = format!("cells/{}", folder_name(&name));
        let mut merged = common.clone();
        merged.extend(self.values.clone());
        let words: BTreeMap<String, String> = merged.iter().map(|(k, v)| (k.clone(), plain(v))).collect();
        for (_, value) in merged.iter_mut() {
            if let toml::Value::String(text) = value {
                *text = filled(text, &words);
            }
        }
        let mut options = config_options(&merged, &format!("{file}, cell {name}"))?;
        options.overlay(overlay.clone());
        options.set("output", vec![output.join(&folder).display().to_string()], "--output");
        let plan = Plan::from_options(&options, command)?;
        let values = self.values.iter().map(|(k, v)| (k.clone(), plain(v))).collect();
        Ok(CellPlan { name, values, folder, plan })
    }

    /// `mine, inputs=500`.
    fn name(&self) -> String {
        let varied = self.varied.iter().map(|(k, v)| format!("{k}={}", plain(v)));
        let parts: Vec<String> = self.given.clone().into_iter().chain(varied).collect();
        if parts.is_empty() { "all".to_owned() } else { parts.join(", ") }
    }
}

/// A name as part of a path that needs no escaping in a link: `arch=resnet20, inputs=100` is `arch-resnet20_inputs-100`.
fn folder_name(name: &str) -> String {
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
fn filled(text: &str, words: &BTreeMap<String, String>) -> String {
    words.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SweepPlan, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("depth.toml");
        std::fs::write(&path, text).unwrap();
        read_sweep(&path, &Options::default(), "c").map_err(|e| e.to_string())
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
}
