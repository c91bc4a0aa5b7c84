//! One HTML file out of the panels. Everything is inline; the page's own content security policy forbids it to
//! load anything, so a mistake here shows as an error in the browser's console and in the tests.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Value, context};
use subspect_data::record::RunRecord;

use crate::context::Context;
use crate::error::ReportError;
use crate::panel::PANELS;
use crate::sprite::Atlas;

const PAGE: &str = include_str!("../templates/page.html");
const MACROS: &str = include_str!("../templates/macros.html");
pub(crate) const STYLE: &str = include_str!("../templates/style.css");
pub(crate) const SCRIPT: &str = include_str!("../templates/script.js");
/// Built from `explore/` by `npm run build` there.
const EXPLORE: &str = include_str!("../explore/dist/explore.js");
const EXPLORE_STYLE: &str = include_str!("../explore/explore.css");

/// The page of a run, from its record and the pictures of its inputs.
pub fn render_html(record: &RunRecord, atlas: Option<&Atlas>) -> Result<String, ReportError> {
    page(&Context::new(record, atlas)?)
}

/// The page of a prepared run.
pub(crate) fn page(context: &Context<'_>) -> Result<String, ReportError> {
    let environment = environment()?;
    let mut sections = Vec::new();
    let mut figure = 1;
    for panel in PANELS {
        let view = (panel.render)(context);
        let template = environment.get_template(panel.name)?;
        let body = template.render(context! { view => view.value, figure, title => panel.title })?;
        figure += view.n_figures;
        sections.push(
            context! { name => panel.name, title => panel.title, body => Value::from_safe_string(body) },
        );
    }
    let title = crate::panel::title(context.record);
    let sprite = context.sprite.as_ref().map(|s| Value::from_safe_string(s.rule()));
    Ok(environment.get_template("page")?.render(context! {
        title,
        sections,
        sprite,
        style => Value::from_safe_string(format!("{STYLE}{EXPLORE_STYLE}")),
        data => Value::from_safe_string(crate::explore::payload(context)?),
        explore => Value::from_safe_string(EXPLORE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
        version => context.record.subspect_version.clone(),
        created => context.record.created.clone(),
    })?)
}

pub(crate) fn environment() -> Result<Environment<'static>, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_template("page", PAGE)?;
    environment.add_template("macros", MACROS)?;
    for panel in PANELS {
        environment.add_template(panel.name, panel.template)?;
    }
    Ok(environment)
}
