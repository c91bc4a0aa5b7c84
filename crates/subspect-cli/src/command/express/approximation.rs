//! `--approximate`: coefficients of a cheaper problem, with the error measured on a sample of rows.

use subspect_express::{APPROXIMATIONS, Approximation};
use subspect_pipeline::{ApproximationRecord, PipelineError};

use crate::command::run::show;
use crate::failure::Failure;
use crate::table::count;

/// Solve a cheaper problem and measure what that loses
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Approximation")]
pub(crate) struct ApproximationArgs {
    /// projection (fewer features), landmarks (fewer atoms) or neighbours (fewer candidates per row; not safe)
    #[arg(long, value_name = "HOW", requires = "approximate_size")]
    approximate: Option<String>,
    /// How many features, atoms or candidates are left
    #[arg(long, value_name = "SIZE", requires = "approximate")]
    approximate_size: Option<usize>,
    /// Rows on which the approximation is compared with the exact answer; 0: none [default: 100]
    #[arg(long, value_name = "ROWS", requires = "approximate")]
    check_rows: Option<usize>,
}

impl ApproximationArgs {
    /// The approximation that is wanted, and the rows to check.
    pub(crate) fn wanted(&self) -> Result<Option<(Approximation, usize)>, Failure> {
        let (Some(name), Some(size)) = (&self.approximate, self.approximate_size) else { return Ok(None) };
        if !APPROXIMATIONS.iter().any(|a| a.name == name) {
            let known: Vec<&str> = APPROXIMATIONS.iter().map(|a| a.name).collect();
            return Err(PipelineError::Option {
                origin: "--approximate".into(),
                expected: format!("one of {}", known.join(", ")),
                found: name.clone(),
            }
            .into());
        }
        if size == 0 {
            return Err(PipelineError::Option {
                origin: "--approximate-size".into(),
                expected: "a whole number, 1 or more".into(),
                found: "0".into(),
            }
            .into());
        }
        let approximation = Approximation::from_name(name, size).map_err(PipelineError::from)?;
        Ok(Some((approximation, self.check_rows.unwrap_or(100))))
    }
}

/// What was left out and what it cost.
pub(crate) fn human(record: &ApproximationRecord) -> String {
    let what = APPROXIMATIONS.iter().find(|a| a.name == record.name).map_or("", |a| a.size);
    let head = format!("approximation: {}, {} {what}", record.name, count(record.size));
    let Some(e) = &record.error else {
        return format!("{head}; its error was not measured");
    };
    format!(
        "{head}; against the exact answer on {} rows ({:.2} s):\n  \
         objective above the optimum by {} on average, median {}, at most {} (relative; certified {} on average)\n  \
         {} of the exact support found, {} of its l1 mass; {:.1} non-zeros per row instead of {:.1}",
        count(record.n_checked),
        record.check_seconds,
        show(e.objective_gap_mean, 5),
        show(e.objective_gap_median, 5),
        show(e.objective_gap_max, 5),
        show(e.certified_gap_mean, 5),
        show(e.support_recall, 3),
        show(e.l1_recall, 3),
        e.nonzeros_per_row,
        e.exact_nonzeros_per_row,
    )
}
