//! Representational similarity analysis: each layer becomes the dissimilarities of all pairs of inputs, and two layers
//! are compared by correlating these (Kriegeskorte et al. 2008).
//!
//! Dissimilarities: `1 - Pearson correlation` of the activations of two inputs, `1 - cosine`, or their Euclidean
//! distance. Comparison: Pearson or Spearman correlation (ties share their mean rank), Kendall's tau-b, or the cosine.
//! `4 N²` bytes per layer kept; Spearman's ranks cost `O(N² log N)` per layer, Kendall's per pair of layers.

use rayon::prelude::*;
use subspect_linalg::Status;
use subspect_statistics::tau_b;

use crate::compare::Compute;
use crate::measures::info::{EUCLIDEAN as EUCLIDEAN_MAPS, Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::{Activations, Form, Rows, gram_bytes};
use crate::unit::{cosine, norm, unit};
use crate::{Domain, ParameterInfo, SimilarityError, Value};

const COMPARISON: ParameterInfo = ParameterInfo {
    name: "comparison",
    default: Value::Word("spearman"),
    domain: Domain::Choice(&["spearman", "pearson", "kendall", "cosine"]),
    summary: "how two layers' dissimilarities are compared",
};

const REFERENCE: &str = "Kriegeskorte, Mur & Bandettini, Frontiers in Systems Neuroscience 2008";
const RANGE: &str = "-1 to 1 (spearman, pearson, kendall); 0 to 1 (cosine)";

pub(super) static CORRELATION: MeasureInfo = MeasureInfo {
    name: "rsa_correlation",
    summary: "correlated dissimilarities, 1 minus the correlation of two inputs' activations",
    reference: REFERENCE,
    kind: Kind::Similarity,
    range: RANGE,
    metric: false,
    symmetric: true,
    invariances: &[Invariance::JointPermutation, Invariance::IsotropicScaling],
    parameters: &[COMPARISON],
    compute: Compute::Activations(|layers, task| grid(layers, task, Form::UnitDeviation)),
};

pub(super) static COSINE: MeasureInfo = MeasureInfo {
    name: "rsa_cosine",
    summary: "correlated dissimilarities, 1 minus the cosine of two inputs' activations",
    reference: REFERENCE,
    kind: Kind::Similarity,
    range: RANGE,
    metric: false,
    symmetric: true,
    invariances: &[Invariance::JointPermutation, Invariance::IsotropicScaling, Invariance::OrthogonalMap],
    parameters: &[COMPARISON],
    compute: Compute::Activations(|layers, task| grid(layers, task, Form::Unit)),
};

pub(super) static EUCLIDEAN: MeasureInfo = MeasureInfo {
    name: "rsa_euclidean",
    summary: "correlated Euclidean distances between inputs",
    reference: REFERENCE,
    kind: Kind::Similarity,
    range: RANGE,
    metric: false,
    symmetric: true,
    invariances: EUCLIDEAN_MAPS,
    parameters: &[COMPARISON],
    compute: Compute::Activations(|layers, task| grid(layers, task, Form::Centred)),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>, form: Form) -> Result<Grid, SimilarityError> {
    let comparison = task.parameters.word(&COMPARISON);
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| gram_bytes(&layers[l]) + 8 * layers[l].n_rows() * layers[l].n_rows(),
        prepare: &|l| dissimilarities(layers[l], form, comparison),
        compare: &|a: &Vec<f64>, b| if comparison == "kendall" { tau_b(a, b) } else { cosine(a, b) },
    }
    .run(task)
}

/// The dissimilarities of all pairs, prepared so that the comparison is a dot product.
fn dissimilarities(x: Activations<'_>, form: Form, comparison: &str) -> Result<Vec<f64>, Status> {
    // One pair of inputs is always perfectly correlated with one pair.
    if x.n_rows() < 3 {
        return Err(Status::NTooSmall);
    }
    let squared = Rows::new(x, form)?.squared_distances();
    let n = squared.n_rows();
    let pairs = (0..n).flat_map(|i| squared.row(i)[i + 1..].iter().copied());
    // Of unit rows, half the squared distance is 1 minus the cosine.
    let mut values: Vec<f64> = match form {
        Form::Centred => pairs.map(f64::sqrt).collect(),
        Form::Unit | Form::UnitDeviation => pairs.map(|v| 0.5 * v).collect(),
    };
    if comparison == "kendall" {
        return Ok(values);
    }
    if comparison == "spearman" {
        values = ranks(&values);
    }
    let size = norm(&values);
    if comparison != "cosine" {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter_mut().for_each(|v| *v -= mean);
    }
    unit(values, size)
}

/// Ranks from 1, the mean rank for equal values.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.par_sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for tied in order.chunk_by(|&a, &b| values[a as usize] == values[b as usize]) {
        let mean = from as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&at| ranks[at as usize] = mean);
        from += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_mean_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert!(ranks(&[]).is_empty());
    }
}
