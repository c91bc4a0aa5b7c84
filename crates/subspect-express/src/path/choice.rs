//! Which point of the path to take.
//!
//! **Density.** The mean number of non-zeros per row grows, up to small local reversals, as `alpha_ratio` falls. The
//! crossing of the target is bracketed on a coarse grid and the bracket cut to a quarter per round by a path of three
//! interior points, equally spaced in the logarithm.
//!
//! **Knee.** Along the grid let `t = ln ratio`, `x(t)` the density and `y(t)` the objective, both divided by their
//! range over the grid. The plane curve `(x, y)` falls steeply while a few atoms explain much and flattens where many
//! explain little. Its curvature `κ = (x' y'' - y' x'') / (x'² + y'²)^{3/2}`, with derivatives by finite differences
//! on the three neighbouring points, is largest at the bend: the L-curve criterion (Hansen, "Analysis of discrete
//! ill-posed problems by means of the L-curve", SIAM Review 1992), with density in the place of the solution's norm.

use subspect_linalg::Dictionary;

use super::{PathSummary, log_grid, path_summaries};
use crate::{ExpressError, Method, Monitor, SolveOptions};

/// Points in the bracket per round.
const INTERIOR: usize = 3;
/// Rounds of refinement: the bracket shrinks by 4^10.
const ROUNDS: usize = 10;
/// Densest ratio that is tried.
const LEAST_RATIO: f64 = 1e-5;

/// A wanted density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DensityTarget {
    /// Mean number of non-zeros per row.
    pub nonzeros_per_row: f64,
    /// Largest relative deviation from it.
    pub tolerance: f64,
}

/// The ratio that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityChoice {
    /// The point closest to the target.
    pub chosen: PathSummary,
    /// Whether it is within the tolerance. Not so when the target lies beyond what the dictionary can give, or where
    /// the density jumps.
    pub met: bool,
    /// Every point that was looked at, densest last.
    pub looked_at: Vec<PathSummary>,
}

/// Finds the `alpha_ratio` at which rows have as many non-zeros as wanted, on all rows or on the given ones (a
/// sample is enough where N is large), starting from `ratios`.
///
/// # Errors
/// As [`super::path`]; a target that is not above 0, or no ratio.
pub fn choose_density(
    dictionary: &Dictionary<'_>,
    rows: Option<&[u32]>,
    method: &Method,
    target: DensityTarget,
    ratios: &[f64],
    options: &SolveOptions,
    monitor: &dyn Monitor,
) -> Result<DensityChoice, ExpressError> {
    let wanted = target.nonzeros_per_row;
    let refuse =
        |what, expected: &str, found| Err(ExpressError::Range { what, expected: expected.into(), found });
    if !(wanted > 0.0 && wanted.is_finite()) {
        return refuse("the target density", "a number above 0", wanted);
    }
    if ratios.is_empty() {
        return refuse("the number of ratios", "at least 1", 0.0);
    }
    let look = |grid: &[f64]| path_summaries(dictionary, rows, method, grid, options, monitor);
    let mut points = look(ratios)?;
    for _ in 0..ROUNDS {
        let best = closest(&points, wanted);
        if (best.nonzeros_per_row - wanted).abs() <= target.tolerance * wanted {
            break;
        }
        let Some((sparser, denser)) = bracket(&points, wanted) else { break };
        let grid = log_grid(sparser, denser, INTERIOR + 2);
        points.extend(look(&grid[1..=INTERIOR])?);
        points.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    }
    let chosen = *closest(&points, wanted);
    let met = (chosen.nonzeros_per_row - wanted).abs() <= target.tolerance * wanted;
    Ok(DensityChoice { chosen, met, looked_at: points })
}

fn closest(points: &[PathSummary], wanted: f64) -> &PathSummary {
    let off = |p: &PathSummary| (p.nonzeros_per_row - wanted).abs();
    let mut best = &points[0];
    for p in points {
        if off(p) < off(best) {
            best = p;
        }
    }
    best
}

/// Two ratios between which the target is crossed; beyond the grid, the next stretch there. `None` at the end.
fn bracket(points: &[PathSummary], wanted: f64) -> Option<(f64, f64)> {
    let crossing = points.iter().position(|p| p.nonzeros_per_row >= wanted);
    let (sparser, denser) = match crossing {
        Some(0) => (1.0, points[0].ratio),
        Some(k) => (points[k - 1].ratio, points[k].ratio),
        None => {
            let last = points[points.len() - 1].ratio;
            // The outermost interior point then lies a decade on.
            (last, (last * 0.05).max(LEAST_RATIO))
        }
    };
    (sparser / denser > 1.0 + 1e-6).then_some((sparser, denser))
}

/// Index of the point with the largest curvature; `None` without a bend (fewer than three points, or all alike).
pub fn knee(points: &[PathSummary]) -> Option<usize> {
    let objectives: Option<Vec<f64>> = points.iter().map(|p| p.objective.value()).collect();
    let x = in_range(&points.iter().map(|p| p.nonzeros_per_row).collect::<Vec<f64>>())?;
    let y = in_range(&objectives?)?;
    let t: Vec<f64> = points.iter().map(|p| -p.ratio.ln()).collect();
    let mut best: Option<(f64, usize)> = None;
    for k in 1..points.len().saturating_sub(1) {
        let (dx, ddx) = derivatives(&t[k - 1..=k + 1], &x[k - 1..=k + 1]);
        let (dy, ddy) = derivatives(&t[k - 1..=k + 1], &y[k - 1..=k + 1]);
        let speed = (dx * dx + dy * dy).powf(1.5);
        let curvature = (dx * ddy - dy * ddx) / speed;
        if speed > 0.0 && curvature > best.map_or(0.0, |b| b.0) {
            best = Some((curvature, k));
        }
    }
    best.map(|b| b.1)
}

/// Values moved and scaled to [0, 1].
fn in_range(values: &[f64]) -> Option<Vec<f64>> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let range = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
    (range > 0.0).then(|| values.iter().map(|v| (v - least) / range).collect())
}

/// First and second derivative of the parabola through three points, at the middle one.
fn derivatives(t: &[f64], v: &[f64]) -> (f64, f64) {
    let (before, after) = (t[1] - t[0], t[2] - t[1]);
    let (left, right) = ((v[1] - v[0]) / before, (v[2] - v[1]) / after);
    let first = (left * after + right * before) / (before + after);
    (first, 2.0 * (right - left) / (before + after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use subspect_linalg::Measured;

    fn point(ratio: f64, nonzeros_per_row: f64, objective: f64) -> PathSummary {
        PathSummary {
            ratio,
            n_rows: 1,
            nonzeros_per_row,
            objective: Measured::finite(objective),
            gap_max: Measured::finite(0.0),
            n_max_iter: 0,
            rounds_per_row: 1.0,
        }
    }

    /// On `x y = 1`, symmetric in the two axes, the bend is at (1, 1).
    #[test]
    fn the_knee_of_a_hyperbola_is_its_vertex() {
        let points: Vec<PathSummary> =
            log_grid(1.0, 0.01, 21).iter().map(|&r| point(r, 0.1 / r, r / 0.1)).collect();
        assert_eq!(knee(&points), Some(10));
        assert!((points[10].ratio - 0.1).abs() < 1e-12);
    }

    #[test]
    fn without_a_bend_there_is_no_knee() {
        assert_eq!(knee(&[]), None);
        assert_eq!(knee(&[point(0.5, 1.0, 1.0), point(0.1, 2.0, 0.5)]), None);
        assert_eq!(knee(&[0.5, 0.2, 0.1].map(|r| point(r, 3.0, 1.0))), None);
        // Ever less gained and ever less paid: bent the other way.
        let convex = [point(1.0, 0.0, 1.0), point(0.5, 0.9, 0.9), point(0.25, 1.0, 0.0)];
        assert_eq!(knee(&convex), None);
    }

    #[test]
    fn brackets_reach_beyond_the_grid_and_end() {
        let points = [point(0.5, 2.0, 1.0), point(0.1, 10.0, 0.5)];
        assert_eq!(bracket(&points, 5.0), Some((0.5, 0.1)));
        assert_eq!(bracket(&points, 1.0), Some((1.0, 0.5)));
        let (sparser, denser) = bracket(&points, 50.0).unwrap();
        assert!(sparser == 0.1 && denser < 0.01);
        assert_eq!(bracket(&[point(LEAST_RATIO, 3.0, 1.0)], 50.0), None);
    }
}
