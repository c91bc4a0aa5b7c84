//! What every figure and panel may look at.

use subspect_data::record::{LayerRecord, RunRecord};
use subspect_linalg::{Measured, Status};

use crate::check::check;
use crate::error::ReportError;
use crate::explore::LayerFiles;
use crate::figure::{Figure, figures};
use crate::names::LayerNames;
use crate::sprite::{Atlas, MAX_PICTURE_BYTES, Pictures, Sprite};

/// Most neighbourhoods on the page; the record may hold more.
pub(crate) const MAX_CARDS: usize = 24;
/// First inputs of every order that get a picture before the others.
const MAX_RANKED: usize = 200;
/// Most neighbours on one card.
pub(crate) const MAX_NEIGHBOURS: usize = 8;

/// A checked record with names, figures and pictures.
pub struct Context<'a> {
    /// The run.
    pub record: &'a RunRecord,
    pub(crate) names: LayerNames,
    pub(crate) figures: Vec<Figure>,
    pub(crate) sprite: Option<Sprite>,
    /// What the run directory holds for each layer; empty when only the record is known.
    pub(crate) files: Vec<LayerFiles>,
    /// Why there are no pictures, if there should be.
    pub(crate) picture_note: Option<String>,
}

impl<'a> Context<'a> {
    /// Checks the record, draws its figures and crops the pictures that the page shows.
    pub fn new(record: &'a RunRecord, atlas: Option<&Atlas>) -> Result<Self, ReportError> {
        Self::with_pictures(record, atlas, Pictures::UpTo(MAX_PICTURE_BYTES))
    }

    /// The same with the pictures wanted.
    pub(crate) fn with_pictures(
        record: &'a RunRecord,
        atlas: Option<&Atlas>,
        pictures: Pictures,
    ) -> Result<Self, ReportError> {
        check(record)?;
        let names = LayerNames::new(record.layers.iter().map(|l| l.name.clone()).collect());
        let mut context = Context {
            record,
            names,
            figures: Vec::new(),
            sprite: None,
            files: Vec::new(),
            picture_note: None,
        };
        context.figures = figures(&context);
        if let Some(atlas) = atlas {
            context.sprite = match pictures {
                Pictures::UpTo(bytes) => Sprite::crop(atlas, context.pictured(), bytes)?,
                Pictures::Cards => Sprite::crop(atlas, context.on_cards(), MAX_PICTURE_BYTES)?,
            };
        }
        Ok(context)
    }

    /// The figure of that name.
    pub(crate) fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|f| f.name == name)
    }

    /// A measure of a layer; one that the record does not have was not run.
    pub(crate) fn measure(layer: &LayerRecord, name: &str) -> Measured {
        layer.measures.get(name).copied().unwrap_or(Measured::Undefined(Status::NotExecuted))
    }

    /// Inputs whose pictures the page shows, the most important first: those of the cards, those that the orders of
    /// the inputs begin with, then all.
    fn pictured(&self) -> impl Iterator<Item = usize> {
        self.on_cards().chain(self.first_ranked()).chain(0..self.record.inputs.ids.len())
    }

    /// Every card's own input, then their neighbours.
    fn on_cards(&self) -> impl Iterator<Item = usize> {
        let cards = || self.record.neighbourhoods.iter().take(MAX_CARDS);
        let neighbours = cards().flat_map(|n| n.neighbours.iter().take(MAX_NEIGHBOURS).map(|m| m.input));
        cards().map(|n| n.input).chain(neighbours)
    }

    /// The inputs with the highest scores, one order after the other.
    fn first_ranked(&self) -> impl Iterator<Item = usize> {
        self.record.scores.iter().flat_map(|score| {
            let known = |i: usize| score.values[i].value().filter(|v| v.is_finite());
            let mut order: Vec<usize> = (0..score.values.len()).filter(|&i| known(i).is_some()).collect();
            order.sort_by(|&a, &b| known(b).partial_cmp(&known(a)).unwrap_or(std::cmp::Ordering::Equal));
            order.truncate(MAX_RANKED);
            order
        })
    }

    /// The one value that all layers have, or `varies`.
    pub(crate) fn common(&self, of: impl Fn(&LayerRecord) -> &str) -> Option<String> {
        let first = of(self.record.layers.first()?);
        let same = self.record.layers.iter().all(|l| of(l) == first);
        Some(if same { first.to_owned() } else { "varies by layer".into() })
    }
}
