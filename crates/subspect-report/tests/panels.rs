//! One snapshot per panel: what a reader reads, without pictures and markup.

mod support;

use subspect_report::{PANELS, render_html};
use support::Sample;

/// The text of a piece of HTML, one line per element, figures reduced to their labels.
fn outline(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        push(&mut out, &rest[..start]);
        let end = rest[start..].find('>').map_or(rest.len(), |e| start + e + 1);
        let tag = &rest[start..end];
        let skip = ["<style", "<script", "<title"].iter().find(|t| tag.starts_with(**t));
        rest = match skip {
            Some(t) => rest[end..].split_once(&t.replace('<', "</")).map_or("", |(_, after)| after),
            None => &rest[end..],
        };
        let rest_of_tag = skip.and_then(|_| rest.find('>')).map_or(0, |e| e + 1);
        rest = &rest[rest_of_tag..];
    }
    push(&mut out, rest);
    out
}

fn push(out: &mut String, text: &str) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.is_empty() {
        out.push_str(&text);
        out.push('\n');
    }
}

#[test]
fn panels_read_well() {
    let sample = Sample {
        n_layers: 3,
        n_classes: 3,
        n_inputs: 60,
        n_cards: 2,
        thumbnails: false,
        ..Sample::default()
    };
    let html = render_html(&sample.record(), None).unwrap();
    for panel in PANELS {
        let part = match panel.name {
            "overview" => html.split("<header>").nth(1).unwrap().split("<section").next().unwrap(),
            name => {
                let open = format!("<section id=\"{name}\"");
                html.split(&open)
                    .nth(1)
                    .unwrap()
                    .split("</section>")
                    .next()
                    .unwrap()
                    .split_once('>')
                    .unwrap()
                    .1
            }
        };
        insta::assert_snapshot!(panel.name, outline(part));
    }
}
