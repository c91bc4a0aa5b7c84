//! From a run directory to files on disk.

use std::path::{Path, PathBuf};

use subspect_data::dynamics::DynamicsRecord;

use crate::chosen::{FigureChoice, figures_of_inputs};
use crate::context::Context;
use crate::error::ReportError;
use crate::figure::{Figure, FigureFormat};
use crate::load::read_record;
use crate::loaded::Loaded;
use crate::page::{Contents, Form, MAX_PAGE_BYTES, Page, failure, page};
use crate::several;

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
    /// Bytes of the page's pictures, of its packed data, and of all of it.
    pub sizes: [usize; 3],
}

/// Renders the report of a finished run: `report.html` and `figures/*.{svg,png}` in the run directory; or of a training
/// run, whose epochs lie in `epochs/`; once `subspect dynamics` is through with it, see [`crate::render_dynamics`].
///
/// Files are replaced whole, the page last, so a failure leaves an earlier report as it was. Where there is none, a
/// page says what is wrong.
///
/// # Errors
/// A record that is missing, cut short, newer than this program or contradicts itself.
pub fn render(run_dir: &Path) -> Result<ReportFiles, ReportError> {
    let found = if DynamicsRecord::read(run_dir).is_ok() {
        crate::dynamics::render_dynamics(run_dir)
    } else if !run_dir.join("record.json").is_file() && several::is_training(run_dir) {
        several::epochs(run_dir, Form::File)
            .and_then(|shown| finish(run_dir, REPORT, &shown.page, Vec::new(), shown.notes))
    } else {
        render_run(run_dir)
    };
    found.inspect_err(|error| explain(run_dir, error))
}

pub(crate) const REPORT: &str = "report.html";

fn render_run(run_dir: &Path) -> Result<ReportFiles, ReportError> {
    let mut loaded = Loaded::read(run_dir, Form::File)?;
    let notes = loaded.notes.clone();
    let pictures = several::pictures_of(loaded.n_rows(), 1, Form::File);
    let context = loaded.context(pictures)?;
    let page = page(&Contents::of_run(&context, Form::File))?;

    let formats = [FigureFormat::Svg, FigureFormat::Png];
    let figures = write_figure_files(&context.figures, &formats, &run_dir.join("figures"))?;
    finish(run_dir, REPORT, &page, figures, notes)
}

/// Writes every figure of a run into `folder` in the formats given, one file each: those of the report, then those of
/// single inputs, see [`FigureChoice`].
///
/// # Errors
/// A record that cannot be read, a choice that it does not have, or a folder that cannot be written.
pub fn write_figures(
    run_dir: &Path,
    choice: &FigureChoice,
    formats: &[FigureFormat],
    folder: &Path,
) -> Result<Vec<ReportFile>, ReportError> {
    let record = read_record(run_dir)?;
    let context = Context::new(&record, None)?;
    let of_inputs = figures_of_inputs(run_dir, &context, choice)?;
    write_figure_files(context.figures.iter().chain(&of_inputs), formats, folder)
}

/// Writes figures into `folder` in the formats given, one file each.
pub(crate) fn write_figure_files<'f>(
    figures: impl IntoIterator<Item = &'f Figure>,
    formats: &[FigureFormat],
    folder: &Path,
) -> Result<Vec<ReportFile>, ReportError> {
    let io = |source| ReportError::Io { action: "write", path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(io)?;
    let each = figures.into_iter().flat_map(|figure| formats.iter().map(move |format| (figure, format)));
    each.map(|(figure, format)| {
        write(folder, &format!("{}.{}", figure.name, format.extension()), &format.bytes(figure)?)
    })
    .collect()
}

/// Renders one page of several runs into the file `output`, with the maps of a comparison of two of them.
///
/// # Errors
/// When no run can be read; a run among others is left out, with a note on the page.
pub fn render_several(
    run_dirs: &[PathBuf],
    comparison: Option<&Path>,
    output: &Path,
) -> Result<ReportFiles, ReportError> {
    let several::Shown { page, notes, .. } = several::runs(run_dirs, comparison, Form::File)?;
    let folder = output.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = output.file_name().map_or_else(|| REPORT.into(), |n| n.to_string_lossy().into_owned());
    finish(folder, &name, &page, Vec::new(), notes)
}

pub(crate) fn finish(
    folder: &Path,
    name: &str,
    page: &Page,
    figures: Vec<ReportFile>,
    mut notes: Vec<String>,
) -> Result<ReportFiles, ReportError> {
    if !page.fits {
        notes.push(format!(
            "the page has {} bytes, more than {MAX_PAGE_BYTES}, although single inputs are left out: \
             look at fewer layers or epochs",
            page.html.len()
        ));
    }
    let sizes = page.sizes;
    let page = write(folder, name, page.html.as_bytes())?;
    Ok(ReportFiles { page, figures, notes, sizes })
}

/// A page that says what is wrong, where there is a folder but no page yet.
fn explain(run_dir: &Path, error: &ReportError) {
    if run_dir.is_dir() && !run_dir.join(REPORT).exists() && !matches!(error, ReportError::NoRecord { .. }) {
        // The error itself is what the caller hears of.
        let _ = failure(run_dir, error).and_then(|html| write(run_dir, REPORT, html.as_bytes()));
    }
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
