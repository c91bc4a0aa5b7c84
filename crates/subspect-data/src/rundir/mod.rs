//! The run directory: everything that one run leaves behind.
//!
//! ```text
//! plan.toml          every effective value
//! record.json        what was found, and with what
//! graphs/NAME.npz    one affinity graph per layer (SciPy CSR)
//! neighbours/NAME.npz  every input's strongest neighbours
//! layouts/NAME.npy   where each layer's map shows the inputs
//! tables/NAME.csv    the same numbers for spreadsheets
//! thumbnails.png     the inputs' pictures
//! report.html        the page
//! log.txt            messages of the run
//! ```

mod table;
mod thumbnails;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use table::{Cell, Table};
pub use thumbnails::{MAX_TILE, write_thumbnails};

use crate::atomic;
use crate::error::{DataError, Result};
use crate::names::{file_name, file_stem, list_folder};
use crate::record::{RECORD_SCHEMA, RunRecord};

/// Name of the record in a run directory.
pub const RECORD_FILE: &str = "record.json";
/// Name of the plan in a run directory.
pub const PLAN_FILE: &str = "plan.toml";

/// A run directory on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    root: PathBuf,
}

impl RunDir {
    /// Prepares `root` for a run: creates it with its folders, or takes an earlier run's directory over.
    ///
    /// # Errors
    /// [`DataError::Malformed`] when there are other things in it, [`DataError::Io`] when it cannot be written.
    pub fn create(root: &Path) -> Result<Self> {
        let io = |p: &Path, e| DataError::io("create", p, e);
        std::fs::create_dir_all(root).map_err(|e| io(root, e))?;
        let entries = list_folder(root)?;
        let is_run = root.join(PLAN_FILE).is_file() || root.join(RECORD_FILE).is_file();
        // An interrupted start may have left the empty folders only; the training of the network may be there before.
        let ours = ["graphs", "tables", "log.txt", "training", "dynamics"];
        let foreign = entries.iter().find(|e| !ours.contains(&file_name(e).as_str()));
        if let (false, Some(other)) = (is_run, foreign) {
            return Err(DataError::malformed(
                root,
                "",
                "a new or empty folder, or an earlier run",
                format!("'{}' and no {PLAN_FILE}", file_name(other)),
                "choose another output folder",
            ));
        }
        for folder in ["graphs", "tables"] {
            let folder = root.join(folder);
            std::fs::create_dir_all(&folder).map_err(|e| io(&folder, e))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Opens a run directory that has a record.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(root: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(root).map_err(|e| DataError::io("read", root, e))?;
        if metadata.is_dir() && root.join(RECORD_FILE).is_file() {
            return Ok(Self { root: root.to_owned() });
        }
        let found = match (metadata.is_dir(), root.join(PLAN_FILE).is_file()) {
            (false, _) => "a file".to_owned(),
            (true, true) => format!("a run that stopped before its first {RECORD_FILE}"),
            (true, false) => format!("a folder without {RECORD_FILE}"),
        };
        let mend = "give the folder that 'subspect run' wrote, or run it again with that output";
        Err(DataError::malformed(root, "", "a run directory", found, mend))
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `plan.toml`.
    pub fn plan_path(&self) -> PathBuf {
        self.root.join(PLAN_FILE)
    }

    /// `record.json`.
    pub fn record_path(&self) -> PathBuf {
        self.root.join(RECORD_FILE)
    }

    /// `graphs/<layer>.npz` relative to the directory, as [`LayerRecord::graph`](crate::record::LayerRecord::graph)
    /// wants it.
    pub fn graph_file(layer: &str) -> String {
        format!("graphs/{}.npz", file_stem(layer))
    }

    /// `layouts/<layer>.npy` relative to the directory, as [`LayerRecord::layout`](crate::record::LayerRecord::layout)
    /// wants it.
    pub fn layout_file(layer: &str) -> String {
        format!("layouts/{}.npy", file_stem(layer))
    }

    /// `neighbours/<layer>.npz` relative to the directory, as
    /// [`LayerRecord::neighbours`](crate::record::LayerRecord::neighbours) wants it.
    pub fn neighbours_file(layer: &str) -> String {
        format!("neighbours/{}.npz", file_stem(layer))
    }

    /// Path of a file given relative to the directory.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// `graphs/<layer>.npz`.
    pub fn graph_path(&self, layer: &str) -> PathBuf {
        self.root.join(Self::graph_file(layer))
    }

    /// `tables/<name>.csv`.
    pub fn table_path(&self, name: &str) -> PathBuf {
        self.root.join("tables").join(format!("{}.csv", file_stem(name)))
    }

    /// `thumbnails.png`.
    pub fn thumbnails_path(&self) -> PathBuf {
        self.root.join("thumbnails.png")
    }

    /// `report.html`.
    pub fn report_path(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// `log.txt`.
    pub fn log_path(&self) -> PathBuf {
        self.root.join("log.txt")
    }

    /// Writes the record atomically.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Argument`] when the record holds a NaN.
    pub fn write_record(&self, record: &RunRecord) -> Result<()> {
        let path = self.record_path();
        atomic::write_bytes(&path, &crate::json::to_bytes(&path, record)?)
    }

    /// Reads the record.
    ///
    /// # Errors
    /// A record that is missing, cut short, or newer than this program.
    pub fn read_record(&self) -> Result<RunRecord> {
        let path = self.record_path();
        let text = std::fs::read(&path).map_err(|e| DataError::io("read", &path, e))?;
        crate::json::parse(&path, &text, "run record", RECORD_SCHEMA)
    }

    /// Writes the plan as TOML, atomically.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Argument`] when the plan cannot be TOML.
    pub fn write_plan<T: Serialize>(&self, plan: &T) -> Result<()> {
        let path = self.plan_path();
        let text = toml::to_string_pretty(plan)
            .map_err(|e| DataError::Argument(format!("cannot write {}: {e}", path.display())))?;
        atomic::write_bytes(&path, text.as_bytes())
    }

    /// Reads the plan.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Malformed`] with TOML's own message.
    pub fn read_plan<T: DeserializeOwned>(&self) -> Result<T> {
        let path = self.plan_path();
        let text = std::fs::read_to_string(&path).map_err(|e| DataError::io("read", &path, e))?;
        toml::from_str(&text).map_err(|e| {
            let mend = "mend the file, or remove it and run again";
            DataError::malformed(&path, "", "the plan of a run", format!("'{}'", e.to_string().trim()), mend)
        })
    }

    /// Writes `tables/<name>.csv` atomically and gives its path.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::Argument`] when a row has too few or too many cells.
    pub fn write_table(&self, name: &str, table: &Table) -> Result<PathBuf> {
        let path = self.table_path(name);
        table.write(&path)?;
        Ok(path)
    }
}
