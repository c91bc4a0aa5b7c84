//! CKA with Gaussian kernels `exp(-|x_i - x_j|² / (2 sigma²))`. Sigma is a share of the median distance between two
//! different inputs (Kornblith et al. 2019), so that layers of different scale compare, or an absolute length.
//! `4 N²` bytes per layer kept, `O(N² D)` per layer, `O(N²)` per pair.

use subspect_linalg::{Matrix, Status};

use crate::compare::Compute;
use crate::estimator::{ESTIMATOR, chosen};
use crate::kernel_vector::kernel_cka;
use crate::measures::info::{EUCLIDEAN, Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Task};
use crate::rows::{Activations, Form, Rows};
use crate::{Domain, ParameterInfo, SimilarityError, Value};

const SIGMA_RATIO: ParameterInfo = ParameterInfo {
    name: "sigma_ratio",
    default: Value::Number(1.0),
    domain: Domain::POSITIVE,
    summary: "width of the kernel, as a share of the median distance between inputs",
};

const SIGMA: ParameterInfo = ParameterInfo {
    name: "sigma",
    default: Value::Number(1.0),
    domain: Domain::POSITIVE,
    summary: "width of the kernel, in units of the activations",
};

const REFERENCE: &str = "Kornblith, Norouzi, Lee & Hinton, ICML 2019";
const RANGE: &str = "0 to 1 (biased); -1 to 1 (debiased, lange), 0 for independent activations";

pub(super) static RBF_CKA: MeasureInfo = MeasureInfo {
    name: "rbf_cka",
    summary: "CKA with Gaussian kernels, their width relative to the median distance",
    reference: REFERENCE,
    kind: Kind::Similarity,
    range: RANGE,
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN,
    parameters: &[SIGMA_RATIO, ESTIMATOR],
    compute: Compute::Activations(relative),
};

pub(super) static RBF_CKA_ABSOLUTE: MeasureInfo = MeasureInfo {
    name: "rbf_cka_absolute",
    summary: "CKA with Gaussian kernels of one absolute width",
    reference: REFERENCE,
    kind: Kind::Similarity,
    range: RANGE,
    metric: false,
    symmetric: true,
    invariances: &[Invariance::JointPermutation, Invariance::Translation, Invariance::OrthogonalMap],
    parameters: &[SIGMA, ESTIMATOR],
    compute: Compute::Activations(absolute),
};

fn relative(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let ratio = task.parameters.number(&SIGMA_RATIO);
    kernel_cka(layers, chosen(task.parameters), task, &|l| {
        let squared = Rows::new(layers[l], Form::Centred)?.squared_distances();
        let median = median_distance(&squared).filter(|&m| m > 0.0).ok_or(Status::ZeroVariance)?;
        Ok(gaussian(squared, ratio * median))
    })
}

fn absolute(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let sigma = task.parameters.number(&SIGMA);
    kernel_cka(layers, chosen(task.parameters), task, &|l| {
        let rows = Rows::new(layers[l], Form::Centred)?;
        Ok(gaussian(rows.squared_distances(), sigma * rows.factor))
    })
}

fn gaussian(mut squared: Matrix<f64>, sigma: f64) -> Matrix<f64> {
    squared.data_mut().iter_mut().for_each(|v| {
        // One factor after the other: the square of a tiny width would underflow.
        let scaled = v.sqrt() / sigma;
        *v = (-0.5 * scaled * scaled).exp();
    });
    squared
}

/// The median over pairs of different inputs: the mean of the middle two for an even number of pairs.
fn median_distance(squared: &Matrix<f64>) -> Option<f64> {
    let n = squared.n_rows();
    let mut pairs: Vec<f64> = (0..n).flat_map(|i| squared.row(i)[i + 1..].iter().copied()).collect();
    let middle = pairs.len() / 2;
    if pairs.is_empty() {
        return None;
    }
    let even = pairs.len().is_multiple_of(2);
    let (below, upper, _) = pairs.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = upper.sqrt();
    let lower = if even { below.iter().fold(0.0_f64, |top, v| v.max(top)).sqrt() } else { upper };
    Some(0.5 * (lower + upper))
}
