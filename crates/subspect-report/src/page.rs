//! One HTML file out of the panels. Everything is inline; the page's own content security policy forbids it to
//! load anything, so a mistake here shows as an error in the browser's console and in the tests.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;
use subspect_data::record::RunRecord;

use crate::context::Context;
use crate::error::ReportError;
use crate::explore::{Cross, Packable, Training, payloads};
use crate::panel::PANELS;
use crate::sprite::Atlas;

const PAGE: &str = include_str!("../templates/page.html");
const SEVERAL: &str = include_str!("../templates/several.html");
const FAILURE: &str = include_str!("../templates/failure.html");
const HEAD: &str = include_str!("../templates/head.html");
const MACROS: &str = include_str!("../templates/macros.html");
const STYLE: &str = include_str!("../templates/style.css");
const SCRIPT: &str = include_str!("../templates/script.js");
/// Built from `explore/` by `npm run build` there.
const EXPLORE: &str = include_str!("../explore/dist/explore.js");
const EXPLORE_STYLE: &str = include_str!("../explore/explore.css");

/// Most bytes of a page.
pub const MAX_PAGE_BYTES: usize = 6_000_000;

/// The page of a run, from its record and the pictures of its inputs.
pub fn render_html(record: &RunRecord, atlas: Option<&Atlas>) -> Result<String, ReportError> {
    let context = Context::new(record, atlas)?;
    Ok(page(&Contents::of_run(&context, Form::File))?.html)
}

/// Whether a page carries everything, or asks a [`crate::Viewer`] for single inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    File,
    Served,
}

/// What a page shows.
pub(crate) struct Contents<'a> {
    /// The run whose sections are shown; none for a page of several runs, which have their own pages.
    pub(crate) run: Option<&'a Context<'a>>,
    /// The head of a page of several runs.
    pub(crate) several: Option<Value>,
    /// What the interactive part shows.
    pub(crate) runs: Vec<Packable<'a>>,
    pub(crate) manifest: Manifest,
}

/// What the script has to know beside the packed runs.
#[derive(Serialize)]
pub(crate) struct Manifest {
    /// `runs` or `epochs`.
    pub(crate) kind: &'static str,
    /// Whether the runs are asked for at `data/K`.
    pub(crate) served: bool,
    /// What to call each of them.
    pub(crate) labels: Vec<String>,
    /// Whose pictures each of them shows: a position.
    pub(crate) pictures: Vec<usize>,
    /// Maps between networks.
    pub(crate) cross: Vec<Cross>,
    /// What `dynamics.json` says of a training run.
    pub(crate) training: Option<Training>,
}

impl<'a> Contents<'a> {
    /// A page of one run.
    pub(crate) fn of_run(context: &'a Context<'a>, form: Form) -> Self {
        Contents {
            run: Some(context),
            several: None,
            runs: vec![Packable { context, sprite: context.sprite.as_ref() }],
            manifest: Manifest {
                kind: "runs",
                served: form == Form::Served,
                labels: vec![crate::panel::title(context.record)],
                pictures: vec![0],
                cross: Vec::new(),
                training: None,
            },
        }
    }

    /// The style rules of the pictures of all runs.
    fn sprites(&self) -> String {
        let own = self.manifest.pictures.iter().enumerate().filter(|(k, of)| k == *of).map(|(k, _)| k);
        let own: Vec<usize> = own.collect();
        let within = |k: usize| if k == own[0] { String::new() } else { format!("[data-pictures=\"{k}\"] ") };
        own.iter().filter_map(|&k| self.runs[k].context.sprite.as_ref().map(|s| s.rule(&within(k)))).collect()
    }
}

/// A page and where its bytes go.
pub(crate) struct Page {
    pub(crate) html: String,
    /// Pictures, packed runs, everything.
    pub(crate) sizes: [usize; 3],
    /// Whether it keeps to [`MAX_PAGE_BYTES`].
    pub(crate) fits: bool,
}

/// Renders a page, with as much of the single inputs as fits.
pub(crate) fn page(contents: &Contents<'_>) -> Result<Page, ReportError> {
    let sprites = contents.sprites();
    if contents.manifest.served {
        let html = html(contents, &sprites, &[])?;
        return Ok(Page { sizes: [sprites.len(), 0, html.len()], html, fits: true });
    }
    let bare = html(contents, &sprites, &[])?.len();
    let (data, fits) =
        payloads(&contents.runs, MAX_PAGE_BYTES.saturating_sub(bare + 200 * contents.runs.len()))?;
    let html = html(contents, &sprites, &data)?;
    let sizes = [sprites.len(), data.iter().map(String::len).sum(), html.len()];
    Ok(Page { fits: fits && html.len() <= MAX_PAGE_BYTES, html, sizes })
}

fn html(contents: &Contents<'_>, sprites: &str, data: &[String]) -> Result<String, ReportError> {
    let environment = environment()?;
    let mut sections = Vec::new();
    let mut figure = 1;
    let main = contents.run.unwrap_or(contents.runs[0].context);
    if let Some(view) = &contents.several {
        let body = environment.get_template("several")?.render(context! { view => view.clone() })?;
        sections
            .push(context! { name => "overview", title => "Runs", body => Value::from_safe_string(body) });
    }
    for panel in PANELS.iter().filter(|p| contents.run.is_some() || p.name == "explore") {
        let view = (panel.render)(main);
        let template = environment.get_template(panel.name)?;
        let body = template.render(context! { view => view.value, figure, title => panel.title })?;
        figure += view.n_figures;
        sections.push(
            context! { name => panel.name, title => panel.title, body => Value::from_safe_string(body) },
        );
    }
    let title = match (contents.manifest.kind, contents.manifest.labels.len()) {
        ("runs", n) if n > 1 => contents.manifest.labels.join(" and "),
        _ => crate::panel::title(main.record),
    };
    let manifest = script_json(&contents.manifest).map_err(ReportError::Payload)?;
    Ok(environment.get_template("page")?.render(context! {
        title,
        sections,
        sprite => (!sprites.is_empty()).then(|| Value::from_safe_string(sprites.into())),
        style => Value::from_safe_string(format!("{STYLE}{EXPLORE_STYLE}")),
        data => data.iter().map(|d| Value::from_safe_string(d.clone())).collect::<Vec<_>>(),
        manifest => Value::from_safe_string(manifest),
        explore => Value::from_safe_string(EXPLORE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
        has_figures => contents.run.is_some(),
        served => contents.manifest.served,
        version => main.record.subspect_version.clone(),
        created => main.record.created.clone(),
    })?)
}

/// A page of its own, in the style of a run's: `view` is what the template shows.
pub(crate) fn standalone(
    name: &'static str,
    template: &'static str,
    version: &str,
    view: impl Serialize,
) -> Result<String, ReportError> {
    let mut environment = environment()?;
    environment.add_template(name, template)?;
    Ok(environment.get_template(name)?.render(context! {
        view => Value::from(Serde(view)),
        version,
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
    })?)
}

/// JSON for a script element: `<` must not appear in it, for it could end the element.
pub(crate) fn script_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c"))
}

/// A page that says why a run cannot be shown.
pub(crate) fn failure(run_dir: &std::path::Path, error: &ReportError) -> Result<String, ReportError> {
    let style = Value::from_safe_string(STYLE.into());
    let view = context! { style, run => run_dir.display().to_string(), reason => error.to_string() };
    Ok(environment()?.get_template("failure.html")?.render(view)?)
}

fn environment() -> Result<Environment<'static>, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_template("page", PAGE)?;
    environment.add_template("head", HEAD)?;
    environment.add_template("macros", MACROS)?;
    environment.add_template("several", SEVERAL)?;
    environment.add_template("failure.html", FAILURE)?;
    for panel in PANELS {
        environment.add_template(panel.name, panel.template)?;
    }
    Ok(environment)
}
