//! Self-expressions in closed form, as spectral filters of one layer's Gram matrix `K = sum_i s_i v_i v_iᵀ`, and their
//! CKA: `sum_ij f(s_i) f(t_j) <v_i, w_j>² / (|f(s)| |f(t)|)`.
//!
//! K is of centred activations, scaled to mean squared length 1 so that its trace is N and one lambda means the same
//! share of the variance in every layer. The vector of ones is an eigenvector of eigenvalue 0, so C needs no centring.

use subspect_linalg::{Matrix, Status, gram_f64, spd_inverse, symmetric_eigen};

use crate::pairs::{Grid, Pairwise, Task};
use crate::rows::{Activations, Form, Rows, gram_bytes};
use crate::unit::{cosine, norm, packed, unit};
use crate::{Domain, ParameterInfo, SimilarityError, Value};

/// The strength of the filter.
pub(crate) const LAMBDA: ParameterInfo = ParameterInfo {
    name: "lambda",
    default: Value::Number(0.01),
    domain: Domain::Number { min: 1e-10, max: f64::INFINITY, open_min: false, integer: false },
    summary: "penalty per input, as a share of the layer's variance",
};

/// A filtered Gram matrix of one layer.
pub(crate) type Filter = fn(Activations<'_>, f64) -> Result<Matrix<f64>, Status>;

/// CKA of the filtered Gram matrices.
pub(crate) fn grid(
    layers: &[Activations<'_>],
    task: &Task<'_>,
    filter: Filter,
) -> Result<Grid, SimilarityError> {
    let lambda = task.parameters.number(&LAMBDA);
    Pairwise {
        n_layers: layers.len(),
        symmetric: true,
        bytes: &|l| bytes(&layers[l]),
        prepare: &|l| {
            let c = packed(&filter(layers[l], lambda)?);
            let size = norm(&c);
            unit(c, size)
        },
        compare: &|a: &Vec<f64>, b| cosine(a, b),
    }
    .run(task)
}

/// `K (K + N lambda I)⁻¹ = I - N lambda (K + N lambda I)⁻¹`.
pub(crate) fn ridge(x: Activations<'_>, lambda: f64) -> Result<Matrix<f64>, Status> {
    let mut k = gram(x)?;
    let n = k.n_rows();
    let alpha = n as f64 * lambda;
    (0..n).for_each(|i| k.row_mut(i)[i] += alpha);
    let mut c = spd_inverse(&k).ok_or(Status::NotFinite)?;
    c.data_mut().iter_mut().for_each(|v| *v *= -alpha);
    (0..n).for_each(|i| c.row_mut(i)[i] += 1.0);
    Ok(c)
}

/// `V_1 (I - N lambda S_1⁻¹) V_1ᵀ` over the eigenvalues above `N lambda`.
pub(crate) fn low_rank(x: Activations<'_>, lambda: f64) -> Result<Matrix<f64>, Status> {
    let k = gram(x)?;
    let n = k.n_rows();
    let alpha = n as f64 * lambda;
    let (values, vectors) = symmetric_eigen(&k).ok_or(Status::NotConverged)?;
    let kept: Vec<usize> = (0..n).filter(|&i| values[i] > alpha).collect();
    if kept.is_empty() {
        return Err(Status::ZeroVariance);
    }
    let root = |i: usize| (1.0 - alpha / values[i]).sqrt();
    Ok(gram_f64(Matrix::from_fn(n, kept.len(), |i, k| vectors.row(i)[kept[k]] * root(kept[k])).as_ref()))
}

/// Bytes of one layer while it is filtered.
pub(crate) fn bytes(x: &Activations<'_>) -> usize {
    gram_bytes(x) + 32 * x.n_rows() * x.n_rows()
}

fn gram(x: Activations<'_>) -> Result<Matrix<f64>, Status> {
    if x.n_rows() < 2 {
        return Err(Status::NTooSmall);
    }
    let mut k = Rows::new(x, Form::Centred)?.gram();
    let n = k.n_rows();
    let trace: f64 = (0..n).map(|i| k.row(i)[i]).sum();
    k.data_mut().iter_mut().for_each(|v| *v *= n as f64 / trace);
    Ok(k)
}
