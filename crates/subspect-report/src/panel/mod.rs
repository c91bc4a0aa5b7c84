//! The page's sections. One panel is one file here, one template in `templates/` and one entry in [`PANELS`]; the
//! table of contents, the order and the numbering of figures follow from the list.

mod classes;
mod explore;
mod layers;
mod neighbourhoods;
mod overview;
mod provenance;
mod similarity;
mod structure;

use minijinja::Value;
use minijinja::value::Serde;
pub(crate) use overview::{line, title, warnings};

pub(crate) use neighbourhoods::{Card, card};

use crate::context::Context;

/// A section of the page: an entry of [`PANELS`].
pub struct PanelInfo {
    /// Id of the section and name of its template.
    pub name: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Its template, which sees the view as `view` and the number of its first figure as `figure`.
    pub(crate) template: &'static str,
    /// Prepares what the template shows.
    pub render: fn(&Context<'_>) -> View,
}

/// What a panel hands to its template.
pub struct View {
    /// Plain data, already text.
    pub value: Value,
    /// Numbered figures in it.
    pub n_figures: usize,
}

impl View {
    fn new(value: impl serde::Serialize, n_figures: usize) -> Self {
        View { value: Value::from(Serde(value)), n_figures }
    }
}

/// All sections, in the order of the page.
pub static PANELS: &[PanelInfo] = &[
    overview::INFO,
    explore::INFO,
    structure::INFO,
    layers::INFO,
    similarity::INFO,
    classes::INFO,
    neighbourhoods::INFO,
    provenance::INFO,
];
