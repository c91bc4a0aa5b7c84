//! Mean overlap of nearest neighbours: for each input, the k others with the largest cosine in each layer, and the
//! Jaccard index `|A ∩ B| / |A ∪ B|` of the two sets, averaged over inputs.
//!
//! Neighbours at equal cosine are taken by position: with duplicated inputs at the k-th place the value depends on the
//! order of the inputs. `4 N k` bytes per layer kept, `O(N² D)` per layer.

use rayon::prelude::*;
use subspect_linalg::{Measured, Status};

use crate::compare::Compute;
use crate::measures::info::{Invariance, Kind, MeasureInfo};
use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::{Activations, Form, Rows, gram_bytes};
use crate::{Domain, ParameterInfo, SimilarityError, Value};

const N_NEIGHBORS: ParameterInfo = ParameterInfo {
    name: "n_neighbors",
    default: Value::Number(10.0),
    domain: Domain::count(1.0),
    summary: "nearest neighbours of an input, by cosine",
};

pub(super) static KNN_JACCARD: MeasureInfo = MeasureInfo {
    name: "knn_jaccard",
    summary: "mean overlap of the inputs' nearest neighbours by cosine",
    reference: "Jaccard 1912; Klabunde et al., ACM Computing Surveys 2025",
    kind: Kind::Similarity,
    range: "0 to 1; k / (2 (N - 1) - k) or so for unrelated layers",
    metric: true,
    symmetric: true,
    invariances: &[Invariance::JointPermutation, Invariance::IsotropicScaling, Invariance::OrthogonalMap],
    parameters: &[N_NEIGHBORS],
    compute: Compute::Activations(grid),
};

fn grid(layers: &[Activations<'_>], task: &Task<'_>) -> Result<Grid, SimilarityError> {
    let k = task.parameters.number(&N_NEIGHBORS) as usize;
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| gram_bytes(&layers[l]),
        prepare: &|l| neighbours(layers[l], k),
        compare: &|a: &Vec<u32>, b| mean_overlap(a, b, k),
    }
    .run(task)
}

/// The k nearest others of every input, `N x k`, each row in ascending order.
fn neighbours(x: Activations<'_>, k: usize) -> Result<Vec<u32>, Status> {
    // With k = N - 1 every set holds all others, and all layers look the same.
    if x.n_rows() < k.saturating_add(2) {
        return Err(Status::NTooSmall);
    }
    let squared = Rows::new(x, Form::Unit)?.squared_distances();
    let nearest = |i: usize| {
        let row = squared.row(i);
        let mut others: Vec<u32> = (0..row.len() as u32).filter(|&j| j as usize != i).collect();
        let nearer = |a: &u32, b: &u32| row[*a as usize].total_cmp(&row[*b as usize]).then(a.cmp(b));
        others.select_nth_unstable_by(k - 1, nearer);
        others.truncate(k);
        others.sort_unstable();
        others
    };
    Ok((0..squared.n_rows()).into_par_iter().flat_map_iter(nearest).collect())
}

fn mean_overlap(a: &[u32], b: &[u32], k: usize) -> Measured {
    let overlap = |(a, b): (&[u32], &[u32])| {
        let common = a.iter().filter(|j| b.binary_search(j).is_ok()).count();
        common as f64 / (2 * k - common) as f64
    };
    let n = a.len() / k;
    Measured::finite(a.chunks_exact(k).zip(b.chunks_exact(k)).map(overlap).sum::<f64>() / n as f64)
}
