//! The figures, as SVG that serves the page, a file of its own and the PNG alike.
//!
//! Why not a plotting library: the look is the product here. The page needs marks that carry a role, so that one
//! SVG follows light and dark themes; series and bands labelled where they end instead of in a legend; stage
//! boundaries on a layer axis; cells without a value hatched and named by status; and data on the root element
//! for the page's script. kuva 0.6 was read for this: its SVG has fixed colours and no roles, and its heat maps
//! know numbers only, so each figure would have been a post-processed library drawing. What is needed instead is
//! small (a writer, a linear scale, a colour map) and lives in this folder.

mod class_affinity;
mod colour;
mod font;
pub(crate) mod input_map;
mod modularity;
pub(crate) mod neighbourhood;
mod pdf;
mod png;
mod scale;
mod similarity;
mod svg;
mod text;

pub(crate) use class_affinity::MAX_CLASSES;
pub(crate) use colour::viridis;
pub use pdf::to_pdf;
pub use png::to_png;
pub(crate) use scale::Scale;
pub(crate) use similarity::{Chart, draw as draw_map, file_stem, is_told, is_unclear, measure_title};
pub(crate) use svg::{Anchor, Ink, Svg};
pub(crate) use text::{fit, spread, width};

use crate::context::Context;

/// A finished figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// File name without extension: `modularity`.
    pub name: String,
    /// What it shows, in a few words.
    pub title: String,
    /// The SVG document.
    pub svg: String,
}

/// What a figure is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureFormat {
    /// Vectors for the web, text as text.
    Svg,
    /// Pixels.
    Png,
    /// Vectors for a paper, font embedded.
    Pdf,
}

impl FigureFormat {
    /// Every format.
    pub const ALL: [FigureFormat; 3] = [FigureFormat::Svg, FigureFormat::Png, FigureFormat::Pdf];

    /// `svg`, `png`, `pdf`: the name on the command line and the end of the file's name.
    pub fn extension(self) -> &'static str {
        match self {
            FigureFormat::Svg => "svg",
            FigureFormat::Png => "png",
            FigureFormat::Pdf => "pdf",
        }
    }

    pub(crate) fn bytes(self, figure: &Figure) -> Result<Vec<u8>, crate::error::ReportError> {
        match self {
            FigureFormat::Svg => Ok(figure.svg.clone().into_bytes()),
            FigureFormat::Png => to_png(figure),
            FigureFormat::Pdf => to_pdf(figure),
        }
    }
}

/// A kind of figure: an entry of [`FIGURES`].
pub struct FigureInfo {
    /// Name, and beginning of its files' names.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// Draws it; none when the record lacks what it shows, several when there are several maps.
    pub draw: fn(&Context<'_>) -> Vec<Figure>,
}

/// Every figure that a report can have.
pub static FIGURES: &[FigureInfo] = &[modularity::INFO, similarity::INFO, class_affinity::INFO];

/// Draws all figures of a run.
pub fn figures(context: &Context<'_>) -> Vec<Figure> {
    FIGURES.iter().flat_map(|info| (info.draw)(context)).collect()
}
