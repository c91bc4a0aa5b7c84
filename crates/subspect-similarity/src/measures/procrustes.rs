//! Orthogonal Procrustes: how close two layers come when one may be rotated and reflected onto the other. With centred
//! activations X, Y and the nuclear norm `n = |Xᵀ Y|_*` (Schönemann 1966; Ding, Denain & Steinhardt 2021):
//!
//! - score `n / (|X| |Y|)`, squared distance `2 - 2 score` and angle `arccos score` of the layers scaled to length 1;
//! - unscaled: `|X|² + |Y|² - 2 n`, the squared distance as they are.
//!
//! Close layers are aligned explicitly and the difference is summed, so that no distance is rounding error or negative.
//! Keeps `16 N r` bytes per layer; `O(r³)` per pair.

use subspect_linalg::{Matrix, Measured, Status, singular_values, thin_svd};

use crate::SimilarityError;
use crate::compare::Compute;
use crate::factor::{Factor, bytes, product, transposed};
use crate::measures::info::{EUCLIDEAN, Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::Activations;

const REFERENCE: &str =
    "Schönemann, Psychometrika 1966; Ding, Denain & Steinhardt, NeurIPS 2021; Williams et al., NeurIPS 2021";

/// Squared distances below this share of `|X|² + |Y|²` are taken from the aligned layers.
const CLOSE: f64 = 1e-4;

pub(super) static SCORE: MeasureInfo = MeasureInfo {
    name: "procrustes_score",
    summary: "cosine of two layers after the best rotation",
    reference: REFERENCE,
    kind: Kind::Similarity,
    range: "0 to 1",
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[],
    compute: Compute::Activations(|layers, task| grid(layers, task, true, score)),
};

pub(super) static SQUARED: MeasureInfo = MeasureInfo {
    name: "procrustes",
    summary: "squared distance of two layers of length 1 after the best rotation",
    reference: REFERENCE,
    kind: Kind::Distance,
    range: "0 to 2",
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[],
    compute: Compute::Activations(|layers, task| grid(layers, task, true, |a, b| sums(a, b).map(|s| s.0))),
};

pub(super) static ANGULAR: MeasureInfo = MeasureInfo {
    name: "procrustes_angular",
    summary: "angle between two layers after the best rotation",
    reference: REFERENCE,
    kind: Kind::Distance,
    range: "0 to pi/2",
    metric: true,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[],
    compute: Compute::Activations(|layers, task| grid(layers, task, true, angle)),
};

pub(super) static UNSCALED: MeasureInfo = MeasureInfo {
    name: "procrustes_unscaled",
    summary: "squared distance of two layers after the best rotation, at their own scale",
    reference: REFERENCE,
    kind: Kind::Distance,
    range: "0 and up, in squared units of the activations",
    metric: false,
    symmetric: true,
    invariances: &[Invariance::JointPermutation, Invariance::Translation, Invariance::OrthogonalMap],
    parameters: &[],
    compute: Compute::Activations(|layers, task| grid(layers, task, false, |a, b| sums(a, b).map(|s| s.0))),
};

/// `diag(s) Uᵀ`, `r x N`, and its squared length.
struct Shape {
    coordinates: Matrix<f64>,
    squared: f64,
}

fn grid(
    layers: &[Activations<'_>],
    task: &Task<'_>,
    scaled: bool,
    value: fn(&Shape, &Shape) -> Result<f64, Status>,
) -> Result<Grid, SimilarityError> {
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| bytes(&layers[l]),
        prepare: &|l| shape(layers[l], scaled),
        compare: &|a: &Shape, b| value(a, b).map_or_else(Measured::from, Measured::finite),
    }
    .run(task)
}

fn shape(x: Activations<'_>, scaled: bool) -> Result<Shape, Status> {
    let mut factor = Factor::of(x)?;
    let length = factor.s.iter().map(|s| s * s).sum::<f64>().sqrt();
    let divisor = if scaled { length } else { factor.factor };
    factor.s.iter_mut().for_each(|s| *s /= divisor);
    let squared = if scaled { 1.0 } else { factor.s.iter().map(|s| s * s).sum() };
    Ok(Shape { coordinates: factor.coordinates(), squared })
}

fn cross(a: &Shape, b: &Shape) -> Matrix<f64> {
    product(a.coordinates.as_ref(), b.coordinates.as_ref())
}

fn score(a: &Shape, b: &Shape) -> Result<f64, Status> {
    Ok(singular_values(cross(a, b).as_ref()).ok_or(Status::NotConverged)?.iter().sum())
}

fn angle(a: &Shape, b: &Shape) -> Result<f64, Status> {
    let (difference, sum) = sums(a, b)?;
    Ok(2.0 * difference.sqrt().atan2(sum.sqrt()))
}

/// `|X - Y|²` and `|X + Y|²` after the best rotation.
fn sums(a: &Shape, b: &Shape) -> Result<(f64, f64), Status> {
    let (both, nuclear) = (a.squared + b.squared, score(a, b)?);
    if both - 2.0 * nuclear > CLOSE * both {
        return Ok((both - 2.0 * nuclear, both + 2.0 * nuclear));
    }
    let svd = thin_svd(cross(a, b).as_ref()).ok_or(Status::NotConverged)?;
    let (ours, rest) = aligned(a, &svd.u);
    let (theirs, other_rest) = aligned(b, &svd.v);
    let pairs = || ours.data().iter().zip(theirs.data());
    let difference: f64 = pairs().map(|(x, y)| (x - y) * (x - y)).sum();
    let sum: f64 = pairs().map(|(x, y)| (x + y) * (x + y)).sum();
    Ok((difference + rest + other_rest, sum + rest + other_rest))
}

/// The shape in the coordinates of its matched directions (columns of `basis`), and the squared length of what lies
/// outside of them.
fn aligned(shape: &Shape, basis: &Matrix<f64>) -> (Matrix<f64>, f64) {
    let inputs = transposed(&shape.coordinates);
    let matched = product(transposed(basis).as_ref(), inputs.as_ref());
    if basis.n_cols() == basis.n_rows() {
        return (matched, 0.0);
    }
    let inside = product(basis.as_ref(), transposed(&matched).as_ref());
    let outside = shape.coordinates.data().iter().zip(inside.data()).map(|(x, y)| (x - y) * (x - y)).sum();
    (matched, outside)
}
