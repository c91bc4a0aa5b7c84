//! Approximations, off by default, each with its measured error.
//!
//! Beyond `N = 100,000` or `D = 10,000` the exact answer costs more than it may be worth. Three ways to pay less, one
//! file each, and the list [`APPROXIMATIONS`]. None of them is safe by itself: [`measure_error`] solves a sample of
//! rows exactly on the full data and says what was lost.
//!
//! To add one: a new file with an `INFO` and a `solve`, a line in [`APPROXIMATIONS`], a variant of [`Approximation`]
//! and its arm in [`solve_approximately`].

mod error;
mod landmarks;
mod neighbours;
mod projection;

use subspect_linalg::{MatRef, MemoryMode, RowScale, Seed};

pub use error::{ApproximationError, measure_error, sample_rows};
pub use landmarks::furthest_first;
pub use neighbours::MAX_NEIGHBOURS;
pub use projection::project;

use crate::{ExpressError, Method, Monitor, Solution, SolveOptions};

/// One entry of the list of approximations.
#[derive(Debug)]
pub struct ApproximationInfo {
    /// Name in the command line and in records.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// What its size counts.
    pub size: &'static str,
}

/// All approximations.
pub static APPROXIMATIONS: &[&ApproximationInfo] = &[&projection::INFO, &landmarks::INFO, &neighbours::INFO];

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approximation {
    /// Rows projected at random to `size` features.
    Projection {
        /// Features that are left.
        size: usize,
    },
    /// Only `size` landmarks serve as atoms.
    Landmarks {
        /// Atoms that are left.
        size: usize,
    },
    /// Every row uses only its `size` nearest neighbours.
    Neighbours {
        /// Candidates per row.
        size: usize,
    },
}

impl Approximation {
    /// An approximation from its name in the list.
    ///
    /// # Errors
    /// An unknown name, or a size of 0.
    pub fn from_name(name: &str, size: usize) -> Result<Self, ExpressError> {
        if size == 0 {
            let what = "the size of an approximation";
            return Err(ExpressError::Range {
                what,
                expected: "a whole number of at least 1".into(),
                found: 0.0,
            });
        }
        match name {
            "projection" => Ok(Self::Projection { size }),
            "landmarks" => Ok(Self::Landmarks { size }),
            "neighbours" => Ok(Self::Neighbours { size }),
            _ => Err(ExpressError::UnknownApproximation {
                name: name.to_owned(),
                known: APPROXIMATIONS.iter().map(|a| a.name).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Its name in the list.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Projection { .. } => projection::INFO.name,
            Self::Landmarks { .. } => landmarks::INFO.name,
            Self::Neighbours { .. } => neighbours::INFO.name,
        }
    }

    /// Features, atoms or candidates that are left.
    pub fn size(&self) -> usize {
        match *self {
            Self::Projection { size } | Self::Landmarks { size } | Self::Neighbours { size } => size,
        }
    }
}

/// The full data and how it would be solved.
#[derive(Clone, Copy, Debug)]
pub struct FullProblem<'a> {
    /// Activations, `N x D`.
    pub x: MatRef<'a, f32>,
    /// How rows are scaled.
    pub scale: RowScale,
    /// Bytes within which a Gram matrix is kept.
    pub gram_budget: usize,
    /// Problem and solver.
    pub method: Method,
    /// When a row has converged.
    pub options: SolveOptions,
}

impl FullProblem<'_> {
    fn mode(&self, n_atoms: usize) -> MemoryMode {
        MemoryMode::for_budget(n_atoms, self.gram_budget)
    }
}

/// Coefficients (`N x N`, columns are inputs of the full data) by an approximation.
///
/// The certificates are those of the problem that was solved: of the projected rows, of the landmarks alone; with
/// neighbours, of the full problem. Only [`measure_error`] speaks about the full data in every case. An
/// `alpha_ratio` is a share of the `alpha_max` of the problem that was solved, too.
///
/// # Errors
/// As [`crate::solve`]; [`ExpressError::NeedsAlpha`] and a size out of range where an approximation asks for it.
pub fn solve_approximately(
    problem: &FullProblem<'_>,
    approximation: Approximation,
    seed: Seed,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    problem.x.check_finite()?;
    match approximation {
        Approximation::Projection { size } => projection::solve(problem, size, seed, monitor),
        Approximation::Landmarks { size } => landmarks::solve(problem, size, monitor),
        Approximation::Neighbours { size } => neighbours::solve(problem, size, monitor),
    }
}
