//! Pictures of a data set into batches that the model takes: size, channels, normalisation, axis order.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma, Rgb};

use crate::{ImageShape, InputSpec, Layout, NetsError, Normalize};

/// Order of the bytes of one picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelOrder {
    /// H x W x C: as in image files.
    #[default]
    Hwc,
    /// C x H x W: as in the CIFAR binary layout.
    Chw,
}

/// What to do with pictures of another size than the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resize {
    /// Refuse them.
    #[default]
    Never,
    /// Scale them to the model's size, bilinear with antialiasing, without keeping the aspect ratio.
    Bilinear,
}

impl Resize {
    /// The spelling in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Resize::Never => "never",
            Resize::Bilinear => "bilinear",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChannelMap {
    Same,
    /// Grey for a colour model: every channel shows it.
    Repeat,
    /// Colour for a grey model: only where the channels agree.
    Collapse,
}

/// A checked way from a data set's bytes to a model's input.
#[derive(Clone, Debug)]
pub struct Preprocess {
    image: ImageShape,
    order: PixelOrder,
    target: ImageShape,
    layout: Layout,
    map: ChannelMap,
    resized: bool,
    /// Network input for each byte, by channel of the model.
    tables: Vec<[f32; 256]>,
}

impl Preprocess {
    /// Plans the way from pictures of shape `image` to `input`.
    ///
    /// # Errors
    /// [`NetsError::ImageShape`] when size or channels do not fit, [`NetsError::NormalizeChannels`].
    pub fn new(
        input: &InputSpec,
        image: ImageShape,
        order: PixelOrder,
        normalize: &Normalize,
        resize: Resize,
    ) -> Result<Self, NetsError> {
        let target = input.shape;
        let fail = |mend: String| {
            Err(NetsError::ImageShape { expected: target.describe(), found: image.describe(), mend })
        };
        let map = match (image.channels, target.channels) {
            (a, b) if a == b => ChannelMap::Same,
            (1, 3) => ChannelMap::Repeat,
            (3, 1) => ChannelMap::Collapse,
            (a, b) => return fail(format!("convert the images from {a} to {b} channels")),
        };
        let resized = (image.height, image.width) != (target.height, target.width);
        if image.is_empty() || resized && (resize == Resize::Never || ![1, 3].contains(&image.channels)) {
            let size = format!("{}x{}", target.height, target.width);
            return fail(format!(
                "resize them to {size} (--resize does it, bilinear), or choose the model's own data"
            ));
        }
        let tables = normalize.tables(target.channels)?;
        Ok(Self { image, order, target, layout: input.layout, map, resized, tables })
    }

    /// Bytes of one picture.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.image.len()
    }

    /// Whether pictures are scaled.
    #[must_use]
    pub fn is_resized(&self) -> bool {
        self.resized
    }

    /// Converts the pictures in `pixels`, one after the other, into a batch. `first` is the position of the first
    /// one, for messages.
    ///
    /// # Errors
    /// [`NetsError::Colour`] for a picture with colours when the model wants grey.
    pub fn apply(&self, first: usize, pixels: &[u8], out: &mut Vec<f32>) -> Result<(), NetsError> {
        out.clear();
        for (i, picture) in pixels.chunks_exact(self.image.len()).enumerate() {
            if self.resized {
                let scaled = self.scale(picture);
                self.convert(
                    first + i,
                    &scaled,
                    self.target.height * self.target.width,
                    PixelOrder::Hwc,
                    out,
                )?;
            } else {
                self.convert(first + i, picture, self.image.height * self.image.width, self.order, out)?;
            }
        }
        Ok(())
    }

    fn convert(
        &self,
        input: usize,
        picture: &[u8],
        places: usize,
        order: PixelOrder,
        out: &mut Vec<f32>,
    ) -> Result<(), NetsError> {
        let channels = self.image.channels;
        let pixel = |c: usize, p: usize| match order {
            PixelOrder::Hwc => picture[p * channels + c],
            PixelOrder::Chw => picture[c * places + p],
        };
        if self.map == ChannelMap::Collapse
            && (0..places).any(|p| pixel(0, p) != pixel(1, p) || pixel(0, p) != pixel(2, p))
        {
            return Err(NetsError::Colour { input });
        }
        let source = |c: usize| if self.map == ChannelMap::Same { c } else { 0 };
        match self.layout {
            Layout::Nchw | Layout::Flat => {
                for (c, table) in self.tables.iter().enumerate() {
                    let c = source(c);
                    out.extend((0..places).map(|p| table[usize::from(pixel(c, p))]));
                }
            }
            Layout::Nhwc => {
                for p in 0..places {
                    let row = self.tables.iter().enumerate();
                    out.extend(row.map(|(c, table)| table[usize::from(pixel(source(c), p))]));
                }
            }
        }
        Ok(())
    }

    /// The picture at the model's size, H x W x C.
    fn scale(&self, picture: &[u8]) -> Vec<u8> {
        let (h, w) = (self.image.height, self.image.width);
        let interleaved = match self.order {
            PixelOrder::Hwc => picture.to_vec(),
            PixelOrder::Chw => (0..h * w)
                .flat_map(|p| (0..self.image.channels).map(move |c| picture[c * h * w + p]))
                .collect(),
        };
        let (nh, nw) = (self.target.height as u32, self.target.width as u32);
        let scaled = if self.image.channels == 3 {
            ImageBuffer::<Rgb<u8>, _>::from_raw(w as u32, h as u32, interleaved)
                .map(|i| resize(&i, nw, nh, FilterType::Triangle).into_raw())
        } else {
            ImageBuffer::<Luma<u8>, _>::from_raw(w as u32, h as u32, interleaved)
                .map(|i| resize(&i, nw, nh, FilterType::Triangle).into_raw())
        };
        // The buffer holds exactly h w c bytes, which is all that from_raw checks.
        scaled.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(channels: usize, height: usize, width: usize, layout: Layout) -> InputSpec {
        InputSpec {
            name: "x".into(),
            shape: ImageShape { channels, height, width },
            layout,
            fixed_batch: None,
        }
    }

    fn image(channels: usize, height: usize, width: usize) -> ImageShape {
        ImageShape { channels, height, width }
    }

    fn run(p: &Preprocess, pixels: &[u8]) -> Vec<f32> {
        let mut out = Vec::new();
        p.apply(0, pixels, &mut out).unwrap();
        out
    }

    #[test]
    fn both_byte_orders_reach_both_layouts() {
        let n: Normalize = "0:0.5,1,0.25".parse().unwrap();
        let hwc = [255, 0, 51, 0, 255, 51];
        let chw = [255, 0, 0, 255, 51, 51];
        for (bytes, order) in [(hwc, PixelOrder::Hwc), (chw, PixelOrder::Chw)] {
            let p = |layout| {
                Preprocess::new(&spec(3, 1, 2, layout), image(3, 1, 2), order, &n, Resize::Never).unwrap()
            };
            assert_eq!(run(&p(Layout::Nchw), &bytes), [2.0, 0.0, 0.0, 1.0, 0.8, 0.8]);
            assert_eq!(run(&p(Layout::Nhwc), &bytes), [2.0, 0.0, 0.8, 0.0, 1.0, 0.8]);
        }
    }

    #[test]
    fn grey_becomes_colour_and_colour_grey_only_when_it_is() {
        let grey = Preprocess::new(
            &spec(3, 1, 2, Layout::Nchw),
            image(1, 1, 2),
            PixelOrder::Hwc,
            &Normalize::None,
            Resize::Never,
        );
        assert_eq!(run(&grey.unwrap(), &[255, 0]), [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        let colour = Preprocess::new(
            &spec(1, 1, 1, Layout::Nchw),
            image(3, 1, 1),
            PixelOrder::Hwc,
            &Normalize::None,
            Resize::Never,
        )
        .unwrap();
        assert_eq!(run(&colour, &[51, 51, 51]), [0.2]);
        let e = colour.apply(7, &[5, 5, 5, 1, 2, 3], &mut Vec::new()).unwrap_err().to_string();
        assert!(e.contains("input 8 has colours"), "{e}");
    }

    #[test]
    fn wrong_sizes_are_refused_or_scaled() {
        let small = image(1, 28, 28);
        let input = spec(3, 32, 32, Layout::Nchw);
        let plan = |r| Preprocess::new(&input, small, PixelOrder::Chw, &Normalize::None, r);
        let e = plan(Resize::Never).unwrap_err().to_string();
        assert!(
            e.contains("wants images of 3x32x32") && e.contains("have 1x28x28") && e.contains("--resize"),
            "{e}"
        );
        let p = plan(Resize::Bilinear).unwrap();
        assert!(p.is_resized());
        let out = run(&p, &[51; 784 * 2]);
        assert_eq!(out.len(), 2 * 3 * 32 * 32);
        assert!(out.iter().all(|v| (v - 0.2).abs() < 1e-6));
        let e =
            Preprocess::new(&input, image(4, 32, 32), PixelOrder::Hwc, &Normalize::None, Resize::Bilinear);
        assert!(e.unwrap_err().to_string().contains("from 4 to 3 channels"));
    }
}
