//! A small SVG writer: elements with a role instead of a colour.
//!
//! Every mark carries its light colour as a presentation attribute **and** a class for its role. A file opened
//! alone, printed or turned into PNG shows the light colours; inside the page the style sheet overrides them by
//! class, so that the same bytes follow the reader's light or dark theme. All text is escaped here.

use std::fmt::Write as _;

/// The role of a mark, which decides its colour. The data colours are distinguishable with every common colour
/// vision deficiency (after Okabe & Ito, darkened for text contrast).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// The background.
    Paper,
    /// Text and marks of first importance.
    Text,
    /// Tick labels, notes.
    Muted,
    /// Axis lines.
    Line,
    /// Grid lines.
    Grid,
    /// The area of a null distribution.
    Band,
    /// First data colour.
    Blue,
    /// Second data colour.
    Orange,
    /// Third data colour.
    Green,
    /// Text over a fully coloured cell.
    OnBlue,
}

impl Ink {
    fn light(self) -> &'static str {
        match self {
            Ink::Paper | Ink::OnBlue => "#ffffff",
            Ink::Text => "#1c2127",
            Ink::Muted => "#5c6570",
            Ink::Line => "#a9b0b8",
            Ink::Grid => "#e9ecef",
            Ink::Band => "#c3c9d0",
            Ink::Blue => "#0b6bb0",
            Ink::Orange => "#c4501b",
            Ink::Green => "#0a7d5f",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Ink::Paper => "paper",
            Ink::OnBlue => "on-blue",
            Ink::Text => "ink",
            Ink::Muted => "muted",
            Ink::Line => "line",
            Ink::Grid => "grid",
            Ink::Band => "band",
            Ink::Blue => "blue",
            Ink::Orange => "orange",
            Ink::Green => "green",
        }
    }
}

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// An SVG document under construction.
pub(crate) struct Svg {
    name: String,
    title: String,
    width: f64,
    height: f64,
    data: String,
    body: String,
}

impl Svg {
    /// `name` prefixes ids, so that several figures can live in one page; `title` is what a screen reader says.
    pub(crate) fn new(name: &str, title: &str, width: f64, height: f64) -> Self {
        let (name, title) = (name.to_owned(), title.to_owned());
        let mut svg = Svg { name, title, width, height, data: String::new(), body: String::new() };
        svg.rect(0.0, 0.0, width, height).fill(Ink::Paper).class("sheet").done();
        svg
    }

    /// An id that is unique in the page.
    pub(crate) fn id(&self, local: &str) -> String {
        format!("{}-{local}", self.name)
    }

    /// A `data-` attribute on the root, for scripts.
    pub(crate) fn data(&mut self, key: &str, value: f64) {
        let _ = write!(self.data, " data-{key}=\"{}\"", coordinate(value));
    }

    pub(crate) fn rect(&mut self, x: f64, y: f64, width: f64, height: f64) -> Element<'_> {
        self.element("rect").number("x", x).number("y", y).number("width", width).number("height", height)
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64)) -> Element<'_> {
        self.element("line").number("x1", from.0).number("y1", from.1).number("x2", to.0).number("y2", to.1)
    }

    pub(crate) fn circle(&mut self, at: (f64, f64), r: f64) -> Element<'_> {
        self.element("circle").number("cx", at.0).number("cy", at.1).number("r", r)
    }

    /// A line through points; nothing is filled.
    pub(crate) fn polyline(&mut self, points: &[(f64, f64)]) -> Element<'_> {
        self.element("polyline").attribute("points", &point_list(points)).attribute("fill", "none")
    }

    pub(crate) fn polygon(&mut self, points: &[(f64, f64)]) -> Element<'_> {
        self.element("polygon").attribute("points", &point_list(points))
    }

    pub(crate) fn path(&mut self, d: &str) -> Element<'_> {
        self.element("path").attribute("d", d)
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, text: &str) -> Element<'_> {
        let mut element = self.element("text").number("x", x).number("y", y).fill(Ink::Muted);
        element.text = Some(escape(text));
        element
    }

    /// Opens a group; every mark until [`Svg::close`] is in it.
    pub(crate) fn open(&mut self, attributes: &str) {
        let _ = write!(self.body, "<g {attributes}>");
    }

    pub(crate) fn close(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// Diagonal lines on paper, for cells without a value. Returns the `fill` to use.
    pub(crate) fn hatch(&mut self) -> String {
        let id = self.id("hatch");
        let _ = writeln!(
            self.body,
            "<pattern id=\"{id}\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><rect width=\"5\" height=\"5\" class=\"f-paper\" fill=\"#ffffff\"/>\
             <line x1=\"0.7\" y1=\"0\" x2=\"0.7\" y2=\"5\" class=\"s-line\" stroke=\"#a9b0b8\" \
             stroke-width=\"1.1\"/></pattern>"
        );
        format!("url(#{id})")
    }

    pub(crate) fn element(&mut self, tag: &'static str) -> Element<'_> {
        Element {
            out: &mut self.body,
            tag,
            classes: Vec::new(),
            fill: None,
            attributes: String::new(),
            text: None,
            title: None,
        }
    }

    /// The document.
    pub(crate) fn finish(self) -> String {
        let (w, h) = (coordinate(self.width), coordinate(self.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"img\" aria-label=\"{}\" font-family=\"{FONTS}\" font-size=\"11.5\"{}>\n{}</svg>\n",
            escape(&self.title),
            self.data,
            self.body
        )
    }
}

/// The PNG has the bundled Inter; a file opened elsewhere takes the first that is there.
const FONTS: &str = "Inter, system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

/// One element; [`Element::done`] writes it.
#[must_use = "an element is only written by done()"]
pub(crate) struct Element<'a> {
    out: &'a mut String,
    tag: &'static str,
    classes: Vec<String>,
    fill: Option<Ink>,
    attributes: String,
    text: Option<String>,
    title: Option<String>,
}

impl Element<'_> {
    pub(crate) fn attribute(mut self, name: &str, value: &str) -> Self {
        let _ = write!(self.attributes, " {name}=\"{}\"", escape(value));
        self
    }

    pub(crate) fn number(self, name: &str, value: f64) -> Self {
        self.attribute(name, &coordinate(value))
    }

    pub(crate) fn class(mut self, class: &str) -> Self {
        self.classes.push(class.to_owned());
        self
    }

    pub(crate) fn fill(mut self, ink: Ink) -> Self {
        self.fill = Some(ink);
        self
    }

    pub(crate) fn stroke(mut self, ink: Ink, width: f64) -> Self {
        self.classes.push(format!("s-{}", ink.name()));
        self.number("stroke-width", width).attribute("stroke", ink.light())
    }

    pub(crate) fn dashed(self, pattern: &str) -> Self {
        self.attribute("stroke-dasharray", pattern)
    }

    pub(crate) fn opacity(self, value: f64) -> Self {
        self.number("fill-opacity", value)
    }

    pub(crate) fn anchor(self, anchor: Anchor) -> Self {
        match anchor {
            Anchor::Start => self,
            Anchor::Middle => self.attribute("text-anchor", "middle"),
            Anchor::End => self.attribute("text-anchor", "end"),
        }
    }

    pub(crate) fn size(self, size: f64) -> Self {
        self.number("font-size", size)
    }

    pub(crate) fn strong(self) -> Self {
        self.attribute("font-weight", "600")
    }

    pub(crate) fn rotate(self, degrees: f64, x: f64, y: f64) -> Self {
        self.attribute(
            "transform",
            &format!("rotate({} {} {})", coordinate(degrees), coordinate(x), coordinate(y)),
        )
    }

    /// What hovering shows.
    pub(crate) fn title(mut self, title: &str) -> Self {
        self.title = Some(escape(title));
        self
    }

    pub(crate) fn done(self) {
        let Element { out, tag, mut classes, fill, attributes, text, title } = self;
        let _ = write!(out, "<{tag}");
        classes.extend(fill.map(|ink| format!("f-{}", ink.name())));
        if !classes.is_empty() {
            let _ = write!(out, " class=\"{}\"", classes.join(" "));
        }
        if let Some(ink) = fill {
            let _ = write!(out, " fill=\"{}\"", ink.light());
        }
        out.push_str(&attributes);
        match (text, title) {
            (None, None) => out.push_str("/>\n"),
            (text, title) => {
                out.push('>');
                if let Some(title) = title {
                    let _ = write!(out, "<title>{title}</title>");
                }
                out.push_str(text.as_deref().unwrap_or(""));
                let _ = writeln!(out, "</{tag}>");
            }
        }
    }
}

/// Two decimals at most, no trailing zeros, never NaN: a coordinate that is not finite would spoil the file.
pub(crate) fn coordinate(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

fn point_list(points: &[(f64, f64)]) -> String {
    points.iter().map(|&(x, y)| format!("{},{}", coordinate(x), coordinate(y))).collect::<Vec<_>>().join(" ")
}

/// Escapes for text and for attributes; characters that XML forbids become a replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut svg = Svg::new("f", "a \"title\" <b>", 10.0, 10.0);
        svg.text(1.0, 2.0, "<script>alert(1)</script>").title("it's & it").done();
        let text = svg.finish();
        assert!(!text.contains("<script>") && !text.contains("<b>"));
        assert!(text.contains("&lt;script&gt;") && text.contains("it&#39;s &amp; it"));
        assert_eq!(escape("a\u{1}b\nc"), "a\u{fffd}b c");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_out_of_its_place(text in ".*") {
            let safe = escape(&text);
            proptest::prop_assert!(!safe.contains(['<', '>', '"', '\'', '\n', '\0']));
        }
    }

    #[test]
    fn a_mark_has_its_role_and_its_light_colour() {
        let mut svg = Svg::new("f", "t", 10.0, 10.0);
        svg.circle((1.0, f64::NAN), 2.345).fill(Ink::Blue).stroke(Ink::Paper, 1.0).done();
        let text = svg.finish();
        assert!(text.contains("class=\"s-paper f-blue\" fill=\"#0b6bb0\""), "{text}");
        assert!(
            text.contains("cy=\"0\"") && text.contains("r=\"2.35\"") || text.contains("r=\"2.35\""),
            "{text}"
        );
        assert!(!text.contains("NaN"));
    }
}
