//! The bundled font, Inter, and an SVG read with it: what PNG and PDF are drawn from, the same on every machine.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{Error, Options, Tree, fontdb};

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../../fonts/Inter-Regular.otf").to_vec());
    fonts.load_font_data(include_bytes!("../../fonts/Inter-SemiBold.otf").to_vec());
    fonts.set_sans_serif_family("Inter");
    Arc::new(fonts)
});

/// Reads an SVG.
pub(super) fn parse(svg: &str) -> Result<Tree, Error> {
    Tree::from_str(svg, &Options { fontdb: FONTS.clone(), font_family: "Inter".into(), ..Options::default() })
}
