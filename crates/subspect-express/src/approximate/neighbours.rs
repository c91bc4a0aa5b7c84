//! Candidate sets: lasso and elastic net with only a row's `k` nearest neighbours (largest absolute cosine) as atoms.
//!
//! One restricted problem and one scan per row instead of four or five of each. **Not safe**: on pixels the nearest
//! tenth of all inputs holds a row's whole support for one row in sixty and two thirds of its l1 mass, because what
//! helps to express an input, once its nearest neighbours are used, need not be near to it. The scan is still made,
//! so that the certificates are those of the full problem: a row whose support reaches beyond its candidates does not
//! count as converged, and its gap says how much better it could be.
//!
//! Nor does it save much beside the exact solver here: on 5,000 pixel rows at `alpha_ratio` 0.1 it is faster below about
//! 60 candidates only, because a row's Gram entries (`k²` of them) cost more than the rounds that they save.

use subspect_linalg::Dictionary;

use super::{ApproximationInfo, FullProblem};
use crate::panel::for_each_panel;
use crate::problem::Penalty;
use crate::solvers::lasso::Setup;
use crate::target::Targets;
use crate::{ExpressError, Monitor, Solution};

pub(crate) static INFO: ApproximationInfo = ApproximationInfo {
    name: "neighbours",
    summary: "only the nearest neighbours of an input express it; not safe",
    reference: "measured here; compare Peng, Kang, Cheng, CVPR 2015",
    size: "candidates per input",
};

/// Most candidates per row: `8 k²` bytes are held per thread, and beyond this the exact solver is faster.
pub const MAX_NEIGHBOURS: usize = 2048;

pub(crate) fn solve(
    problem: &FullProblem<'_>,
    size: usize,
    monitor: &dyn Monitor,
) -> Result<Solution, ExpressError> {
    let penalty = Penalty::of(&problem.method, "candidate sets of neighbours")?;
    if size > MAX_NEIGHBOURS {
        return Err(ExpressError::Range {
            what: "the number of candidates",
            expected: format!("at most {MAX_NEIGHBOURS}, beyond which the exact solver is faster"),
            found: size as f64,
        });
    }
    let x = problem.x;
    let dictionary = Dictionary::new(x, problem.scale, problem.mode(x.n_rows()))?;
    let grid = [penalty.alpha];
    let setup =
        Setup::new(&dictionary, Targets::Atoms, &grid, penalty.l1_ratio, penalty.positive, &problem.options)
            .confined_to(size);
    for_each_panel(&dictionary, Targets::Atoms, monitor, |rows| {
        setup.solve_panel(rows).into_iter().flatten().collect()
    })
}
