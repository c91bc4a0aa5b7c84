//! One self-contained HTML page and static figures from a finished run directory.
//!
//! [`render`] reads `record.json` and the sprite atlas of a run and writes `report.html`, which opens from disk
//! without a network, and `figures/*.svg` with a PNG beside each. The crate only reads: every number on the page
//! is in the record, and a number that could not be computed is shown as its status.
//!
//! ```text
//! record.json ──> Context ──> figure::FIGURES ──> SVG ──┬──> figures/*.svg ──> figures/*.png
//! thumbnails.png ──> Sprite ─┘                          └──> panel::PANELS ──> report.html
//! ```
//!
//! A panel of the page is one file in `panel/`, one template in `templates/` and one entry in [`PANELS`]; a figure
//! is one file in `figure/` and one entry in [`FIGURES`].

mod check;
mod chosen;
mod comparison;
mod context;
mod dynamics;
mod error;
mod explore;
mod figure;
mod files;
mod load;
mod loaded;
mod maps;
mod names;
mod number;
mod page;
mod panel;
mod several;
mod sprite;
mod sweep;
mod viewer;

pub use chosen::FigureChoice;
pub use comparison::render_comparison;
pub use context::Context;
pub use dynamics::render_dynamics;
pub use error::ReportError;
pub use figure::{FIGURES, Figure, FigureFormat, FigureInfo, figures, to_pdf, to_png};
pub use files::{ReportFile, ReportFiles, render, render_several, write_figures};
pub use load::read_record;
pub use page::{MAX_PAGE_BYTES, render_html};
pub use panel::{PANELS, PanelInfo, View};
pub use sprite::Atlas;
pub use sweep::render_sweep;
pub use viewer::{Resource, Viewer};
