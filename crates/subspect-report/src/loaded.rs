//! A run directory as it is on disk, read for a page.

use std::path::Path;

use subspect_data::record::RunRecord;

use crate::context::Context;
use crate::error::ReportError;
use crate::explore::LayerFiles;
use crate::load::read_record;
use crate::sprite::Atlas;

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
    pub(crate) fn read(run_dir: &Path) -> Result<Self, ReportError> {
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
        let files = LayerFiles::read(run_dir, &record, &mut notes);
        Ok(Loaded { record, files, atlas, picture_note, notes })
    }

    /// Inputs of all layers: what the size of a page depends on.
    pub(crate) fn n_rows(&self) -> usize {
        self.record.layers.len() * self.record.inputs.ids.len()
    }

    /// The run with at most so many bytes of pictures; takes its files along.
    pub(crate) fn context(&mut self, picture_bytes: usize) -> Result<Context<'_>, ReportError> {
        let files = std::mem::take(&mut self.files);
        let mut context = Context::with_pictures(&self.record, self.atlas.as_ref(), picture_bytes)?;
        context.picture_note = self.picture_note.clone();
        context.files = files;
        Ok(context)
    }
}
