//! The data behind the page's interactive part: everything about layers, pairs of layers and single inputs, packed.
//!
//! One gzip stream in base64 for each run (or epoch of a training run) holds `u32` length of a JSON header, the header,
//! padding to a multiple of 4, and the arrays that the header names ([`Sections`]). Values that a screen cannot tell
//! apart are stored with fewer digits. Files that are missing or do not belong to the record leave their part out, and
//! the header says so; nothing is computed here. All streams of a page share one byte budget ([`Detail`]).

mod cross;
mod detail;
mod header;
mod layer_files;
mod sections;
mod training;

use std::io::Write;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use subspect_data::record::RunRecord;

use crate::context::Context;
use crate::error::ReportError;
use crate::sprite::Sprite;
pub(crate) use cross::Cross;
use detail::Detail;
use header::{Header, LayerHeader, VERSION};
pub(crate) use layer_files::{LayerFiles, reach, reach_of};
use sections::Sections;
pub(crate) use training::Training;

/// A run as one stream of the page.
pub(crate) struct Packable<'a> {
    pub(crate) context: &'a Context<'a>,
    /// The pictures that it shares with other runs over the same inputs, or its own.
    pub(crate) sprite: Option<&'a Sprite>,
}

/// Packs every run of a page with as much detail as fits into `budget` bytes of base64 together.
///
/// Gives the streams, and whether they fit.
pub(crate) fn payloads(runs: &[Packable<'_>], budget: usize) -> Result<(Vec<String>, bool), ReportError> {
    let empty: Vec<Vec<LayerFiles>> =
        runs.iter().map(|r| vec![LayerFiles::default(); r.context.record.layers.len()]).collect();
    let files = |k: usize| -> &[LayerFiles] {
        if runs[k].context.files.is_empty() { &empty[k] } else { &runs[k].context.files }
    };
    let details = |rung: usize| -> Vec<Detail> {
        runs.iter().enumerate().map(|(k, r)| Detail::rung(rung, r.context.record, files(k))).collect()
    };
    let mut smallest = Vec::new();
    for rung in 0..Detail::RUNGS {
        let details = details(rung);
        let bytes: usize = runs.iter().zip(&details).map(|(r, d)| d.bytes(r.context.record)).sum();
        // Arrays do not shrink to a third of their size: not worth trying.
        if bytes > 3 * budget && rung + 1 < Detail::RUNGS {
            continue;
        }
        let mut packed = Vec::new();
        let mut total = 0;
        for (k, run) in runs.iter().enumerate() {
            packed.push(pack(run, files(k), &details[k])?);
            total += packed.last().map_or(0, String::len);
            if total > budget && rung + 1 < Detail::RUNGS {
                break;
            }
        }
        if total <= budget {
            return Ok((packed, true));
        }
        smallest = packed;
    }
    Ok((smallest, false))
}

fn pack(run: &Packable<'_>, files: &[LayerFiles], detail: &Detail) -> Result<String, ReportError> {
    let sections = arrays(run, files, detail);
    let out = stream(&Header::new(run, files, detail, &sections), &sections)?;
    let io = |source| ReportError::Io { action: "pack", path: "the page's data".into(), source };
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(&out).map_err(io)?;
    Ok(base64::engine::general_purpose::STANDARD.encode(packer.finish().map_err(io)?))
}

fn arrays(run: &Packable<'_>, files: &[LayerFiles], detail: &Detail) -> Sections {
    let record = run.context.record;
    let mut sections = Sections::default();
    sections.inputs(record);
    sections.votes(record);
    sections.scores(record);
    sections.paths(record, files, detail);
    sections.layer_arrays(files, detail);
    if let Some(sprite) = run.sprite {
        sections.tiles(sprite, record.inputs.ids.len());
    }
    sections
}

/// Length of the header, header, padding, arrays.
fn stream(header: &impl serde::Serialize, sections: &Sections) -> Result<Vec<u8>, ReportError> {
    let json = serde_json::to_vec(header).map_err(ReportError::Payload)?;
    let mut out = (json.len() as u32).to_le_bytes().to_vec();
    out.extend(&json);
    out.resize(out.len().next_multiple_of(4), b' ');
    out.extend(sections.bytes());
    Ok(out)
}

/// What a served page asks for first: a run without its layers' maps, neighbours and pictures.
pub(crate) fn served_run(context: &Context<'_>, files: &[LayerFiles]) -> Result<Vec<u8>, ReportError> {
    let detail = Detail::served();
    let run = Packable { context, sprite: None };
    let sections = arrays(&run, files, &detail);
    stream(&Header::new(&run, files, &detail, &sections).served(context.record), &sections)
}

/// One layer of it, with everything that the run directory holds.
pub(crate) fn served_layer(
    record: &RunRecord,
    layer: usize,
    file: LayerFiles,
) -> Result<Vec<u8>, ReportError> {
    let files = [file];
    let detail = Detail::whole(record, &files[0]);
    let mut sections = Sections::default();
    sections.layer_arrays(&files, &detail);
    let here = |of: &[usize]| of.iter().map(|_| layer).collect();
    let header = LayerHeader {
        version: VERSION,
        mapped: here(&detail.mapped),
        linked: here(&detail.linked),
        n_neighbours: detail.n_neighbours,
        scales: &sections.scales,
        sections: &sections.table,
    };
    stream(&header, &sections)
}
