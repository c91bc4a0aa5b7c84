//! The same SVG as a PDF of vectors, with the bundled font embedded, for a paper.

use svg2pdf::{ConversionOptions, PageOptions};

use super::{Figure, font};
use crate::error::ReportError;

/// Writes a figure as PDF.
///
/// # Errors
/// [`ReportError::Pdf`], a defect of this program.
pub fn to_pdf(figure: &Figure) -> Result<Vec<u8>, ReportError> {
    let fail = |reason: String| ReportError::Pdf { name: figure.name.clone(), reason };
    let tree = font::parse(&figure.svg).map_err(|e| fail(e.to_string()))?;
    svg2pdf::to_pdf(&tree, ConversionOptions::default(), PageOptions::default())
        .map_err(|e| fail(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::svg::{Ink, Svg};

    #[test]
    fn a_figure_is_one_page_of_its_size_with_its_font() {
        let mut svg = Svg::new("t", "t", 120.0, 30.0);
        svg.text(5.0, 20.0, "layer1.0").fill(Ink::Text).done();
        let pdf = to_pdf(&Figure { name: "t".into(), title: "t".into(), svg: svg.finish() }).unwrap();
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.starts_with("%PDF-"));
        assert!(text.contains("/FontFile"), "the font is not embedded");
    }
}
