//! The data behind the page's interactive part: everything about layers, pairs of layers and single inputs, packed.
//!
//! One gzip stream, in base64, holds `u32` length of a JSON header, the header, padding to a multiple of 4, and the
//! arrays that the header names ([`Sections`]). Values that a screen cannot tell apart are stored with fewer digits:
//! places and coefficients in 16 bits, class affinities in 8. Files that are missing or do not belong to the record
//! leave their part out, and the header says so; nothing is computed here.

mod detail;
mod header;
mod sections;

use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use subspect_data::neighbours::Neighbours;
use subspect_data::record::{LayerRecord, RunRecord};
use subspect_linalg::Matrix;

use crate::context::Context;
use crate::error::ReportError;
use detail::Detail;
use header::Header;
use sections::Sections;

/// What the run directory holds beside the record, layer by layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct LayerFiles {
    /// Where the layer's map shows the inputs, `n_inputs x 2`.
    pub(crate) layout: Option<Matrix<f32>>,
    /// Every input's strongest neighbours.
    pub(crate) neighbours: Option<Neighbours>,
}

impl LayerFiles {
    /// Reads the files of every layer. What cannot be read is left out, with a note.
    pub(crate) fn read(run_dir: &Path, record: &RunRecord, notes: &mut Vec<String>) -> Vec<Self> {
        record.layers.iter().map(|layer| Self::of(run_dir, record.inputs.ids.len(), layer, notes)).collect()
    }

    fn of(run_dir: &Path, n_inputs: usize, layer: &LayerRecord, notes: &mut Vec<String>) -> Self {
        let mut keep = |what: &str, found: Result<usize, String>| match found {
            Ok(n) if n == n_inputs => true,
            Ok(n) => {
                notes.push(format!("{what} of layer {}: expected {n_inputs} inputs, found {n}", layer.name));
                false
            }
            Err(message) => {
                notes.push(format!("{what} of layer {}: {message}", layer.name));
                false
            }
        };
        let layout = layer.layout.as_ref().map(|file| {
            subspect_data::dense::read_f32(&run_dir.join(file)).map_err(|e| e.to_string()).and_then(|m| {
                if m.n_cols() == 2 { Ok(m) } else { Err(format!("expected 2 columns, found {}", m.n_cols())) }
            })
        });
        let layout = layout.filter(|m| keep("map", m.as_ref().map(Matrix::n_rows).map_err(Clone::clone)));
        let neighbours = layer
            .neighbours
            .as_ref()
            .map(|file| Neighbours::load(&run_dir.join(file)).map_err(|e| e.to_string()));
        let neighbours = neighbours
            .filter(|n| keep("neighbours", n.as_ref().map(Neighbours::n_inputs).map_err(Clone::clone)));
        LayerFiles { layout: layout.and_then(Result::ok), neighbours: neighbours.and_then(Result::ok) }
    }
}

/// The packed data of a page, as base64.
pub(crate) fn payload(context: &Context<'_>) -> Result<String, ReportError> {
    let empty = vec![LayerFiles::default(); context.record.layers.len()];
    let files = if context.files.is_empty() { &empty } else { &context.files };
    let detail = Detail::within_budget(context.record, files);
    let mut sections = Sections::default();
    sections.inputs(context.record);
    sections.votes(context.record);
    sections.scores(context.record);
    sections.layouts(files, &detail);
    sections.neighbours(files, &detail);
    sections.class_affinity(files, &detail);
    if let Some(sprite) = &context.sprite {
        sections.tiles(sprite, context.record.inputs.ids.len());
    }
    let header = Header::new(context, files, &detail, &sections);
    let json = serde_json::to_vec(&header).map_err(ReportError::Payload)?;
    let mut out = (json.len() as u32).to_le_bytes().to_vec();
    out.extend(&json);
    out.resize(out.len().next_multiple_of(4), b' ');
    out.extend(sections.bytes());
    let io = |source| ReportError::Io { action: "pack", path: "the page's data".into(), source };
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&out).map_err(io)?;
    Ok(base64::engine::general_purpose::STANDARD.encode(packer.finish().map_err(io)?))
}
