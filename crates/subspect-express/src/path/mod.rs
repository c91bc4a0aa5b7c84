//! The regularisation path: the same rows at a whole grid of `alpha_ratio`, and the choice of one.
//!
//! Every row runs down the grid, densest last, before the next row starts. From point to point it keeps its working
//! set, its coefficients and the Gram entries that belong to them, and the atoms that the smaller alpha lets in are
//! read off the last scan, so that most points need one or two rounds instead of four or five. Every point is solved
//! and certified like a single solve: the path saves time and changes no answer beyond the tolerance.
//!
//! Density is what users tune: [`choose_density`] finds the ratio for a mean number of non-zeros per row, [`knee`]
//! the bend of the trade-off between density and objective.
//!
//! Related: Friedman, Hastie, Tibshirani, "Regularization paths for generalized linear models via coordinate
//! descent", J. Stat. Softw. 2010 (warm starts along a grid).

mod choice;

use subspect_linalg::{Dictionary, Measured};

pub use choice::{DensityChoice, DensityTarget, choose_density, knee};

use crate::panel::{map_panels, stack};
use crate::problem::Penalty;
use crate::solvers::lasso::Setup;
use crate::target::Targets;
use crate::{Alpha, ExpressError, Method, Monitor, Solution, SolveOptions, SolveStatus};

/// All rows at one point of the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPoint {
    /// `alpha / alpha_max` of every row.
    pub ratio: f64,
    /// As [`crate::solve`] returns it.
    pub solution: Solution,
}

/// Consecutive rows at one point of the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct PathBlock {
    /// Index into the descending grid.
    pub point: usize,
    /// Row of the result that the block starts with.
    pub first_row: usize,
    /// Coefficients and certificates of these rows.
    pub solution: Solution,
}

/// What is known about one point of the grid without its coefficients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathSummary {
    /// `alpha / alpha_max` of every row.
    pub ratio: f64,
    /// Rows.
    pub n_rows: usize,
    /// Mean number of non-zero coefficients per row.
    pub nonzeros_per_row: f64,
    /// Sum of the rows' primal objectives.
    pub objective: Measured,
    /// Largest relative duality gap.
    pub gap_max: Measured,
    /// Rows that missed the tolerance.
    pub n_max_iter: usize,
    /// Mean number of rounds per row at this point: what the point cost after the one before.
    pub rounds_per_row: f64,
}

impl PathPoint {
    /// The point without its coefficients.
    pub fn summary(&self) -> PathSummary {
        summarize(self.ratio, &[Part::of(&self.solution)])
    }
}

/// `n` ratios from `densest` to `sparsest` in equal steps of their logarithm, densest last.
pub fn log_grid(sparsest: f64, densest: f64, n: usize) -> Vec<f64> {
    let step = (densest / sparsest).ln() / n.saturating_sub(1).max(1) as f64;
    (0..n).map(|k| if k + 1 == n && n > 1 { densest } else { sparsest * (step * k as f64).exp() }).collect()
}

/// Solves every row (or the given ones, in their order) at every ratio. The ratios are taken in descending order,
/// whatever their order here, and so is the result; `method` gives the problem (lasso or elastic net), its own alpha
/// is not used. Holds the coefficients of all points; see [`path_blocks`] and [`path_summaries`].
///
/// # Errors
/// Another method, a ratio outside (0, 1], a row out of range, or [`ExpressError::Cancelled`].
pub fn path(
    dictionary: &Dictionary<'_>,
    rows: Option<&[u32]>,
    method: &Method,
    ratios: &[f64],
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<PathPoint>, ExpressError> {
    let grid = descending(ratios)?;
    let panels = walk(dictionary, rows, method, &grid, options, monitor, |_, points| points)?;
    let mut columns: Vec<Vec<Solution>> = grid.iter().map(|_| Vec::with_capacity(panels.len())).collect();
    for panel in panels {
        columns.iter_mut().zip(panel).for_each(|(column, block)| column.push(block));
    }
    let join = |blocks: Vec<Solution>| {
        let rows = blocks.into_iter().flat_map(|b| b.into_rows());
        stack(dictionary.n_atoms(), rows)
    };
    Ok(grid.into_iter().zip(columns).map(|(ratio, c)| PathPoint { ratio, solution: join(c) }).collect())
}

/// The same, handing every block of rows on as soon as it is solved, so that only a few panels are held: `sink` is
/// called from several threads, in any order of the blocks.
///
/// # Errors
/// As [`path`].
pub fn path_blocks(
    dictionary: &Dictionary<'_>,
    rows: Option<&[u32]>,
    method: &Method,
    ratios: &[f64],
    options: &SolveOptions,
    monitor: &dyn Monitor,
    sink: &(dyn Fn(PathBlock) + Sync),
) -> Result<(), ExpressError> {
    let grid = descending(ratios)?;
    walk(dictionary, rows, method, &grid, options, monitor, |first_row, points| {
        for (point, solution) in points.into_iter().enumerate() {
            sink(PathBlock { point, first_row, solution });
        }
    })
    .map(|_| ())
}

/// The same without coefficients: memory does not grow with the length of the grid.
///
/// # Errors
/// As [`path`].
pub fn path_summaries(
    dictionary: &Dictionary<'_>,
    rows: Option<&[u32]>,
    method: &Method,
    ratios: &[f64],
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<PathSummary>, ExpressError> {
    let grid = descending(ratios)?;
    let panels = walk(dictionary, rows, method, &grid, options, monitor, |_, points| {
        points.iter().map(Part::of).collect::<Vec<Part>>()
    })?;
    let column = |k: usize| panels.iter().map(|p| p[k]).collect::<Vec<Part>>();
    Ok(grid.iter().enumerate().map(|(k, &ratio)| summarize(ratio, &column(k))).collect())
}

/// Runs every row down the grid and gives `each` the blocks of a panel, one per point.
fn walk<T: Send>(
    dictionary: &Dictionary<'_>,
    rows: Option<&[u32]>,
    method: &Method,
    grid: &[f64],
    options: &SolveOptions,
    monitor: &dyn Monitor,
    each: impl Fn(usize, Vec<Solution>) -> T + Sync,
) -> Result<Vec<T>, ExpressError> {
    let penalty = Penalty::of(method, "a regularisation path")?;
    let targets = match rows {
        None => Targets::Atoms,
        Some(rows) => Targets::some(dictionary, rows)?,
    };
    let alphas: Vec<Alpha> = grid.iter().map(|&r| Alpha::Ratio(r)).collect();
    let setup = Setup::new(dictionary, targets, &alphas, penalty.l1_ratio, penalty.positive, options);
    map_panels(dictionary, targets, monitor, |rows| {
        let first = rows.start;
        let mut solved: Vec<_> = setup.solve_panel(rows).into_iter().map(Vec::into_iter).collect();
        let points = (0..grid.len())
            .map(|_| stack(dictionary.n_atoms(), solved.iter_mut().filter_map(Iterator::next)))
            .collect();
        each(first, points)
    })
}

fn descending(ratios: &[f64]) -> Result<Vec<f64>, ExpressError> {
    let refuse = |found| {
        Err(ExpressError::Range { what: "every ratio of a path", expected: "in (0, 1]".into(), found })
    };
    if let Some(&found) = ratios.iter().find(|r| !(**r > 0.0 && **r <= 1.0)) {
        return refuse(found);
    }
    let mut grid = ratios.to_vec();
    grid.sort_by(|a, b| b.total_cmp(a));
    grid.dedup();
    Ok(grid)
}

/// Sums over some rows.
#[derive(Clone, Copy)]
struct Part {
    n_rows: usize,
    nnz: usize,
    objective: Measured,
    gap_max: Measured,
    n_max_iter: usize,
    rounds: u64,
}

impl Part {
    fn of(solution: &Solution) -> Self {
        Self {
            n_rows: solution.certificates.len(),
            nnz: solution.coefficients.nnz(),
            objective: solution.objective(),
            gap_max: solution.gap_max(),
            n_max_iter: solution.count(SolveStatus::MaxIter),
            rounds: solution.certificates.iter().map(|c| u64::from(c.n_iter)).sum(),
        }
    }
}

fn summarize(ratio: f64, parts: &[Part]) -> PathSummary {
    let combine = |of: fn(&Part) -> Measured, f: fn(f64, f64) -> f64| {
        parts.iter().try_fold(0.0, |acc, p| of(p).value().map(|v| f(acc, v)).ok_or(of(p)))
    };
    let measured = |r: Result<f64, Measured>| r.map_or_else(|undefined| undefined, Measured::finite);
    let n_rows: usize = parts.iter().map(|p| p.n_rows).sum();
    let share = |v: f64| v / n_rows.max(1) as f64;
    PathSummary {
        ratio,
        n_rows,
        nonzeros_per_row: share(parts.iter().map(|p| p.nnz).sum::<usize>() as f64),
        objective: measured(combine(|p| p.objective, |a, b| a + b)),
        gap_max: measured(combine(|p| p.gap_max, f64::max)),
        n_max_iter: parts.iter().map(|p| p.n_max_iter).sum(),
        rounds_per_row: share(parts.iter().map(|p| p.rounds).sum::<u64>() as f64),
    }
}
