//! The page of a training: `report.html` and `figures/` beside `dynamics.json`, in the style of a run's page.

mod axis;
mod curves;
mod settling;
mod structure;

use std::path::Path;

use serde::Serialize;
use subspect_data::dynamics::{Censored, DynamicsRecord, SettlingEpoch, SettlingRecord};
use subspect_data::record::RunState;

use crate::error::ReportError;
use crate::figure::{Figure, FigureFormat, measure_title};
use crate::files::{REPORT, ReportFiles, finish, write, write_figure_files};
use crate::names::LayerNames;
use crate::number::{Shown, count, fixed};
use crate::page::{Form, standalone};
use crate::several;

/// The page to go through the epochs of a training with.
const EPOCHS_PAGE: &str = "epochs.html";

/// Writes `report.html` and `figures/*.{svg,png}` into a folder that `subspect dynamics` wrote, and `epochs.html`: the
/// page to go through the epochs of the (first) training with.
///
/// # Errors
/// When there is no whole record, or a file cannot be written.
pub fn render_dynamics(folder: &Path) -> Result<ReportFiles, ReportError> {
    let record = DynamicsRecord::read(folder).map_err(ReportError::Data)?;
    if let Some(reason) = inconsistency(&record) {
        return Err(ReportError::Unusable { reason });
    }
    let view = View::new(&record);
    let epochs = several::epochs(folder, Form::File)?;
    let ReportFiles { notes, sizes, .. } =
        finish(folder, EPOCHS_PAGE, &epochs.page, Vec::new(), epochs.notes)?;
    let formats = [FigureFormat::Svg, FigureFormat::Png];
    let written = write_figure_files(view.figures(), &formats, &folder.join("figures"))?;
    let template = include_str!("../../templates/dynamics.html");
    let html = standalone("dynamics", template, &record.subspect_version, &view)?;
    let page = write(folder, REPORT, html.as_bytes())?;
    Ok(ReportFiles { page, figures: written, notes, sizes })
}

/// What keeps a record from being drawn: tables of another shape than its layers and epochs.
fn inconsistency(record: &DynamicsRecord) -> Option<String> {
    let n = record.layers.len();
    if n == 0 || record.series.is_empty() {
        return Some("dynamics.json has no layers or no series: run the command again".into());
    }
    for series in &record.series {
        let e = series.epochs.len();
        let fits = e >= 2
            && series.epochs.iter().all(|x| x.layers.len() == n)
            && series.changes.iter().all(|row| row.len() == n)
            && series.changes.len() + 1 == e
            && series.convergence.iter().all(|c| {
                c.to_final.len() == e
                    && c.to_next.len() + 1 == e
                    && c.to_final.iter().chain(&c.to_next).all(|row| row.len() == n)
            });
        if !fits {
            return Some(format!("series {}: a table does not have {e} epochs x {n} layers", series.name));
        }
    }
    let lengths = |s: &SettlingRecord| s.layers.len() == n;
    let all = record.series.iter().flat_map(|s| &s.settling).chain(&record.settling).all(lengths);
    (!all).then(|| format!("a settling table does not have {n} layers"))
}

#[derive(Serialize)]
struct View {
    title: String,
    line: String,
    summary: Vec<String>,
    warnings: Vec<String>,
    command: String,
    threshold: String,
    level: String,
    over: String,
    many: bool,
    n_epochs: usize,
    settling: Option<Svg>,
    layers: Vec<LayerRow>,
    orders: Vec<OrderRow>,
    series: Vec<SeriesView>,
    runs: Vec<(String, String)>,
    /// The page to go through the epochs with.
    epochs_page: &'static str,
}

#[derive(Serialize)]
struct Svg {
    svg: String,
    #[serde(skip)]
    figure: Option<Figure>,
}

/// One training's figures.
#[derive(Serialize)]
struct SeriesView {
    name: String,
    convergence: Option<Svg>,
    debiased: Option<Svg>,
    movement: Option<Svg>,
    structure: Option<Svg>,
    training: Option<Svg>,
}

#[derive(Serialize)]
struct LayerRow {
    name: String,
    /// By SSC-CKA, debiased SSC-CKA, linear CKA, debiased linear CKA.
    epochs: Vec<EpochCell>,
    first: Shown,
    last: Shown,
}

#[derive(Serialize)]
struct EpochCell {
    value: Shown,
    /// `≤` or `≥` where it is only a bound.
    sign: &'static str,
    interval: String,
}

#[derive(Serialize)]
struct OrderRow {
    label: String,
    rho: Shown,
    rho_interval: String,
    rho_p: Shown,
    tau: Shown,
    tau_p: Shown,
    orders: String,
    sentence: String,
}

impl View {
    fn new(record: &DynamicsRecord) -> Self {
        let names = LayerNames::new(record.layers.iter().map(|l| l.name.clone()).collect());
        let many = record.series.len() > 1;
        let n_epochs = record.series.iter().map(|s| s.epochs.len()).sum();
        let run = |e: &subspect_data::dynamics::EpochRecord| (e.epoch.to_string(), e.run.clone());
        View {
            title: record.series.iter().map(|s| s.name.clone()).collect::<Vec<_>>().join(", "),
            line: format!(
                "{} layers, {} epochs, {} inputs of {}",
                record.layers.len(),
                count(n_epochs),
                count(record.ids.len()),
                record.dataset.name
            ),
            summary: record.summary.clone(),
            warnings: warnings(record),
            command: record.command.clone(),
            threshold: fixed(record.threshold, 2),
            level: fixed(100.0 * record.level, 0),
            over: if many { "seeds (Student’s t)".into() } else { "inputs (bootstrap)".into() },
            many,
            n_epochs,
            settling: settling::draw(record, &names).map(svg),
            layers: (0..names.len()).map(|l| layer_row(record, l)).collect(),
            orders: record.settling.iter().map(order_row).collect(),
            series: record.series.iter().enumerate().map(|(k, s)| series(record, s, k, &names)).collect(),
            runs: record.series.iter().flat_map(|s| s.epochs.iter().map(run)).collect(),
            epochs_page: EPOCHS_PAGE,
        }
    }

    fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.settling
            .iter()
            .chain(self.series.iter().flat_map(SeriesView::svgs))
            .filter_map(|s| s.figure.as_ref())
    }
}

impl SeriesView {
    fn svgs(&self) -> impl Iterator<Item = &Svg> {
        let all = [&self.convergence, &self.debiased, &self.movement, &self.structure, &self.training];
        all.into_iter().filter_map(Option::as_ref)
    }
}

fn svg(figure: Figure) -> Svg {
    Svg { svg: figure.svg.clone(), figure: Some(figure) }
}

fn warnings(record: &DynamicsRecord) -> Vec<String> {
    let partial = (record.state == RunState::Partial)
        .then(|| "Not every epoch is in it: repeat the command to go on.".to_owned());
    partial.into_iter().chain(record.warnings.iter().cloned()).collect()
}

fn series(
    record: &DynamicsRecord,
    series: &subspect_data::dynamics::SeriesRecord,
    k: usize,
    names: &LayerNames,
) -> SeriesView {
    let stem = |name: &str| if k == 0 { name.to_owned() } else { format!("{name}-{}", k + 1) };
    SeriesView {
        name: series.name.clone(),
        convergence: curves::convergence(record, series, "biased", stem("convergence"), names).map(svg),
        debiased: curves::convergence(record, series, "debiased", stem("convergence-debiased"), names)
            .map(svg),
        movement: curves::movement(series, stem("movement"), names).map(svg),
        structure: structure::draw(series, stem("modularity-by-epoch"), names).map(svg),
        training: curves::training(series, stem("training")).map(svg),
    }
}

fn layer_row(record: &DynamicsRecord, l: usize) -> LayerRow {
    let modularity = |epoch: Option<&subspect_data::dynamics::EpochRecord>| {
        let value = epoch.and_then(|e| e.layers[l].measures.get("modularity").copied());
        value.map_or(Shown::status(subspect_linalg::Status::NotExecuted), |v| Shown::fixed(v, 3))
    };
    let first = record.series.first();
    LayerRow {
        name: record.layers[l].name.clone(),
        epochs: record.settling.iter().map(|s| epoch_cell(&s.layers[l])).collect(),
        first: modularity(first.and_then(|s| s.epochs.first())),
        last: modularity(first.and_then(|s| s.epochs.last())),
    }
}

fn epoch_cell(s: &SettlingEpoch) -> EpochCell {
    let interval = match (s.lo.value(), s.hi.value()) {
        (Some(lo), Some(hi)) => format!("{} to {}", fixed(lo, 1), fixed(hi, 1)),
        _ => String::new(),
    };
    let sign = match s.censored {
        Censored::No => "",
        Censored::ByFirst => "\u{2264} ",
        Censored::AtLast => "\u{2265} ",
        Censored::Mixed => "\u{2248} ",
    };
    EpochCell { value: Shown::fixed(s.epoch, 1), sign, interval }
}

fn order_row(s: &SettlingRecord) -> OrderRow {
    let o = &s.order;
    let interval = match (o.spearman.lo.value(), o.spearman.hi.value()) {
        (Some(lo), Some(hi)) => format!("{} to {}", fixed(lo, 2), fixed(hi, 2)),
        _ => String::new(),
    };
    OrderRow {
        label: format!("{}, {}", measure_title(&s.measure), s.estimator),
        rho: Shown::fixed(o.spearman.value, 2),
        rho_interval: interval,
        rho_p: Shown::fixed(o.spearman_p, 4),
        tau: Shown::fixed(o.kendall.value, 2),
        tau_p: Shown::fixed(o.kendall_p, 4),
        orders: format!("{}{}", if o.exact { "all " } else { "" }, count(o.n_permutations)),
        sentence: o.sentence.clone(),
    }
}
