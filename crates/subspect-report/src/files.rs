//! From a run directory to files on disk.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::ReportError;
use crate::explore::LayerFiles;
use crate::figure::to_png;
use crate::load::read_record;
use crate::page::page;
use crate::sprite::Atlas;

/// One file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Where.
    pub path: PathBuf,
    /// Size in bytes.
    pub bytes: u64,
}

/// What [`render`] wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFiles {
    /// The page.
    pub page: ReportFile,
    /// Every figure, SVG then PNG.
    pub figures: Vec<ReportFile>,
    /// What could not be shown and why, for the log: unusable pictures.
    pub notes: Vec<String>,
}

/// Renders the report of a finished run: `report.html` and `figures/*.{svg,png}` in the run directory.
///
/// Files are replaced whole, the page last, so a failure leaves an earlier report as it was.
pub fn render(run_dir: &Path) -> Result<ReportFiles, ReportError> {
    let record = read_record(run_dir)?;
    let mut notes = Vec::new();
    let atlas = record.thumbnails.as_ref().and_then(|t| match Atlas::read(run_dir, t) {
        Ok(atlas) => Some(atlas),
        Err(error) => {
            notes.push(error.to_string());
            None
        }
    });
    let mut context = Context::new(&record, atlas.as_ref())?;
    context.picture_note = notes.first().cloned();
    context.files = LayerFiles::read(run_dir, &record, &mut notes);
    let html = page(&context)?;

    let folder = run_dir.join("figures");
    std::fs::create_dir_all(&folder).map_err(|source| ReportError::Io {
        action: "write",
        path: folder.clone(),
        source,
    })?;
    let mut figures = Vec::new();
    for figure in &context.figures {
        figures.push(write(&folder, &format!("{}.svg", figure.name), figure.svg.as_bytes())?);
        figures.push(write(&folder, &format!("{}.png", figure.name), &to_png(figure)?)?);
    }
    let page = write(run_dir, "report.html", html.as_bytes())?;
    Ok(ReportFiles { page, figures, notes })
}

/// Writes beside the target, then renames: a reader never sees half a file.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<ReportFile, ReportError> {
    let path = folder.join(name);
    let partial = folder.join(format!(".{name}.partial"));
    std::fs::write(&partial, bytes)
        .and_then(|()| std::fs::rename(&partial, &path))
        .map_err(|source| ReportError::Io { action: "write", path: path.clone(), source })?;
    Ok(ReportFile { path, bytes: bytes.len() as u64 })
}
