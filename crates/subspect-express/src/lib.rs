//! Sparse self-expression: every input of a layer written with a few of the others.
//!
//! Given the dictionary of a layer (unit rows `x̂_i`, see [`subspect_linalg::Dictionary`]), row `i` of the result
//! `C` (`N x N`, zero diagonal) solves
//!
//! `min_c 1/2 ||x̂_i - X̂ᵀ c||² + penalty(c)`, `c_i = 0`,
//!
//! or a greedy or closed-form relative of it; `A = |C| + |C|ᵀ` is then the layer's affinity graph. The problems
//! and their sources are listed in [`METHODS`]. Every row comes back with a [`Certificate`] that was recomputed
//! from the returned coefficients in float64: how far from optimal the answer can be, and whether the solver met
//! the tolerance. Not having converged is data, never an error.
//!
//! Pure mathematics: no I/O, no clock, no printing. Rows are solved in parallel in the caller's rayon pool, and
//! the bits of the result do not depend on the number of threads.

mod approximate;
mod certificate;
mod error;
mod method;
mod monitor;
mod panel;
mod path;
mod problem;
mod solve;
mod solvers;
mod target;

pub use approximate::{
    APPROXIMATIONS, Approximation, ApproximationError, ApproximationInfo, FullProblem, MAX_NEIGHBOURS,
    furthest_first, measure_error, project, sample_rows, solve_approximately,
};
pub use certificate::{Certificate, ElasticNetRow, SolveStatus, certify};
pub use error::ExpressError;
pub use method::{Alpha, Method, MethodInfo, ParameterInfo};
pub use monitor::{Monitor, Silent};
pub use panel::panel_height;
pub use path::{
    DensityChoice, DensityTarget, PathBlock, PathPoint, PathSummary, choose_density, knee, log_grid, path,
    path_blocks, path_summaries,
};
pub use solve::{Solution, SolveOptions, express_others, express_range, express_rows, solve};
pub use solvers::METHODS;
