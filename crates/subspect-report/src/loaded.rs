//! A run directory as it is on disk, read for a page.

use std::path::Path;

use subspect_data::record::RunRecord;

use crate::context::Context;
use crate::error::ReportError;
use crate::explore::LayerFiles;
use crate::load::read_record;
use crate::page::Form;
use crate::sprite::{Atlas, Pictures};

/// A run's record, pictures and single inputs.
pub(crate) struct Loaded {
    pub(crate) record: RunRecord,
    pub(crate) files: Vec<LayerFiles>,
    pub(crate) atlas: Option<Atlas>,
    picture_note: Option<String>,
    /// What could not be read, for the log.
    pub(crate) notes: Vec<String>,
}

impl Loaded {
    /// A page that is served asks for the single inputs of a layer when it is looked at: they are not read here.
    pub(crate) fn read(run_dir: &Path, form: Form) -> Result<Self, ReportError> {
        let record = read_record(run_dir)?;
        crate::check::check(&record)?;
        let mut notes = Vec::new();
        let atlas = record.thumbnails.as_ref().and_then(|t| match Atlas::read(run_dir, t) {
            Ok(atlas) => Some(atlas),
            Err(error) => {
                notes.push(error.to_string());
                None
            }
        });
        let picture_note = notes.first().cloned();
        let files = match form {
            Form::File => LayerFiles::read(run_dir, &record, &mut notes),
            Form::Served => Vec::new(),
        };
        Ok(Loaded { record, files, atlas, picture_note, notes })
    }

    /// Inputs of all layers: what the size of a page depends on.
    pub(crate) fn n_rows(&self) -> usize {
        self.record.layers.len() * self.record.inputs.ids.len()
    }

    /// The run with the pictures wanted; takes its files along.
    pub(crate) fn context(&mut self, pictures: Pictures) -> Result<Context<'_>, ReportError> {
        let files = std::mem::take(&mut self.files);
        let mut context = Context::with_pictures(&self.record, self.atlas.as_ref(), pictures)?;
        context.picture_note = self.picture_note.clone();
        context.files = files;
        Ok(context)
    }
}
