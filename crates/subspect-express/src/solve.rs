//! One door to every solver.

use subspect_linalg::{Csr, Dictionary, Measured, Queries, Status};

use crate::panel::{Row, height, stack};
use crate::solvers::{admm, affine, knn, lasso, lrsc, omp, ridge, saini2021};
use crate::target::Targets;
use crate::{Certificate, ExpressError, Method, Monitor, SolveStatus};

/// When a solver may stop. The defaults suit every layer; tests of exactness ask for less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolveOptions {
    /// Largest relative duality gap of a converged row, for methods that are certified.
    pub tol: f64,
    /// Most rounds of the working-set loop per row (admm: rounds of 50 steps).
    pub max_iter: usize,
}

impl Default for SolveOptions {
    fn default() -> Self {
        Self { tol: 1e-6, max_iter: 100 }
    }
}

/// Coefficients and what is known about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// `N x N`, zero diagonal; row `i` expresses input `i` by the others.
    pub coefficients: Csr<f64>,
    /// One per row.
    pub certificates: Vec<Certificate>,
}

impl Solution {
    /// Rows with this status.
    pub fn count(&self, status: SolveStatus) -> usize {
        self.certificates.iter().filter(|c| c.status == status).count()
    }

    /// Sum of the rows' primal objectives.
    pub fn objective(&self) -> Measured {
        let mut sum = 0.0;
        for c in &self.certificates {
            match c.primal {
                Measured::Value(v) => sum += v,
                undefined @ Measured::Undefined(_) => return undefined,
            }
        }
        Measured::finite(sum)
    }

    /// Largest relative duality gap.
    pub fn gap_max(&self) -> Measured {
        self.gaps().map_or_else(Measured::Undefined, |g| Measured::finite(g.last().copied().unwrap_or(0.0)))
    }

    /// Median relative duality gap.
    pub fn gap_median(&self) -> Measured {
        self.gaps().map_or_else(Measured::Undefined, |g| {
            Measured::finite(g.get(g.len() / 2).copied().unwrap_or(0.0))
        })
    }

    /// The rows with these indices.
    fn pick(&self, rows: &[u32]) -> Solution {
        let of = |i: u32| {
            let (cols, values) = self.coefficients.row(i as usize);
            let entries = cols.iter().copied().zip(values.iter().copied()).collect();
            Row { entries, certificate: self.certificates[i as usize] }
        };
        stack(self.coefficients.n_cols(), rows.iter().map(|&i| of(i)))
    }

    /// All rows, in order.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = Row> {
        let Solution { coefficients, certificates } = self;
        certificates.into_iter().enumerate().map(move |(i, certificate)| {
            let (cols, values) = coefficients.row(i);
            Row { entries: cols.iter().copied().zip(values.iter().copied()).collect(), certificate }
        })
    }

    fn gaps(&self) -> Result<Vec<f64>, Status> {
        let mut gaps = Vec::with_capacity(self.certificates.len());
        for c in &self.certificates {
            match c.gap {
                Measured::Value(v) => gaps.push(v),
                Measured::Undefined(status) => return Err(status),
            }
        }
        gaps.sort_by(f64::total_cmp);
        Ok(gaps)
    }
}

/// Expresses every atom of the dictionary by the others, in parallel in the current rayon pool.
///
/// # Errors
/// A parameter out of range, a dense method on too many inputs, or [`ExpressError::Cancelled`].
pub fn solve(
    dictionary: &Dictionary<'_>,
    method: &Method,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    method.check()?;
    match *method {
        Method::Ridge { alpha, affine } => ridge::solve(dictionary, alpha, affine, options, monitor),
        Method::Lrsc { tau } => lrsc::solve(dictionary, tau, options, monitor),
        Method::Admm { alpha, affine } => admm::solve(dictionary, alpha, affine, options, monitor),
        Method::Saini2021 { tau, mu, max_iter, tol } => {
            saini2021::solve(dictionary, tau, mu, max_iter, tol, monitor)
        }
        _ => solve_rows(dictionary, Targets::Atoms, method, options, monitor),
    }
}

/// Expresses other inputs by all atoms of the dictionary (out of sample): row `i` of the result (`Q x N`) expresses
/// query `i`, with a certificate as in sample.
///
/// # Errors
/// As [`solve`]; [`ExpressError::InSampleOnly`] for methods whose coefficients exist only for the atoms together.
pub fn express_others(
    dictionary: &Dictionary<'_>,
    queries: &Queries<'_>,
    method: &Method,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    method.check()?;
    solve_rows(dictionary, Targets::Others(queries), method, options, monitor)
}

/// Expresses only these atoms, each by all others: row `k` of the result expresses atom `rows[k]`, as [`solve`] would.
/// Methods whose rows hang together are solved for all atoms.
///
/// # Errors
/// As [`solve`]; a row out of range.
pub fn express_rows(
    dictionary: &Dictionary<'_>,
    rows: &[u32],
    method: &Method,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    method.check()?;
    let targets = Targets::some(dictionary, rows)?;
    match solve_rows(dictionary, targets, method, options, monitor) {
        Err(ExpressError::InSampleOnly { .. }) => Ok(solve(dictionary, method, options, monitor)?.pick(rows)),
        solved => solved,
    }
}

/// Expresses only the atoms `start..end`, each by all others: the same bits as these rows of [`solve`], wherever and in
/// whichever order the blocks are solved. `start` is a multiple of [`crate::panel_height`], and so is `end` unless it is N.
///
/// # Errors
/// As [`solve`]; a block that is not made of whole panels; [`ExpressError::InSampleOnly`] for methods whose rows hang
/// together.
pub fn express_range(
    dictionary: &Dictionary<'_>,
    rows: std::ops::Range<usize>,
    method: &Method,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    method.check()?;
    let (n, height) = (dictionary.n_atoms(), height(dictionary));
    let refuse =
        |what, expected, found: usize| Err(ExpressError::Range { what, expected, found: found as f64 });
    if rows.start > rows.end || !rows.start.is_multiple_of(height) {
        let expected = format!("a multiple of {height}, the rows of a panel, before the block's end");
        return refuse("the start of a block", expected, rows.start);
    }
    if rows.end > n || !(rows.end.is_multiple_of(height) || rows.end == n) {
        return refuse(
            "the end of a block",
            format!("a multiple of {height}, or {n}, the number of inputs"),
            rows.end,
        );
    }
    solve_rows(dictionary, Targets::Range(rows.start, rows.end), method, options, monitor)
}

/// The methods that solve row by row.
fn solve_rows(
    dictionary: &Dictionary<'_>,
    targets: Targets<'_>,
    method: &Method,
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    match *method {
        Method::Lasso { alpha, positive, affine: true } => {
            affine::solve(dictionary, targets, alpha, 1.0, positive, options, monitor)
        }
        Method::ElasticNet { alpha, l1_ratio, positive, affine: true } => {
            affine::solve(dictionary, targets, alpha, l1_ratio, positive, options, monitor)
        }
        Method::Lasso { alpha, positive, affine: false } => {
            lasso::solve(dictionary, targets, alpha, 1.0, positive, options, monitor)
        }
        Method::ElasticNet { alpha, l1_ratio, positive, affine: false } => {
            lasso::solve(dictionary, targets, alpha, l1_ratio, positive, options, monitor)
        }
        Method::Omp { n_nonzero_coefs, tol, positive } => {
            omp::solve(dictionary, targets, n_nonzero_coefs, tol, positive, monitor)
        }
        Method::Knn { n_neighbors } => knn::solve(dictionary, targets, n_neighbors, monitor),
        Method::Ridge { .. } | Method::Lrsc { .. } | Method::Admm { .. } | Method::Saini2021 { .. } => {
            Err(ExpressError::InSampleOnly { method: method.name() })
        }
    }
}
