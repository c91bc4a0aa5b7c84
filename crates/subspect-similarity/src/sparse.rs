//! SSC-CKA: CKA whose kernels are the affinity graphs of the layers themselves (Saini et al. 2021).
//!
//! The graphs stay sparse: `<A, B>` needs their common edges only, and centring enters through row sums (see
//! [`KernelMoments`]). `O(L² nnz)` for all pairs of L graphs: every row of every graph is spread into one dense
//! row of N numbers, from which the same rows of the others are gathered.

use rayon::prelude::*;
use subspect_linalg::{Csr, Measured, Status};

use crate::moments::KernelSums;
use crate::{Estimator, KernelMoments, SimilarityError};

/// Rows per task: at least this many, and at most 256 tasks. Depends on N alone, so sums are grouped the same way
/// on any number of threads.
const MIN_ROWS: usize = 64;

/// SSC-CKA of two affinity graphs over the same inputs.
///
/// # Errors
/// When the matrices are not square, not symmetric, or not of the same size.
pub fn ssc_cka(a: &Csr, b: &Csr, estimator: Estimator) -> Result<Measured, SimilarityError> {
    Ok(ssc_moments(&[a, b])?.cka(0, 1, estimator))
}

/// SSC-CKA of all pairs of graphs, `L x L`. Use [`ssc_moments`] to get both estimators from one pass.
///
/// # Errors
/// As [`ssc_cka`].
pub fn ssc_cka_matrix(graphs: &[&Csr], estimator: Estimator) -> Result<Vec<Vec<Measured>>, SimilarityError> {
    Ok(ssc_moments(graphs)?.cka_matrix(estimator))
}

/// The moments of a set of affinity graphs, in the current thread pool.
///
/// # Errors
/// As [`ssc_cka`].
pub fn ssc_moments(graphs: &[&Csr]) -> Result<KernelMoments, SimilarityError> {
    check(graphs)?;
    let n = graphs.first().map_or(0, |g| g.n_rows());
    let n_graphs = graphs.len();
    let step = MIN_ROWS.max(n.div_ceil(256));
    let starts: Vec<usize> = (0..n).step_by(step).collect();
    let parts: Vec<Vec<f64>> =
        starts.into_par_iter().map(|start| inner_products(graphs, start, (start + step).min(n))).collect();
    let mut inner = vec![0.0; n_graphs * n_graphs];
    for part in &parts {
        inner.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
    }
    let row_sums = |g: &&Csr| (0..n).map(|i| g.row(i).1.iter().map(|&v| f64::from(v)).sum()).collect();
    let diagonal = |g: &&Csr| (0..n).map(|i| f64::from(g.get(i, i))).collect();
    Ok(KernelMoments::new(KernelSums {
        n,
        inner,
        rows: graphs.iter().map(row_sums).collect(),
        diagonals: graphs.iter().map(diagonal).collect(),
        obstacles: graphs.iter().map(|g| (g.nnz() == 0).then_some(Status::EmptyGraph)).collect(),
    }))
}

/// `<A_l, A_m>` over rows `start..end`, for `l <= m`.
fn inner_products(graphs: &[&Csr], start: usize, end: usize) -> Vec<f64> {
    let n_graphs = graphs.len();
    let mut inner = vec![0.0; n_graphs * n_graphs];
    let mut dense = vec![0.0_f64; graphs[0].n_cols()];
    for i in start..end {
        for l in 0..n_graphs {
            let (cols, values) = graphs[l].row(i);
            cols.iter().zip(values).for_each(|(&j, &v)| dense[j as usize] = f64::from(v));
            for m in l..n_graphs {
                let (cols, values) = graphs[m].row(i);
                inner[l * n_graphs + m] +=
                    cols.iter().zip(values).map(|(&j, &v)| dense[j as usize] * f64::from(v)).sum::<f64>();
            }
            cols.iter().for_each(|&j| dense[j as usize] = 0.0);
        }
    }
    inner
}

pub(crate) fn check(graphs: &[&Csr]) -> Result<(), SimilarityError> {
    for (index, g) in graphs.iter().enumerate() {
        if g.n_rows() != g.n_cols() {
            return Err(SimilarityError::NotSquare { index, n_rows: g.n_rows(), n_cols: g.n_cols() });
        }
        if g.n_rows() != graphs[0].n_rows() {
            let (expected, found) = (graphs[0].n_rows(), g.n_rows());
            return Err(SimilarityError::InputCount { index, expected, found });
        }
    }
    graphs.par_iter().enumerate().map(|(index, g)| check_symmetric(index, g)).collect()
}

fn check_symmetric(index: usize, g: &Csr) -> Result<(), SimilarityError> {
    let t = g.transpose();
    for row in 0..g.n_rows() {
        if g.row(row) != t.row(row) {
            let (ours, theirs) = (g.row(row).0, t.row(row).0);
            let differs = |j: &&u32| g.get(row, **j as usize) != t.get(row, **j as usize);
            let col = ours.iter().chain(theirs).find(differs).map_or(0, |&j| j as usize);
            return Err(SimilarityError::NotSymmetric { index, row, col });
        }
    }
    Ok(())
}
