//! The same SVG as pixels, drawn with the bundled font so that the text is there on any machine.

use resvg::tiny_skia::{Pixmap, Transform};

use super::{Figure, font};
use crate::error::ReportError;

/// Pixels per unit of the SVG: 2 prints sharply at single-column width.
const SCALE: f32 = 2.0;

/// Draws a figure as PNG.
pub fn to_png(figure: &Figure) -> Result<Vec<u8>, ReportError> {
    let fail = |reason: String| ReportError::Png { name: figure.name.clone(), reason };
    let tree = font::parse(&figure.svg).map_err(|e| fail(e.to_string()))?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or_else(|| fail("no size".into()))?;
    let mut pixmap = Pixmap::new(size.width(), size.height()).ok_or_else(|| fail("no pixels".into()))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|e| fail(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::svg::{Ink, Svg};

    fn drawn(text: &str, strong: bool) -> Vec<u8> {
        let mut svg = Svg::new("t", "t", 120.0, 30.0);
        let element = svg.text(5.0, 20.0, text).fill(Ink::Text);
        if strong {
            element.strong().done()
        } else {
            element.done()
        }
        to_png(&Figure { name: "t".into(), title: "t".into(), svg: svg.finish() }).unwrap()
    }

    #[test]
    fn text_is_drawn_without_any_font_of_the_machine() {
        let blank = drawn("", false);
        for text in ["layer1.0", "\u{d7} \u{2212} \u{2264} \u{2192} \u{2026}", "\u{e9}\u{141}\u{3b1}\u{416}"]
        {
            assert_ne!(drawn(text, false), blank, "{text} left no trace");
        }
        assert_ne!(drawn("layer1.0", true), drawn("layer1.0", false), "the two weights look the same");
    }
}
