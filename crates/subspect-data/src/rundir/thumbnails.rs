//! The inputs' pictures in one PNG, so that a page of 10,000 inputs loads one file: tile k, counted row by row,
//! shows the k-th chosen input. Written strip by strip: memory holds one row of tiles.

use std::io::Write;
use std::path::Path;

use png::{BitDepth, ColorType, Encoder};

use crate::atomic;
use crate::dataset::{Dataset, resize};
use crate::error::{DataError, Result};
use crate::names::file_name;
use crate::record::Thumbnails;

/// Longest side of a tile; larger pictures are shrunk, smaller ones stay as they are.
pub const MAX_TILE: usize = 64;

/// Writes the atlas of the chosen inputs to `path`, atomically, and says how it is laid out.
///
/// # Errors
/// When no input is chosen, a picture cannot be read, or [`DataError::Io`].
pub fn write_thumbnails(path: &Path, dataset: &Dataset, chosen: &[usize]) -> Result<Thumbnails> {
    let [h, w, c] = dataset.image_shape();
    let color = match c {
        1 => ColorType::Grayscale,
        3 => ColorType::Rgb,
        4 => ColorType::Rgba,
        _ => return Err(DataError::Argument(format!("expected pictures of 1, 3 or 4 channels, found {c}"))),
    };
    if chosen.is_empty() {
        return Err(DataError::Argument(
            "expected at least one picture for the thumbnails, found none".into(),
        ));
    }
    let (tile_height, tile_width) = tile_size(h, w);
    let n_columns = (chosen.len() as f64).sqrt().ceil() as usize;
    let n_rows = chosen.len().div_ceil(n_columns);
    let layout = Thumbnails { file: file_name(path), tile_width, tile_height, n_columns };
    atomic::write_with(path, |file| {
        let fail = |e: png::EncodingError| DataError::io("write", path, e.into());
        let mut encoder = Encoder::new(file, (n_columns * tile_width) as u32, (n_rows * tile_height) as u32);
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(fail)?;
        let mut stream = writer.stream_writer().map_err(fail)?;
        for row in chosen.chunks(n_columns) {
            let strip = strip(dataset, row, &layout, c)?;
            stream.write_all(&strip).map_err(|e| DataError::io("write", path, e))?;
        }
        stream.finish().map_err(fail)?;
        writer.finish().map_err(fail)
    })?;
    Ok(layout)
}

fn tile_size(h: usize, w: usize) -> (usize, usize) {
    let longest = h.max(w);
    if longest <= MAX_TILE {
        return (h, w);
    }
    ((h * MAX_TILE / longest).max(1), (w * MAX_TILE / longest).max(1))
}

/// One row of tiles; tiles missing in the last row stay zero (black, or transparent).
fn strip(dataset: &Dataset, row: &[usize], layout: &Thumbnails, c: usize) -> Result<Vec<u8>> {
    let (th, tw) = (layout.tile_height, layout.tile_width);
    let line = layout.n_columns * tw * c;
    let mut strip = vec![0; th * line];
    let mut pixels = vec![0; dataset.n_pixels()];
    for (k, &i) in row.iter().enumerate() {
        dataset.read_hwc(i, &mut pixels)?;
        let shape = dataset.image_shape();
        let small;
        let tile = if (shape[0], shape[1]) == (th, tw) {
            &pixels
        } else {
            small = resize(&pixels, shape, (th, tw))?;
            &small
        };
        for y in 0..th {
            let at = y * line + k * tw * c;
            strip[at..at + tw * c].copy_from_slice(&tile[y * tw * c..(y + 1) * tw * c]);
        }
    }
    Ok(strip)
}
