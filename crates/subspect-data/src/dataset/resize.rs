//! Pictures of another size: bilinear, with the filter widened when shrinking so that no pixel is skipped.

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::set::{Layout, Pixels};
use crate::error::{DataError, Result};

/// A source whose pictures are resized as they are read.
pub(super) struct Resized {
    source: Box<dyn Pixels>,
    from: [usize; 3],
    to: (usize, usize),
}

impl Resized {
    pub(super) fn new(source: Box<dyn Pixels>, from: [usize; 3], to: (usize, usize)) -> Self {
        Self { source, from, to }
    }
}

impl Pixels for Resized {
    fn layout(&self) -> Layout {
        self.source.layout()
    }

    fn read(&self, i: usize, out: &mut [u8]) -> Result<()> {
        let [h, w, c] = self.from;
        let mut original = vec![0; h * w * c];
        self.source.read(i, &mut original)?;
        let planes = match self.source.layout() {
            Layout::Hwc => 1,
            Layout::Chw => c,
        };
        let piece = h * w * c / planes;
        let target = out.len() / planes;
        for k in 0..planes {
            let small = resize(&original[k * piece..(k + 1) * piece], [h, w, c / planes], self.to)?;
            out[k * target..(k + 1) * target].copy_from_slice(&small);
        }
        Ok(())
    }
}

/// Resizes one picture of 1, 3 or 4 channels, pixel after pixel.
pub(crate) fn resize(pixels: &[u8], [h, w, c]: [usize; 3], to: (usize, usize)) -> Result<Vec<u8>> {
    let (width, height) = (w as u32, h as u32);
    let data = pixels.to_vec();
    let picture = match c {
        1 => GrayImage::from_raw(width, height, data).map(DynamicImage::from),
        3 => RgbImage::from_raw(width, height, data).map(DynamicImage::from),
        4 => RgbaImage::from_raw(width, height, data).map(DynamicImage::from),
        _ => None,
    };
    let picture = picture.ok_or_else(|| {
        DataError::Argument(format!(
            "cannot resize pictures of shape [{h}, {w}, {c}]: expected 1, 3 or 4 channels"
        ))
    })?;
    Ok(picture.resize_exact(to.1 as u32, to.0 as u32, FilterType::Triangle).into_bytes())
}
