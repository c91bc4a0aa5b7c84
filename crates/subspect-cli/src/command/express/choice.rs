//! `--path`, `--path-points`, `--target-nonzeros` and `--auto`: the table of the path, and the ratio that is taken.

use subspect_express::Method;
use subspect_linalg::MatRef;
use subspect_pipeline::options::short;
use subspect_pipeline::{
    Events, Expression, PathRecord, PathRule, PipelineError, choose_ratio, default_grid, path_record,
};

use crate::command::run::show;
use crate::failure::Failure;
use crate::table::{count, table};

/// Points of the path where neither ratios nor their number are given.
const POINTS: usize = 12;

/// Look at a whole grid of alpha_ratio with warm starts, or let a rule choose one
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Regularisation path")]
pub(crate) struct PathArgs {
    /// Print density, objective and gap at these values of alpha_ratio; nothing is written unless one is chosen
    #[arg(long, value_name = "R1,R2,..", value_delimiter = ',', allow_hyphen_values = true)]
    path: Vec<String>,
    /// The same at K values from 0.5 to 0.01
    #[arg(long, value_name = "K", conflicts_with = "path")]
    path_points: Option<usize>,
    /// Choose the alpha_ratio that gives D non-zeros per row on average
    #[arg(long, value_name = "D", allow_hyphen_values = true)]
    target_nonzeros: Option<f64>,
    /// Choose alpha_ratio by a rule: knee, the bend of density against objective
    #[arg(long, value_name = "RULE", conflicts_with = "target_nonzeros")]
    auto: Option<String>,
}

impl PathArgs {
    /// Whether a path is wanted at all.
    pub(crate) fn is_given(&self) -> bool {
        !self.path.is_empty() || self.path_points.is_some() || self.chooses()
    }

    /// Whether a ratio is to be chosen.
    pub(crate) fn chooses(&self) -> bool {
        self.target_nonzeros.is_some() || self.auto.is_some()
    }

    fn ratios(&self) -> Result<Vec<f64>, Failure> {
        let refuse = |expected: &str, found: &str| -> Failure {
            let (origin, expected) = ("--path".to_owned(), expected.to_owned());
            PipelineError::Option { origin, expected, found: found.to_owned() }.into()
        };
        if !self.path.is_empty() {
            let ratio = |text: &String| match text.trim().parse::<f64>() {
                Ok(r) if r > 0.0 && r <= 1.0 => Ok(r),
                _ => Err(refuse("ratios above 0 and at most 1, separated by commas", text)),
            };
            return self.path.iter().map(ratio).collect();
        }
        match self.path_points {
            Some(n) if n < 2 => Err(PipelineError::Option {
                origin: "--path-points".into(),
                expected: "a whole number, 2 or more".into(),
                found: n.to_string(),
            }
            .into()),
            n => Ok(default_grid(n.unwrap_or(POINTS))),
        }
    }

    fn rule(&self) -> Result<Option<PathRule>, Failure> {
        match (&self.auto, self.target_nonzeros) {
            (Some(name), _) if name == "knee" => Ok(Some(PathRule::Knee)),
            (Some(name), _) => Err(PipelineError::Option {
                origin: "--auto".into(),
                expected: "knee".into(),
                found: name.clone(),
            }
            .into()),
            (None, Some(d)) if d > 0.0 && d.is_finite() => Ok(Some(PathRule::Nonzeros(d))),
            (None, Some(d)) => Err(PipelineError::Option {
                origin: "--target-nonzeros".into(),
                expected: "a number above 0".into(),
                found: short(d),
            }
            .into()),
            (None, None) => Ok(None),
        }
    }

    /// Looks along the path.
    pub(crate) fn look(
        &self,
        x: MatRef<'_, f32>,
        expression: &Expression,
        seed: u64,
        memory: u64,
        events: &dyn Events,
    ) -> Result<Result<PathRecord, PipelineError>, Failure> {
        let (ratios, rule) = (self.ratios()?, self.rule()?);
        Ok(match rule {
            None => path_record(x, expression, &ratios, memory, events),
            Some(rule) => choose_ratio(x, expression, &ratios, rule, seed, memory, events),
        })
    }
}

/// The expression with the ratio that was chosen.
pub(crate) fn with_ratio(expression: &Expression, ratio: f64) -> Result<Expression, PipelineError> {
    let mut parameters = expression.method.parameters();
    parameters.remove("alpha");
    parameters.insert("alpha_ratio".into(), ratio);
    let method = Method::from_parameters(expression.method.name(), &parameters)?;
    Ok(Expression { method, ..expression.clone() })
}

/// The table, and what was chosen.
pub(crate) fn human(path: &PathRecord) -> String {
    let row = |p: &subspect_pipeline::PathPointRecord| {
        let chosen = path.chosen == Some(p.alpha_ratio);
        vec![
            format!("{:.4}", p.alpha_ratio),
            format!("{:.1}", p.nonzeros_per_row),
            show(p.objective, 4),
            p.gap_max.value().map_or_else(|| p.gap_max.to_string(), |g| format!("{g:.1e}")),
            count(p.n_max_iter),
            format!("{:.1}", p.rounds_per_row),
            if chosen { "chosen".into() } else { String::new() },
        ]
    };
    let header = ["alpha_ratio", "nonzeros/row", "objective", "gap", "not converged", "rounds/row", ""];
    let rows: Vec<Vec<String>> = path.points.iter().map(row).collect();
    let mut out = format!(
        "{}\n\n{} rows, {} points, {:.2} s together",
        table(&header, &rows, 0),
        count(path.n_rows),
        path.points.len(),
        path.seconds
    );
    if let (Some(target), Some(false)) = (path.target_nonzeros, path.target_met) {
        out += &format!(
            "\nno alpha_ratio comes within 2 % of {} non-zeros per row: the nearest is taken",
            short(target)
        );
    }
    out
}
