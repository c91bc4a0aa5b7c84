//! Pictures of inputs: from the run's atlas of all inputs to one image with the tiles that the page shows.
//!
//! Budget: at most [`MAX_TILES`] tiles and [`MAX_PICTURE_BYTES`] (or fewer) of image. Tiles are asked for in order of importance, the
//! last ones are dropped first, and the page says how many were. A PNG while that is small; else a JPEG, where the
//! tiles' size is a multiple of its 8 x 8 blocks, so that no tile bleeds into the next.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use subspect_data::record::Thumbnails;

use crate::error::ReportError;

/// Most tiles in one page.
const MAX_TILES: usize = 10_000;
/// Most bytes of image in one page, before base64.
pub(crate) const MAX_PICTURE_BYTES: usize = 1_500_000;
/// A PNG larger than this becomes a JPEG where that can be.
const SMALL_PNG: usize = 300_000;
/// JPEG qualities: the second is tried before pictures are left out.
const QUALITIES: [u8; 2] = [85, 55];
/// Largest atlas that is opened, in bytes of pixels.
const MAX_ATLAS_BYTES: usize = 1 << 30;
/// Fewest tiles per full row of the sprite.
const MIN_COLUMNS: usize = 24;

/// Which pictures a page carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// As many as fit into so many bytes, the most important first.
    UpTo(usize),
    /// Those of the cards; a viewer sends the others one by one.
    Cards,
}

/// The decoded atlas of a run: tile `k` shows input `k`.
pub struct Atlas {
    pixels: Vec<u8>,
    width: usize,
    height: usize,
    color: png::ColorType,
    tile: (usize, usize),
    n_columns: usize,
}

impl Atlas {
    /// Reads the atlas named by the record.
    pub fn read(run_dir: &Path, thumbnails: &Thumbnails) -> Result<Self, ReportError> {
        let path = run_dir.join(&thumbnails.file);
        let bytes = std::fs::read(&path).map_err(|source| ReportError::Io {
            action: "read",
            path: path.clone(),
            source,
        })?;
        Atlas::decode(&bytes, thumbnails)
            .map_err(|reason| ReportError::Atlas { reason: format!("{}: {reason}", thumbnails.file) })
    }

    /// Decodes a PNG.
    fn decode(bytes: &[u8], thumbnails: &Thumbnails) -> Result<Self, String> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
        let size = reader
            .output_buffer_size()
            .filter(|&n| n <= MAX_ATLAS_BYTES)
            .ok_or_else(|| format!("larger than {MAX_ATLAS_BYTES} bytes of pixels"))?;
        let mut pixels = vec![0; size];
        let info = reader.next_frame(&mut pixels).map_err(|e| e.to_string())?;
        let tile = (thumbnails.tile_width, thumbnails.tile_height);
        let (width, height) = (info.width as usize, info.height as usize);
        if tile.0 == 0 || tile.1 == 0 || thumbnails.n_columns == 0 || tile.0 * thumbnails.n_columns > width {
            return Err(format!(
                "expected {} columns of tiles {} pixels wide, found a picture {width} pixels wide",
                thumbnails.n_columns, tile.0
            ));
        }
        Ok(Atlas { pixels, width, height, color: info.color_type, tile, n_columns: thumbnails.n_columns })
    }

    /// The picture of one input as PNG, or none.
    ///
    /// # Errors
    /// [`ReportError::Atlas`], a defect of this program.
    pub fn png(&self, input: usize) -> Result<Option<Vec<u8>>, ReportError> {
        if !self.has(input) {
            return Ok(None);
        }
        let pixels: Vec<u8> = self.rows(input).flatten().copied().collect();
        let size = (self.tile.0 as u32, self.tile.1 as u32);
        let fail = |e: png::EncodingError| ReportError::Atlas { reason: e.to_string() };
        to_png(&pixels, size, self.color).map(Some).map_err(fail)
    }

    fn has(&self, input: usize) -> bool {
        (input / self.n_columns + 1) * self.tile.1 <= self.height
    }

    /// The rows of one tile.
    fn rows(&self, input: usize) -> impl Iterator<Item = &[u8]> {
        let depth = self.color.samples();
        let x = (input % self.n_columns) * self.tile.0;
        let y = (input / self.n_columns) * self.tile.1;
        (0..self.tile.1).map(move |row| {
            let start = ((y + row) * self.width + x) * depth;
            &self.pixels[start..start + self.tile.0 * depth]
        })
    }
}

/// The tiles that one page shows, as one PNG.
pub(crate) struct Sprite {
    /// `data:image/png;base64,...`
    pub(crate) data_uri: String,
    /// Tiles that did not fit into the budget or are not in the atlas.
    pub(crate) n_dropped: usize,
    place: BTreeMap<usize, usize>,
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) tile: (usize, usize),
}

impl Sprite {
    /// Crops the tiles of `inputs`, the most important first; repeated inputs share a tile.
    pub(crate) fn crop(
        atlas: &Atlas,
        inputs: impl IntoIterator<Item = usize>,
        max_bytes: usize,
    ) -> Result<Option<Self>, ReportError> {
        let mut order: Vec<usize> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for input in inputs {
            if seen.insert(input) {
                order.push(input);
            }
        }
        let n_asked = order.len();
        order.retain(|&i| atlas.has(i));
        order.truncate(MAX_TILES);
        let mut quality = QUALITIES[0];
        loop {
            if order.is_empty() {
                return Ok(None);
            }
            let columns = columns(order.len());
            let (kind, image) =
                encode(atlas, &order, columns, quality).map_err(|reason| ReportError::Atlas { reason })?;
            if image.len() > max_bytes && quality == QUALITIES[0] {
                quality = QUALITIES[1];
                continue;
            }
            if image.len() > max_bytes && order.len() > 1 {
                let share = max_bytes as f64 / image.len() as f64;
                order.truncate(((order.len() as f64 * share * 0.95) as usize).clamp(1, order.len() - 1));
                continue;
            }
            return Ok(Some(Sprite {
                data_uri: format!(
                    "data:image/{kind};base64,{}",
                    base64::engine::general_purpose::STANDARD.encode(image)
                ),
                n_dropped: n_asked - order.len(),
                columns,
                rows: order.len().div_ceil(columns),
                place: order.iter().enumerate().map(|(k, &i)| (i, k)).collect(),
                tile: atlas.tile,
            }));
        }
    }

    /// Which tile shows `input`, counted along the rows.
    pub(crate) fn place(&self, input: usize) -> Option<usize> {
        self.place.get(&input).copied()
    }

    /// CSS that shows the tile of `input`, whatever the size of its box.
    pub(crate) fn style(&self, input: usize) -> Option<String> {
        let k = *self.place.get(&input)?;
        let along = |index: usize, n: usize| if n > 1 { 100.0 * index as f64 / (n - 1) as f64 } else { 0.0 };
        let (x, y) = (along(k % self.columns, self.columns), along(k / self.columns, self.rows));
        Some(format!("background-position:{x:.4}% {y:.4}%"))
    }

    /// CSS that all tiles share, for those within some element.
    pub(crate) fn rule(&self, within: &str) -> String {
        format!(
            "{within}.tile{{background-image:url({});background-size:{}% {}%;aspect-ratio:{}/{}}}",
            self.data_uri,
            100 * self.columns,
            100 * self.rows,
            self.tile.0,
            self.tile.1
        )
    }
}

/// Tiles per row for so many tiles: about as many as rows.
fn columns(n: usize) -> usize {
    n.min(MIN_COLUMNS.max((n as f64).sqrt().ceil() as usize))
}

/// `png` or `jpeg`, and the image.
fn encode(
    atlas: &Atlas,
    order: &[usize],
    columns: usize,
    quality: u8,
) -> Result<(&'static str, Vec<u8>), String> {
    let depth = atlas.color.samples();
    let (tile_width, tile_height) = atlas.tile;
    let stride = columns * tile_width * depth;
    let height = order.len().div_ceil(columns) * tile_height;
    let mut pixels = vec![0u8; stride * height];
    for (k, &input) in order.iter().enumerate() {
        let start = (k / columns) * tile_height * stride + (k % columns) * tile_width * depth;
        for (y, row) in atlas.rows(input).enumerate() {
            pixels[start + y * stride..][..row.len()].copy_from_slice(row);
        }
    }
    let size = ((columns * tile_width) as u32, height as u32);
    let png = to_png(&pixels, size, atlas.color).map_err(|e| e.to_string())?;
    let blocks = tile_width.is_multiple_of(8) && tile_height.is_multiple_of(8);
    match atlas.color {
        _ if png.len() <= SMALL_PNG || !blocks => Ok(("png", png)),
        png::ColorType::Rgb => Ok(("jpeg", to_jpeg(&pixels, size, image::ExtendedColorType::Rgb8, quality)?)),
        png::ColorType::Grayscale => {
            Ok(("jpeg", to_jpeg(&pixels, size, image::ExtendedColorType::L8, quality)?))
        }
        _ => Ok(("png", png)),
    }
}

fn to_png(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: png::ColorType,
) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(out)
}

fn to_jpeg(
    pixels: &[u8],
    (width, height): (u32, u32),
    color: image::ExtendedColorType,
    quality: u8,
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, quality)
        .encode(pixels, width, height, color)
        .map_err(|e| e.to_string())?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An atlas of 1-pixel grey tiles in rows of 10, tile k with value k.
    fn ramp(n: usize) -> Atlas {
        let rows = n.div_ceil(10);
        let pixels = (0..rows * 10).map(|k| k as u8).collect();
        let color = png::ColorType::Grayscale;
        Atlas { pixels, width: 10, height: rows, color, tile: (1, 1), n_columns: 10 }
    }

    fn decoded(sprite: &Sprite) -> (usize, Vec<u8>) {
        let text = sprite.data_uri.strip_prefix("data:image/png;base64,").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width as usize, pixels)
    }

    #[test]
    fn only_the_asked_tiles_are_kept_once_and_in_order() {
        let sprite = Sprite::crop(&ramp(30), [17, 3, 17, 29, 300], MAX_PICTURE_BYTES).unwrap().unwrap();
        assert_eq!(decoded(&sprite), (3, vec![17, 3, 29]));
        assert_eq!(sprite.n_dropped, 1);
        assert_eq!(sprite.style(3).unwrap(), "background-position:50.0000% 0.0000%");
        assert_eq!(sprite.style(4), None);
    }

    #[test]
    fn rows_wrap() {
        let sprite = Sprite::crop(&ramp(60), 0..50, MAX_PICTURE_BYTES).unwrap().unwrap();
        let (width, pixels) = decoded(&sprite);
        assert_eq!((width, pixels.len()), (MIN_COLUMNS, 3 * MIN_COLUMNS));
        assert_eq!(pixels[MIN_COLUMNS * 2 + 1], 49);
        assert!(sprite.style(49).unwrap().ends_with(" 100.0000%"));
    }

    /// Tiles of noise, which no compression makes small.
    fn noise(n: usize, side: usize) -> Atlas {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let pixels = (0..n * side * side * 3).map(|_| next()).collect();
        let (width, height) = (side, n * side);
        Atlas { pixels, width, height, color: png::ColorType::Rgb, tile: (side, side), n_columns: 1 }
    }

    #[test]
    fn the_budget_drops_the_last_tiles() {
        let sprite = Sprite::crop(&noise(1200, 28), 0..1200, MAX_PICTURE_BYTES).unwrap().unwrap();
        assert!(sprite.n_dropped > 300 && sprite.n_dropped < 1100, "{}", sprite.n_dropped);
        assert!(sprite.data_uri.len() * 3 / 4 <= MAX_PICTURE_BYTES + 64);
        assert!(sprite.style(0).is_some() && sprite.style(1199).is_none());
    }

    #[test]
    fn many_tiles_of_whole_blocks_become_a_jpeg_without_bleeding() {
        let mut atlas = noise(400, 32);
        // Half black, half white: a tile that bled would be grey at its edges.
        for (k, tile) in atlas.pixels.chunks_mut(32 * 32 * 3).enumerate().take(2) {
            tile.fill(if k == 0 { 0 } else { 255 });
        }
        let sprite = Sprite::crop(&atlas, 0..400, MAX_PICTURE_BYTES).unwrap().unwrap();
        let text = sprite.data_uri.strip_prefix("data:image/jpeg;base64,").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        for y in 0..32 {
            assert!(picture.get_pixel(31, y).0[0] < 8 && picture.get_pixel(32, y).0[0] > 247);
        }
    }

    #[test]
    fn a_wrong_size_is_explained() {
        let thumbnails = Thumbnails { file: "t.png".into(), tile_width: 32, tile_height: 32, n_columns: 5 };
        let sprite = Sprite::crop(&ramp(10), 0..3, MAX_PICTURE_BYTES).unwrap().unwrap();
        let text = sprite.data_uri.strip_prefix("data:image/png;base64,").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        assert!(Atlas::decode(&bytes, &thumbnails).err().unwrap().contains("5 columns"));
        assert!(Atlas::decode(b"not a png", &thumbnails).is_err());
    }
}
